//! Comparisons with the clock move to a stage of their own below the query: the rows of one FROM entry, filtered. What
//! stands above reads the stage like any table, and follows its changes.
//!
//! A comparison that is a conjunct of WHERE filters the rows of the stage. So does one in the ON condition of an outer
//! join over columns of its nullable side. Anywhere else (in FILTER, OR, CASE, the select list) it becomes a boolean
//! column of the stage.
//!
//! Cost: the rows of the stage, stored once more. Source: predicate pushdown; Selinger et al. 1979.

use super::dependents::group_by_dependents;
use super::merge::{hoist, into_outer_join, merge};
use super::split::above_conditions;
use crate::error::Error;
use crate::facts::clock::{Comparison, all, compared, comparisons, is_strict};
use crate::facts::fallback::Fallback;
use crate::facts::from_items::preserved_entries;
use crate::facts::linear_block::conjuncts;
use crate::facts::shape::only_linear;
use crate::facts::stability::settled;
use crate::query::{Expr, FromItem, JoinKind, Query, Rte, RteKind, Var, attno};
use crate::stages::graph::StageGraph;

/// Marks the Vars that stand for flags while other Vars still have their old numbers.
const FLAG: i16 = 10_000;

/// Moves the comparisons with the clock that stand directly in a simplified query.
pub fn push_down(query: &mut Query, graph: &StageGraph) -> Result<(), Fallback> {
    if query.set_operations.is_some() || compared(query, graph)?.is_empty() {
        return Ok(());
    }
    hoist(query);
    let all_found = compared(query, graph)?;
    let mut elsewhere = Vec::new();
    for (expr, found) in &all_found {
        if entry_of(query, found, graph)?.is_none() {
            elsewhere.push(expr);
        }
    }
    if !elsewhere.is_empty() {
        if query.is_correlated() || query.has_target_srfs && only_linear(query).is_ok() {
            return Ok(());
        }
        // A condition of an outer join cannot move above it.
        if query.from.iter().any(|item| joins_by(item, &elsewhere)) {
            return Err(Fallback::Whole(
                "comparison with the clock in an outer join's condition".to_owned(),
            ));
        }
        let conditions: Vec<Expr> = all_found.into_iter().map(|(expr, _)| expr).collect();
        *query = above_conditions(query, &conditions, graph)?;
        merge_entry(query, 1)?;
    }
    for (expr, found) in compared(query, graph)? {
        let Some(entry) = entry_of(query, &found, graph)? else {
            continue;
        };
        // Those of the same entry move together.
        if compared(query, graph)?.iter().any(|(known, _)| *known == expr) {
            store_entry(query, entry, graph)?;
        }
    }
    if !query.group.is_empty() && query.grouping_sets.is_empty() {
        group_by_dependents(query)?;
    }
    Ok(())
}

/// True if the condition of a join contains one of these expressions.
fn joins_by(item: &FromItem, exprs: &[&Expr]) -> bool {
    let FromItem::Join(join) = item else { return false };
    let contains = |condition: &Expr| condition.any(&mut |node| exprs.contains(&node));
    join.quals.as_ref().is_some_and(contains) || joins_by(&join.left, exprs) || joins_by(&join.right, exprs)
}

/// The FROM entry whose rows a comparison filters.
fn entry_of(query: &Query, found: &[Comparison], graph: &StageGraph) -> Result<Option<i32>, Error> {
    let mut entry = None;
    let mut is_one = true;
    for comparison in found {
        comparison.value.for_each(&mut |node| {
            if let Expr::Var(var) = node {
                is_one &= *entry.get_or_insert(var.varno) == var.varno;
            }
        });
    }
    let Some((entry, rte)) = entry
        .filter(|_| is_one)
        .and_then(|entry| Some((entry, query.rte(entry)?)))
    else {
        return Ok(None);
    };
    let is_stored = match &rte.kind {
        RteKind::Relation { tablesample, .. } => tablesample.is_none(),
        RteKind::Subquery(subquery) => !rte.lateral && !subquery.is_correlated(),
        _ => false,
    };
    // A function of columns that an outer join has made NULL may not be NULL.
    let mut is_sound = is_stored;
    if !is_preserved(query, entry) {
        for comparison in found {
            is_sound &= is_strict(&comparison.value, graph)?;
        }
    }
    Ok(is_sound.then_some(entry))
}

fn is_preserved(query: &Query, entry: i32) -> bool {
    let mut preserved = Vec::new();
    query
        .from
        .iter()
        .for_each(|item| preserved_entries(item, &mut preserved));
    preserved.contains(&entry)
}

