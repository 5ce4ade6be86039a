//! The columns of a query, read from the storage of its stage.

use super::graph::StageGraph;
use super::stored::{StorageTable, StoredColumn};
use crate::error::Error;
use crate::query::{Expr, Query, Target, Var, attno};

/// Reads a query's visible and sort columns from storage whose first columns are the query's targets, in order.
pub fn view_of_columns(
    query: &Query,
    storage: &StorageTable,
    stored: &[StoredColumn],
    key: &[String],
    graph: &StageGraph,
) -> Result<Query, Error> {
    let mut view = graph.register(storage, stored, key)?;
    let columns = std::mem::take(&mut view.targets);
    view.targets = query
        .targets
        .iter()
        .zip(columns)
        .map(|(target, column)| Target {
            expr: column.expr,
            ..target.clone()
        })
        .collect();
    view.sort.clone_from(&query.sort);
    Ok(view)
}

/// The `n`-th column, counted from 0, of the storage table that a view reads.
pub fn column_of(stored: &[StoredColumn], n: usize) -> Result<Expr, Error> {
    Ok(Expr::Var(Var {
        varno: 1,
        attno: attno(n)?,
        type_oid: stored[n].type_oid,
        typmod: stored[n].typmod,
        collation: stored[n].collation,
        levels_up: 0,
    }))
}

/// Reads a query's columns from storage; `positions` says where each target is stored. Storage that other stages read
/// gets a column that numbers its rows, unless they have a `key`, whose columns are never NULL.
pub fn view_at(
    query: &Query,
    positions: &[Option<usize>],
    storage: &StorageTable,
    stored: &mut Vec<StoredColumn>,
    key: &[String],
    graph: &StageGraph,
) -> Result<Query, Error> {
    if storage.is_inner() && key.is_empty() {
        stored.push(StoredColumn::number());
    }
    for column in stored.iter_mut().filter(|column| key.contains(&column.name)) {
        column.not_null = true;
    }
    let mut view = graph.register(storage, stored, key)?;
    let targets = query
        .targets
        .iter()
        .zip(positions)
        .filter_map(|(target, position)| Some((target, (*position)?)))
        .map(|(target, position)| {
            Ok(Target {
                expr: column_of(stored, position)?,
                ..target.clone()
            })
        })
        .collect::<Result<_, Error>>()?;
    view.targets = targets;
    view.sort.clone_from(&query.sort);
    Ok(view)
}
