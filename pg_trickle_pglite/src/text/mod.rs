//! Text alone: names and JSON. Nothing here knows PostgreSQL.

pub mod exact;
pub mod hidden;
pub mod json;
pub mod names;
