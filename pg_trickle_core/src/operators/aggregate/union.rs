//! GROUP BY over a UNION ALL: the change of the groups is that of all branches, whose rows are not stored.
//!
//! Keys and arguments are written once, over the columns of the union; each branch supplies these as an item of its FROM.

use super::plan::{Rows, grouped};
use crate::error::Error;
use crate::facts::clock;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::linear_block::{Flat, Source};
use crate::facts::shape::is_complex;
use crate::operators::constant;
use crate::operators::linear::branch::{Branch, branch, union_of};
use crate::operators::linear::recognise::{alias, nullable, print};
use crate::query::{Expr, Query, Var, varno};
use crate::rewrite::grouped_union::branches;
use crate::rewrite::simplify::simplify;
use crate::stages::graph::StageGraph;
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::StorageTable;

/// Plans a query that groups a UNION ALL as a Fold, if it can be one.
pub fn plan(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<Option<StagePlan>, Fallback> {
    let before = graph.len();
    let Some((upper, leaves)) = branches(query, graph)? else {
        return Ok(None);
    };
    graph.attempted(before, planned(upper, leaves, storage, graph))
}

fn planned(
    mut upper: Query,
    mut leaves: Vec<Query>,
    storage: &StorageTable,
    graph: &StageGraph,
) -> Result<StagePlan, Fallback> {
    let mut parts: Vec<Branch> = Vec::new();
    for leaf in &mut leaves {
        simplify(leaf, graph)?;
        if !clock::compared(leaf, graph)?.is_empty() {
            return reason("a comparison with the clock in UNION ALL");
        }
        if is_complex(leaf) {
            constant::store(leaf, graph)?;
        }
        parts.push(branch(leaf, graph)?);
    }
    let is_other = |node: &Expr| matches!(node, Expr::Aggref(call) if !call.distinct.is_empty() || call.kind != 'n');
    let exprs = upper.targets.iter().map(|target| &target.expr).chain(&upper.having);
    for expr in exprs {
        if expr.any(&mut |node| is_other(node)) {
            return reason("an aggregate with DISTINCT or an order over UNION ALL");
        }
    }
    // The alias of the columns comes after those of all scans.
    let scans = parts.iter().map(|part| part.flat.scans.len()).max().unwrap_or_default();
    let own = varno(scans)?;
    let mut can_be_null = Vec::new();
    for part in &mut parts {
        let mut columns = Vec::new();
        let outputs = part.targets.iter().filter(|target| !target.junk);
        for (n, target) in outputs.enumerate() {
            columns.push(format!("{} AS c{}", print(&part.flat, &target.expr, graph)?, n + 1));
            let own = nullable(&part.flat, &target.expr)?;
            match can_be_null.get_mut(n) {
                Some(known) => *known |= own,
                None => can_be_null.push(own),
            }
        }
        part.block.outputs = Some(format!("LATERAL (SELECT {}) AS {}", columns.join(", "), alias(scans)));
    }
    let Some(rows) = upper.rtable.first().cloned() else {
        return Err(Error::Tree("a union without columns".to_owned()).into());
    };
    upper.replace_vars(&mut |var| {
        Some(Expr::Var(Var {
            varno: own,
            ..var.clone()
        }))
    });
    let (blocks, trees) = parts.into_iter().map(|part| (part.block, part.operators)).unzip();
    let rows = Rows {
        flat: Flat {
            scans: (0..=scans).map(|_| Source::Derived(Box::new(rows.clone()))).collect(),
            ..Flat::default()
        },
        targets: upper.targets.clone(),
        having: upper.having.clone(),
        blocks,
        operators: union_of(trees),
        reads: Query::reading_all(leaves.iter()),
        advice: Vec::new(),
        branches: Some(can_be_null),
    };
    grouped(&upper, rows, storage, &mut Vec::new(), graph)
}
