//! The fallback: every change runs the whole query again, and the storage holds its result.

use crate::error::Error;
use crate::facts::fallback::Fallback;
use crate::maintain::stage::Maintenance;
use crate::maintain::storage::Identity;
use crate::plan::{Change, Program, Source, Way};
use crate::query::Query;
use crate::stages::graph::StageGraph;
use crate::stages::restricted::Restricted;
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::{StorageTable, StoredColumn, written};
use crate::stages::view::view_at;

/// Maintenance by a full refresh.
struct FullRefresh;

impl Maintenance for FullRefresh {
    fn way(&self) -> Way {
        Way::Rebuild
    }

    fn program(&self, _changes: &[Change]) -> Program {
        Program::Rebuild
    }

    fn cost(&self, _source: &Source, _sources: &[Source]) -> &'static str {
        "the whole query"
    }

    fn runs_query(&self) -> bool {
        true
    }
}

/// Plans any query. `definition` is a view with the query, if there is one.
pub fn plan(
    query: &Query,
    definition: Option<&str>,
    storage: &StorageTable,
    graph: &StageGraph,
) -> Result<StagePlan, Error> {
    let attempt = Restricted::new(query, &[], graph);
    let (restricted, sorted) = match attempt {
        Ok(restricted) => (restricted, true),
        Err(Fallback::Error(error)) => return Err(error),
        // The query sorts by a row value. No column can hold one, so the view does not sort.
        Err(Fallback::Reason(_) | Fallback::Whole(_)) => {
            let mut unsorted = query.clone();
            unsorted.sort.clear();
            match Restricted::new(&unsorted, &[], graph) {
                Ok(restricted) => (restricted, false),
                Err(Fallback::Error(error)) => return Err(error),
                Err(Fallback::Reason(why) | Fallback::Whole(why)) => return Err(Error::Tree(why)),
            }
        }
    };
    let mut stored: Vec<StoredColumn> = restricted.stored;
    // LIMIT needs the query's order, even if the storage cannot keep it.
    let mut fresh = restricted.query;
    fresh.sort.clone_from(&query.sort);
    let visible = query.visible_targets().count();
    let rows = match definition {
        Some(definition) if stored.len() == visible => format!("SELECT * FROM {definition}"),
        _ => crate::sql::query::print(&fresh, graph)?,
    };
    let written = written(&stored, graph)?;
    let mut view = view_at(query, &restricted.positions, storage, &mut stored, &[], graph)?;
    if !sorted {
        view.sort.clear();
    }
    Ok(StagePlan {
        stored,
        indexes: Vec::new(),
        view,
        written,
        identity: Identity::None,
        key: Vec::new(),
        rows,
        reads: query.clone(),
        looked_up: Vec::new(),
        advice: Vec::new(),
        crossings: Vec::new(),
        operators: None,
        maintenance: Box::new(FullRefresh),
    })
}
