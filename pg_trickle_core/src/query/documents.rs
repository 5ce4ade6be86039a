//! Expressions over XML and JSON.

use super::Expr;
use crate::plan::Oid;

/// The kinds of XML expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlOp {
    /// `XMLCONCAT`.
    Concat,
    /// `XMLELEMENT`.
    Element,
    /// `XMLFOREST`.
    Forest,
    /// `XMLPARSE`.
    Parse,
    /// `XMLPI`.
    Pi,
    /// `XMLROOT`.
    Root,
    /// `XMLSERIALIZE`.
    Serialize,
    /// `IS DOCUMENT`.
    IsDocument,
}

/// `XMLELEMENT` and similar.
#[derive(Clone, Debug, PartialEq)]
pub struct Xml {
    /// Its kind.
    pub op: XmlOp,
    /// Name of the element or instruction.
    pub name: Option<String>,
    /// Attributes.
    pub named_args: Vec<Expr>,
    /// Names of the attributes, in their escaped form.
    pub arg_names: Vec<String>,
    /// Contents.
    pub args: Vec<Expr>,
    /// True for `DOCUMENT`, false for `CONTENT`.
    pub document: bool,
    /// `INDENT`.
    pub indent: bool,
    /// Result type.
    pub type_oid: Oid,
    /// Result type modifier.
    pub typmod: i32,
}

/// `FORMAT JSON [ENCODING ...]`: values of `JsonFormatType` and `JsonEncoding`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonFormat {
    /// 0 default, 1 JSON, 2 JSONB (internal).
    pub format: i32,
    /// 0 default, 1 UTF8, 2 UTF16, 3 UTF32.
    pub encoding: i32,
}

/// `RETURNING type [FORMAT ...]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonReturning {
    /// The format.
    pub format: JsonFormat,
    /// The type.
    pub type_oid: Oid,
    /// The type modifier.
    pub typmod: i32,
}

/// A JSON input with its format.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonValue {
    /// As the user wrote it.
    pub raw: Expr,
    /// With the conversion that the parser added.
    pub formatted: Option<Expr>,
    /// The format.
    pub format: JsonFormat,
}

/// `JsonConstructorType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonConstructorKind {
    /// `JSON_OBJECT`.
    Object,
    /// `JSON_ARRAY`.
    Array,
    /// `JSON_OBJECTAGG`.
    ObjectAgg,
    /// `JSON_ARRAYAGG`.
    ArrayAgg,
    /// `JSON()`.
    Parse,
    /// `JSON_SCALAR`.
    Scalar,
    /// `JSON_SERIALIZE`.
    Serialize,
}

/// `JSON_OBJECT` and similar.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonConstructor {
    /// Its kind.
    pub kind: JsonConstructorKind,
    /// Arguments.
    pub args: Vec<Expr>,
    /// The aggregate or window function underneath.
    pub func: Option<Expr>,
    /// The conversion to the RETURNING type, over a `CaseTest`.
    pub coercion: Option<Expr>,
    /// `RETURNING`.
    pub returning: JsonReturning,
    /// `ABSENT ON NULL`.
    pub absent_on_null: bool,
    /// `WITH UNIQUE KEYS`.
    pub unique: bool,
}

/// The kind of value that `IS JSON` tests for (`JsonValueType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonItem {
    /// Any.
    Any,
    /// `OBJECT`.
    Object,
    /// `ARRAY`.
    Array,
    /// `SCALAR`.
    Scalar,
}

/// `IS JSON`.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonIs {
    /// The value.
    pub arg: Expr,
    /// Its format.
    pub format: JsonFormat,
    /// The kind of value tested for.
    pub item: JsonItem,
    /// `WITH UNIQUE KEYS`.
    pub unique: bool,
}

/// `JsonExprOp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonExprOp {
    /// `JSON_EXISTS`.
    Exists,
    /// `JSON_QUERY`.
    Query,
    /// `JSON_VALUE`.
    Value,
    /// `JSON_TABLE`.
    Table,
}

/// `JsonWrapper`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonWrapper {
    /// Not specified.
    Unspecified,
    /// `WITHOUT WRAPPER`.
    None,
    /// `WITH CONDITIONAL WRAPPER`.
    Conditional,
    /// `WITH UNCONDITIONAL WRAPPER`.
    Unconditional,
}

/// `JsonBehaviorType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonBehaviorKind {
    /// `NULL`.
    Null,
    /// `ERROR`.
    Error,
    /// `EMPTY`.
    Empty,
    /// `TRUE`.
    True,
    /// `FALSE`.
    False,
    /// `UNKNOWN`.
    Unknown,
    /// `EMPTY ARRAY`.
    EmptyArray,
    /// `EMPTY OBJECT`.
    EmptyObject,
    /// `DEFAULT ...`.
    Default,
}

/// `... ON EMPTY`, `... ON ERROR`.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonBehavior {
    /// Its kind.
    pub kind: JsonBehaviorKind,
    /// The value.
    pub expr: Option<Expr>,
    /// True if the value must still be cast to the RETURNING type.
    pub coerce: bool,
}

/// `JSON_QUERY` and similar.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonExpr {
    /// Its kind.
    pub op: JsonExprOp,
    /// The name of a JSON_TABLE column.
    pub column_name: Option<String>,
    /// The document.
    pub formatted: Expr,
    /// The format of the document.
    pub format: JsonFormat,
    /// The path.
    pub path: Expr,
    /// `RETURNING`.
    pub returning: JsonReturning,
    /// Names of the PASSING arguments.
    pub passing_names: Vec<String>,
    /// PASSING arguments.
    pub passing: Vec<Expr>,
    /// `ON EMPTY`.
    pub on_empty: Option<JsonBehavior>,
    /// `ON ERROR`.
    pub on_error: Option<JsonBehavior>,
    /// `WRAPPER`.
    pub wrapper: JsonWrapper,
    /// `OMIT QUOTES`.
    pub omit_quotes: bool,
    /// Result collation.
    pub collation: Oid,
}
