//! Queries that read no table: VALUES, series, constants. They are computed once and stored, so that what stands above them has
//! a table to be maintained by.
//!
//! Rule: Δ = ∅. State: the rows. Cost: none.
//!
//! Source: the delta of a constant, Blakeley, Larson, Tompa, "Efficiently updating materialized views", 1986.

use super::full_refresh;
use crate::facts::fallback::Fallback;
use crate::facts::from_items::preserved_entries;
use crate::facts::stability;
use crate::maintain::operator_tree::OperatorTree;
use crate::maintain::stage::Maintenance;
use crate::plan::{Change, Program, Source, Way};
use crate::query::Query;
use crate::rewrite::numbered::{is_constant, stored};
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

/// Makes stages of the constants in FROM that no outer join makes NULL, so that the rows of an outer join can be told apart.
pub fn store(query: &mut Query, graph: &StageGraph) -> Result<(), Fallback> {
    let mut entries = Vec::new();
    query.from.iter().for_each(|item| preserved_entries(item, &mut entries));
    for entry in entries {
        if is_constant(query, entry) {
            stored(query, entry, graph)?;
        }
    }
    Ok(())
}
