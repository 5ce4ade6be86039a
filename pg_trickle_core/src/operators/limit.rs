//! LIMIT, OFFSET and FETCH FIRST: the first rows of a linear block in its order, read again after each change.
//!
//! Rule: run the query again and write the differences. Cost: the rows up to the last one shown, given an index in
//! their order (the storage of a lower stage gets one); without an index, the whole query. Source: Yi et al.,
//! "Efficient maintenance of materialized top-k views", 2003. The index replaces its reserve of rows.

use super::full_refresh;
use crate::catalog::Catalog;
use crate::facts::clock;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::linear_block::{Flat, Resolver};
use crate::facts::shape::{is_complex, is_grouped, reads_recursion};
use crate::facts::stability;
use crate::maintain;
use crate::maintain::stage::Maintenance;
use crate::plan::{Change, Program, Source, Statement, Way};
use crate::query::{Expr, Query, Window};
use crate::rewrite::simplify::simplify;
use crate::rewrite::split::above_select_list;
use crate::sql::ident::is_one_of;
use crate::stages::advice;
use crate::stages::graph::StageGraph;
use crate::stages::order_index::{OrderIndex, is_descending};
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::StorageTable;

/// The window functions that number the rows in their order.
const NUMBERS: &str = "row_number rank dense_rank";

/// Runs the query again. If it reads few rows, its plan is kept.
struct FirstRows {
    /// Patches the storage.
    refresh: Statement,
    /// True if the rows are read through an index in their order, so that a plan can be kept.
    ordered: bool,
}

impl Maintenance for FirstRows {
    fn way(&self) -> Way {
        Way::Rekey
    }

    fn program(&self, _changes: &[Change]) -> Program {
        Program::Run(vec![self.refresh.clone()])
    }

    fn cost(&self, _source: &Source, _sources: &[Source]) -> &'static str {
        "the rows shown, given an index in their order"
    }

    fn runs_query(&self) -> bool {
        true
    }

    fn needs_fresh_plans(&self, advised: bool, _changes: &[Change]) -> bool {
        advised || !self.ordered
    }
}

/// Plans a query with LIMIT or OFFSET.
pub fn plan(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    if query.sort.is_empty() && !is_grouped(query) && query.distinct.is_empty() && reads_recursion(query) {
        // LIMIT may be what ends the recursion.
        return reason("LIMIT without ORDER BY over WITH RECURSIVE");
    }
    let mut query = query.clone();
    if query.set_operations.is_none() {
        simplify(&mut query, graph)?;
    }
    sort_by_order(&mut query, graph)?;
    let stacked = query.set_operations.is_some()
        || is_grouped(&query)
        || query.has_windows && !numbers_first_rows(&query, graph)?
        || !query.distinct.is_empty()
        || query.has_target_srfs
        || is_complex(&query)
        || !clock::compared(&query, graph)?.is_empty();
    if stacked {
        query = above_select_list(&query, graph)?;
        simplify(&mut query, graph)?;
    }
    stability::settled_query(&query, graph)?;
    let index = index(&query, graph)?;
    let mut plan = full_refresh::plan(&query, None, storage, graph)?;
    plan.maintenance = Box::new(FirstRows {
        refresh: maintain::full_refresh::statement(&storage.sql(), &plan.rows, &plan.written, None, false),
        ordered: index.is_some(),
    });
    plan.advice.extend(index.flatten());
    Ok(plan)
}

/// An order by the number of a row in a window is the order of that window.
fn sort_by_order(query: &mut Query, graph: &StageGraph) -> Result<(), Fallback> {
    let mut sorts = Vec::new();
    for sort in &query.sort {
        let order = match query.target(sort.target_ref).map(|target| &target.expr) {
            Some(Expr::Window(call)) if is_descending(sort, call.type_oid, graph)? == Some(false) => {
                let function = graph.function(call.function)?;
                let window = query.windows.iter().find(|window| window.winref == call.winref);
                // Rows that tie in the order of the window have different numbers by `row_number`.
                let ties_alike = !query.limit_with_ties || function.name != "row_number";
                let is_number = function.schema == "pg_catalog" && is_one_of(&function.name, NUMBERS) && ties_alike;
                window.filter(|window| is_number && window.partition.is_empty() && !window.order.is_empty())
            }
            _ => None,
        };
        match order {
            Some(window) => sorts.extend(window.order.iter().cloned()),
            None => sorts.push(sort.clone()),
        }
    }
    query.sort = sorts;
    Ok(())
}

/// True if all window functions depend only on the rows before a row in the order of the result, and on those that tie
/// with it: PostgreSQL then computes them for no more rows than the first ones.
fn numbers_first_rows(query: &Query, graph: &StageGraph) -> Result<bool, Fallback> {
    let leads = |window: &Window| {
        let mut order = window.order.iter().zip(&query.sort);
        window.partition.is_empty()
            && !window.order.is_empty()
            && window.order.len() <= query.sort.len()
            && order.all(|(own, sort)| {
                own.target_ref == sort.target_ref && own.sort_op == sort.sort_op && own.nulls_first == sort.nulls_first
            })
    };
    let mut calls = Vec::new();
    query.for_each_expr(&mut |expr| {
        expr.for_each(&mut |node| {
            if let Expr::Window(call) = node {
                calls.push((call.function, call.winref));
            }
        });
    });
    for (function, winref) in calls {
        let function = graph.function(function)?;
        let window = query.windows.iter().find(|window| window.winref == winref);
        if function.schema != "pg_catalog" || !is_one_of(&function.name, NUMBERS) || !window.is_some_and(leads) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// If the query reads a single table in the order of columns, makes an index in this order: adds it to the storage of a
/// stage, and returns advice for a table of the user.
fn index(query: &Query, graph: &StageGraph) -> Result<Option<Option<String>>, Fallback> {
    let mut flat = Flat::default();
    let resolver = Resolver::new(query, &mut flat, graph)?;
    let targets = resolver.targets()?;
    let ([_], Some(relation)) = (flat.scans.as_slice(), flat.table(0)) else {
        return Ok(None);
    };
    let Some(order) = OrderIndex::new(relation, &query.sort, &targets, graph)? else {
        return Ok(None);
    };
    graph.add_index(relation.oid, "", &order.columns());
    let is_there = graph.is_stage(relation.oid) || relation.is_indexed(order.attnos()[0]);
    Ok(Some((!is_there).then(|| {
        advice::sentence(
            relation,
            &order.columns().join(", "),
            "the rows shown are read in its order",
        )
    })))
}
