//! The branches of a set operation: linear queries, or stages in place of queries that are not linear.

use crate::facts::fallback::{Fallback, reason};
use crate::facts::shape::{is_complex, only_linear, reads_tables};
use crate::query::{Query, RteKind, SetOp, SetOperation, Target};
use crate::rewrite::simplify::simplify;
use crate::rewrite::temporal::push_down;
use crate::stages::graph::StageGraph;

/// Collects the branches of an operand. `keep_counts` is false if only the rows matter, not their multiplicity.
pub fn collect(
    query: &Query,
    operand: &SetOperation,
    keep_counts: bool,
    leaves: &mut Vec<Query>,
    graph: &StageGraph,
) -> Result<(), Fallback> {
    match operand {
        SetOperation::Rel(varno) => {
            let Some(RteKind::Subquery(leaf)) = query.rte(*varno).map(|rte| &rte.kind) else {
                return reason("set operation over something other than subqueries");
            };
            let mut leaf = (**leaf).clone();
            if only_linear(&leaf).is_err() {
                leaf = graph.cut(&leaf)?;
            }
            leaf.sort.clear();
            simplify(&mut leaf, graph)?;
            push_down(&mut leaf, graph)?;
            if is_complex(&leaf) {
                leaf = graph.cut(&leaf)?;
                simplify(&mut leaf, graph)?;
            }
            leaves.push(leaf);
            Ok(())
        }
        SetOperation::Op {
            op: SetOp::Union,
            all,
            left,
            right,
            ..
        } if *all || !keep_counts => {
            collect(query, left, keep_counts, leaves, graph)?;
            collect(query, right, keep_counts, leaves, graph)
        }
        SetOperation::Op { .. } => {
            let nested = nested(query, operand)?;
            let mut leaf = graph.cut(&nested)?;
            simplify(&mut leaf, graph)?;
            leaves.push(leaf);
            Ok(())
        }
    }
}

/// A set operation that is an operand of another, as a query of its own.
fn nested(query: &Query, operand: &SetOperation) -> Result<Query, Fallback> {
    fn first(operand: &SetOperation) -> i32 {
        match operand {
            SetOperation::Rel(varno) => *varno,
            SetOperation::Op { left, .. } => first(left),
        }
    }
    let SetOperation::Op {
        types,
        typmods,
        collations,
        ..
    } = operand
    else {
        return reason("set operation without branches");
    };
    let mut nested = query.rows();
    nested.targets = Target::columns_of(first(operand), types, typmods, collations);
    nested.set_operations = Some(operand.clone());
    Ok(nested)
}

/// Makes stages of the branches that read no table.
pub fn store_constants(leaves: &mut [Query], graph: &StageGraph) -> Result<(), Fallback> {
    for leaf in leaves {
        if !reads_tables(leaf) {
            *leaf = graph.cut(leaf)?;
            simplify(leaf, graph)?;
        }
    }
    Ok(())
}
