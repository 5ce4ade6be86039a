//! Operators whose result for a key depends on the rows with that key only.
//!
//! - Window functions: a row's result depends on the rows of its partition. With several windows the key is what their
//!   partitions have in common; windows that have nothing in common are stages one above the other.
//! - DISTINCT ON: the row that is chosen depends on the rows with its key.
//! - Aggregates without an incremental state (strings, arrays, ordered sets, user-defined ones): a group's result depends on
//!   its rows.
//!
//! Rule: the keys of changed rows, old and new, are touched; the query is run for them again ([`crate::maintain::rekey`]).
//!
//! State: the result, with its key. Cost: the rows of the touched keys, with an index on the key's columns of the source.
//!
//! Source: Palpanas et al., "Incremental maintenance for non-distributive aggregate functions", 2002, for aggregates; the same
//! reasoning for the others, whose result splits by key too.

pub mod plan;
