//! The one error type of the core. Nothing else formats messages.

use std::fmt;

/// Why a query could not be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The query cannot be kept up to date: its result is not defined by its sources alone, or changes to a source are
    /// invisible.
    Unsupported {
        /// What the query contains, e.g. `volatile function random()`.
        what: String,
        /// The piece of the query that it concerns.
        fragment: String,
        /// What to do instead.
        hint: String,
    },
    /// A look-up in the catalog failed. Carries the backend's message.
    Catalog(String),
    /// The core cannot read a node of the analysed tree: a bug here, or a newer server.
    Tree(String),
}

impl Error {
    /// The five-character SQLSTATE of the error.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Error::Unsupported { .. } => "0A000",
            Error::Catalog(_) | Error::Tree(_) => "XX000",
        }
    }

    /// What the user can do, if anything.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Error::Unsupported { hint, .. } => Some(hint),
            Error::Catalog(_) => None,
            Error::Tree(_) => Some("Please report this query: it should have been maintained by Rebuild."),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unsupported { what, .. } => write!(f, "a stream table cannot contain a {what}"),
            Error::Catalog(message) => write!(f, "catalog look-up failed: {message}"),
            Error::Tree(message) => write!(f, "cannot read the query tree: {message}"),
        }
    }
}

impl std::error::Error for Error {}