/// Replaces a FROM entry by a stage of its rows, filtered.
fn store_entry(query: &mut Query, entry: i32, graph: &StageGraph) -> Result<(), Fallback> {
    let is_preserved = is_preserved(query, entry);
    let position = query.position(entry)?;
    let mut filters = Vec::new();
    if is_preserved {
        let (own, rest) = own_conjuncts(query, query.quals.as_ref(), entry, graph)?;
        filters.extend(own);
        query.quals = all(rest);
    } else {
        let mut from = std::mem::take(&mut query.from);
        let mut result = Ok(());
        for item in &mut from {
            join_filters(query, item, entry, &mut filters, &mut result, graph);
        }
        query.from = from;
        result?;
    }
    // What remains becomes columns.
    let mut flags: Vec<Expr> = Vec::new();
    for (expr, found) in compared(query, graph)? {
        if entry_of(query, &found, graph)? == Some(entry) {
            flags.push(expr);
        }
    }
    query.for_each_expr_mut(&mut |expr| {
        *expr = expr.transform(&mut |node| {
            let n = flags.iter().position(|flag| flag == node)?;
            Some(Var::like(node, entry, FLAG + i16::try_from(n).ok()?))
        });
    });
    let mut used: Vec<Var> = Vec::new();
    let mut is_plain = true;
    query.replace_vars(&mut |var| {
        if var.varno == entry && var.attno < FLAG {
            is_plain &= var.attno > 0;
            if !used.iter().any(|known| known.attno == var.attno) {
                used.push(var.clone());
            }
        }
        None
    });
    if !is_plain {
        return Err(Fallback::Whole(
            "system column or whole row of a table that is compared with the clock".to_owned(),
        ));
    }
    let inside = |expr: &Expr| {
        expr.transform(&mut |node| match node {
            Expr::Var(var) => Some(Expr::Var(Var {
                varno: 1,
                ..var.clone()
            })),
            _ => None,
        })
    };
    let columns = used.iter().map(|var| Expr::Var(var.clone()));
    let mut stage = Query::over(query.rtable[position].clone());
    stage.quals = all(filters.iter().map(inside).collect());
    for expr in columns.chain(flags.iter().cloned()) {
        stage.push_column(inside(&expr), 0)?;
    }
    let names: Vec<String> = stage.targets.iter().filter_map(|target| target.name.clone()).collect();
    let count = used.len();
    let mut view = graph.cut(&stage)?;
    view.sort.clear();
    let is_whole = view.quals.is_none();
    query.replace_vars(&mut |var| {
        if var.varno != entry {
            return None;
        }
        let n = match usize::try_from(var.attno - FLAG) {
            Ok(flag) => count + flag,
            Err(_) => used.iter().position(|known| known.attno == var.attno)?,
        };
        Some(Expr::Var(Var {
            attno: attno(n).ok()?,
            ..var.clone()
        }))
    });
    query.rtable[position] = Rte::new(RteKind::Subquery(Box::new(view)), "filtered", names);
    if is_preserved || is_whole {
        merge(query, entry)?;
    } else {
        into_outer_join(query, entry)?;
    }
    Ok(())
}

/// Merges the only FROM entry, a subquery over a stage.
fn merge_entry(query: &mut Query, entry: i32) -> Result<(), Error> {
    let is_linear =
        matches!(query.rte(entry).map(|rte| &rte.kind), Some(RteKind::Subquery(view)) if only_linear(view).is_ok());
    if is_linear { merge(query, entry) } else { Ok(()) }
}

/// The conjuncts that only the rows of an entry and the clock decide, and the others.
fn own_conjuncts(
    query: &Query,
    condition: Option<&Expr>,
    entry: i32,
    graph: &StageGraph,
) -> Result<(Vec<Expr>, Vec<Expr>), Error> {
    let mut own = Vec::new();
    let mut rest = Vec::new();
    for conjunct in conjuncts(condition) {
        let found = comparisons(&conjunct, graph)?;
        let is_own = match found {
            Some(found) => entry_of(query, &found, graph)? == Some(entry),
            None => is_own_condition(&conjunct, entry, graph)?,
        };
        if is_own { &mut own } else { &mut rest }.push(conjunct);
    }
    Ok((own, rest))
}

/// True for a condition on the columns of one entry alone.
fn is_own_condition(condition: &Expr, entry: i32, graph: &StageGraph) -> Result<bool, Error> {
    let mut is_own = true;
    condition.for_each(&mut |node| match node {
        Expr::Var(var) => is_own &= var.varno == entry && var.levels_up == 0 && var.attno > 0,
        Expr::SubLink(_) | Expr::Param(_) | Expr::Aggref(_) | Expr::Grouping(_) => is_own = false,
        _ => {}
    });
    match settled(condition, graph) {
        Ok(()) => Ok(is_own),
        Err(Fallback::Error(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// Takes the filters of an entry from the ON condition of the outer join whose nullable side it is.
fn join_filters(
    query: &Query,
    item: &mut FromItem,
    entry: i32,
    filters: &mut Vec<Expr>,
    result: &mut Result<(), Error>,
    graph: &StageGraph,
) {
    let FromItem::Join(join) = item else { return };
    let nullable = match join.kind {
        JoinKind::Left => Some(&join.right),
        JoinKind::Right => Some(&join.left),
        JoinKind::Inner | JoinKind::Full => None,
    };
    if matches!(nullable, Some(FromItem::Rel(varno)) if *varno == entry) {
        match own_conjuncts(query, join.quals.as_ref(), entry, graph) {
            Ok((own, rest)) => {
                filters.extend(own);
                join.quals = Some(all(rest).unwrap_or_else(Expr::always));
            }
            Err(error) => *result = Err(error),
        }
    }
    join_filters(query, &mut join.left, entry, filters, result, graph);
    join_filters(query, &mut join.right, entry, filters, result, graph);
}
