//! Operators whose result for a key depends on the rows with that key only.
//!
//! - Window functions: a row's result depends on the rows of its partition. With several windows the key is what their
//!   partitions have in common; windows that have nothing in common are stages one above the other.
//! - DISTINCT ON: the row that is chosen depends on the rows with its key.
//! - Aggregates without an incremental state (floats, strings, arrays, ordered sets, user-defined ones): a group's
//!   result depends on its rows.
//! - Set operations over types whose equal values can look different: what is shown of a row depends on the rows of both
//!   sides that are equal to it.
//!
//! Rule: the keys of changed rows, old and new, are touched; the query is run for them again (`stage/rekey.rs`).
//!
//! State: the result, with its key. Cost: the rows of the touched keys, with an index on the key's columns of the source.
//!
//! Source: Palpanas et al., 2002, for aggregates; the same reasoning for the others, whose result splits by key too.

use super::{Op, Operator};

/// Which operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Window functions.
    Window,
    /// `DISTINCT ON`.
    DistinctOn,
    /// Aggregates, and why they are not folded.
    Group(String),
    /// A set operation, and why its rows are not counted.
    Rows(String),
}

/// An operator that is maintained key by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerKey {
    /// What it reads.
    pub input: Box<Op>,
    /// Which operator.
    pub what: What,
    /// Names of the key's columns.
    pub keys: Vec<String>,
}

impl Operator for PerKey {
    fn describe(&self) -> String {
        let keys = self.keys.join(", ");
        match &self.what {
            What::Window => format!("window by ({keys})"),
            What::DistinctOn => format!("distinct on ({keys})"),
            What::Group(why) => format!("aggregate by ({keys}), group by group: {why}"),
            What::Rows(why) => format!("set operation by ({keys}), row by row: {why}"),
        }
    }

    fn inputs(&self) -> Vec<&Op> {
        vec![&self.input]
    }
}
