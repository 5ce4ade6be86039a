//! Which index would make a stage cheaper: one on each column by which a change of another table looks for rows.

use super::builder::Builder;
use super::from_items::relid_of;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::plan::Oid;
use crate::query::{Expr, Query, RteKind, Var};
use crate::sql::ident::{qualified, quote_ident};

/// A column of a table.
pub type Column = (Oid, i16);

/// Sentences about columns that are compared with `=` to columns of other tables, or by which touched rows are looked up,
/// and have no index.
pub fn indexes(query: &Query, looked_up: &[Column], builder: &Builder) -> Result<Vec<String>, Error> {
    let mut wanted: Vec<(Column, &str)> = Vec::new();
    for column in looked_up {
        wanted.push((*column, "what a change touches is found by it"));
    }
    joins(query, &mut Vec::new(), &mut wanted, builder)?;
    let mut advice = Vec::new();
    for ((relid, attnum), why) in wanted {
        let relation = builder.relation(relid)?;
        let Some(name) = relation.column(attnum).map(|column| &column.name) else {
            continue;
        };
        if builder.is_stage(relid) || relation.indexed.contains(&attnum) {
            continue;
        }
        let table = qualified(&relation.schema, &relation.name);
        let sentence = format!("CREATE INDEX ON {table} ({}): {why}", quote_ident(name));
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
    builder: &Builder,
) -> Result<(), Error> {
    outer.insert(0, query);
    let mut result = Ok(());
    query.for_each_expr(&mut |expr| {
        expr.for_each(&mut |node| {
            if result.is_err() {
                return;
            }
            result = match node {
                Expr::Op(op) => equality(op.operator, &op.args, outer, wanted, builder),
                Expr::SubLink(sublink) => joins(&sublink.query, outer, wanted, builder),
                _ => Ok(()),
            };
        });
    });
    result?;
    for rte in &query.rtable {
        if let RteKind::Subquery(subquery) = &rte.kind {
            joins(subquery, outer, wanted, builder)?;
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
    builder: &Builder,
) -> Result<(), Error> {
    let [left, right] = args else { return Ok(()) };
    let (Some(left), Some(right)) = (column(left, levels), column(right, levels)) else {
        return Ok(());
    };
    if builder.operator(operator)?.name == "=" {
        let why = "a change of the table it is joined with finds its rows by it";
        wanted.extend([(left, why), (right, why)]);
    }
    Ok(())
}

/// The expressions over a query that are columns of tables.
pub fn columns(exprs: &[Expr], query: &Query) -> Vec<Column> {
    exprs.iter().filter_map(|expr| column(expr, &[query])).collect()
}

/// The column that an expression is, at the first of the levels.
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
    Some((relid_of(query, *varno)?, *attno))
}
