//! Passes the order of a subquery on to whatever depends on it and has no order of its own.
//!
//! Examples are `json_agg(s) FROM (SELECT .. ORDER BY k) s`, `SELECT * FROM an_ordered_view LIMIT 1`, and `row_number()
//! OVER ()` over an ordered CTE. SQL promises nothing here, but PostgreSQL reads a subquery in its order, through any
//! number of levels that only filter and project, and applications rely on it. Stored rows have no order. So whatever
//! depends on the order of its input gets the order of the subquery as an ORDER BY of its own.

use super::views;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::from_items::rels;
use crate::facts::shape::is_grouped;
use crate::plan::Oid;
use crate::query::{
    Aggref, Expr, FromItem, JsonConstructorKind, Query, RteKind, SetOperation, SortGroup, SubLinkKind, Target, Var,
    Window, WindowFunc, attno, frame,
};
use crate::sql::ident::is_one_of;

/// The sort keys of rows, as expressions of one query level.
type Order = Vec<(Expr, SortGroup)>;

/// Gives an order of its own to everything that depends on the order of a subquery, in a query and all queries within
/// it.
pub fn pass_on(query: &mut Query, catalog: &dyn Catalog) -> Result<(), Fallback> {
    level(query, false, catalog)
}

/// Handles one query level. `wanted` says that the order of its result matters to its reader.
fn level(query: &mut Query, wanted: bool, catalog: &dyn Catalog) -> Result<(), Fallback> {
    let is_cut = (query.limit_count.is_some() || query.limit_offset.is_some()) && !query.limit_with_ties;
    let sorts = wanted && query.sort.is_empty() || is_cut;
    let windows = unordered_windows(query, catalog);
    if sorts || query.distinct_on || !windows.is_empty() || has_unordered_aggregates(query, catalog) {
        consume(query, sorts, &windows, catalog)?;
    }
    for rte in &mut query.rtable {
        if let RteKind::Subquery(subquery) = &mut rte.kind {
            level(subquery, false, catalog)?;
        }
    }
    let mut result = Ok(());
    query.for_each_expr_mut(&mut |expr| sublinks(expr, catalog, &mut result));
    result
}

fn sublinks(expr: &mut Expr, catalog: &dyn Catalog, result: &mut Result<(), Fallback>) {
    if result.is_ok()
        && let Expr::SubLink(sublink) = expr
    {
        *result = level(&mut sublink.query, sublink.kind == SubLinkKind::Array, catalog);
    }
    expr.for_each_child_mut(&mut |child| sublinks(child, catalog, result));
}

fn consume(query: &mut Query, sorts: bool, windows: &[u32], catalog: &dyn Catalog) -> Result<(), Fallback> {
    if let Some(operation) = &query.set_operations {
        // UNION ALL returns the rows of one branch after those of another, an order that no expression can describe.
        return if sorts && query.sort.is_empty() && has_ordered_branch(query, operation) {
            reason("order of a branch of a set operation")
        } else {
            Ok(())
        };
    }
    if let [FromItem::Rel(varno)] = query.from.as_slice() {
        let order = order_of(query, *varno, catalog)?;
        if order.is_empty() {
            return Ok(());
        }
        if sorts && !is_grouped(query) {
            sort_by(query, &order)?;
        }
        if query.distinct_on {
            choose_by(query, &order)?;
        }
        windows_by(query, windows, &order, catalog)?;
        aggregates_by(query, &order, catalog);
        return Ok(());
    }
    // A join reads one side in its order, and for each row the matches on the other side.
    let mut order = Vec::new();
    for varno in query.from.iter().flat_map(rels).collect::<Vec<_>>() {
        order.extend(order_of(query, varno, catalog)?);
    }
    let unordered = (sorts || query.distinct_on) && query.sort.is_empty() && !is_grouped(query);
    let has_order = |winref: &u32| query.windows.iter().any(|w| w.winref == *winref && !w.order.is_empty());
    if !order.is_empty() && (unordered || !windows.iter().all(has_order)) {
        return reason("order of a joined subquery");
    }
    aggregates_by(query, &order, catalog);
    Ok(())
}

