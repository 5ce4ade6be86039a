//! Tables without a key are replaced by a stage that copies their rows and numbers them.

use super::merge::merge;
use crate::catalog::Catalog;
use crate::facts::fallback::{Fallback, reason};
use crate::query::{Expr, FromItem, Query, RteKind, Target, Var, attno, varno};
use crate::stages::graph::StageGraph;

/// The `varno` of a table with a key that has the same rows: the table itself, or a stage that copies its rows and
/// numbers them.
pub fn keyed(query: &mut Query, table: i32, graph: &StageGraph) -> Result<i32, Fallback> {
    let position = query.position(table)?;
    let RteKind::Relation { relid, .. } = query.rtable[position].kind else {
        return Ok(table);
    };
    let relation = graph.relation(relid)?;
    if !relation.keys.is_empty() {
        return Ok(table);
    }
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
        return reason("whole-row reference to a table without a key");
    }
    let mut targets = Vec::new();
    for (n, var) in used.iter().enumerate() {
        targets.push(Target {
            expr: Expr::Var(Var {
                varno: 1,
                ..var.clone()
            }),
            name: Some(format!("c{}", n + 1)),
            resno: attno(n)?,
            ressortgroupref: 0,
            junk: false,
        });
    }
    let copy = Query {
        rtable: vec![query.rtable[position].clone()],
        from: vec![FromItem::Rel(1)],
        targets,
        ..Query::default()
    };
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
