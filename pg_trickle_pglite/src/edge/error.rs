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
    /// The statement of ours that failed.
    pub statement: Option<String>,
    /// PostgreSQL did not accept that statement, whatever the rows are.
    pub is_refused: bool,
    /// The context names the stream table that it is about.
    names_stream_table: bool,
}

/// Errors that say nothing about the statement: memory, locks, the connection, the transaction. A unique index is the user's
/// own. By the first characters of their codes.
const OF_THE_MOMENT: [&str; 9] = ["08", "23505", "23P01", "25", "40", "53", "55", "57", "58"];

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

    /// Whether a full refresh of the query may succeed where this failed: PostgreSQL raised it for what the statement is or
    /// does, or it is a bug of ours.
    #[must_use]
    pub fn is_avoidable(&self) -> bool {
        !self.is_of_the_moment() && (self.pg.is_some() || self.sqlstate.starts_with("XX"))
    }

    /// Whether it says nothing about the statement.
    #[must_use]
    pub fn is_of_the_moment(&self) -> bool {
        OF_THE_MOMENT.iter().any(|code| self.sqlstate.starts_with(code))
    }

    /// DDL on what a running statement or a cursor uses.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.sqlstate == "55006"
    }

    /// Whether it will be the same for all rows.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.is_refused || self.sqlstate.starts_with("XX")
    }

    /// What failed, in a line: for the reason of a full refresh.
    #[must_use]
    pub fn reason(&self) -> String {
        const LONGEST: usize = 300;
        let what = if self.is_refusal() || self.sqlstate.starts_with("42") || self.sqlstate.starts_with("0A") {
            "PostgreSQL refuses its maintenance"
        } else {
            "its maintenance fails where the query does not"
        };
        let mut reason = format!("{what}: {} ({})", self.message, self.sqlstate);
        if let Some(statement) = &self.statement {
            reason.push_str(" in ");
            match statement.char_indices().nth(LONGEST) {
                Some((end, _)) => reason.extend([&statement[..end], " ..."]),
                None => reason.push_str(statement),
            }
        }
        reason
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
                self.statement = Some(statement.to_owned());
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
    fn a_reason_names_error_and_statement() {
        let mut error = SqlError::new("22012", "division by zero");
        assert_eq!(
            error.reason(),
            "its maintenance fails where the query does not: division by zero (22012)"
        );
        error.statement = Some("\u{e4}".repeat(301));
        error.is_refused = true;
        let reason = error.reason();
        let start = "PostgreSQL refuses its maintenance: division by zero (22012) in \u{e4}";
        assert!(reason.starts_with(start) && reason.ends_with("\u{e4} ..."), "{reason}");
    }

    #[test]
    fn our_own_errors_are_no_reason_but_bugs() {
        assert!(SqlError::internal("a bug").is_avoidable());
        assert!(!SqlError::new("0A000", "volatile function").is_avoidable());
        assert!(!SqlError::out_of_memory().is_avoidable());
    }

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
        assert_eq!(error.statement.as_deref(), Some("MERGE\nINTO x"));
        let error = failed().in_maintenance("a", std::iter::empty());
        assert_eq!(
            error.context.as_deref(),
            Some("Stream table: a\nf()\nSQL statement \"MERGE\nINTO x\"\nDO")
        );
    }
}
