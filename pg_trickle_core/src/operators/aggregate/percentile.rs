//! `percentile_cont` and `percentile_disc` by a pointer into the ordered values of the group.
//!
//! A group stores the result, a value, and how many values of the group are smaller than it and how many are equal to it.
//! A change adds to these two numbers or takes away from them. Then the pointer moves to the value of the rank that is asked
//! for, by an index on group and value: over as many values as have changed, and once over those that are equal to the new
//! one. A group that the whole query has recomputed has no pointer, nor has a small one to begin with: its next change sets it.
//!
//! Values that are expressions, have a FILTER or come from a join have no index. Their rows are a stage, which has one.

use super::delta::{DELTA, STORED, removed_name, value_name};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::Fallback;
use crate::facts::value_identity::equal_is_same;
use crate::oids::{FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC};
use crate::plan::Oid;
use crate::query::{Aggref, Case, Expr, FromItem, Query, Var};
use crate::rewrite::split;
use crate::sql::expr::operator_sql;
use crate::sql::ident::is_one_of;
use crate::sql::statement::{case, column, is_null, op};
use crate::stages::graph::StageGraph;
use crate::stages::indexes::is_small;

/// What is asked for of the ordered values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Percentile {
    /// SQL of the share of the values that are not larger.
    share: String,
    /// `percentile_cont`: between two values, if need be.
    between: bool,
    /// The `<` operator of the values.
    less: String,
    /// Their `=` operator.
    equals: String,
    /// The state that counts the values.
    pub count: usize,
}

/// A group of more values gets its pointer when it is filled. Of a smaller one, the first change reads little.
const LARGE: &str = "100";

/// The columns that hold the result and the pointer: the value, how many are smaller, how many are equal.
pub const COLUMNS: usize = 4;

/// The aggregates beside which percentiles are followed.
const BESIDE: &str = "count sum avg min max bool_and bool_or every";

/// The query over a stage of the rows that its percentiles are of, with keys and values as columns: only these have an index.
/// `None` if they are columns of a table as they are, or if values may be too long for an index.
pub fn above_values(query: &Query, graph: &StageGraph) -> Result<Option<Query>, Fallback> {
    let mut columns: Vec<Expr> = query.referred(&query.group).cloned().collect();
    let is_column = |expr: &Expr| matches!(expr, Expr::Var(_));
    let is_table = matches!(query.from.as_slice(), [FromItem::Rel(table)] if query.table(*table).is_some());
    let mut is_plain = is_table && columns.iter().all(is_column);
    let mut calls: Vec<Aggref> = Vec::new();
    let mut upper = query.clone();
    let exprs = upper.targets.iter_mut().map(|target| &mut target.expr);
    for expr in exprs.chain(&mut upper.having) {
        *expr = expr.transform(&mut |node| {
            let Expr::Aggref(call) = node else { return None };
            let mut call = call.clone();
            // Percentiles skip NULLs.
            if let (true, [value], Some(filter)) = (call.kind == 'o', call.args.as_mut_slice(), &call.filter) {
                value.expr = Expr::Case(Box::new(Case {
                    type_oid: value.expr.type_oid(),
                    collation: value.expr.collation(),
                    arg: None,
                    whens: vec![(filter.clone(), value.expr.clone())],
                    otherwise: None,
                }));
                call.filter = None;
            }
            calls.push((*call).clone());
            Some(Expr::Aggref(call))
        });
    }
    let (mut found, mut fits) = (false, true);
    for mut call in calls {
        if call.kind == 'n' && is_one_of(&graph.function(call.function)?.name, BESIDE) {
            continue;
        }
        let [value] = call.args.as_mut_slice() else {
            return Ok(None);
        };
        if !is_column(uncast(&value.expr, graph)?) {
            is_plain = false;
            columns.push(value.expr.clone());
            value.expr = Var::like(&value.expr, 1, 1);
        }
        let Some((_, of)) = Percentile::of(&call, graph)? else {
            return Ok(None);
        };
        found = true;
        fits &= is_small(of.type_oid());
    }
    fits &= columns.iter().all(|column| is_small(column.type_oid()));
    if is_plain || !fits || !found {
        return Ok(None);
    }
    let before = graph.len();
    graph.attempted(before, split::above_rows_with(&upper, &columns, graph))
}

