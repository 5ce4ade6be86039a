//! Why an operator does not apply to a query.

use crate::error::Error;

/// Why planning a query stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// The operator does not support the construct that the text names. The planner tries another operator, and in the
    /// end falls back to a full refresh.
    Reason(String),
    /// A part of the query changes without a change of a table. The whole query must be recomputed whenever any of its tables
    /// changes, so no part of it can be a stage of its own.
    Whole(String),
    /// The query cannot be a stream table at all.
    Error(Error),
}

impl From<Error> for Fallback {
    fn from(error: Error) -> Self {
        Fallback::Error(error)
    }
}

/// Rejects an operator because of the construct `what`, which `explain` shows.
pub fn reason<T>(what: &str) -> Result<T, Fallback> {
    Err(Fallback::Reason(what.to_owned()))
}
