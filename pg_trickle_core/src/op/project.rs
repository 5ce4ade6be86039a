//! Project: the select list of a query without grouping.
//!
//! Δπ(R) = π(ΔR) as a bag: linear, weights are kept. A set-returning function in the list maps one row to several, which
//! is linear too, but then a key of the input is no key of the output.
//!
//! State: none of its own. Cost: the change.
//!
//! Source: Blakeley, Larson, Tompa, 1986, for sets with counters; for bags weights are those counters.

use super::{Op, Operator};

/// One output of a block, and the storage column it fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// SQL over the scans' aliases.
    pub sql: String,
    /// The storage column.
    pub name: String,
    /// Its type as SQL text.
    pub type_sql: String,
    /// True where the storage column is not part of the query's result.
    pub hidden: bool,
}

/// The select list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// What is projected.
    pub input: Box<Op>,
    /// The columns, visible ones first and in the query's order.
    pub outputs: Vec<Output>,
}

impl Operator for Project {
    fn describe(&self) -> String {
        let list: Vec<String> = self
            .outputs
            .iter()
            .filter(|output| !output.hidden)
            .map(|output| output.sql.clone())
            .collect();
        format!("project {}", list.join(", "))
    }

    fn inputs(&self) -> Vec<&Op> {
        vec![&self.input]
    }
}
