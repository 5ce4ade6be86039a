//! Having: the groups for which a condition over the states is true, and the select list above an aggregate.
//!
//! A group that the condition hides keeps its state, so that it can come back: the condition stands in the user's
//! view, not in the storage. So do the expressions of the select list over keys and states: they are computed for the
//! groups that are read, with the errors that the query itself would raise.
//!
//! State: none of its own. Cost: none; the view pays per group read.
//!
//! Source: reasoning; a group that is not stored could only be counted again from the sources.

use super::{Op, Operator};

/// One column of the result of a grouped query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    /// Its name.
    pub name: String,
}

/// What stands between an aggregate and the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Having {
    /// The aggregate.
    pub input: Box<Op>,
    /// There is a condition.
    pub condition: bool,
    /// The columns of the result, in the query's order.
    pub outputs: Vec<Visible>,
}

impl Operator for Having {
    fn describe(&self) -> String {
        let names: Vec<&str> = self.outputs.iter().map(|output| output.name.as_str()).collect();
        let what = if self.condition {
            "having, select list"
        } else {
            "select list"
        };
        format!("{what} over groups: {}", names.join(", "))
    }

    fn inputs(&self) -> Vec<&Op> {
        vec![&self.input]
    }
}
