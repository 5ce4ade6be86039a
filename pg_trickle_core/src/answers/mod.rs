//! The catalog, read from rows. What a question is about and what the columns of its rows are is said here, once for all
//! who answer: a database by SPI, and [`recorded`] answers, which a database gave earlier.

pub mod read;
pub mod recorded;
pub mod values;

use crate::error::Error;

/// A question about the catalog, about an OID unless it says otherwise.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// A row of `pg_proc`.
    Function,
    /// The names of a function's OUT arguments.
    Out,
    /// Whether a function is `LANGUAGE c`.
    Compiled,
    /// A row of `pg_operator`.
    Operator,
    /// A row of `pg_type`.
    Type,
    /// The SQL text of an OID of a type and a modifier; name and schema of the type follow, of the elements for an array.
    TypeText,
    /// Schema and name of a collation.
    Collation,
    /// A row of `pg_class`.
    Relation,
    /// Any row if other tables inherit from this one.
    Child,
    /// NOT NULL constraints that are not valid, and foreign keys by which the table updates itself.
    Constraint,
    /// Rows of `pg_attribute`.
    Column,
    /// Rows of `pg_index`.
    Index,
    /// Whether policies apply to who reads a table.
    Restricted,
    /// Whether a view shows what who reads it cannot.
    Foreign,
    /// The tree of a view.
    View,
    /// Equal, less and greater of a type's default operator class.
    Operators,
    /// The text of the value of a `CONST` node, which is what it is about.
    Constant,
}

impl Question {
    /// How it is called in recorded answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Question::Function => "function",
            Question::Out => "out",
            Question::Compiled => "compiled",
            Question::Operator => "operator",
            Question::Type => "type",
            Question::TypeText => "typeText",
            Question::Collation => "collation",
            Question::Relation => "relation",
            Question::Child => "child",
            Question::Constraint => "constraint",
            Question::Column => "column",
            Question::Index => "index",
            Question::Restricted => "restricted",
            Question::Foreign => "foreign",
            Question::View => "view",
            Question::Operators => "operators",
            Question::Constant => "constant",
        }
    }
}

/// A row of an answer.
pub type Row = Vec<Option<String>>;

/// Who answers questions about the catalog.
pub trait Answers {
    /// The rows that answer a question.
    ///
    /// # Errors
    ///
    /// [`Error::Catalog`] where the question cannot be asked. One about an object that does not exist has no rows.
    fn rows(&self, question: Question, about: &[&str]) -> Result<Vec<Row>, Error>;
}
