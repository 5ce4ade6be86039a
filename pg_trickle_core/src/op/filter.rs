//! Filter: the rows for which a condition is true.
//!
//! Δσ(R) = σ(ΔR): linear, so the condition joins the WHERE of every term.
//!
//! State: none. Cost: the change.
//!
//! Source: Blakeley, Larson, Tompa, "Efficiently updating materialized views", 1986.

use super::{Op, Operator};

/// `WHERE`, and the `ON` conditions of inner joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// What is filtered.
    pub input: Box<Op>,
    /// Conjuncts, as SQL over the scans' aliases.
    pub conditions: Vec<String>,
}

impl Operator for Filter {
    fn describe(&self) -> String {
        format!("filter {}", self.conditions.join(" AND "))
    }

    fn inputs(&self) -> Vec<&Op> {
        vec![&self.input]
    }
}
