//! Having: the groups for which a condition over the states is true, and the select list above an aggregate.
//!
//! A group that the condition hides keeps its state, so that it can come back: the condition stands in the user's
//! view, not in the storage. Expressions of the select list over states are generated columns where they are
//! immutable (so that an index can reach them), and are computed by the view otherwise. A generated column is guarded by
//! the condition: the query would not evaluate it for a hidden group, and it may raise.
//!
//! State: none of its own. Cost: the touched groups.

use super::{Op, Operator};

/// Where a column of the result comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is a key or state column of the storage.
    Stored,
    /// A generated column of the storage.
    Generated,
    /// Computed by the view.
    View,
}

/// One column of the result of a grouped query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    /// Its name.
    pub name: String,
    /// Its type as SQL text.
    pub type_sql: String,
    /// ` COLLATE ...`, or nothing.
    pub collate: String,
    /// SQL over the storage's key and state columns.
    pub sql: String,
    /// Where it is kept.
    pub place: Place,
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
