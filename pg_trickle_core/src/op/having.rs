//! Having: the groups for which a condition over the states is true, and the select list above an aggregate.
//!
//! A group that the condition hides keeps its state, so that it can come back: the condition stands in the user's
//! view, not in the storage. So do the expressions of the select list over keys and states: they are computed for the
//! groups that are read, with the errors that the query itself would raise.
//!
//! State: none of its own. Cost: none; the view pays per group read.

use super::{Op, Operator};

/// One column of the result of a grouped query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    /// Its name.
    pub name: String,
    /// Its type as SQL text.
    pub type_sql: String,
    /// SQL over the storage's key and state columns.
    pub sql: String,
}

/// What stands between an aggregate and the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Having {
    /// The aggregate.
    pub input: Box<Op>,
    /// The condition, as SQL over the storage's columns.
    pub condition: Option<String>,
    /// The columns of the result, in the query's order.
    pub outputs: Vec<Visible>,
}

impl Operator for Having {
    fn describe(&self) -> String {
        match &self.condition {
            Some(condition) => format!("having {condition}"),
            None => "select list over groups".to_owned(),
        }
    }

    fn inputs(&self) -> Vec<&Op> {
        vec![&self.input]
    }
}
