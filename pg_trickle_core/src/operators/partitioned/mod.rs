//! Operators whose result for a key depends only on the rows with that key.
//!
//! - Window functions: the result for a row depends on the rows of its partition. With several windows, the key is what
//!   their partitions have in common. Windows that have nothing in common become stages one above the other.
//! - DISTINCT ON: the chosen row depends on the rows with its key.
//! - Aggregates without an incremental state (strings, arrays, ordered sets, user-defined ones): the result for a group
//!   depends on its rows.
//!
//! Rule: a change touches the keys of its inserted and deleted rows. Run the query again for these keys
//! ([`crate::maintain::rekey`]).
//!
//! State: the result, with its key. Cost: the rows with the touched keys, given an index on the key columns of the
//! source.
//!
//! Source: Palpanas et al., "Incremental maintenance for non-distributive aggregate functions", 2002, for aggregates.
//! The same reasoning holds for the others, whose results also split by key.

pub mod first;
mod growing;
mod near;
mod near_plan;
pub mod places;
pub mod plan;
mod range;
mod reach;