fn has_ordered_branch(query: &Query, operation: &SetOperation) -> bool {
    match operation {
        SetOperation::Rel(varno) => query
            .rte(*varno)
            .is_some_and(|rte| matches!(&rte.kind, RteKind::Subquery(branch) if !branch.sort.is_empty())),
        SetOperation::Op { left, right, .. } => has_ordered_branch(query, left) || has_ordered_branch(query, right),
    }
}

/// The order in which a FROM item returns its rows, in terms of its columns; empty if it has none.
fn order_of(query: &mut Query, varno: i32, catalog: &dyn Catalog) -> Result<Order, Fallback> {
    let position = query.position(varno)?;
    views::expand(query, position, catalog)?;
    let RteKind::Subquery(subquery) = &mut query.rtable[position].kind else {
        return Ok(Vec::new());
    };
    let keeps_order = !is_grouped(subquery)
        && !subquery.has_windows
        && subquery.distinct.is_empty()
        && subquery.set_operations.is_none();
    if subquery.sort.is_empty()
        && keeps_order
        && let [FromItem::Rel(below)] = subquery.from.as_slice()
    {
        let order = order_of(subquery, *below, catalog)?;
        sort_by(subquery, &order)?;
    }
    let mut order = Vec::new();
    for sort in subquery.sort.clone() {
        if let Some(expr) = subquery.target(sort.target_ref).map(|target| target.expr.clone()) {
            let attno = column(subquery, &expr)?;
            order.push((Var::like(&expr, varno, attno), sort));
        }
    }
    Ok(order)
}

/// The column of a query that holds an expression, added if there is none.
fn column(query: &mut Query, expr: &Expr) -> Result<i16, Error> {
    let shown = || query.visible_targets();
    if let Some(known) = shown().position(|target| target.expr == *expr) {
        return attno(known);
    }
    let resno = attno(shown().count())?;
    query.targets.push(Target {
        expr: expr.clone(),
        name: None,
        resno,
        ressortgroupref: 0,
        junk: false,
    });
    Ok(resno)
}

fn referred(query: &mut Query, order: &[(Expr, SortGroup)]) -> Result<Vec<SortGroup>, Error> {
    let mut sorts = Vec::new();
    for (expr, sort) in order {
        sorts.push(SortGroup {
            target_ref: query.refer(expr)?,
            ..sort.clone()
        });
    }
    Ok(sorts)
}

/// Continues the query's own ORDER BY by an order that begins with it: rows that tie in the former keep the latter.
fn sort_by(query: &mut Query, order: &[(Expr, SortGroup)]) -> Result<(), Error> {
    let mut own = query.sort.iter().zip(order);
    let begins = query.sort.len() <= order.len()
        && own.all(|(own, (expr, sort))| {
            own.sort_op == sort.sort_op
                && own.nulls_first == sort.nulls_first
                && query.target(own.target_ref).is_some_and(|target| target.expr == *expr)
        });
    if !begins {
        return Ok(());
    }
    let mut rest = &order[query.sort.len()..];
    if !query.distinct.is_empty() && !query.distinct_on {
        // With DISTINCT, a query can sort only by what it selects.
        let is_selected = |(expr, _): &&(Expr, SortGroup)| query.targets.iter().any(|target| target.expr == *expr);
        rest = &rest[..rest.iter().take_while(is_selected).count()];
    }
    let rest = referred(query, rest)?;
    query.sort.extend(rest);
    Ok(())
}

