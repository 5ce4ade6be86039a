//! Compiles the defining query of a stream table.

#[cfg(feature = "changes")]
use super::change_rows::{self, Form};
use super::choose::choose;
#[cfg(feature = "changes")]
use super::on_read;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::Fallback;
use crate::facts::types::type_of;
use crate::facts::{clock, sources, volatility};
use crate::maintain::stage::Stage;
use crate::operators::full_refresh;
#[cfg(feature = "changes")]
use crate::plan::PreAggregate;
use crate::plan::{Input, OutputColumn, Statement};
use crate::query::Query;
use crate::rewrite::prepare::prepare;
use crate::rewrite::views;
use crate::stages::graph::StageGraph;
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::StorageTable;

/// A stream table, compiled.
pub struct Plan {
    /// Its stages, bottom first.
    pub stages: Vec<Stage>,
    /// The visible columns.
    pub columns: Vec<OutputColumn>,
    /// The SELECT of the user's view.
    pub view: String,
    /// The same SELECT over rows of the storage named `__pgt_change_rows`: for each row, its text and the text of its
    /// key, or NULL.
    #[cfg(feature = "changes")]
    pub change_rows: String,
    /// The same, for each row as a document.
    #[cfg(feature = "changes")]
    pub change_documents: String,
    /// False if the result can change without a change of a source.
    pub is_settled: bool,
    /// True if the view computes windows: a changed row of the storage tells little of what users see.
    pub windows_on_read: bool,
    /// True if facts are added up before they are joined.
    #[cfg(feature = "changes")]
    pub pre_aggregated: bool,
    /// True if the final stage can be computed without what the lower stages store ([`crate::compile_at_once`]).
    pub has_skippable: bool,
}

/// The statement that computes the final stage without what the lower stages store, and patches its stored rows; nothing if
/// [`Plan::has_skippable`] is false.
pub fn compile_at_once(query: &Query, input: &Input, catalog: &dyn Catalog) -> Result<Option<Statement>, Error> {
    let graph = StageGraph::new(input.schema, input.storage, catalog, plan_stage, false);
    let plan = match plan_whole(query, input, &graph) {
        Ok(plan) => plan,
        Err(Fallback::Error(error)) => return Err(error),
        Err(Fallback::Reason(_) | Fallback::Whole(_)) => return Ok(None),
    };
    let (top, _) = plan.into_stage(None, &graph.top(), &graph)?;
    Ok(graph.has_skippable().then(|| top.refresh()))
}

/// Compiles the analysed defining query of a stream table.
pub fn compile(query: &Query, input: &Input, catalog: &dyn Catalog) -> Result<Plan, Error> {
    volatility::refuse_volatile(query, catalog)?;
    let graph = StageGraph::new(input.schema, input.storage, catalog, plan_stage, true);
    // Fails for what cannot be a source, and gives the tables their numbers.
    sources::sources(query, &graph)?;
    let attempt = match input.fallback {
        Some(why) => Err(Fallback::Reason(why.to_owned())),
        None => plan_whole(query, input, &graph),
    };
    let is_settled = !matches!(attempt, Err(Fallback::Whole(_)));
    let (plan, why) = match attempt {
        Ok(plan) => (plan, None),
        Err(Fallback::Error(error)) => return Err(error),
        Err(Fallback::Reason(why) | Fallback::Whole(why)) => {
            graph.truncate(0);
            graph.forget_clock();
            let mut plan = full_refresh::plan(query, Some(input.definition), &graph.top(), &graph)?;
            if clock::is_followed(query, catalog)? {
                graph.read_clock(&mut plan.reads, &[])?;
            }
            (plan, Some(why))
        }
    };
    let (mut top, mut view) = plan.into_stage(why, &graph.top(), &graph)?;
    top.is_only = graph.len() == 0;
    if view.from.len() > 1 {
        // The view returns a stored row several times.
        top.key.clear();
    }
    let mut columns = Vec::new();
    for target in view.visible_targets() {
        columns.push(OutputColumn {
            name: target.name.clone().unwrap_or_default(),
            type_sql: catalog.type_sql(type_of(&target.expr, &graph)?, target.expr.typmod())?,
        });
    }
    #[cfg(feature = "changes")]
    let [change_rows, change_documents] =
        [Form::Text, Form::Document].map(|form| change_rows::query(&view, &top.key, form, &graph));
    let windows_on_read = view.has_windows;
    views::mark_read_only(&mut view)?;
    let view = crate::sql::query::print(&view, &graph)?;
    Ok(Plan {
        #[cfg(feature = "changes")]
        pre_aggregated: graph.pre_aggregate.get() == PreAggregate::Done,
        has_skippable: graph.has_skippable(),
        stages: graph.finish(top)?,
        columns,
        view,
        #[cfg(feature = "changes")]
        change_rows: change_rows?,
        #[cfg(feature = "changes")]
        change_documents: change_documents?,
        is_settled,
        windows_on_read,
    })
}

/// Plans the query of a stream table.
fn plan_whole(query: &Query, input: &Input, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    graph.pre_aggregate.set(input.pre_aggregate);
    let mut prepared = query.clone();
    prepare(&mut prepared, graph)?;
    if input.windows_on_read {
        #[cfg(feature = "changes")]
        if let Some(plan) = on_read::plan(&prepared, graph)? {
            return plan.indexable();
        }
    }
    choose(&prepared, &graph.top(), graph)?.indexable()
}

/// Plans an inner stage of a stream table. Falls back to a full refresh if no operator covers the query.
fn plan_stage(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<(Stage, Query), Fallback> {
    let before = graph.len();
    match choose(query, storage, graph).and_then(StagePlan::indexable) {
        Ok(plan) => Ok(plan.into_stage(None, storage, graph)?),
        Err(Fallback::Whole(why)) => Err(Fallback::Whole(why)),
        Err(Fallback::Error(error)) => Err(error.into()),
        // Nobody would notice that time changes the stage.
        Err(Fallback::Reason(why)) if clock::is_followed(query, graph)? => Err(Fallback::Whole(why)),
        Err(Fallback::Reason(why)) => {
            graph.truncate(before);
            let plan = full_refresh::plan(query, None, storage, graph)?;
            Ok(plan.into_stage(Some(why), storage, graph)?)
        }
    }
}
