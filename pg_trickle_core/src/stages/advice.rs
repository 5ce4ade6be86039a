//! Advice on indexes that would make a stage cheaper: one for each column or expression by which changes look up rows.

use super::graph::StageGraph;
use crate::catalog::{Catalog, Relation};
use crate::error::Error;
use crate::facts::linear_block::Flat;
use crate::facts::volatility;
use crate::plan::Oid;
use crate::query::{Expr, Query, RteKind, SubLink, SubLinkKind, Var};
use crate::sql::ident::{qualified, quote_ident};

/// A column of a table.
pub type Column = (Oid, i16);

const TOUCHED: &str = "changes look up the rows they touch by it";
const JOINED: &str = "changes to the table it is joined with look up rows by it";

/// The advice to create an index.
pub fn sentence(relation: &Relation, columns: &str, why: &str) -> String {
    let table = qualified(&relation.schema, &relation.name);
    format!("CREATE INDEX ON {table} ({columns}): {why}")
}

/// Advice for an expression by which changes look up rows of one table. A table with an index on any expression is
/// assumed to have the right one.
pub fn expression(flat: &Flat, expr: &Expr, graph: &StageGraph) -> Result<Option<String>, Error> {
    let mut scan = None;
    let mut is_simple = !matches!(expr, Expr::Var(_));
    expr.for_each(&mut |node| match node {
        Expr::Var(var) => is_simple &= var.attno > 0 && *scan.get_or_insert(var.varno) == var.varno,
        _ => is_simple &= matches!(node, Expr::Const(_) | Expr::Func(_) | Expr::Op(_)),
    });
    let table = scan.and_then(|varno| flat.table(usize::try_from(varno - 1).ok()?));
    let Some(relation) = table.filter(|_| is_simple && volatility::is_immutable(expr, graph)) else {
        return Ok(None);
    };
    if graph.is_stage(relation.oid) || relation.is_indexed(0) {
        return Ok(None);
    }
    let column = |var: &Var| {
        let column = relation.column(var.attno);
        Ok(quote_ident(column.map_or("", |column| &column.name)))
    };
    let sql = crate::sql::expr::print(expr, &column, graph)?;
    Ok(Some(sentence(relation, &format!("({sql})"), TOUCHED)))
}

/// Advice for a value that is compared with a bound by order, if it is a column or an expression of one table.
pub fn compared(flat: &Flat, value: &Expr, graph: &StageGraph) -> Result<Option<String>, Error> {
    let Expr::Var(var) = value else {
        return expression(flat, value, graph);
    };
    let table = usize::try_from(var.varno - 1)
        .ok()
        .and_then(|position| flat.table(position));
    let Some((relation, column)) = table.and_then(|relation| Some((relation, relation.column(var.attno)?))) else {
        return Ok(None);
    };
    if graph.is_stage(relation.oid) || relation.is_indexed(var.attno) {
        return Ok(None);
    }
    let why = "changes of the value that it is compared with look up rows by it";
    Ok(Some(sentence(relation, &quote_ident(&column.name), why)))
}

/// Advice for columns without an index that are compared by `=` with columns of other tables, or by which changes look
/// up rows.
pub fn indexes(query: &Query, looked_up: &[Column], graph: &StageGraph) -> Result<Vec<String>, Error> {
    let mut wanted: Vec<(Column, &str)> = Vec::new();
    for column in looked_up {
        wanted.push((*column, TOUCHED));
    }
    joins(query, &mut Vec::new(), &mut wanted, graph)?;
    let mut advice = Vec::new();
    for ((relid, attnum), why) in wanted {
        let relation = graph.relation(relid)?;
        let Some(name) = relation.column(attnum).map(|column| &column.name) else {
            continue;
        };
        if graph.is_stage(relid) || relation.is_indexed(attnum) {
            continue;
        }
        let sentence = sentence(&relation, &quote_ident(name), why);
        if !advice.contains(&sentence) {
            advice.push(sentence);
        }
    }
    Ok(advice)
}

fn joins<'q>(
    query: &'q Query,
    outer: &mut Vec<&'q Query>,
    wanted: &mut Vec<(Column, &str)>,
    graph: &StageGraph,
) -> Result<(), Error> {
    outer.insert(0, query);
    let mut result = Ok(());
    query.for_each_expr(&mut |expr| {
        expr.for_each(&mut |node| {
            if result.is_err() {
                return;
            }
            result = match node {
                Expr::Op(op) => equality(op.operator, &op.args, outer, wanted, graph),
                Expr::SubLink(sublink) => {
                    let tested = member(sublink, outer, wanted, graph);
                    tested.and_then(|()| joins(&sublink.query, outer, wanted, graph))
                }
                _ => Ok(()),
            };
        });
    });
    result?;
    for rte in &query.rtable {
        if let RteKind::Subquery(subquery) = &rte.kind {
            joins(subquery, outer, wanted, graph)?;
        }
    }
    outer.remove(0);
    Ok(())
}

fn equality(
    operator: Oid,
    args: &[Expr],
    levels: &[&Query],
    wanted: &mut Vec<(Column, &str)>,
    graph: &StageGraph,
) -> Result<(), Error> {
    let [left, right] = args else { return Ok(()) };
    if graph.operator(operator)?.name == "=" {
        for (one, other) in [(left, right), (right, left)] {
            if is_elsewhere(one, other) {
                wanted.extend(column(one, levels).map(|found| (found, JOINED)));
            }
        }
    }
    Ok(())
}

/// The same for `x IN (SELECT y ...)`.
fn member(
    sublink: &SubLink,
    levels: &[&Query],
    wanted: &mut Vec<(Column, &str)>,
    graph: &StageGraph,
) -> Result<(), Error> {
    if let (SubLinkKind::Any, Some(Expr::Op(test))) = (sublink.kind, &sublink.test)
        && let ([tested, _], Some(target)) = (test.args.as_slice(), sublink.query.targets.first())
        && graph.operator(test.operator)?.name == "="
    {
        let columns = [column(tested, levels), column(&target.expr, &[&sublink.query])];
        wanted.extend(columns.into_iter().flatten().map(|found| (found, JOINED)));
    }
    Ok(())
}

/// True if a column is compared with something that refers to another table.
fn is_elsewhere(one: &Expr, other: &Expr) -> bool {
    let table = |node: &Expr| match node {
        Expr::Var(var) => Some((var.varno, var.levels_up)),
        _ => None,
    };
    other.any(&mut |node| table(node).is_some_and(|of| table(one) != Some(of)))
}

/// Those of the expressions over a query that are columns of tables.
pub fn columns(exprs: &[Expr], query: &Query) -> Vec<Column> {
    exprs.iter().filter_map(|expr| column(expr, &[query])).collect()
}

/// The table column that an expression refers to. `levels` are the queries around it, innermost first.
fn column(expr: &Expr, levels: &[&Query]) -> Option<Column> {
    let Expr::Var(Var {
        varno,
        attno,
        levels_up,
        ..
    }) = expr
    else {
        return None;
    };
    let query = levels.get(*levels_up as usize)?;
    Some((query.table(*varno)?, *attno))
}
