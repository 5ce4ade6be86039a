//! FROM: range table entries and how they are joined.

use super::{Expr, Query};
use crate::plan::Oid;

/// A `WITH` query.
#[derive(Clone, Debug, PartialEq)]
pub struct Cte {
    /// Its name.
    pub name: String,
    /// Its column names.
    pub columns: Vec<String>,
    /// The query.
    pub query: Box<Query>,
    /// True if it refers to itself.
    pub recursive: bool,
    /// `MATERIALIZED`, `NOT MATERIALIZED` or neither.
    pub materialize: CteMaterialize,
    /// `SEARCH`.
    pub search: Option<CteSearch>,
    /// `CYCLE`.
    pub cycle: Option<CteCycle>,
}

/// What a CTE specifies about materialization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CteMaterialize {
    /// Nothing.
    Default,
    /// `MATERIALIZED`.
    Always,
    /// `NOT MATERIALIZED`.
    Never,
}

/// `SEARCH {DEPTH|BREADTH} FIRST BY columns SET column`.
#[derive(Clone, Debug, PartialEq)]
pub struct CteSearch {
    /// The columns.
    pub columns: Vec<String>,
    /// `BREADTH`.
    pub breadth_first: bool,
    /// The added column.
    pub sequence: String,
}

/// `CYCLE columns SET mark TO value DEFAULT default USING path`.
#[derive(Clone, Debug, PartialEq)]
pub struct CteCycle {
    /// The columns.
    pub columns: Vec<String>,
    /// The added mark column.
    pub mark: String,
    /// Its value in a cycle.
    pub value: Expr,
    /// Its value elsewhere.
    pub default: Expr,
    /// The added path column.
    pub path: String,
}

/// An item of FROM.
#[derive(Clone, Debug, PartialEq)]
pub enum FromItem {
    /// A range table entry, by position from 1.
    Rel(i32),
    /// An explicit join.
    Join(Box<JoinExpr>),
}

/// The kinds of explicit joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// `INNER`, `CROSS`.
    Inner,
    /// `LEFT`.
    Left,
    /// `RIGHT`.
    Right,
    /// `FULL`.
    Full,
}

/// `left JOIN right`.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinExpr {
    /// The kind of join.
    pub kind: JoinKind,
    /// `NATURAL`.
    pub natural: bool,
    /// Left side.
    pub left: FromItem,
    /// Right side.
    pub right: FromItem,
    /// Columns of `USING`, also for `NATURAL`.
    pub using: Vec<String>,
    /// Alias of `USING (...) AS alias`.
    pub using_alias: Option<String>,
    /// The ON condition, or the condition that `USING` stands for.
    pub quals: Option<Expr>,
    /// Alias of the join as a whole.
    pub alias: Option<String>,
    /// Column aliases of the join.
    pub alias_columns: Vec<String>,
    /// The join's own range table entry; 0 if none.
    pub rtindex: i32,
}

/// A range table entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Rte {
    /// Its kind.
    pub kind: RteKind,
    /// The alias written in the query.
    pub alias: Option<String>,
    /// Column aliases written in the query.
    pub alias_columns: Vec<String>,
    /// The name it is known by (`eref`).
    pub name: String,
    /// The names of its columns (`eref`); dropped columns are empty.
    pub columns: Vec<String>,
    /// `LATERAL`.
    pub lateral: bool,
    /// True if children are scanned, too (no `ONLY`).
    pub inh: bool,
}

impl Rte {
    /// An entry without an alias of its own, known by this name.
    #[must_use]
    pub fn new(kind: RteKind, name: &str, columns: Vec<String>) -> Self {
        Rte {
            kind,
            alias: None,
            alias_columns: Vec::new(),
            name: name.to_owned(),
            columns,
            lateral: false,
            inh: false,
        }
    }
}

