//! The events that PostgreSQL reports: statements and transactions begin and end, DDL has run.

pub mod ddl;
mod row_movement;
pub mod statement;
pub mod transaction;
