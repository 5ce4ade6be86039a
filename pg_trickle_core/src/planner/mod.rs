//! From the analysed query to a plan: chooses an operator for each stage. If none covers a construct, it names the
//! construct and falls back to a full refresh.

#[cfg(feature = "changes")]
pub mod change_rows;
pub mod choose;
pub mod compile;
#[cfg(feature = "changes")]
mod on_read;