/// DISTINCT ON takes the first row of each key. Rows whose order does not begin with the key are sorted by the key first:
/// PostgreSQL promises nothing then, but few rows keep their order among those with the same key.
fn choose_by(query: &mut Query, order: &[(Expr, SortGroup)]) -> Result<(), Error> {
    let leads = |(distinct, (expr, sort)): (&SortGroup, &(Expr, SortGroup))| {
        let target = query.target(distinct.target_ref);
        distinct.sort_op == sort.sort_op && target.is_some_and(|target| target.expr == *expr)
    };
    let begins = query.distinct.len() <= order.len() && query.distinct.iter().zip(order).all(leads);
    if query.sort.is_empty() && !begins {
        query.sort = query.distinct.clone();
    }
    let rest = referred(query, order)?;
    extend(&mut query.sort, rest);
    Ok(())
}

/// Adds sort keys behind those that are there.
fn extend(sort: &mut Vec<SortGroup>, more: Vec<SortGroup>) {
    for key in more {
        if !sort.iter().any(|known| known.target_ref == key.target_ref) {
            sort.push(key);
        }
    }
}

/// Aggregates whose result does not depend on the order of their input, apart from the rounding of float sums.
const UNORDERED: &str = "count sum avg min max bool_and bool_or every bit_and bit_or bit_xor var_pop var_samp variance \
    stddev stddev_pop stddev_samp covar_pop covar_samp corr regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope \
    regr_sxx regr_sxy regr_syy";

/// Window functions that have the same value for all rows of a window without an order.
const OF_PEERS: &str = "rank dense_rank percent_rank cume_dist";

fn is_built_in(function: Oid, names: &str, catalog: &dyn Catalog) -> bool {
    let known = catalog.function(function);
    known.is_ok_and(|function| function.schema == "pg_catalog" && is_one_of(&function.name, names))
}

/// Window functions whose value depends on the order of peers, whatever the frame is.
const NUMBERING: &str = "row_number ntile lag lead";

/// Whether the order of the input matters: of all rows if the window has no order, of peers otherwise.
fn depends_on_order(call: &WindowFunc, window: &Window, catalog: &dyn Catalog) -> bool {
    if !window.order.is_empty() {
        let rows = window.frame_options & frame::ROWS != 0;
        let peers = window.frame_options & (frame::EXCLUDE_GROUP | frame::EXCLUDE_TIES) != 0;
        let numbering = !call.is_agg && is_built_in(call.function, NUMBERING, catalog);
        let has_offset = window.start_offset.is_some() || window.end_offset.is_some();
        return if rows {
            !peers && !is_built_in(call.function, OF_PEERS, catalog)
        } else {
            // A frame of peers, or with an offset in the order, cannot have a longer order.
            numbering && !has_offset
        };
    }
    if call.is_agg {
        window.frame_options & frame::ROWS != 0 || !is_built_in(call.function, UNORDERED, catalog)
    } else {
        !is_built_in(call.function, OF_PEERS, catalog)
    }
}

fn window_calls(query: &Query) -> Vec<WindowFunc> {
    let mut calls = Vec::new();
    query.for_each_expr(&mut |expr| {
        expr.for_each(&mut |node| {
            if let Expr::Window(call) = node {
                calls.push((**call).clone());
            }
        });
    });
    calls
}

/// The windows with a function that depends on an order which they do not have.
fn unordered_windows(query: &Query, catalog: &dyn Catalog) -> Vec<u32> {
    let mut found = Vec::new();
    for call in window_calls(query) {
        let window = query.windows.iter().find(|window| window.winref == call.winref);
        let depends = |window: &Window| depends_on_order(&call, window, catalog);
        if window.is_some_and(depends) && !found.contains(&call.winref) {
            found.push(call.winref);
        }
    }
    found
}

