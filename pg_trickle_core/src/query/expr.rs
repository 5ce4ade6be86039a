//! Expressions, one type for each node kind of `src/include/nodes/primnodes.h`.

use super::{
    ArrayCoerce, CoerceForm, CoerceToDomain, CoerceViaIo, Collate, ConvertRowtype, FieldSelect, JsonConstructor,
    JsonExpr, JsonIs, JsonValue, Query, Relabel, SortGroup, Target, Xml,
};
use crate::plan::Oid;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A column.
    Var(Var),
    /// A constant.
    Const(Const),
    /// A parameter: of a SubLink's test expression, or `$n`.
    Param(Param),
    /// An aggregate call.
    Aggref(Box<Aggref>),
    /// `GROUPING(...)`.
    Grouping(GroupingFunc),
    /// A window function call.
    Window(Box<WindowFunc>),
    /// `a[i]`, `a[i:j]`, `jsonb['key']`.
    Subscript(Box<Subscript>),
    /// A function call or a cast by function.
    Func(FuncExpr),
    /// `name => value` among the arguments of a call.
    NamedArg(Box<NamedArg>),
    /// An operator.
    Op(OpExpr),
    /// `IS DISTINCT FROM`.
    Distinct(OpExpr),
    /// `NULLIF`.
    NullIf(OpExpr),
    /// `x op ANY (array)`, `x op ALL (array)`.
    ScalarArrayOp(ScalarArrayOp),
    /// `AND`, `OR`, `NOT`.
    Bool(Bool),
    /// A subquery.
    SubLink(Box<SubLink>),
    /// `(row).field`.
    FieldSelect(Box<FieldSelect>),
    /// A cast that changes no bits.
    Relabel(Box<Relabel>),
    /// A cast by output and input functions.
    CoerceViaIo(Box<CoerceViaIo>),
    /// A cast of an array's elements.
    ArrayCoerce(Box<ArrayCoerce>),
    /// A cast between row types.
    ConvertRowtype(Box<ConvertRowtype>),
    /// `COLLATE`.
    Collate(Box<Collate>),
    /// `CASE`.
    Case(Box<Case>),
    /// The tested value inside `CASE x WHEN ...`, or the element inside an array cast: type, typmod, collation.
    CaseTest(Oid, i32, Oid),
    /// `ARRAY[...]`.
    Array(ArrayExpr),
    /// `ROW(...)`.
    Row(RowExpr),
    /// `ROW(...) < ROW(...)`.
    RowCompare(RowCompare),
    /// `COALESCE`.
    Coalesce(List),
    /// `GREATEST`, `LEAST`.
    MinMax(MinMax),
    /// `CURRENT_DATE` and similar.
    SqlValue(SqlValue),
    /// `XMLELEMENT` and similar.
    Xml(Box<Xml>),
    /// A JSON input with its format.
    JsonValue(Box<JsonValue>),
    /// `JSON_OBJECT`, `JSON_ARRAY`, `JSON_OBJECTAGG`, `JSON()`, ...
    JsonConstructor(Box<JsonConstructor>),
    /// `IS JSON`.
    JsonIs(Box<JsonIs>),
    /// `JSON_QUERY`, `JSON_VALUE`, `JSON_EXISTS`, and the columns of JSON_TABLE.
    JsonExpr(Box<JsonExpr>),
    /// `IS NULL`, `IS NOT NULL`.
    NullTest(Box<NullTest>),
    /// `IS TRUE` and similar.
    BooleanTest(Box<BooleanTest>),
    /// A cast to a domain.
    CoerceToDomain(Box<CoerceToDomain>),
    /// SQL over aliases, written by the core itself.
    Sql(SqlLeaf),
}

/// A reference to a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Var {
    /// Position in the range table, from 1.
    pub varno: i32,
    /// Attribute number: 0 the whole row, negative a system column.
    pub attno: i16,
    /// Its type.
    pub type_oid: Oid,
    /// Its type modifier.
    pub typmod: i32,
    /// Its collation.
    pub collation: Oid,
    /// How many query levels up the table is.
    pub levels_up: u32,
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Const {
    /// Its type.
    pub type_oid: Oid,
    /// Its type modifier.
    pub typmod: i32,
    /// Its collation.
    pub collation: Oid,
    /// True for NULL.
    pub is_null: bool,
    /// The text of the node, which the catalog can turn into the text of the value.
    pub node: String,
}

/// The kinds of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// `$n`.
    Extern,
    /// Set by the executor.
    Exec,
    /// A column of the subquery of a SubLink.
    Sublink,
    /// A column of a multi-assignment.
    Multiexpr,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its kind.
    pub kind: ParamKind,
    /// Its number.
    pub id: i32,
    /// Its type.
    pub type_oid: Oid,
    /// Its type modifier.
    pub typmod: i32,
    /// Its collation.
    pub collation: Oid,
}

