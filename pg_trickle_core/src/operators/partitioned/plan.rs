//! Recognises windows, DISTINCT ON and aggregates without a state, and plans their stages.

use super::first::{First, FirstRows};
use super::growing::Ends;
use super::near_plan::Windows;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::linear_block::Flat;
use crate::facts::linear_block::Resolver;
use crate::facts::shape::gives_rows;
use crate::facts::types::{equality, has_arrays, is_ordered, is_pseudo};
use crate::facts::{keys, stability};
use crate::maintain::key::KeyColumn;
use crate::maintain::operator_tree::OperatorTree;
use crate::maintain::rekey::Rekey;
use crate::maintain::stage::Maintenance;
use crate::maintain::storage::Identity;
use crate::operators::linear::block::Part;
use crate::operators::linear::recognise::{block, check, nullable, print};
use crate::operators::linear::touched::KeysOfBlocks;
use crate::query::{Expr, Query};
use crate::rewrite::split;
use crate::sql::statement::names;
use crate::stages::advice;
use crate::stages::graph::StageGraph;
use crate::stages::restricted::{Restricted, for_touched, index, row_key};
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::{StorageTable, written};
use crate::stages::view::view_at;

/// The operator that is maintained key by key.
enum What {
    /// Window functions.
    Window,
    /// `DISTINCT ON`.
    DistinctOn,
    /// Aggregates or DISTINCT, and why they cannot be folded.
    Group(String),
}

impl What {
    /// The label that `explain` shows.
    fn label(&self, keys: &[String]) -> String {
        let keys = keys.join(", ");
        match self {
            What::Window => format!("window by ({keys})"),
            What::DistinctOn => format!("distinct on ({keys})"),
            What::Group(why) => format!("aggregate by ({keys}), group by group: {why}"),
        }
    }
}

/// How the window functions of a query are split into stages.
pub enum Split {
    /// All of them are one stage; their partitions have these expressions in common.
    Together(Query, Vec<Expr>),
    /// The query has some of them, and reads a stage that has the others.
    Above(Query),
}

/// Splits window functions into stages. Windows whose partitions have something in common share a stage; windows
/// without PARTITION BY come above all others.
pub fn split_windows(query: &Query, graph: &StageGraph) -> Result<Split, Fallback> {
    let query = only_used(query);
    let mut parts: Vec<(Vec<Expr>, Vec<u32>)> = Vec::new();
    for window in &query.windows {
        let own: Vec<Expr> = query.referred(&window.partition).cloned().collect();
        let shares = |keys: &[Expr]| keys.iter().any(|key| own.contains(key)) || keys.is_empty() && own.is_empty();
        let place = parts.iter().position(|(keys, _)| shares(keys));
        match place {
            Some(place) => {
                let (keys, members) = &mut parts[place];
                keys.retain(|key| own.contains(key));
                members.push(window.winref);
            }
            None => parts.push((own, vec![window.winref])),
        }
    }
    if parts.iter().any(|(keys, _)| keys.iter().any(gives_rows)) {
        return reason("PARTITION BY a set-returning function");
    }
    parts.sort_by_key(|(keys, _)| keys.is_empty());
    match parts.as_mut_slice() {
        [] => reason("window functions without a window"),
        [(keys, _)] => {
            let keys = std::mem::take(keys);
            Ok(Split::Together(query, keys))
        }
        [(_, members), ..] => Ok(Split::Above(split::above_windows(&query, members, graph)?)),
    }
}

/// Plans window functions whose partitions have these expressions in common.
pub fn windows(
    query: &Query,
    keys: &[Expr],
    storage: &StorageTable,
    graph: &StageGraph,
) -> Result<StagePlan, Fallback> {
    by_key(query, keys, What::Window, storage, graph)
}