fn windows_by(
    query: &mut Query,
    windows: &[u32],
    order: &[(Expr, SortGroup)],
    catalog: &dyn Catalog,
) -> Result<(), Fallback> {
    for winref in windows {
        let Some(window) = query.windows.iter().find(|window| window.winref == *winref).cloned() else {
            continue;
        };
        let mut keys = window.order.clone();
        let frame_options = if keys.is_empty() {
            ordered_frame(window.frame_options)?
        } else {
            window.frame_options
        };
        let order = referred(query, order)?;
        extend(&mut keys, order);
        let new = query.windows.iter().map(|window| window.winref).max().unwrap_or(0) + 1;
        query.windows.push(Window {
            name: None,
            refname: None,
            copied_order: false,
            order: keys,
            frame_options,
            winref: new,
            ..window.clone()
        });
        query.for_each_expr_mut(&mut |expr| move_calls(expr, &window, new, catalog));
    }
    Ok(())
}

/// Moves those calls of a window that depend on an order to another window.
fn move_calls(expr: &mut Expr, from: &Window, to: u32, catalog: &dyn Catalog) {
    if let Expr::Window(call) = expr
        && call.winref == from.winref
        && depends_on_order(call, from, catalog)
    {
        call.winref = to;
    }
    expr.for_each_child_mut(&mut |child| move_calls(child, from, to, catalog));
}

/// The frame that selects the same rows once the window is ordered. Without an order, all rows of a partition are
/// peers, so a frame that counts peers is the whole partition.
fn ordered_frame(options: i32) -> Result<i32, Fallback> {
    if options & (frame::EXCLUDE_GROUP | frame::EXCLUDE_TIES) != 0 {
        return reason("EXCLUDE of peers in a window without an order");
    }
    Ok(if options & frame::ROWS != 0 {
        options
    } else {
        options & frame::EXCLUDE_CURRENT_ROW
            | frame::NONDEFAULT
            | frame::RANGE
            | frame::BETWEEN
            | frame::START_UNBOUNDED_PRECEDING
            | frame::END_UNBOUNDED_FOLLOWING
    })
}

/// True if the aggregate has arguments whose order matters, which its own order may leave open.
fn takes_order(call: &Aggref, catalog: &dyn Catalog) -> bool {
    call.kind == 'n'
        && call.levels_up == 0
        && !call.star
        && call.distinct.is_empty()
        && !is_built_in(call.function, UNORDERED, catalog)
}

fn has_unordered_aggregates(query: &Query, catalog: &dyn Catalog) -> bool {
    let mut found = false;
    if query.has_aggs {
        query.for_each_expr(&mut |expr| {
            found = found || expr.any(&mut |node| matches!(node, Expr::Aggref(call) if takes_order(call, catalog)));
        });
    }
    found
}

fn aggregates_by(query: &mut Query, order: &[(Expr, SortGroup)], catalog: &dyn Catalog) {
    query.for_each_expr_mut(&mut |expr| in_expr(expr, order, catalog));
}

fn in_expr(expr: &mut Expr, order: &[(Expr, SortGroup)], catalog: &dyn Catalog) {
    if let Expr::JsonConstructor(json) = expr
        && json.kind == JsonConstructorKind::ObjectAgg
        && !order.is_empty()
        && let Some(call) = json.func.as_ref().filter(|call| matches!(call, Expr::Aggref(_)))
    {
        // JSON_OBJECTAGG has no ORDER BY; the function underneath has.
        let of_call = |node: &Expr| matches!(node, Expr::CaseTest(..)).then(|| call.clone());
        let converted = json
            .coercion
            .as_ref()
            .map(|coercion| coercion.transform(&mut |node| of_call(node)));
        *expr = converted.unwrap_or_else(|| call.clone());
    }
    if let Expr::Aggref(call) = expr
        && takes_order(call, catalog)
    {
        let known = call.args.iter().map(|arg| arg.ressortgroupref).max().unwrap_or(0);
        for (n, (key, sort)) in (known + 1..).zip(order) {
            call.args.push(Target {
                expr: key.clone(),
                name: None,
                resno: 0,
                ressortgroupref: n,
                junk: true,
            });
            call.order.push(SortGroup {
                target_ref: n,
                ..sort.clone()
            });
        }
    }
    expr.for_each_child_mut(&mut |child| in_expr(child, order, catalog));
}
