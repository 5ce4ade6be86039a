//! PostgreSQL 18's grouping entry, dissolved.
//!
//! There a query with GROUP BY has a range table entry for the grouping step, and whatever stands above that step
//! refers to its columns. PostgreSQL 17 repeats the grouping expressions instead; so does [`Query`].

use super::Reader;
use crate::query::{Expr, FromItem, Query, RteKind, TableFunc, Var};

/// The grouping entry of one query.
pub(super) struct Group {
    /// Its position in the range table.
    pub varno: i32,
    /// The grouping expressions, which are its columns.
    pub exprs: Vec<Expr>,
}

impl Reader {
    /// The grouping expression that a Var stands for, as seen from the Var's place.
    pub(super) fn grouped(&self, var: &Var) -> Option<Expr> {
        let levels = usize::try_from(var.levels_up).ok()?;
        let scope = self.groups.len().checked_sub(1 + levels)?;
        let group = self.groups[scope].as_ref()?;
        if group.varno != var.varno {
            return None;
        }
        let column = usize::try_from(var.attno).ok()?.checked_sub(1)?;
        let mut expr = group.exprs.get(column)?.clone();
        if var.levels_up > 0 {
            raise(&mut expr, 0, var.levels_up);
        }
        Some(expr)
    }
}

/// Moves an expression `by` query levels down: what it refers to at `from` levels up or more is that much further up.
fn raise(expr: &mut Expr, from: u32, by: u32) {
    let lift = |levels: &mut u32| {
        if *levels >= from {
            *levels += by;
        }
    };
    match expr {
        Expr::Var(var) => lift(&mut var.levels_up),
        Expr::Aggref(aggref) => lift(&mut aggref.levels_up),
        Expr::Grouping(grouping) => lift(&mut grouping.levels_up),
        Expr::SubLink(sublink) => raise_query(&mut sublink.query, from + 1, by),
        _ => {}
    }
    expr.for_each_child_mut(&mut |child| raise(child, from, by));
}

/// As [`raise`], for a subquery; `from` is counted from inside of it.
fn raise_query(query: &mut Query, from: u32, by: u32) {
    for cte in &mut query.ctes {
        raise_query(&mut cte.query, from + 1, by);
    }
    for rte in &mut query.rtable {
        raise_rte(&mut rte.kind, from, by);
    }
    let mut raise = |expr: &mut Expr| raise(expr, from, by);
    query
        .from
        .iter_mut()
        .for_each(|item| raise_item(item, &mut raise));
    query
        .targets
        .iter_mut()
        .for_each(|target| raise(&mut target.expr));
    [
        &mut query.quals,
        &mut query.having,
        &mut query.limit_offset,
        &mut query.limit_count,
    ]
    .into_iter()
    .flatten()
    .for_each(&mut raise);
    for window in &mut query.windows {
        window.start_offset.iter_mut().for_each(&mut raise);
        window.end_offset.iter_mut().for_each(&mut raise);
    }
}

fn raise_item(item: &mut FromItem, raise: &mut dyn FnMut(&mut Expr)) {
    if let FromItem::Join(join) = item {
        raise_item(&mut join.left, raise);
        raise_item(&mut join.right, raise);
        join.quals.iter_mut().for_each(raise);
    }
}

fn raise_rte(kind: &mut RteKind, from: u32, by: u32) {
    let raise = |expr: &mut Expr| raise(expr, from, by);
    match kind {
        RteKind::Subquery(query) => raise_query(query, from + 1, by),
        RteKind::Cte { levels_up, .. } => {
            if *levels_up >= from {
                *levels_up += by;
            }
        }
        RteKind::Relation { tablesample, .. } => {
            if let Some(sample) = tablesample {
                sample
                    .args
                    .iter_mut()
                    .chain(&mut sample.repeatable)
                    .for_each(raise);
            }
        }
        RteKind::Join { alias_vars, .. } => alias_vars.iter_mut().for_each(raise),
        RteKind::Function { functions, .. } => {
            functions
                .iter_mut()
                .map(|function| &mut function.expr)
                .for_each(raise);
        }
        RteKind::TableFunc(function) => table_func_exprs(function).into_iter().for_each(raise),
        RteKind::Values { rows, .. } => rows.iter_mut().flatten().for_each(raise),
        RteKind::Group { exprs } => exprs.iter_mut().for_each(raise),
        RteKind::NamedTuplestore { .. } | RteKind::Result => {}
    }
}

/// All expressions of a table function but its paths, which are constants.
fn table_func_exprs(function: &mut TableFunc) -> Vec<&mut Expr> {
    let TableFunc {
        ns_uris,
        doc,
        row,
        column_exprs,
        column_defaults,
        column_values,
        passing,
        ..
    } = function;
    let columns = column_exprs
        .iter_mut()
        .chain(column_defaults)
        .chain(column_values);
    ns_uris
        .iter_mut()
        .chain(doc)
        .chain(row)
        .chain(columns.flatten())
        .chain(passing)
        .collect()
}