/// An aggregate call.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggref {
    /// The aggregate.
    pub function: Oid,
    /// Result type.
    pub type_oid: Oid,
    /// Result collation.
    pub collation: Oid,
    /// Input collation.
    pub input_collation: Oid,
    /// Types of the arguments, direct and aggregated.
    pub arg_types: Vec<Oid>,
    /// Direct arguments of an ordered-set aggregate.
    pub direct_args: Vec<Expr>,
    /// Aggregated arguments; junk ones are for ORDER BY.
    pub args: Vec<Target>,
    /// `ORDER BY` or `WITHIN GROUP`.
    pub order: Vec<SortGroup>,
    /// `DISTINCT`.
    pub distinct: Vec<SortGroup>,
    /// `FILTER`.
    pub filter: Option<Expr>,
    /// `*`.
    pub star: bool,
    /// True if the last argument is a `VARIADIC` array.
    pub variadic: bool,
    /// 'n' normal, 'o' ordered-set, 'h' hypothetical-set.
    pub kind: char,
    /// How many query levels up the aggregate belongs.
    pub levels_up: u32,
}

/// `GROUPING(...)`.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupingFunc {
    /// Its arguments.
    pub args: Vec<Expr>,
    /// The arguments as target references.
    pub refs: Vec<u32>,
    /// How many query levels up it belongs.
    pub levels_up: u32,
}

/// A window function call.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowFunc {
    /// The function or aggregate.
    pub function: Oid,
    /// Result type.
    pub type_oid: Oid,
    /// Result collation.
    pub collation: Oid,
    /// Input collation.
    pub input_collation: Oid,
    /// Arguments.
    pub args: Vec<Expr>,
    /// `FILTER`.
    pub filter: Option<Expr>,
    /// The window, by its `winref`.
    pub winref: u32,
    /// `*`.
    pub star: bool,
    /// True if the function is an aggregate.
    pub is_agg: bool,
}

/// A subscripted value.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscript {
    /// Type of the container.
    pub container_type: Oid,
    /// Result type.
    pub type_oid: Oid,
    /// Result type modifier.
    pub typmod: i32,
    /// Result collation.
    pub collation: Oid,
    /// Upper or only subscripts; a missing bound is `None`.
    pub upper: Vec<Option<Expr>>,
    /// Lower subscripts of a slice; empty if it is not a slice.
    pub lower: Vec<Option<Expr>>,
    /// The container.
    pub container: Expr,
}

/// A function call.
#[derive(Clone, Debug, PartialEq)]
pub struct FuncExpr {
    /// The function.
    pub function: Oid,
    /// Result type.
    pub type_oid: Oid,
    /// True if it returns a set.
    pub returns_set: bool,
    /// True if the last argument is a `VARIADIC` array.
    pub variadic: bool,
    /// How it was written.
    pub form: CoerceForm,
    /// Result collation.
    pub collation: Oid,
    /// Input collation.
    pub input_collation: Oid,
    /// Arguments.
    pub args: Vec<Expr>,
}

/// `name => value`.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedArg {
    /// The value.
    pub arg: Expr,
    /// The name.
    pub name: String,
    /// Position in the function's signature, from 0.
    pub number: i32,
}

/// An operator with one or two operands; also `IS DISTINCT FROM` and `NULLIF`.
#[derive(Clone, Debug, PartialEq)]
pub struct OpExpr {
    /// The operator.
    pub operator: Oid,
    /// Its function; 0 if the tree does not store it.
    pub function: Oid,
    /// Result type.
    pub type_oid: Oid,
    /// True if it returns a set.
    pub returns_set: bool,
    /// Result collation.
    pub collation: Oid,
    /// Input collation.
    pub input_collation: Oid,
    /// Operands.
    pub args: Vec<Expr>,
}

/// `x op ANY|ALL (array)`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalarArrayOp {
    /// The operator.
    pub operator: Oid,
    /// True for `ANY`, false for `ALL`.
    pub any: bool,
    /// Input collation.
    pub input_collation: Oid,
    /// The scalar and the array.
    pub args: Vec<Expr>,
}

/// Boolean connectives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoolOp {
    /// `AND`.
    And,
    /// `OR`.
    Or,
    /// `NOT`.
    Not,
}

/// `AND`, `OR`, `NOT`.
#[derive(Clone, Debug, PartialEq)]
pub struct Bool {
    /// The connective.
    pub op: BoolOp,
    /// Operands.
    pub args: Vec<Expr>,
}

impl Bool {
    /// True for `AND`.
    #[must_use]
    pub fn is_and(&self) -> bool {
        self.op == BoolOp::And
    }
}

/// The kinds of SubLinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubLinkKind {
    /// `EXISTS (...)`.
    Exists,
    /// `x op ALL (...)`.
    All,
    /// `x op ANY (...)`, `IN`.
    Any,
    /// `ROW(...) op (...)`.
    RowCompare,
    /// A scalar subquery.
    Expr,
    /// A row for a multi-assignment.
    MultiExpr,
    /// `ARRAY(...)`.
    Array,
    /// Used by the planner only.
    Cte,
}