impl Percentile {
    /// The percentile that a call asks for, and the column it is of. None for one that has no pointer.
    pub fn of(call: &Aggref, catalog: &dyn Catalog) -> Result<Option<(Percentile, Expr)>, Error> {
        let function = catalog.function(call.function)?;
        let ([share], [value], [order]) = (call.direct_args.as_slice(), call.args.as_slice(), call.order.as_slice())
        else {
            return Ok(None);
        };
        let is_known = function.schema == "pg_catalog"
            && is_one_of(&function.name, "percentile_cont percentile_disc")
            && share.type_oid() == FLOAT8
            && !share.any(&mut |node| match node {
                Expr::Const(constant) => constant.is_null,
                _ => !matches!(node, Expr::Func(_)),
            })
            && call.filter.is_none()
            && call.levels_up == 0;
        let default = catalog.default_equality(value.expr.type_oid())?;
        let ascends = |less: Oid| order.sort_op == less && !order.nulls_first;
        if !is_known
            || !default
                .and_then(|default| default.less)
                .is_some_and(|less| ascends(less.oid))
        {
            return Ok(None);
        }
        let between = function.name == "percentile_cont";
        let column = if between {
            uncast(&value.expr, catalog)?
        } else {
            &value.expr
        };
        let is_exact = if between {
            value.expr.type_oid() == FLOAT8
        } else {
            equal_is_same(column, catalog)?
        };
        let default = catalog.default_equality(column.type_oid())?;
        let Some((equals, less)) = default.and_then(|default| Some((default.equality, default.less?))) else {
            return Ok(None);
        };
        if !is_exact || !matches!(column, Expr::Var(_)) {
            return Ok(None);
        }
        let percentile = Percentile {
            share: crate::sql::expr::print(share, &|_| Err(Error::Tree("a share of rows".to_owned())), catalog)?,
            between,
            less: operator_sql(&less),
            equals: operator_sql(&equals),
            count: 0,
        };
        Ok(Some((percentile, column.clone())))
    }

    /// The aggregate over `value`.
    pub fn aggregate(&self, value: &str) -> String {
        self.over(&self.share, value)
    }

    fn over(&self, share: &str, value: &str) -> String {
        let (name, cast) = if self.between {
            ("cont", "::pg_catalog.float8")
        } else {
            ("disc", "")
        };
        format!("pg_catalog.percentile_{name}({share}) WITHIN GROUP (ORDER BY {value}{cast})")
    }

    /// FROM items: the rank of the value that is asked for, of `values` values, counted from 0 as `r.t`, and how far
    /// towards the next one the result lies as `r.f`.
    fn rank(&self, values: &str) -> String {
        let rank = if self.between {
            op(&self.share, "*", &format!("{}::pg_catalog.float8", op("c.n", "-", "1")))
        } else {
            let last = op(&self.share, "*", "c.n::pg_catalog.float8");
            op(&format!("greatest(pg_catalog.ceil({last}), 1)"), "-", "1")
        };
        format!(
            "(SELECT {values} AS n) AS c, LATERAL (SELECT {rank} AS p) AS p, \
             LATERAL (SELECT pg_catalog.floor(p.p)::pg_catalog.int8 AS t, {} AS f) AS r",
            op("p.p", "-", "pg_catalog.floor(p.p)"),
        )
    }

    /// The SELECT of the pointer of a group of `values` values, if it is worth one: half of the group is read for it.
    pub fn started(&self, values: &str, rows: &Rows) -> String {
        let is_large = op("c.n", ">", LARGE);
        format!(
            "SELECT m.* FROM {}, LATERAL ({}) AS m",
            self.rank(values),
            self.found(rows, &is_large)
        )
    }

    /// The SELECT of the pointer, found by counting from the smallest value on.
    fn found(&self, rows: &Rows, only_if: &str) -> String {
        let value = rows.value;
        // One pass for the value and for how many are smaller.
        let smaller = op(&format!("pg_catalog.rank() OVER (ORDER BY {value})"), "-", "1");
        format!(
            "SELECT q.x, q.b, {} AS e FROM {}",
            rows.count(&self.same(value, "q.x")),
            rows.one(
                &format!("{value} AS x, {smaller} AS b"),
                &format!("{value} IS NOT NULL"),
                "",
                only_if,
                "r.t"
            ),
        )
    }

    fn before(&self, a: &str, b: &str) -> String {
        format!("({a} {} {b})", self.less)
    }

    fn same(&self, a: &str, b: &str) -> String {
        format!("({a} {} {b})", self.equals)
    }

