//! The analysed query as typed data: the defining query as PostgreSQL's parser has analysed it.
//!
//! Names follow `src/include/nodes/parsenodes.h`. The reader hides the differences between PostgreSQL 17 and 18.

mod cast;
mod construct;
mod documents;
mod expr;
pub mod frame;
mod from;
mod read;
mod rewrite;
mod types;
mod walk;

pub use cast::{ArrayCoerce, CoerceForm, CoerceToDomain, CoerceViaIo, Collate, ConvertRowtype, FieldSelect, Relabel};
pub use construct::{attno, varno};
pub use documents::{
    JsonBehavior, JsonBehaviorKind, JsonConstructor, JsonConstructorKind, JsonExpr, JsonExprOp, JsonFormat, JsonIs,
    JsonItem, JsonReturning, JsonValue, JsonWrapper, Xml, XmlOp,
};
pub use expr::{
    Aggref, ArrayExpr, Bool, BoolOp, BooleanTest, BooleanTestKind, Case, Const, Expr, FuncExpr, GroupingFunc, List,
    MinMax, NamedArg, NullTest, OpExpr, Param, ParamKind, RowCompare, RowCompareKind, RowExpr, ScalarArrayOp, SqlLeaf,
    SqlValue, SubLink, SubLinkKind, Subscript, Var, WindowFunc,
};
pub use from::{
    Cte, CteCycle, CteMaterialize, CteSearch, FromItem, JoinExpr, JoinKind, JsonTablePlan, RangeFunction, RowMark, Rte,
    RteKind, TableFunc, TableFuncKind, TableSample,
};
pub use read::read_view;

use crate::plan::Oid;

/// A `SELECT`, at any level.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// `WITH`.
    pub ctes: Vec<Cte>,
    /// `WITH RECURSIVE`.
    pub recursive: bool,
    /// All range table entries; a Var's `varno` is a position in it, counted from 1.
    pub rtable: Vec<Rte>,
    /// The items of `FROM`.
    pub from: Vec<FromItem>,
    /// `WHERE`.
    pub quals: Option<Expr>,
    /// The select list, junk entries last.
    pub targets: Vec<Target>,
    /// `GROUP BY`.
    pub group: Vec<SortGroup>,
    /// `GROUP BY DISTINCT`.
    pub group_distinct: bool,
    /// `GROUPING SETS`, `ROLLUP`, `CUBE`.
    pub grouping_sets: Vec<GroupingSet>,
    /// `HAVING`.
    pub having: Option<Expr>,
    /// `WINDOW`, named and unnamed.
    pub windows: Vec<Window>,
    /// `DISTINCT`, or the expressions of `DISTINCT ON`.
    pub distinct: Vec<SortGroup>,
    /// True if the list above is that of `DISTINCT ON`.
    pub distinct_on: bool,
    /// `ORDER BY`.
    pub sort: Vec<SortGroup>,
    /// `OFFSET`.
    pub limit_offset: Option<Expr>,
    /// `LIMIT`.
    pub limit_count: Option<Expr>,
    /// `FETCH FIRST .. WITH TIES`.
    pub limit_with_ties: bool,
    /// How many of the rows of `LIMIT` are a reserve, and need not be there. Only a rule says so.
    pub reserve: i64,
    /// Only the first rows of each partition. A rule adds it; SQL says the same with a subquery and WHERE.
    pub top: Option<Top>,
    /// `FOR UPDATE` and similar.
    pub row_marks: Vec<RowMark>,
    /// `UNION`, `INTERSECT`, `EXCEPT`.
    pub set_operations: Option<SetOperation>,
    /// Primary keys that the query relies on for columns outside `GROUP BY`.
    pub constraint_deps: Vec<Oid>,
    /// True if the select list or HAVING has an aggregate.
    pub has_aggs: bool,
    /// True if the select list or ORDER BY has a window function.
    pub has_windows: bool,
    /// True if the select list has a set-returning function.
    pub has_target_srfs: bool,
    /// True if there is a SubLink anywhere.
    pub has_sublinks: bool,
}

/// An entry of a select list.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The value.
    pub expr: Expr,
    /// The column's name, if it has one.
    pub name: Option<String>,
    /// Position, from 1.
    pub resno: i16,
    /// The number by which sort, group and distinct clauses refer to it; 0 if none does.
    pub ressortgroupref: u32,
    /// True if only such a clause needs it.
    pub junk: bool,
}

