//! Splits a query with several operators in two: the lower part becomes a stage, which the upper part reads.

use super::dependents::group_by_dependents;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::clock::all;
use crate::facts::fallback::Fallback;
use crate::facts::linear_block::conjuncts;
#[cfg(feature = "changes")]
use crate::facts::shape::is_grouped;
use crate::facts::shape::{gives_rows, has_sublink, only_linear};
use crate::facts::types::{is_pseudo, type_of};
use crate::query::{Expr, FromItem, Query, Rte, RteKind, SortGroup, Target, Var, Window, attno};
use crate::stages::graph::StageGraph;

/// The expressions that the lower part supplies to the upper part, as columns.
struct Columns<'c> {
    exprs: Vec<Expr>,
    catalog: &'c dyn Catalog,
    error: Option<Error>,
}

impl<'c> Columns<'c> {
    fn new(catalog: &'c dyn Catalog) -> Self {
        Columns {
            exprs: Vec::new(),
            catalog,
            error: None,
        }
    }

    /// The column that holds the expression, added if it is new.
    fn column(&mut self, expr: &Expr) -> Expr {
        let position = self.exprs.iter().position(|known| known == expr).unwrap_or_else(|| {
            self.exprs.push(expr.clone());
            self.exprs.len() - 1
        });
        let known = type_of(expr, self.catalog).and_then(|type_oid| Ok((type_oid, attno(position)?)));
        let (type_oid, attno) = known.unwrap_or_else(|error| {
            // `over` returns this error.
            self.error.get_or_insert(error);
            (0, 0)
        });
        Expr::Var(Var {
            varno: 1,
            attno,
            type_oid,
            typmod: expr.typmod(),
            collation: expr.collation(),
            levels_up: 0,
        })
    }

    /// Replaces by columns the largest parts that `is_column` accepts, and all remaining Vars, including those in
    /// subqueries.
    fn lift(&mut self, expr: &Expr, is_column: &dyn Fn(&Expr) -> bool) -> Expr {
        let lifted = |columns: &mut Self, node: &Expr| is_column(node).then(|| columns.column(node));
        let mut copy = expr.transform(&mut |node| match node {
            Expr::SubLink(sublink) if !is_column(node) => {
                let mut sublink = sublink.clone();
                if let Some(test) = &mut sublink.test {
                    *test = self.lift(test, is_column);
                }
                sublink.query.replace_outer(&mut |node| {
                    let is_part = matches!(node, Expr::Var(_)) || is_column(node);
                    is_part.then(|| self.column(node))
                });
                Some(Expr::SubLink(sublink))
            }
            Expr::Var(_) => Some(self.column(node)),
            _ => lifted(self, node),
        });
        if is_column(expr) {
            copy = self.column(expr);
        }
        copy
    }
}

/// The upper query, over a stage made of the lower one.
fn over(lower: Query, columns: Columns, upper: Query, graph: &StageGraph) -> Result<Query, Fallback> {
    let lower = supplying(lower, columns)?;
    let view = graph.cut(&lower)?;
    Ok(reading(upper, view, &lower))
}

/// The upper query, over the lower one as a subquery, and that one.
fn beside(lower: Query, columns: Columns, upper: Query) -> Result<(Query, Query), Fallback> {
    let lower = supplying(lower, columns)?;
    Ok((reading(upper, lower.clone(), &lower), lower))
}

/// The lower query, with these columns.
fn supplying(lower: Query, columns: Columns) -> Result<Query, Error> {
    if let Some(error) = columns.error {
        return Err(error);
    }
    let mut lower = lower;
    lower.targets.retain(|target| {
        let refers = |sort: &SortGroup| sort.target_ref == target.ressortgroupref;
        let in_window = |window: &Window| window.partition.iter().chain(&window.order).any(refers);
        let is_referred = lower.group.iter().chain(&lower.sort).any(refers) || lower.windows.iter().any(in_window);
        target.ressortgroupref != 0 && is_referred
    });
    for target in &mut lower.targets {
        target.junk = true;
        target.name = None;
    }
    let mut hidden = std::mem::take(&mut lower.targets);
    for expr in columns.exprs {
        // An expression that is a column, and that something sorts or groups by, keeps its reference.
        let group = hidden.iter().position(|target| target.expr == expr);
        let ressortgroupref = group.map_or(0, |position| hidden.remove(position).ressortgroupref);
        lower.push_column(expr, ressortgroupref)?;
    }
    lower.targets.append(&mut hidden);
    Ok(lower)
}

/// The upper query, over a subquery with the columns of the lower one.
fn reading(mut upper: Query, rows: Query, lower: &Query) -> Query {
    let names: Vec<String> = lower
        .visible_targets()
        .filter_map(|target| target.name.clone())
        .collect();
    upper.rtable = vec![Rte::new(RteKind::Subquery(Box::new(rows)), "lower", names)];
    upper.from = vec![FromItem::Rel(1)];
    upper.ctes.clear();
    upper
}

