//! The objects that a stream table consists of: its definition, storage and view, and the triggers on its sources.

pub mod definition;
pub mod description;
pub mod sources;
pub mod statements;
pub mod storage;
pub mod triggers;
pub mod view;