/// The query with only the windows that a function uses, each with its full definition.
fn only_used(query: &Query) -> Query {
    let mut query = query.clone();
    let mut used = Vec::new();
    query.for_each_expr(&mut |expr| {
        expr.for_each(&mut |node| {
            if let Expr::Window(call) = node {
                used.push(call.winref);
            }
        });
    });
    query.windows.retain(|window| used.contains(&window.winref));
    for window in &mut query.windows {
        window.refname = None;
        window.copied_order = false;
    }
    query
}

/// Plans DISTINCT ON.
pub fn distinct_on(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    let keys: Vec<Expr> = query.referred(&query.distinct).cloned().collect();
    by_key(query, &keys, What::DistinctOn, storage, graph)
}

/// Plans DISTINCT over rows that cannot be counted in storage. `why` is the reason.
pub fn distinct(query: &Query, why: &str, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    let keys: Vec<Expr> = query.visible_targets().map(|target| target.expr.clone()).collect();
    by_key(query, &keys, What::Group(why.to_owned()), storage, graph)
}

/// Plans groups whose aggregates have no incremental state. `why` is the reason.
pub fn groups(query: &Query, why: &str, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    if !query.grouping_sets.is_empty() {
        return Err(Fallback::Reason(why.to_owned()));
    }
    let keys: Vec<Expr> = query.referred(&query.group).cloned().collect();
    by_key(query, &keys, What::Group(why.to_owned()), storage, graph)
}