/// The query without DISTINCT, LIMIT and ORDER BY, which are left to the upper part.
fn cleared(query: &Query) -> Query {
    let mut rest = query.clone();
    rest.sort.clear();
    rest.distinct.clear();
    rest.distinct_on = false;
    rest.limit_count = None;
    rest.limit_offset = None;
    rest.limit_with_ties = false;
    rest.reserve = 0;
    rest.top = None;
    rest
}

/// The partitioning and grouping expressions that the lower part can compute. Stored rows are found by a column, which
/// has an index, but not by an expression over columns.
fn keys(query: &Query, graph: &StageGraph) -> Result<Vec<Expr>, Error> {
    let mut found = Vec::new();
    let partitions = query.windows.iter().flat_map(|window| &window.partition);
    for key in query.group.iter().chain(partitions) {
        let Some(Target { expr, .. }) = query.target(key.target_ref) else {
            continue;
        };
        // Leave out a key that returns several rows, and one whose type no column can have.
        if !query.has_target_srfs
            && !gives_rows(expr)
            && (has_sublink(expr) || expr.any(&mut |node| matches!(node, Expr::Var(_))))
            && !is_pseudo(type_of(expr, graph)?, graph)?
        {
            found.push(expr.clone());
        }
    }
    Ok(found)
}

/// DISTINCT or LIMIT above everything else: the lower part selects what the query selects.
pub fn above_select_list(query: &Query, graph: &StageGraph) -> Result<Query, Fallback> {
    let mut columns = Columns::new(graph);
    let mut upper = query.clone();
    for target in &mut upper.targets {
        target.expr = columns.column(&target.expr);
    }
    upper.quals = None;
    upper.group.clear();
    upper.grouping_sets.clear();
    upper.having = None;
    upper.windows.clear();
    upper.has_aggs = false;
    upper.has_windows = false;
    upper.has_target_srfs = false;
    upper.has_sublinks = false;
    upper.set_operations = None;
    over(cleared(query), columns, upper, graph)
}

/// Subqueries in the select list above LIMIT, if the order does not depend on them: for no more rows than are shown, as
/// PostgreSQL computes them.
pub fn above_first_rows(query: &Query, graph: &StageGraph) -> Result<Option<Query>, Fallback> {
    let mut upper = query.clone();
    upper.limit_count = None;
    upper.limit_offset = None;
    upper.limit_with_ties = false;
    let is_plain = only_linear(&upper).is_ok() && !query.referred(&query.sort).any(has_sublink);
    if !is_plain || !query.targets.iter().any(|target| has_sublink(&target.expr)) {
        return Ok(None);
    }
    let mut columns = Columns::new(graph);
    for target in &mut upper.targets {
        let is_plain = !has_sublink(&target.expr);
        target.expr = columns.lift(&target.expr, &|_| is_plain);
    }
    upper.quals = None;
    beside(query.clone(), columns, upper).map(|(above, _)| Some(above))
}

/// Windows, subqueries in the select list or HAVING, and set-returning functions, above grouping.
pub fn above_grouping(query: &Query, graph: &StageGraph) -> Result<Query, Fallback> {
    let (lower, columns, upper) = parted_at_groups(query, graph);
    over(lower, columns, upper, graph)
}

/// The same before it is put together.
fn parted_at_groups<'c>(query: &Query, graph: &'c StageGraph) -> (Query, Columns<'c>, Query) {
    let keys: Vec<Expr> = query.referred(&query.group).cloned().collect();
    let is_column = |expr: &Expr| keys.contains(expr) || matches!(expr, Expr::Aggref(_) | Expr::Grouping(_));
    let mut columns = Columns::new(graph);
    let mut lower = cleared(query);
    lower.windows.clear();
    lower.has_windows = false;
    lower.has_target_srfs = false;
    let mut upper = query.clone();
    upper.quals = None;
    if query.having.as_ref().is_some_and(has_sublink) {
        lower.having = None;
        upper.quals = upper.having.as_ref().map(|having| columns.lift(having, &is_column));
    }
    upper.having = None;
    upper.group.clear();
    upper.grouping_sets.clear();
    upper.has_aggs = false;
    for target in &mut upper.targets {
        target.expr = columns.lift(&target.expr, &is_column);
    }
    let unused_key = |target: &Target| {
        target.junk
            && !query.sort.iter().any(|sort| sort.target_ref == target.ressortgroupref)
            && !query
                .distinct
                .iter()
                .any(|sort| sort.target_ref == target.ressortgroupref)
            && !query.windows.iter().any(|window| {
                window
                    .partition
                    .iter()
                    .chain(&window.order)
                    .any(|sort| sort.target_ref == target.ressortgroupref)
            })
    };
    upper.targets.retain(|target| !unused_key(target));
    (lower, columns, upper)
}

/// Grouping or windows above joins and subqueries that need a stage of their own. Without `lifted`, subqueries outside
/// the keys stay in the upper part.
pub fn above_from(query: &Query, lifted: bool, graph: &StageGraph) -> Result<Query, Fallback> {
    let keys = keys(query, graph)?;
    let is_column = |expr: &Expr| keys.contains(expr) || lifted && matches!(expr, Expr::SubLink(_));
    let mut upper = query.clone();
    upper.has_sublinks &= !lifted;
    above_linear(query, upper, false, &is_column, graph)
}

