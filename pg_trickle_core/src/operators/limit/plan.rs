//! Recognises LIMIT, OFFSET and FETCH FIRST, and plans the stage of the rows shown.

use super::boundary::Boundary;
use crate::catalog::Catalog;
use crate::facts::clock;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::linear_block::{Flat, Resolver};
use crate::facts::shape::{integer, is_complex, is_grouped, reads_recursion};
use crate::facts::types::{is_pseudo, type_of};
use crate::facts::value_identity::equal_is_same;
use crate::facts::{keys, stability};
use crate::maintain;
use crate::maintain::operator_tree::OperatorTree;
use crate::maintain::stage::Maintenance;
use crate::oids::INT8;
use crate::operators::full_refresh;
use crate::operators::linear::block::Part;
use crate::operators::linear::recognise::{block, print};
use crate::operators::linear::touched::KeysOfBlocks;
use crate::operators::partitioned::places::{Order, Place, tie_break};
use crate::plan::{Change, Program, Source, Statement, Way};
use crate::query::{Expr, FromItem, Query, Rte, RteKind, SortGroup, SqlLeaf, Var, Window, attno};
use crate::rewrite::simplify::simplify;
use crate::rewrite::split::above_select_list;
use crate::sql::ident::is_one_of;
use crate::sql::statement::names;
use crate::stages::advice;
use crate::stages::graph::StageGraph;
use crate::stages::indexes::is_small;
use crate::stages::order_index::{OrderIndex, is_descending};
use crate::stages::restricted::{for_touched, row_key};
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

    fn runs_as_update(&self, _change: &Change) -> bool {
        true
    }
}

/// Plans a query with LIMIT or OFFSET.
pub fn plan(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    planned(query, false, storage, graph)
}

/// The same, perhaps over a stage that holds the first rows and a reserve.
fn planned(
    query: &Query,
    over_reserve: bool,
    storage: &StorageTable,
    graph: &StageGraph,
) -> Result<StagePlan, Fallback> {
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
    let reserve = query.reserve;
    let index = if over_reserve { None } else { index(&query, graph)? };
    if let Some(first) = First::of(&query, graph)? {
        if reserve > 0 || over_reserve || index == Some(None) {
            if first.offset == 0
                && let Some(plan) = first.plan(&query, storage, graph)?
            {
                return Ok(plan);
            }
        } else if first.is_total {
            let above = first.above_reserve(graph)?;
            let mut plan = planned(&above, true, storage, graph)?;
            plan.view.sort.clone_from(&query.sort);
            return Ok(plan);
        }
    }
    let mut stage = full_refresh::plan(&query, None, storage, graph)?;
    stage.maintenance = Box::new(FirstRows {
        refresh: maintain::full_refresh::statement(&storage.sql(), &stage.rows, &stage.written, None, false),
        ordered: index.is_some() || over_reserve,
    });
    stage.advice.extend(index.flatten());
    Ok(stage)
}

/// How many rows a reserve has at least.
const RESERVE: i64 = 100;

/// A constant number of first rows, of which each has a key.
struct First {
    /// How many.
    count: i64,
    /// How many of them are not shown.
    offset: i64,
    /// The query, its order continued by the key.
    settled: Query,
    /// The key.
    own: Vec<Expr>,
    /// True if it does not matter which of the rows come first that tie in the order of the query.
    is_total: bool,
}

impl First {
    fn of(query: &Query, graph: &StageGraph) -> Result<Option<Self>, Fallback> {
        let number = |given: &Option<Expr>| match given {
            Some(Expr::Sql(leaf)) => Ok(leaf.parts.concat().parse().ok()),
            Some(number) => integer(number, graph),
            None => Ok(None),
        };
        let offset = match &query.limit_offset {
            None => Some(0),
            given => number(given)?,
        };
        let in_range = |number: &i64| (0..i64::from(i32::MAX)).contains(number);
        let (count, offset) = (number(&query.limit_count)?.filter(in_range), offset.filter(in_range));
        let (Some(count @ 1..), Some(offset)) = (count, offset) else {
            return Ok(None);
        };
        // Each row of the tables that it reads must be a row of the query without LIMIT.
        let counts_otherwise = query.has_windows
            || query.has_target_srfs
            || !query.distinct.is_empty()
            || query.set_operations.is_some()
            || is_grouped(query);
        if query.sort.is_empty() || query.limit_with_ties || counts_otherwise {
            return Ok(None);
        }
        let mut flat = Flat::default();
        let resolver = Resolver::new(query, &mut flat, graph)?;
        let Some(own) = keys::of_query(&flat, &resolver, graph)? else {
            return Ok(None);
        };
        let mut settled = query.clone();
        for own in &own {
            let target_ref = settled.refer(own)?;
            if !settled.sort.iter().any(|sort| sort.target_ref == target_ref) {
                settled.sort.push(tie_break(target_ref, own, graph)?);
            }
        }
        let mut is_alike = true;
        let mut is_stored = true;
        for target in &settled.targets {
            let is_sorted = |sorts: &[SortGroup]| sorts.iter().any(|sort| sort.target_ref == target.ressortgroupref);
            is_alike &= target.junk || is_sorted(&query.sort) && equal_is_same(&target.expr, graph)?;
            is_stored &=
                !is_pseudo(type_of(&target.expr, graph)?, graph)? && (!target.junk || is_sorted(&settled.sort));
        }
        Ok(is_stored.then(|| First {
            count: offset + count - query.reserve,
            offset,
            is_total: is_alike || settled.sort.len() == query.sort.len(),
            settled,
            own,
        }))
    }

