//! From the analysed query to a plan: chooses an operator for each stage, and falls back to a full refresh, with the construct
//! named, where there is none.

pub mod change_rows;
pub mod choose;
pub mod compile;
