//! Queries that read no table: VALUES, series, constants. They are computed once and stored, so that what stands above them has
//! a table to be maintained by.
//!
//! Rule: Δ = ∅. State: the rows. Cost: none.
//!
//! Source: the delta of a constant, Blakeley, Larson, Tompa, "Efficiently updating materialized views", 1986.

use super::full_refresh;
use crate::facts::fallback::Fallback;
use crate::facts::stability;
use crate::maintain::operator_tree::OperatorTree;
use crate::maintain::stage::Maintenance;
use crate::plan::{Change, Program, Source, Way};
use crate::query::Query;
use crate::stages::graph::StageGraph;
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::StorageTable;

/// Nothing changes it.
struct Constant;

impl Maintenance for Constant {
    fn way(&self) -> Way {
        Way::Fold
    }

    fn program(&self, _changes: &[Change]) -> Program {
        Program::Nothing
    }

    fn cost(&self, _source: &Source, _sources: &[Source]) -> &'static str {
        "none"
    }
}

/// Plans a query that reads no table.
pub fn plan(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    stability::settled_query(query, graph)?;
    let mut plan = full_refresh::plan(query, None, storage, graph)?;
    plan.operators = Some(OperatorTree::new("constant".to_owned(), Vec::new()));
    plan.maintenance = Box::new(Constant);
    Ok(plan)
}
