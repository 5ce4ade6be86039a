//! SELECT DISTINCT over a linear block: rows are stored once, with their multiplicity, until it falls to 0.
//!
//! Rule: the multiplicity of a row changes by its weight in the delta. The row appears with its first copy and
//! disappears with its last. Cost: one stored row per changed value.
//! Source: counting, Gupta, Mumick, Subrahmanian, 1993.

use super::aggregate::counted::counted;
use super::aggregate::plan::grouped_stage;
use super::partitioned;
use crate::facts::fallback::Fallback;
use crate::query::{Query, Target};
use crate::stages::graph::StageGraph;
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::StorageTable;

/// Plans DISTINCT or DISTINCT ON.
pub fn plan(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    if query.distinct_on {
        return partitioned::plan::distinct_on(query, storage, graph);
    }
    match fold(query, storage, graph) {
        Err(Fallback::Reason(why)) => partitioned::plan::distinct(query, &why, storage, graph),
        other => other,
    }
}

fn fold(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    let targets: Vec<&Target> = query.visible_targets().collect();
    let mut leaf = query.clone();
    leaf.distinct.clear();
    leaf.sort.clear();
    let counted = counted(&targets, &[(leaf, 0)], 1, storage, graph)?;
    let view = counted.view(query, &targets, storage, graph)?;
    Ok(grouped_stage(
        counted.group,
        counted.input,
        counted.stored,
        view,
        query,
        graph,
    )?)
}