impl Target {
    /// Targets for all columns of a range table entry, named `c1`, `c2`, ...
    #[must_use]
    pub fn columns_of(varno: i32, types: &[Oid], typmods: &[i32], collations: &[Oid]) -> Vec<Target> {
        let columns = types.iter().zip(typmods).zip(collations).zip(1..);
        columns
            .map(|(((type_oid, typmod), collation), attno)| Target {
                expr: Expr::Var(Var {
                    varno,
                    attno,
                    type_oid: *type_oid,
                    typmod: *typmod,
                    collation: *collation,
                    levels_up: 0,
                }),
                name: Some(format!("c{attno}")),
                resno: attno,
                ressortgroupref: 0,
                junk: false,
            })
            .collect()
    }
}

/// One item of ORDER BY, GROUP BY, DISTINCT, PARTITION BY.
#[derive(Clone, Debug, PartialEq)]
pub struct SortGroup {
    /// The target it refers to.
    pub target_ref: u32,
    /// The equality operator.
    pub eq_op: Oid,
    /// The ordering operator; 0 if there is none.
    pub sort_op: Oid,
    /// True if the ordering operator is a `>` (`DESC`). Always false before PostgreSQL 18; look at the operator
    /// instead.
    pub reverse: bool,
    /// `NULLS FIRST`.
    pub nulls_first: bool,
    /// True if the equality operator can be hashed.
    pub hashable: bool,
}

impl SortGroup {
    /// An item of GROUP BY or DISTINCT that does not name its operators: the printed SQL needs only the expression, and
    /// PostgreSQL finds them again.
    #[must_use]
    pub fn by(target_ref: u32) -> Self {
        Self {
            target_ref,
            eq_op: 0,
            sort_op: 0,
            reverse: false,
            nulls_first: false,
            hashable: false,
        }
    }
}

/// An item of GROUP BY that is more than an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupingSet {
    /// `()`.
    Empty,
    /// A plain expression list, by target reference.
    Simple(Vec<u32>),
    /// `ROLLUP (...)`.
    Rollup(Vec<GroupingSet>),
    /// `CUBE (...)`.
    Cube(Vec<GroupingSet>),
    /// `GROUPING SETS (...)`.
    Sets(Vec<GroupingSet>),
}

/// A window definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Its name in `WINDOW`.
    pub name: Option<String>,
    /// The window it is based on.
    pub refname: Option<String>,
    /// `PARTITION BY`.
    pub partition: Vec<SortGroup>,
    /// `ORDER BY`.
    pub order: Vec<SortGroup>,
    /// The frame, as bits of [`frame`].
    pub frame_options: i32,
    /// Offset of the frame's start.
    pub start_offset: Option<Expr>,
    /// Offset of the frame's end.
    pub end_offset: Option<Expr>,
    /// The number by which window functions refer to it.
    pub winref: u32,
    /// True if the ORDER BY was copied from `refname`.
    pub copied_order: bool,
}

/// Only the rows whose number in their partition is at most `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Top {
    /// The number: `row_number()`, `rank()` or `dense_rank()`, by its position among the visible targets.
    pub target: usize,
    /// The last number.
    pub count: i64,
}

/// The kind of a set operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOp {
    /// `UNION`.
    Union,
    /// `INTERSECT`.
    Intersect,
    /// `EXCEPT`.
    Except,
}

/// A tree of set operations over subqueries.
#[derive(Clone, Debug, PartialEq)]
pub enum SetOperation {
    /// A subquery, by its `varno`.
    Rel(i32),
    /// Two operands.
    Op {
        /// The operation.
        op: SetOp,
        /// `ALL`.
        all: bool,
        /// Left operand.
        left: Box<SetOperation>,
        /// Right operand.
        right: Box<SetOperation>,
        /// Result types.
        types: Vec<Oid>,
        /// Result type modifiers.
        typmods: Vec<i32>,
        /// Result collations.
        collations: Vec<Oid>,
        /// How rows are grouped, if not `ALL`.
        groups: Vec<SortGroup>,
    },
}

impl Query {
    /// The target that a sort, group or distinct clause refers to.
    #[must_use]
    pub fn target(&self, target_ref: u32) -> Option<&Target> {
        self.targets.iter().find(|target| target.ressortgroupref == target_ref)
    }

    /// The expressions that the items of a sort, group or distinct clause refer to, in their order.
    pub fn referred<'q>(&'q self, items: &'q [SortGroup]) -> impl Iterator<Item = &'q Expr> {
        let targets = items.iter().filter_map(|item| self.target(item.target_ref));
        targets.map(|target| &target.expr)
    }

    /// The targets that are output columns.
    pub fn visible_targets(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| !target.junk)
    }
}
