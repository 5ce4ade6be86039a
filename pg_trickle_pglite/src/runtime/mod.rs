//! The state of a session: compiled stream tables, pending changes, and the flush that applies them.

pub mod behind;
pub mod best_way;
pub mod choices;
pub mod flush;
pub mod load;
#[cfg_attr(target_family = "wasm", path = "one_session.rs")]
pub mod locks;
pub mod memory;
pub mod plans;
pub mod rights;
pub mod session;
pub mod sources;
pub mod stream_table;
pub mod subscribers;
