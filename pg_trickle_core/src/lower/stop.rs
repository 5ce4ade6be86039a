//! Why lowering did not give a Fold.

use crate::error::Error;

/// The query cannot be folded, or not be maintained at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is maintained by Rebuild; the text names the part of the query that is to blame.
    Reason(String),
    /// It cannot be a stream table.
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Error(error)
    }
}

/// Leaves the query to Rebuild, because of `what`.
pub fn reason<T>(what: &str) -> Result<T, Stop> {
    Err(Stop::Reason(what.to_owned()))
}
