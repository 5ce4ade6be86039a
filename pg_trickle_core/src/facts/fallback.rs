//! Why a query is not maintained as hoped: it falls back to a full refresh, or cannot be a stream table at all.

use crate::error::Error;

/// What ends the search for a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// No rule covers the query; the text names the construct that is to blame. It is maintained by a full refresh,
    /// unless another rule is tried.
    Reason(String),
    /// The same, but of the query as a whole: a part of it changes without a change of a table, so that it must be computed
    /// again with every change of any table.
    Whole(String),
    /// It cannot be a stream table.
    Error(Error),
}

impl From<Error> for Fallback {
    fn from(error: Error) -> Self {
        Fallback::Error(error)
    }
}

/// Gives up on a rule because of the construct `what`.
pub fn reason<T>(what: &str) -> Result<T, Fallback> {
    Err(Fallback::Reason(what.to_owned()))
}
