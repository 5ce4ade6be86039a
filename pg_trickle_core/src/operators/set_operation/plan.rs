//! Recognises set operations, and plans their stages.

use super::leaves::{collect, store_constants};
use super::rows;
use crate::facts::fallback::{Fallback, reason};
use crate::oids::INT8;
use crate::operators::aggregate::counted::counted;
use crate::operators::aggregate::plan::grouped_stage;
use crate::operators::linear;
use crate::query::{Expr, FromItem, Query, RangeFunction, Rte, RteKind, SetOp, SetOperation, SqlLeaf, Target};
use crate::stages::graph::StageGraph;
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::StorageTable;
use crate::stages::view::column_of;

/// Plans a query that is a set operation.
pub fn plan(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    let Some(SetOperation::Op {
        op, all, left, right, ..
    }) = &query.set_operations
    else {
        return reason("set operation without branches");
    };
    if query.targets.iter().any(|target| target.junk) {
        return reason("ORDER BY an expression over a set operation");
    }
    if *op == SetOp::Union {
        let mut leaves = Vec::new();
        collect(query, left, *all, &mut leaves, graph)?;
        collect(query, right, *all, &mut leaves, graph)?;
        store_constants(&mut leaves, graph)?;
        if *all {
            return linear::plan::plan_union(query, &leaves, Query::reading_all(leaves.iter()), storage, graph);
        }
        let sides: Vec<(Query, usize)> = leaves.into_iter().map(|leaf| (leaf, 0)).collect();
        return by_counts_or_rows(query, &sides, None, storage, graph);
    }
    let mut sides = Vec::new();
    for (side, operand) in [left, right].into_iter().enumerate() {
        let mut leaves = Vec::new();
        collect(query, operand, *all, &mut leaves, graph)?;
        store_constants(&mut leaves, graph)?;
        sides.extend(leaves.into_iter().map(|leaf| (leaf, side)));
    }
    by_counts_or_rows(query, &sides, Some((*op, *all)), storage, graph)
}

fn by_counts_or_rows(
    query: &Query,
    leaves: &[(Query, usize)],
    operation: Option<(SetOp, bool)>,
    storage: &StorageTable,
    graph: &StageGraph,
) -> Result<StagePlan, Fallback> {
    match grouped(query, leaves, operation, storage, graph) {
        Err(Fallback::Reason(why)) => rows::plan(query, leaves, operation, &why, storage, graph),
        other => other,
    }
}

fn grouped(
    query: &Query,
    leaves: &[(Query, usize)],
    operation: Option<(SetOp, bool)>,
    storage: &StorageTable,
    graph: &StageGraph,
) -> Result<StagePlan, Fallback> {
    let targets: Vec<&Target> = query.targets.iter().collect();
    let sides = if operation.is_some() { 2 } else { 1 };
    let counted = counted(&targets, leaves, sides, storage, graph)?;
    let mut view = counted.view(query, &targets, storage, graph)?;
    if let Some((op, all)) = operation {
        let left = column_of(&counted.stored, targets.len() + 1)?;
        let right = column_of(&counted.stored, targets.len() + 2)?;
        let counts = vec![left, right];
        match (op, all) {
            (SetOp::Intersect, false) => {
                view.quals = Some(SqlLeaf::condition(
                    &["", " OPERATOR(pg_catalog.>) 0 AND ", " OPERATOR(pg_catalog.>) 0"],
                    counts,
                ));
            }
            (SetOp::Except | SetOp::Union, false) => {
                view.quals = Some(SqlLeaf::condition(
                    &["", " OPERATOR(pg_catalog.>) 0 AND ", " OPERATOR(pg_catalog.=) 0"],
                    counts,
                ));
            }
            (SetOp::Intersect, true) => {
                repeat(&mut view, &["pg_catalog.generate_series(1, LEAST(", ", ", "))"], counts);
            }
            (SetOp::Except | SetOp::Union, true) => repeat(
                &mut view,
                &["pg_catalog.generate_series(1, ", " OPERATOR(pg_catalog.-) ", ")"],
                counts,
            ),
        }
    }
    let reads = Query::reading_all(leaves.iter().map(|(leaf, _)| leaf));
    #[cfg_attr(not(feature = "changes"), expect(unused_mut))]
    let mut plan = grouped_stage(counted.group, counted.input, counted.stored, view, &reads, graph)?;
    #[cfg(feature = "changes")]
    if graph.is_cte(storage)
        && let Some(counts) = counts_of_visible(operation)
    {
        let native = crate::sql::query::print(query, graph)?;
        plan.rows = format!("SELECT q.*, {counts} FROM ({native}) AS q");
    }
    Ok(plan)
}

/// Counts of a row that is visible once. PostgreSQL computes the visible rows in less time than the counts of all.
#[cfg(feature = "changes")]
fn counts_of_visible(operation: Option<(SetOp, bool)>) -> Option<&'static str> {
    match operation {
        None => Some("1"),
        Some((SetOp::Intersect, false)) => Some("1, 1, 1"),
        Some((SetOp::Except | SetOp::Union, false)) => Some("1, 1, 0"),
        Some((_, true)) => None,
    }
}

/// Repeats each row as often as a function returns rows.
fn repeat(view: &mut Query, parts: &[&str], counts: Vec<Expr>) {
    let call = Expr::Sql(SqlLeaf {
        parts: parts.iter().map(|part| (*part).to_owned()).collect(),
        args: counts,
        type_oid: INT8,
        typmod: -1,
        collation: 0,
    });
    view.rtable.push(Rte {
        lateral: true,
        ..Rte::new(
            RteKind::Function {
                functions: vec![RangeFunction {
                    expr: call,
                    column_count: 1,
                    column_names: Vec::new(),
                    column_types: Vec::new(),
                    column_typmods: Vec::new(),
                    column_collations: Vec::new(),
                }],
                ordinality: false,
            },
            "copies",
            vec!["copy".to_owned()],
        )
    });
    view.from.push(FromItem::Rel(2));
}
