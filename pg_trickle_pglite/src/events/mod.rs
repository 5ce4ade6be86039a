//! What PostgreSQL tells: statements begin and end, transactions too, DDL has run.

pub mod ddl;
mod row_movement;
pub mod statement;
pub mod transaction;
