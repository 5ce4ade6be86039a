//! The one error type of the backend: one of PostgreSQL's on its way through, or one of our own.

use crate::ffi::PgErrorData;
use std::fmt;

/// The result of everything that can fail here.
pub type Result<T> = std::result::Result<T, Box<SqlError>>;

/// What becomes an SQL error.
#[derive(Clone, Debug, Default)]
pub struct SqlError {
    /// The error that PostgreSQL raised, where it is one.
    pub(crate) pg: PgErrorData,
    /// Five characters.
    pub sqlstate: String,
    /// The primary message.
    pub message: String,
    /// What to know besides.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Where it happened.
    pub context: Option<String>,
    /// The text that `position` points into.
    pub query: Option<String>,
    /// In characters from 1; 0 for none.
    pub position: i32,
}

impl SqlError {
    /// An error of our own.
    #[must_use]
    pub fn new(sqlstate: &str, message: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            sqlstate: sqlstate.to_owned(),
            message: message.into(),
            ..Self::default()
        })
    }

    /// A bug of ours.
    #[must_use]
    pub fn internal(message: impl fmt::Display) -> Box<Self> {
        Self::new("XX000", format!("internal error in pg_trickle: {message}"))
            .hint("Please report this, with the statement that led to it.")
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self: Box<Self>, hint: impl Into<String>) -> Box<Self> {
        self.hint = Some(hint.into());
        self
    }

    /// With a detail.
    #[must_use]
    pub fn detail(mut self: Box<Self>, detail: impl Into<String>) -> Box<Self> {
        self.detail = Some(detail.into());
        self
    }

    /// With the piece of the query that is to blame, after any other detail.
    #[must_use]
    pub fn fragment(mut self: Box<Self>, fragment: &str) -> Box<Self> {
        let line = format!("Fragment: {fragment}");
        self.detail = Some(match self.detail.take() {
            Some(detail) => format!("{detail}\n{line}"),
            None => line,
        });
        self
    }

    /// Without the text of a maintenance statement in the context. It says nothing to users, and names hidden tables.
    #[must_use]
    pub fn without_our_statement(mut self: Box<Self>) -> Box<Self> {
        if let Some(context) = &mut self.context
            && let Some(start) = context.find("SQL statement \"")
            && let Some(end) = context[start..].find("Stream table: ")
        {
            context.replace_range(start..start + end, "");
        }
        self
    }

    /// With the stream table that it is about, unless it is named already.
    #[must_use]
    pub fn about(mut self: Box<Self>, stream_table: &str) -> Box<Self> {
        let context = self.context.take().unwrap_or_default();
        self.context = Some(if context.contains("Stream table: ") {
            context
        } else if context.is_empty() {
            format!("Stream table: {stream_table}")
        } else {
            format!("Stream table: {stream_table}\n{context}")
        });
        self
    }
}

impl From<pg_trickle_core::error::Error> for Box<SqlError> {
    fn from(error: pg_trickle_core::error::Error) -> Self {
        let mut converted = SqlError::new(error.sqlstate(), error.to_string());
        if let pg_trickle_core::error::Error::Unsupported { what, .. } = &error {
            // "volatile function random()": the last word is a piece of the query.
            converted = converted.fragment(what.rsplit(' ').next().unwrap_or(what));
        }
        match error.hint() {
            Some(hint) => converted.hint(hint),
            None => converted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SqlError;

    #[test]
    fn maintenance_statements_leave_the_context() {
        let mut error = SqlError::new("22012", "division by zero");
        error.context = Some("f()\nSQL statement \"MERGE\nINTO x\"\nStream table: public.a\nDO".to_owned());
        let error = error.without_our_statement().about("public.b");
        assert_eq!(error.context.as_deref(), Some("f()\nStream table: public.a\nDO"));
    }
}