/// A subquery in an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct SubLink {
    /// Its kind.
    pub kind: SubLinkKind,
    /// The test over the subquery's columns, which are Params of kind `Sublink`.
    pub test: Option<Expr>,
    /// The operator's name as written, e.g. `=` or `schema.op`.
    pub operator_name: Vec<String>,
    /// The subquery.
    pub query: Query,
}

/// `CASE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Result type.
    pub type_oid: Oid,
    /// Result collation.
    pub collation: Oid,
    /// The tested value of `CASE x WHEN ...`.
    pub arg: Option<Expr>,
    /// Conditions and results.
    pub whens: Vec<(Expr, Expr)>,
    /// `ELSE`.
    pub otherwise: Option<Expr>,
}

/// `ARRAY[...]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayExpr {
    /// Type of the array.
    pub type_oid: Oid,
    /// Its collation.
    pub collation: Oid,
    /// Type of the elements.
    pub element_type: Oid,
    /// The elements.
    pub elements: Vec<Expr>,
    /// True if the elements are arrays themselves.
    pub multidims: bool,
}

/// `ROW(...)`.
#[derive(Clone, Debug, PartialEq)]
pub struct RowExpr {
    /// Its type, `record` or a composite type.
    pub type_oid: Oid,
    /// The fields.
    pub args: Vec<Expr>,
    /// How it was written.
    pub form: CoerceForm,
    /// Names of the fields.
    pub names: Vec<String>,
}

/// Ordering comparisons of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowCompareKind {
    /// `<`.
    Lt,
    /// `<=`.
    Le,
    /// `>=`.
    Ge,
    /// `>`.
    Gt,
    /// `=`.
    Eq,
    /// `<>`.
    Ne,
}

/// `ROW(...) < ROW(...)`.
#[derive(Clone, Debug, PartialEq)]
pub struct RowCompare {
    /// The comparison.
    pub kind: RowCompareKind,
    /// The operator for each pair.
    pub operators: Vec<Oid>,
    /// The collation for each pair.
    pub collations: Vec<Oid>,
    /// Left fields.
    pub left: Vec<Expr>,
    /// Right fields.
    pub right: Vec<Expr>,
}

/// `COALESCE`.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// Result type.
    pub type_oid: Oid,
    /// Result collation.
    pub collation: Oid,
    /// Arguments.
    pub args: Vec<Expr>,
}

/// `GREATEST`, `LEAST`.
#[derive(Clone, Debug, PartialEq)]
pub struct MinMax {
    /// Result type.
    pub type_oid: Oid,
    /// Result collation.
    pub collation: Oid,
    /// Input collation.
    pub input_collation: Oid,
    /// True for `LEAST`, false for `GREATEST`.
    pub least: bool,
    /// Arguments.
    pub args: Vec<Expr>,
}

/// `CURRENT_DATE` and similar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlValue {
    /// `SQLValueFunctionOp`, in the order of primnodes.h.
    pub op: i32,
    /// Result type.
    pub type_oid: Oid,
    /// Result type modifier.
    pub typmod: i32,
}

/// `IS NULL`, `IS NOT NULL`.
#[derive(Clone, Debug, PartialEq)]
pub struct NullTest {
    /// The value.
    pub arg: Expr,
    /// True for `IS NOT NULL`.
    pub negated: bool,
    /// True if the value is a row that is tested field by field.
    pub is_row: bool,
}

/// `BoolTestType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BooleanTestKind {
    /// `IS TRUE`.
    True,
    /// `IS NOT TRUE`.
    NotTrue,
    /// `IS FALSE`.
    False,
    /// `IS NOT FALSE`.
    NotFalse,
    /// `IS UNKNOWN`.
    Unknown,
    /// `IS NOT UNKNOWN`.
    NotUnknown,
}

/// `IS TRUE` and similar.
#[derive(Clone, Debug, PartialEq)]
pub struct BooleanTest {
    /// The value.
    pub arg: Expr,
    /// The test.
    pub kind: BooleanTestKind,
}

/// SQL written by the core itself, with expressions as arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct SqlLeaf {
    /// The text around the arguments, with one more piece than there are arguments.
    pub parts: Vec<String>,
    /// The arguments.
    pub args: Vec<Expr>,
    /// Its type.
    pub type_oid: Oid,
    /// Its type modifier.
    pub typmod: i32,
    /// Its collation.
    pub collation: Oid,
}

impl SqlLeaf {
    /// Text without arguments.
    #[must_use]
    pub fn text(sql: String, type_oid: Oid, typmod: i32, collation: Oid) -> Expr {
        Expr::Sql(SqlLeaf {
            parts: vec![sql],
            args: Vec::new(),
            type_oid,
            typmod,
            collation,
        })
    }

    /// A condition.
    #[must_use]
    pub fn condition(parts: &[&str], args: Vec<Expr>) -> Expr {
        Expr::Sql(SqlLeaf {
            parts: parts.iter().map(|part| (*part).to_owned()).collect(),
            args,
            type_oid: 16,
            typmod: -1,
            collation: 0,
        })
    }
}
