//! Recognises the preserved tables of a query, and plans its stage.

use super::affected;
use super::join_path::PreservedTables;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::from_items::{preserved, preserved_entries, rels};
use crate::facts::stability;
use crate::facts::types::equality;
use crate::maintain::key::KeyColumn;
use crate::maintain::operator_tree::OperatorTree;
use crate::maintain::rekey::Rekey;
use crate::maintain::storage::Identity;
use crate::operators::linear::recognise::foldable;
use crate::query::{Expr, FromItem, JoinKind, Query, Rte, RteKind, Var, varno};
use crate::rewrite::numbered::{is_constant, keyed, stored};
use crate::sql::ident::quote_ident;
use crate::stages::graph::StageGraph;
use crate::stages::restricted::{Restricted, for_touched};
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::{StorageTable, written};
use crate::stages::view::view_at;

/// Plans a query whose FROM has been simplified.
pub fn plan(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    let mut query = query.clone();
    let mut scans = Vec::new();
    for item in &query.from {
        preserved(&query, item, &mut scans);
    }
    settled(&query, graph)?;
    if scans.is_empty() {
        if has_full_join(&query) {
            return reason("FULL JOIN");
        }
        scans = constants(&mut query, graph)?;
    }
    for varno in &mut scans {
        *varno = keyed(&mut query, *varno, graph)?;
    }
    let mut keys = Vec::new();
    let mut key = Vec::new();
    let mut parts = Vec::new();
    for varno in &scans {
        let from = keys.len();
        for (expr, equals) in key_of(&query, *varno, graph)? {
            keys.push(expr);
            key.push(KeyColumn {
                name: String::new(),
                equals,
                nullable: false,
                ordered: true,
                wrapped: true,
            });
        }
        parts.push(from..keys.len());
    }
    let restricted = Restricted::new(&query, &keys, graph)?;
    let mut stored = restricted.stored.clone();
    for (key, position) in key.iter_mut().zip(&restricted.key_positions) {
        key.name.clone_from(&stored[*position].name);
    }
    let key_names: Vec<String> = key.iter().map(|key| quote_ident(&key.name)).collect();
    let mut indexes = vec![format!("({})", key_names.join(", "))];
    indexes.extend(
        parts
            .iter()
            .skip(1)
            .map(|part| format!("({})", key_names[part.clone()].join(", "))),
    );
    let preserved_tables = PreservedTables {
        query: &query,
        scans: &scans,
        keys: &keys,
        parts: &parts,
        key: &key,
        table: storage.sql(),
    };
    let written = written(&stored, graph)?;
    // If FROM holds only preserved tables, each combination of their rows gives one row, so their keys identify it.
    let entries: usize = query.from.iter().map(|item| rels(item).len()).sum();
    let alone = entries == scans.len() && !query.has_target_srfs;
    let rekey = Rekey {
        row_key: alone.then(|| key.clone()),
        table: storage.sql(),
        row: written.clone(),
        touched: Box::new(affected::occurrences(&preserved_tables, graph)?),
        rows: for_touched(&restricted.query, &keys, &key, graph)?,
        key,
    };
    let rows = crate::sql::query::print(&restricted.query, graph)?;
    let tables: Vec<String> = scans
        .iter()
        .filter_map(|varno| name_of(&query, *varno, graph))
        .collect();
    let label = format!(
        "outer joins and subqueries around {} by ({})",
        tables.join(", "),
        key_names.join(", ")
    );
    let view = view_at(&query, &restricted.positions, storage, &mut stored, &[], graph)?;
    Ok(StagePlan {
        stored,
        indexes,
        view,
        written,
        identity: Identity::None,
        key: Vec::new(),
        rows,
        reads: query,
        looked_up: Vec::new(),
        advice: Vec::new(),
        crossings: Vec::new(),
        operators: Some(OperatorTree::new(label, Vec::new())),
        maintenance: Box::new(rekey),
    })
}

/// Stores the constants that no outer join makes NULL: they take the place of preserved tables. Without FROM there is one row.
fn constants(query: &mut Query, graph: &StageGraph) -> Result<Vec<i32>, Fallback> {
    if query.from.is_empty() {
        query.from.push(FromItem::Rel(varno(query.rtable.len())?));
        let one_row = RteKind::Subquery(Box::default());
        query.rtable.push(Rte::new(one_row, "one_row", Vec::new()));
    }
    let mut entries = Vec::new();
    query.from.iter().for_each(|item| preserved_entries(item, &mut entries));
    // The others refer to these: what they give for a row of these is looked up with the row.
    entries.retain(|entry| is_constant(query, *entry));
    if entries.is_empty() {
        return reason("no table in FROM");
    }
    entries.into_iter().map(|entry| stored(query, entry, graph)).collect()
}

fn has_full_join(query: &Query) -> bool {
    fn in_item(item: &FromItem) -> bool {
        match item {
            FromItem::Rel(_) => false,
            FromItem::Join(join) => join.kind == JoinKind::Full || in_item(&join.left) || in_item(&join.right),
        }
    }
    query.from.iter().any(in_item)
}

/// Fails if the result can change without a change to a table, or if transition tables do not show a whole change.
fn settled(query: &Query, graph: &StageGraph) -> Result<(), Fallback> {
    stability::settled_query(query, graph)?;
    let mut result = Ok(());
    query.for_each_query(&mut |query| {
        if result.is_ok() {
            result = settled_level(query, graph);
        }
    });
    result
}

fn settled_level(query: &Query, graph: &StageGraph) -> Result<(), Fallback> {
    let mut reads_system_column = false;
    query.for_each_expr(&mut |expr| {
        reads_system_column |= expr.any(&mut |node| matches!(node, Expr::Var(var) if var.attno < 0));
    });
    if reads_system_column {
        return reason("system column");
    }
    for rte in &query.rtable {
        match &rte.kind {
            RteKind::Relation {
                tablesample: Some(_), ..
            } => return reason("TABLESAMPLE"),
            RteKind::Relation { relid, .. } => foldable(&graph.relation(*relid)?, rte.inh)?,
            RteKind::Function { functions, .. } => functions
                .iter()
                .try_for_each(|function| stability::settled_columns(function, graph))?,
            _ => {}
        }
    }
    Ok(())
}

/// The key columns of a table, each with its equality operator.
fn key_of(query: &Query, varno: i32, graph: &StageGraph) -> Result<Vec<(Expr, String)>, Fallback> {
    let Some(relid) = query.table(varno) else {
        return reason("a preserved relation that is not a table");
    };
    let relation = graph.relation(relid)?;
    let Some(key) = relation.keys.first() else {
        return reason("a table without a key next to an outer join or subquery");
    };
    key.columns
        .iter()
        .map(|attnum| {
            let column = relation
                .column(*attnum)
                .ok_or_else(|| Error::Tree(format!("key column {attnum}")))?;
            let var = Expr::Var(Var {
                varno,
                attno: *attnum,
                type_oid: column.type_oid,
                typmod: column.typmod,
                collation: column.collation,
                levels_up: 0,
            });
            Ok((var, equality(column.type_oid, graph)?))
        })
        .collect()
}

fn name_of(query: &Query, varno: i32, graph: &StageGraph) -> Option<String> {
    Some(graph.relation(query.table(varno)?).ok()?.name)
}
