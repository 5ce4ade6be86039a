//! NOT IN as anti-joins, and EXISTS over an uncorrelated subquery.
//!
//! `x NOT IN (SELECT y FROM s)` is true for a row unless `s` has a row with `y = x`, or a row whose `y` is NULL, or `x`
//! is NULL and `s` has any row. Each of these three becomes a NOT EXISTS that an index serves; for NOT IN, PostgreSQL
//! reads all of `s`. The two forms differ only between false and NULL, which does not matter where only truth counts
//! (WHERE, ON).
//!
//! Whether `s` has any row at all is kept as a counted stage of at most one row: `SELECT DISTINCT true FROM s`. The
//! stages above see a change only when the first row of `s` is inserted or the last one deleted, not for every row of
//! `s`.
//!
//! Cost: the outer rows that match the change. The first NULL inserted into `s`, or the last one deleted, matches all
//! of them. Source: three-valued logic of the SQL standard; the split into cases is our own reasoning.

use crate::catalog::Catalog;
use crate::facts::fallback::Fallback;
use crate::facts::from_items::{preserved, with_outputs};
use crate::facts::shape::only_linear;
use crate::oids::{BOOL_EQUAL, BOOL_LESS};
use crate::query::{BoolOp, Expr, OpExpr, Query, RteKind, SortGroup, SqlLeaf, SubLink, SubLinkKind, Target, Var};
use crate::stages::graph::StageGraph;

/// Rewrites a condition of `query`, of which only the truth counts.
pub fn condition(query: &Query, expr: &mut Expr, graph: &StageGraph) -> Result<(), Fallback> {
    match expr {
        Expr::Bool(boolean) if boolean.op != BoolOp::Not => {
            for arg in &mut boolean.args {
                condition(query, arg, graph)?;
            }
        }
        Expr::Bool(boolean) => {
            if let [Expr::SubLink(sublink)] = boolean.args.as_slice()
                && sublink.kind == SubLinkKind::Any
                && let Some(Expr::Op(test)) = &sublink.test
                && let Some(anti) = anti_joins(query, sublink, test, graph)?
            {
                *expr = anti;
            }
        }
        Expr::SubLink(sublink) if sublink.kind == SubLinkKind::All => {
            if let Some(Expr::Op(test)) = &sublink.test
                && let Some(equal) = equality_of(test, graph)?
                && let Some(anti) = anti_joins(query, sublink, &equal, graph)?
            {
                *expr = anti;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The test `x = y` for a test `x <> y`.
fn equality_of(test: &OpExpr, graph: &StageGraph) -> Result<Option<OpExpr>, Fallback> {
    let operator = graph.operator(test.operator)?;
    let Some(default) = graph.default_equality(operator.left)? else {
        return Ok(None);
    };
    let same = operator.name == "<>"
        && operator.schema == default.equality.schema
        && (operator.left, operator.right) == (default.equality.left, default.equality.right);
    Ok(same.then(|| OpExpr {
        operator: default.equality.oid,
        function: 0,
        ..test.clone()
    }))
}

/// `NOT (x op ANY (subquery))` as NOT EXISTS.
fn anti_joins(query: &Query, sublink: &SubLink, test: &OpExpr, graph: &StageGraph) -> Result<Option<Expr>, Fallback> {
    let subquery = &sublink.query;
    let [left, _] = test.args.as_slice() else {
        return Ok(None);
    };
    let [Target { expr: output, .. }] = subquery.targets.as_slice() else {
        return Ok(None);
    };
    // Built-in operators are strict, and return NULL only for NULL arguments.
    if graph.operator(test.operator)?.schema != "pg_catalog"
        || only_linear(subquery).is_err()
        || !left.any(&mut |node| matches!(node, Expr::Var(_)))
    {
        return Ok(None);
    }
    let mut plain = subquery.clone();
    plain.sort.clear();
    let mut inside = Expr::Op(test.clone());
    inside.deepen(1);
    let mut matching = plain.clone();
    matching.add_qual(with_outputs(&inside, std::slice::from_ref(output)));
    let mut args = vec![Expr::not_exists(matching)];
    if can_be_null(subquery, output, graph)? {
        let mut nulls = plain.clone();
        nulls.add_qual(Expr::is_null(output.clone()));
        args.push(Expr::not_exists(any_row(nulls, graph)?));
    }
    if can_be_null(query, left, graph)? {
        let mut some = any_row(plain, graph)?;
        let mut outer = left.clone();
        outer.deepen(1);
        some.add_qual(Expr::is_null(outer));
        args.push(Expr::not_exists(some));
    }
    Ok(Some(if args.len() == 1 {
        args.remove(0)
    } else {
        Expr::and(args)
    }))
}

/// A query that returns rows exactly if this one does: if possible, over a stage of at most one row.
pub fn any_row(query: Query, graph: &StageGraph) -> Result<Query, Fallback> {
    let reads_tables = query
        .rtable
        .iter()
        .any(|rte| matches!(rte.kind, RteKind::Relation { .. } | RteKind::Subquery(_)));
    let is_one = |planned: &Query| matches!(planned.targets.as_slice(), [only] if only.expr == found());
    if query.is_correlated() || !reads_tables || graph.any_planned(&query, &is_one) {
        return Ok(query);
    }
    let one = Query {
        targets: vec![Target {
            expr: found(),
            name: Some("found".to_owned()),
            resno: 1,
            ressortgroupref: 1,
            junk: false,
        }],
        distinct: vec![SortGroup {
            target_ref: 1,
            eq_op: BOOL_EQUAL,
            sort_op: BOOL_LESS,
            reverse: false,
            nulls_first: false,
            hashable: true,
        }],
        sort: Vec::new(),
        ..query
    };
    graph.cut(&one)
}

fn found() -> Expr {
    SqlLeaf::condition(&["true"], Vec::new())
}

/// False for a NOT NULL column of a table on the preserved side.
fn can_be_null(query: &Query, expr: &Expr, graph: &StageGraph) -> Result<bool, Fallback> {
    let Expr::Var(Var {
        varno,
        attno,
        levels_up: 0,
        ..
    }) = expr
    else {
        return Ok(true);
    };
    let mut preserved_tables = Vec::new();
    for item in &query.from {
        preserved(query, item, &mut preserved_tables);
    }
    let Some(relid) = query.table(*varno).filter(|_| preserved_tables.contains(varno)) else {
        return Ok(true);
    };
    Ok(!graph
        .relation(relid)?
        .column(*attno)
        .is_some_and(|column| column.not_null))
}
