//! Union all: the rows of all branches.
//!
//! Δ(R ∪ S) = ΔR ∪ ΔS as bags: linear, so the terms of the branches stand side by side.
//!
//! State: none. Cost: the change.
//!
//! Source: the sum of Z-sets; Griffin, Libkin, "Incremental maintenance of views with duplicates", 1995.

use super::{Op, Operator};

/// `UNION ALL` of any number of branches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnionAll {
    /// The branches.
    pub inputs: Vec<Op>,
}

impl Operator for UnionAll {
    fn describe(&self) -> String {
        format!("union all of {}", self.inputs.len())
    }

    fn inputs(&self) -> Vec<&Op> {
        self.inputs.iter().collect()
    }
}
