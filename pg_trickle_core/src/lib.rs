//! Turns the analysed tree of a query into the SQL that maintains its stream table.
//!
//! Pure: text in, data out; everything that must be asked of a database goes through [`catalog::Catalog`]. The way of a
//! query is in docs/ARCHITECTURE.md.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod error;
pub mod node;
pub mod plan;
pub mod query;
