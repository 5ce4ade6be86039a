//! SQL as text: identifiers, literals, maintenance statements, and the writer of analysed expressions and queries.

pub mod expr;
pub mod ident;
pub mod literal;
pub mod query;
pub mod statement;