/// The kinds of range table entries.
#[derive(Clone, Debug, PartialEq)]
pub enum RteKind {
    /// A table, view, materialized view, foreign table, partitioned table.
    Relation {
        /// Its OID.
        relid: Oid,
        /// `pg_class.relkind`.
        relkind: char,
        /// `TABLESAMPLE`.
        tablesample: Option<Box<TableSample>>,
    },
    /// A subquery.
    Subquery(Box<Query>),
    /// An explicit join.
    Join {
        /// Its kind.
        kind: JoinKind,
        /// The expression that each column stands for.
        alias_vars: Vec<Expr>,
        /// The number of leading columns that USING merged.
        merged: usize,
    },
    /// Functions in FROM.
    Function {
        /// The functions; more than one for `ROWS FROM`.
        functions: Vec<RangeFunction>,
        /// `WITH ORDINALITY`.
        ordinality: bool,
    },
    /// `XMLTABLE`, `JSON_TABLE`.
    TableFunc(Box<TableFunc>),
    /// `VALUES`.
    Values {
        /// The rows.
        rows: Vec<Vec<Expr>>,
        /// Column types.
        types: Vec<Oid>,
        /// Column type modifiers.
        typmods: Vec<i32>,
        /// Column collations.
        collations: Vec<Oid>,
    },
    /// A reference to a CTE.
    Cte {
        /// Its name.
        name: String,
        /// How many query levels up it is defined.
        levels_up: u32,
        /// True for a recursive reference to the CTE that contains it.
        self_reference: bool,
        /// Column types.
        types: Vec<Oid>,
        /// Column type modifiers.
        typmods: Vec<i32>,
        /// Column collations.
        collations: Vec<Oid>,
    },
    /// A transition table.
    NamedTuplestore {
        /// Its name.
        name: String,
    },
    /// An empty FROM.
    Result,
}

/// A function in FROM.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeFunction {
    /// The call.
    pub expr: Expr,
    /// Number of its columns.
    pub column_count: i32,
    /// Names of a column definition list.
    pub column_names: Vec<String>,
    /// Types of a column definition list.
    pub column_types: Vec<Oid>,
    /// Type modifiers of a column definition list.
    pub column_typmods: Vec<i32>,
    /// Collations of a column definition list.
    pub column_collations: Vec<Oid>,
}

/// The kinds of table functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFuncKind {
    /// `XMLTABLE`.
    Xml,
    /// `JSON_TABLE`.
    Json,
}

/// `XMLTABLE` or `JSON_TABLE`.
#[derive(Clone, Debug, PartialEq)]
pub struct TableFunc {
    /// Its kind.
    pub kind: TableFuncKind,
    /// Namespace URIs, with the names in `ns_names`.
    pub ns_uris: Vec<Expr>,
    /// Namespace names; `None` is `DEFAULT`.
    pub ns_names: Vec<Option<String>>,
    /// The document.
    pub doc: Option<Expr>,
    /// The row expression.
    pub row: Option<Expr>,
    /// Column names.
    pub column_names: Vec<String>,
    /// Column types.
    pub column_types: Vec<Oid>,
    /// Column type modifiers.
    pub column_typmods: Vec<i32>,
    /// Column collations.
    pub column_collations: Vec<Oid>,
    /// Column paths.
    pub column_exprs: Vec<Option<Expr>>,
    /// Column defaults.
    pub column_defaults: Vec<Option<Expr>>,
    /// JSON_TABLE: how each column is computed.
    pub column_values: Vec<Option<Expr>>,
    /// JSON_TABLE: PASSING expressions.
    pub passing: Vec<Expr>,
    /// JSON_TABLE: names of the PASSING expressions and the tree of paths, as the reader returns them.
    pub plan: Option<Box<JsonTablePlan>>,
    /// The NOT NULL columns, by position.
    pub not_nulls: Vec<i32>,
    /// The FOR ORDINALITY column, by position; -1 if none.
    pub ordinality: i32,
}

/// The plan of a JSON_TABLE: paths, nested.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonTablePlan {
    /// A path, and the plan nested below it.
    Path {
        /// The path, as a jsonpath constant.
        path: Expr,
        /// Its name.
        name: String,
        /// First of its columns, from 0; -1 if none.
        first_column: i32,
        /// Last of its columns; -1 if none.
        last_column: i32,
        /// `ERROR ON ERROR`.
        error_on_error: bool,
        /// Nested paths.
        child: Option<Box<JsonTablePlan>>,
    },
    /// Two sibling plans.
    Siblings(Box<JsonTablePlan>, Box<JsonTablePlan>),
}

/// `TABLESAMPLE`.
#[derive(Clone, Debug, PartialEq)]
pub struct TableSample {
    /// The handler function.
    pub handler: Oid,
    /// Arguments.
    pub args: Vec<Expr>,
    /// `REPEATABLE`.
    pub repeatable: Option<Expr>,
}

/// `FOR UPDATE` and similar.
#[derive(Clone, Debug, PartialEq)]
pub struct RowMark {
    /// The locked entry.
    pub rti: i32,
    /// `LockClauseStrength`: 1 key share, 2 share, 3 no key update, 4 update.
    pub strength: i32,
    /// `LockWaitPolicy`: 0 wait, 1 skip locked, 2 nowait.
    pub wait_policy: i32,
    /// True if it was pushed down from a lock on an outer subquery.
    pub pushed_down: bool,
}
