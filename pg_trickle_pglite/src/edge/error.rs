//! The one error type of the backend: an error of PostgreSQL passing through, or one of our own.

use super::ffi::PgErrorData;
use crate::text::names::NameError;
use pg_trickle_core::error::Error;
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
    /// More detail.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Where it happened.
    pub context: Option<String>,
    /// The text that `position` points into.
    pub query: Option<String>,
    /// In characters from 1; 0 for none.
    pub position: i32,
    /// The context names the stream table that it is about.
    names_stream_table: bool,
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

    /// With the piece of the query that caused it, after any other detail.
    #[must_use]
    pub fn fragment(mut self: Box<Self>, fragment: &str) -> Box<Self> {
        let line = format!("Fragment: {fragment}");
        self.detail = Some(match self.detail.take() {
            Some(detail) => format!("{detail}\n{line}"),
            None => line,
        });
        self
    }

    /// With the stream table that it is about, unless it has one already.
    #[must_use]
    pub fn about(mut self: Box<Self>, stream_table: &str) -> Box<Self> {
        if !self.names_stream_table {
            let line = about_line(stream_table);
            self.context = Some(match self.context.take() {
                Some(context) if !context.is_empty() => format!("{line}\n{context}"),
                Some(_) | None => line,
            });
            self.names_stream_table = true;
        }
        self
    }

    /// With the stream table in place of the maintenance statement that failed, which is one of these. Its text means nothing
    /// to users and names hidden tables.
    #[must_use]
    pub fn in_maintenance<'a>(
        mut self: Box<Self>,
        stream_table: &str,
        statements: impl Iterator<Item = &'a str>,
    ) -> Box<Self> {
        let context = self.context.as_deref().unwrap_or_default();
        for statement in statements {
            // As PostgreSQL's SPI writes it.
            let line = format!("SQL statement \"{statement}\"");
            if context.contains(&line) {
                self.context = Some(context.replacen(&line, &about_line(stream_table), 1));
                self.names_stream_table = true;
                return self;
            }
        }
        self.about(stream_table)
    }
}

fn about_line(stream_table: &str) -> String {
    format!("Stream table: {stream_table}")
}

impl From<NameError> for Box<SqlError> {
    fn from(error: NameError) -> Self {
        SqlError::new(error.sqlstate, error.message).hint(error.hint)
    }
}

impl From<Error> for Box<SqlError> {
    fn from(error: Error) -> Self {
        let mut converted = SqlError::new(error.sqlstate(), error.to_string());
        if let Error::Unsupported { fragment, .. } = &error {
            converted = converted.fragment(fragment);
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
        let failed = || {
            let mut error = SqlError::new("22012", "division by zero");
            error.context = Some("f()\nSQL statement \"MERGE\nINTO x\"\nDO".to_owned());
            error
        };
        let error = failed()
            .in_maintenance("a", ["SELECT", "MERGE\nINTO x"].into_iter())
            .about("b");
        assert_eq!(error.context.as_deref(), Some("f()\nStream table: a\nDO"));
        let error = failed().in_maintenance("a", std::iter::empty());
        assert_eq!(
            error.context.as_deref(),
            Some("Stream table: a\nf()\nSQL statement \"MERGE\nINTO x\"\nDO")
        );
    }
}
