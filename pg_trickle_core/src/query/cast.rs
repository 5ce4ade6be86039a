//! Casts, and other expressions that only change the type of a value.

use super::Expr;
use crate::plan::Oid;

/// `(row).field`.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldSelect {
    /// The row.
    pub arg: Expr,
    /// The field's number, from 1.
    pub field: i16,
    /// Result type.
    pub type_oid: Oid,
    /// Result type modifier.
    pub typmod: i32,
    /// Result collation.
    pub collation: Oid,
}

/// A cast to a binary-compatible type, which keeps the bits of the value.
#[derive(Clone, Debug, PartialEq)]
pub struct Relabel {
    /// The value.
    pub arg: Expr,
    /// Result type.
    pub type_oid: Oid,
    /// Result type modifier.
    pub typmod: i32,
    /// Result collation.
    pub collation: Oid,
    /// How it was written.
    pub form: CoerceForm,
}

/// A cast by way of output and input functions.
#[derive(Clone, Debug, PartialEq)]
pub struct CoerceViaIo {
    /// The value.
    pub arg: Expr,
    /// Result type.
    pub type_oid: Oid,
    /// Result collation.
    pub collation: Oid,
    /// How it was written.
    pub form: CoerceForm,
}

/// A cast of an array's elements.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayCoerce {
    /// The array.
    pub arg: Expr,
    /// The cast of one element, over a `CaseTest`.
    pub element: Expr,
    /// Result type.
    pub type_oid: Oid,
    /// Result type modifier.
    pub typmod: i32,
    /// Result collation.
    pub collation: Oid,
    /// How it was written.
    pub form: CoerceForm,
}

/// A cast between row types.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvertRowtype {
    /// The row.
    pub arg: Expr,
    /// Result type.
    pub type_oid: Oid,
    /// How it was written.
    pub form: CoerceForm,
}

/// `COLLATE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Collate {
    /// The value.
    pub arg: Expr,
    /// The collation.
    pub collation: Oid,
}

/// A cast to a domain.
#[derive(Clone, Debug, PartialEq)]
pub struct CoerceToDomain {
    /// The value.
    pub arg: Expr,
    /// The domain.
    pub type_oid: Oid,
    /// Its type modifier.
    pub typmod: i32,
    /// Result collation.
    pub collation: Oid,
    /// How it was written.
    pub form: CoerceForm,
}

/// How a function-like node was written (`CoercionForm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoerceForm {
    /// A call.
    Call,
    /// `CAST` or `::`.
    ExplicitCast,
    /// Added by the parser.
    ImplicitCast,
    /// Special SQL syntax.
    SqlSyntax,
}