/// Windows above the rows or groups that they are computed over, which are returned beside it.
#[cfg(feature = "changes")]
pub fn windows_and_rows(query: &Query, graph: &StageGraph) -> Result<(Query, Query), Fallback> {
    let (lower, columns, upper) = if is_grouped(query) {
        parted_at_groups(query, graph)
    } else {
        parted(query, query.clone(), false, &|_| false, graph)?
    };
    beside(lower, columns, upper)
}

/// Everything above the rows of FROM and WHERE, which have these expressions as columns.
pub fn above_rows_with(query: &Query, columns: &[Expr], graph: &StageGraph) -> Result<Query, Fallback> {
    above_linear(query, query.clone(), false, &|expr| columns.contains(expr), graph)
}

/// Grouping above the rows of FROM and WHERE, which are returned beside it.
pub fn rows_below(query: &Query, graph: &StageGraph) -> Result<(Query, Query), Fallback> {
    let keys = keys(query, graph)?;
    let (lower, columns, upper) = parted(query, query.clone(), false, &|expr| keys.contains(expr), graph)?;
    beside(lower, columns, upper)
}

/// Everything above the rows of FROM and the other conditions of WHERE. `conditions` stay in the upper part, as do
/// subqueries in its expressions.
pub fn above_conditions(query: &Query, conditions: &[Expr], graph: &StageGraph) -> Result<Query, Fallback> {
    let mut columns = Columns::new(graph);
    let is_column = |_: &Expr| false;
    let (own, rest): (Vec<Expr>, Vec<Expr>) = conjuncts(query.quals.as_ref())
        .into_iter()
        .partition(|conjunct| conjunct.any(&mut |node| conditions.contains(node)));
    let mut upper = query.clone();
    upper.quals = all(own);
    upper.from.clear();
    upper.rtable.clear();
    upper.for_each_expr_mut(&mut |expr| *expr = columns.lift(expr, &is_column));
    if !query.group.is_empty() && query.grouping_sets.is_empty() {
        group_by_dependents(&mut upper)?;
    }
    let mut lower = joined_rows(query);
    lower.quals = all(rest);
    over(lower, columns, upper, graph)
}

/// Grouping above the set-returning functions in GROUP BY, which multiply the rows before they are grouped.
pub fn above_rows(query: &Query, graph: &StageGraph) -> Result<Query, Fallback> {
    let keys: Vec<Expr> = query
        .referred(&query.group)
        .filter(|key| gives_rows(key))
        .cloned()
        .collect();
    let is_column = |expr: &Expr| keys.contains(expr);
    let mut upper = query.clone();
    upper.has_target_srfs = query
        .targets
        .iter()
        .any(|target| !keys.contains(&target.expr) && gives_rows(&target.expr));
    above_linear(query, upper, true, &is_column, graph)
}

/// `upper` above the rows of FROM and WHERE, which supply the expressions that `is_column` accepts. `gives_rows` says
/// that set-returning functions are among these.
fn above_linear(
    query: &Query,
    upper: Query,
    gives_rows: bool,
    is_column: &dyn Fn(&Expr) -> bool,
    graph: &StageGraph,
) -> Result<Query, Fallback> {
    let (lower, columns, upper) = parted(query, upper, gives_rows, is_column, graph)?;
    over(lower, columns, upper, graph)
}

/// The same before it is put together.
fn parted<'c>(
    query: &Query,
    mut upper: Query,
    gives_rows: bool,
    is_column: &dyn Fn(&Expr) -> bool,
    graph: &'c StageGraph,
) -> Result<(Query, Columns<'c>, Query), Fallback> {
    let mut columns = Columns::new(graph);
    upper.quals = None;
    for target in &mut upper.targets {
        target.expr = columns.lift(&target.expr, is_column);
    }
    if let Some(having) = &mut upper.having {
        *having = columns.lift(having, is_column);
    }
    if !query.group.is_empty() && query.grouping_sets.is_empty() {
        group_by_dependents(&mut upper)?;
    }
    let mut lower = joined_rows(query);
    lower.has_target_srfs = gives_rows;
    Ok((lower, columns, upper))
}

/// The rows of FROM and WHERE, without any operator above them.
fn joined_rows(query: &Query) -> Query {
    let mut rows = query.rows();
    rows.targets.clone_from(&query.targets);
    rows
}

/// The windows that are not `members`, above those that are.
pub fn above_windows(query: &Query, members: &[u32], graph: &StageGraph) -> Result<Query, Fallback> {
    let mut upper = query.clone();
    upper.quals = None;
    upper.windows.retain(|window| !members.contains(&window.winref));
    let keys = keys(&upper, graph)?;
    let is_column =
        |expr: &Expr| keys.contains(expr) || matches!(expr, Expr::Window(call) if members.contains(&call.winref));
    let mut columns = Columns::new(graph);
    for target in &mut upper.targets {
        target.expr = columns.lift(&target.expr, &is_column);
    }
    let mut lower = cleared(query);
    lower.windows.retain(|window| members.contains(&window.winref));
    lower.has_target_srfs = false;
    over(lower, columns, upper, graph)
}