    /// The SELECT of the new columns of a stored group, which has `values` values now. `position` is the place of the first
    /// column among the states, and `names` is what they are called.
    pub fn moved(&self, values: &str, position: usize, names: &[String], rows: &Rows) -> String {
        let value = rows.value;
        let stored = |n: usize| column(STORED, &names[n]);
        let x = stored(1);
        let changed = |array: String, condition: &str| {
            let array = column(DELTA, &array);
            format!("(SELECT pg_catalog.count(*) FROM pg_catalog.unnest({array}) AS u(v) WHERE {condition})")
        };
        let net = |n: usize, condition: String| {
            let added = op(&stored(n), "+", &changed(value_name(position), &condition));
            op(&added, "-", &changed(removed_name(position), &condition))
        };
        let equal = rows.count(&self.same(value, "q.x"));
        let x_of = format!("{value} AS x");
        let end = op("o.b", "+", "o.e");
        let (is_below, is_above) = (op("r.t", "<", "o.b"), op("r.t", ">=", &end));
        let (smaller, larger) = (self.before(value, &x), self.before(&x, value));
        let arms = [
            format!("SELECT {x} AS x, o.b, o.e WHERE NOT {is_below} AND NOT {is_above}"),
            format!(
                "SELECT q.x, {}, {equal} FROM {}",
                op(
                    &end,
                    "+",
                    &rows.count(&format!("{larger} AND {}", self.before(value, "q.x")))
                ),
                rows.one(&x_of, &larger, "", &is_above, &op("r.t", "-", &end)),
            ),
            format!(
                "SELECT q.x, {}, {equal} FROM {}",
                op(
                    "o.b",
                    "-",
                    &rows.count(&format!("{smaller} AND NOT {}", self.before(value, "q.x")))
                ),
                rows.one(
                    &x_of,
                    &smaller,
                    " DESC",
                    &is_below,
                    &op(&op("o.b", "-", "1"), "-", "r.t")
                ),
            ),
            self.found(rows, &is_null(&x)),
        ];
        let result = if self.between {
            let next = (rows.from)(&self.before("m.x", value));
            let upper = case(
                &[
                    (op("r.f", "=", "0"), "NULL".to_owned()),
                    (op(&op("m.b", "+", "m.e"), ">", &op("r.t", "+", "1")), "m.x".to_owned()),
                ],
                Some(&format!("(SELECT {value} {next} ORDER BY {value} LIMIT 1)")),
            );
            format!(
                "(SELECT {} FROM (VALUES (m.x), ({upper})) AS v(x))",
                self.over("r.f", "v.x")
            )
        } else {
            "m.x".to_owned()
        };
        format!(
            "SELECT {result}, m.x, m.b, m.e FROM {}, LATERAL (SELECT {} AS b, {} AS e) AS o, LATERAL ({}) AS m",
            self.rank(values),
            net(2, self.before("u.v", &x)),
            net(3, self.same("u.v", &x)),
            arms.join(" UNION ALL "),
        )
    }
}

/// The rows of a group, as they are now.
pub struct Rows<'a> {
    /// SQL of the value.
    pub value: &'a str,
    /// FROM and WHERE of those for which a condition holds.
    pub from: &'a dyn Fn(&str) -> String,
}

impl Rows<'_> {
    fn count(&self, condition: &str) -> String {
        format!("(SELECT pg_catalog.count(*) {})", (self.from)(condition))
    }

    /// A FROM item: columns of one row, `offset` values on, if `only_if` holds.
    fn one(&self, columns: &str, condition: &str, order: &str, only_if: &str, offset: &str) -> String {
        format!(
            "(SELECT {columns} {} ORDER BY {value}{order} LIMIT CASE WHEN {only_if} THEN 1 ELSE 0 END \
             OFFSET greatest({offset}, 0)) AS q",
            (self.from)(condition),
            value = self.value,
        )
    }
}

/// The column of which an expression is the float8: the order of its values is the same.
fn uncast<'e>(expr: &'e Expr, catalog: &dyn Catalog) -> Result<&'e Expr, Error> {
    if let Expr::Func(cast) = expr
        && let [column] = cast.args.as_slice()
        && matches!(column.type_oid(), INT2 | INT4 | INT8 | NUMERIC | FLOAT4)
    {
        let function = catalog.function(cast.function)?;
        if function.schema == "pg_catalog" && function.name == "float8" {
            return Ok(column);
        }
    }
    Ok(expr)
}
