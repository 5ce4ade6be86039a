//! FROM entries without a key, tables as well as constants, are replaced by a stage that copies their rows and numbers them.

use super::merge::merge;
use crate::catalog::Catalog;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::shape::reads_tables;
use crate::facts::stability::settled_query;
use crate::query::{Expr, Query, RteKind, Var, varno};
use crate::stages::graph::StageGraph;

/// The `varno` of a table with a key that has the same rows: the table itself, or a stage that copies its rows and
/// numbers them.
pub fn keyed(query: &mut Query, table: i32, graph: &StageGraph) -> Result<i32, Fallback> {
    let Some(relid) = query.table(table) else {
        return Ok(table);
    };
    if graph.relation(relid)?.keys.is_empty() {
        numbered(query, table, graph)
    } else {
        Ok(table)
    }
}

/// Is a FROM entry constant: does it read no table, and refer to nothing outside it?
pub fn is_constant(query: &Query, entry: i32) -> bool {
    let Some(rte) = query.rte(entry) else { return false };
    let mut alone = Query::over(rte.clone());
    let mut refers = alone.is_correlated();
    // A LATERAL subquery refers to other entries from within.
    alone.replace_vars(&mut |_| {
        refers = true;
        None
    });
    alone.for_each_expr(&mut |expr| refers |= expr.any(&mut |node| matches!(node, Expr::SubLink(_))));
    !refers && !reads_tables(&alone)
}

/// Does the same as [`keyed`] for a constant FROM entry.
pub fn stored(query: &mut Query, entry: i32, graph: &StageGraph) -> Result<i32, Fallback> {
    let alone = Query::over(query.rtable[query.position(entry)?].clone());
    settled_query(&alone, graph)?;
    numbered(query, entry, graph)
}

/// Replaces a FROM entry by a stage that copies its rows and numbers them.
fn numbered(query: &mut Query, table: i32, graph: &StageGraph) -> Result<i32, Fallback> {
    let position = query.position(table)?;
    let mut used: Vec<Var> = Vec::new();
    let mut whole_row = false;
    query.replace_vars(&mut |var| {
        if var.varno == table {
            whole_row |= var.attno == 0;
            if !used.iter().any(|known| known.attno == var.attno) {
                used.push(var.clone());
            }
        }
        None
    });
    if whole_row {
        return reason("whole-row reference to rows without a key");
    }
    let mut copy = Query::over(query.rtable[position].clone());
    for var in &used {
        let own = Var {
            varno: 1,
            ..var.clone()
        };
        copy.push_column(Expr::Var(own), 0)?;
    }
    let view = graph.cut(&copy)?;
    query.replace_vars(&mut |var| {
        let (_, attno) = (used.iter().zip(1..)).find(|(known, _)| known.attno == var.attno)?;
        (var.varno == table).then(|| Expr::Var(Var { attno, ..var.clone() }))
    });
    query.rtable[position].kind = RteKind::Subquery(Box::new(view));
    merge(query, table)?;
    // The copy is a single table, added at the end of the range table.
    Ok(varno(query.rtable.len() - 1)?)
}