fn by_key(
    query: &Query,
    keys: &[Expr],
    what: What,
    storage: &StorageTable,
    graph: &StageGraph,
) -> Result<StagePlan, Fallback> {
    // Only the linear block: the keys are taken from its rows.
    let plain = query.rows();
    let mut flat = Flat::default();
    let resolver = Resolver::new(&plain, &mut flat, graph)?;
    let (block, input) = block(&flat, graph)?;
    let mut key = Vec::new();
    let mut key_sql = Vec::new();
    let mut advice = Vec::new();
    for expr in keys {
        let resolved = resolver.resolve(expr)?;
        check(&flat, &resolved, graph)?;
        if is_pseudo(resolved.type_oid(), graph)? {
            return reason("a row value as a key");
        }
        key.push(KeyColumn {
            name: String::new(),
            equals: equality(resolved.type_oid(), graph)?,
            nullable: nullable(&flat, &resolved)?,
            ordered: is_ordered(resolved.type_oid(), graph)?,
            wrapped: has_arrays(resolved.type_oid(), graph)?,
        });
        key_sql.push(print(&flat, &resolved, graph)?);
        advice.extend(advice::expression(&flat, &resolved, graph)?);
    }
    stability::settled_query(query, graph)?;
    let first = match what {
        What::Window => First::of_windows(query, keys, graph)?,
        What::DistinctOn => Some(First::of_distinct_on(query)),
        What::Group(_) => None,
    };
    let (mut is_advised, mut in_order) = (false, false);
    let first = match first {
        Some(first) => {
            let mut whole = Flat::default();
            let resolver = Resolver::new(query, &mut whole, graph)?;
            let found = first.find(keys, &whole, &resolver, graph)?;
            in_order = found.in_order;
            is_advised = found.advice.is_some();
            advice.extend(found.advice);
            found.one_by_one.then_some(first)
        }
        None => None,
    };
    let mut looked_up = if first.is_some() || is_advised {
        Vec::new()
    } else {
        advice::columns(keys, query)
    };
    let unique = matches!(what, What::Group(_) | What::DistinctOn);
    // Window functions keep one row for each row of the block, so a key of the block identifies it.
    let own = if unique || query.has_target_srfs {
        None
    } else {
        keys::of_query(&flat, &resolver, graph)?
    };
    let near = match (&what, &own, query.top) {
        (What::Window, Some(own), None) => Windows::of(query, keys, own, graph)?,
        _ => None,
    };
    let (near, settled) = near.unzip();
    let query = settled.as_ref().unwrap_or(query);
    let mut growing = None;
    if let What::Group(_) = what
        && let Some(ends) = Ends::of(query, keys, graph)?
        && let Some(own) = keys::of_query(&flat, &resolver, graph)?
    {
        let mut is_known = key.iter().all(|key| !key.nullable);
        for column in ends.columns() {
            is_known &= !nullable(&flat, &resolver.resolve(column)?)?;
        }
        growing = is_known.then_some((ends, own));
    }
    let kept: Vec<Expr> = keys
        .iter()
        .chain(own.iter().flatten())
        .chain(near.iter().flat_map(|near| &near.kept))
        .chain(growing.iter().flat_map(|(ends, _)| ends.kept()))
        .cloned()
        .collect();
    let restricted = Restricted::new(query, &kept, graph)?;
    let mut stored_columns = restricted.stored.clone();
    for (key, position) in key.iter_mut().zip(&restricted.key_positions) {
        key.name.clone_from(&stored_columns[*position].name);
    }
    let written = written(&stored_columns, graph)?;
    let key_of_rows = if unique {
        Some(key.clone())
    } else {
        let mut columns = Vec::new();
        for (expr, position) in own.iter().flatten().zip(&restricted.key_positions[keys.len()..]) {
            columns.push(row_key(&written.columns[*position], expr, graph)?);
        }
        own.is_some().then_some(columns)
    };
    // Stages above identify rows by it.
    let identified: Vec<String> = match &key_of_rows {
        Some(key) if storage.is_inner() && key.iter().all(|column| !column.nullable) => {
            key.iter().map(|column| column.name.clone()).collect()
        }
        Some(_) | None => Vec::new(),
    };
    let rekey = Rekey {
        row_key: key_of_rows,
        table: storage.sql(),
        row: written.clone(),
        key: key.clone(),
        touched: Box::new(KeysOfBlocks(vec![Part {
            block: block.clone(),
            values: key_sql,
        }])),
        rows: match &first {
            Some(first) => first.for_touched(&restricted.query, keys, &key, graph)?,
            None => for_touched(&restricted.query, keys, &key, graph)?,
        },
    };
    let mut indexes = index(&key);
    let maintenance: Box<dyn Maintenance> = match near {
        None if let Some((ends, own)) = growing => {
            let mut values = Vec::new();
            for expr in &own {
                values.push(print(&flat, &resolver.resolve(expr)?, graph)?);
            }
            Box::new(ends.maintenance(rekey, &restricted, &own, Part { block, values }, graph)?)
        }
        None if first.is_some() => Box::new(FirstRows { rekey, in_order }),
        None => Box::new(rekey),
        Some(near) => match near.maintenance(rekey, &restricted, &flat, &resolver, block, graph)? {
            Ok(near) => {
                indexes = near.indexes();
                // Stored rows are found by these, and rows of the sources by their key.
                looked_up.clear();
                advice.clear();
                Box::new(near)
            }
            Err(rekey) => Box::new(rekey),
        },
    };
    if !identified.is_empty() {
        // They also find rows by it.
        let by_row = format!("({})", names(&identified));
        if !indexes.contains(&by_row) {
            indexes.push(by_row);
        }
    }
    let rows = crate::sql::query::print(&restricted.query, graph)?;
    let key_names: Vec<String> = key.iter().map(|key| key.name.clone()).collect();
    let view = view_at(
        query,
        &restricted.positions,
        storage,
        &mut stored_columns,
        &identified,
        graph,
    )?;
    let operators = OperatorTree::new(what.label(&key_names), vec![input]);
    Ok(StagePlan {
        stored: stored_columns,
        indexes,
        view,
        written,
        identity: Identity::None,
        key: if unique { key_names } else { Vec::new() },
        rows,
        reads: query.clone(),
        looked_up,
        advice,
        crossings: Vec::new(),
        operators: Some(operators),
        maintenance,
    })
}
