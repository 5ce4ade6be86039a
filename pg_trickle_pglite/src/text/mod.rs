//! Text alone: names, and what hides them. Nothing here knows PostgreSQL.

pub mod exact;
pub mod hidden;
pub mod names;