    /// The query over a stage that holds more of the first rows than it shows.
    fn above_reserve(self, graph: &StageGraph) -> Result<Query, Fallback> {
        let mut upper = self.settled.clone();
        let mut lower = self.settled;
        lower.limit_offset = None;
        lower.reserve = RESERVE + self.count / 10;
        lower.limit_count = Some(SqlLeaf::text((self.count + lower.reserve).to_string(), INT8, -1, 0));
        let mut names = Vec::new();
        for (n, (target, above)) in lower.targets.iter_mut().zip(&mut upper.targets).enumerate() {
            let name = format!("c{}", n + 1);
            above.expr = Var::like(&target.expr, 1, attno(n)?);
            target.junk = false;
            target.name = Some(name.clone());
            names.push(name);
        }
        let view = graph.cut(&lower)?;
        upper.rtable = vec![Rte::new(RteKind::Subquery(Box::new(view)), "lower", names)];
        upper.from = vec![FromItem::Rel(1)];
        upper.quals = None;
        upper.has_sublinks = false;
        Ok(upper)
    }

    fn plan(&self, query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<Option<StagePlan>, Fallback> {
        let mut plan = full_refresh::plan(&self.settled, None, storage, graph)?;
        // Users see their own order.
        plan.view.sort.clone_from(&query.sort);
        let columns = plan.written.columns.clone();
        // All rows, with the columns that are stored.
        let mut all = self.settled.clone();
        all.sort.clear();
        all.limit_count = None;
        for (target, name) in all.targets.iter_mut().zip(&columns) {
            target.junk = false;
            target.name = Some(name.clone());
        }
        if !self.is_total {
            let mut fresh = all.clone();
            fresh.sort.clone_from(&query.sort);
            fresh.limit_count.clone_from(&query.limit_count);
            plan.rows = crate::sql::query::print(&fresh, graph)?;
        }
        let mut flat = Flat::default();
        let resolver = Resolver::new(query, &mut flat, graph)?;
        let name = |expr: &Expr| {
            let position = all.targets.iter().position(|target| target.expr == *expr);
            Ok(columns[position.unwrap_or_default()].clone())
        };
        let mut items = Vec::new();
        // Values that may be long do not fit into an index.
        let mut is_indexed = true;
        for sort in &self.settled.sort {
            if let Some(target) = all.target(sort.target_ref) {
                is_indexed &= is_small(target.expr.type_oid());
                items.push((target.expr.clone(), sort.clone()));
            }
        }
        let Some(places) = Place::all(&items, &name, &flat, &resolver, graph)? else {
            return Ok(None);
        };
        let order = Order {
            partition: Vec::new(),
            places,
        };
        if !order.is_searchable() {
            return Ok(None);
        }
        let (block, input) = block(&flat, graph)?;
        let (mut key, mut key_names, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for own in &self.own {
            let name = name(own)?;
            key.push(row_key(&name, own, graph)?);
            key_names.push(name);
            values.push(print(&flat, &resolver.resolve(own)?, graph)?);
        }
        if is_indexed {
            plan.indexes.push(order.index());
            if !order.names().starts_with(&key_names) {
                plan.indexes.push(format!("({})", names(&key_names)));
            }
        }
        let label = format!("first {} rows, reserve of {}", self.count, query.reserve);
        plan.operators = Some(OperatorTree::new(label, vec![input]));
        let table = storage.sql();
        plan.maintenance = Box::new(Boundary {
            refresh: maintain::full_refresh::statement(&table, &plan.rows, &plan.written, Some(&key), false),
            table,
            row: plan.written.clone(),
            now: for_touched(&all, &self.own, &key, graph)?,
            all: crate::sql::query::print(&all, graph)?,
            row_key: key,
            named: if self.is_total {
                order.places.len()
            } else {
                query.sort.len().min(order.places.len())
            },
            order,
            touched: KeysOfBlocks(vec![Part { block, values }]),
            count: self.count,
            reserve: query.reserve,
            is_total: self.is_total,
        });
        Ok(Some(plan))
    }
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
