//! Outer joins, subqueries in expressions, and lateral subqueries: maintained by Rekey, row of the spine by row.
//!
//! The spine of a query are the tables that no outer join makes NULL and that stand in no subquery: what a row of the
//! result shows is decided by its row of the spine, looked at with the tables around it. So the key is the keys of
//! the spine's tables. A change of a spine table touches its own rows; a change of another table touches the rows of the
//! spine that meet it: the conditions between it and the spine say which ([`super::touch`]).
//!
//! Rule, cost and source: `op/spine.rs`.

use super::builder::{Builder, Storage};
use super::columns::{equality, storage_columns};
use super::from_items::{preserved, relid_of, rels};
use super::partition::{Restricted, arms, names, view};
use super::prepare::pull_up::pull_up;
use super::scans::foldable;
use super::stop::{Stop, reason};
use super::{Lowered, Maintain, touch};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::op::Op;
use crate::op::spine::Spine;
use crate::query::{Expr, FromItem, JoinKind, Query, RteKind, Target, Var};
use crate::sql::ident::quote_ident;
use crate::stage::rekey::{KeyColumn, Rekey, Touch};
use crate::stage::storage::Identity;

/// Lowers a query whose FROM is simplified.
pub fn lower(query: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    let mut query = query.clone();
    let mut scans = Vec::new();
    for item in &query.from {
        preserved(&query, item, &mut scans);
    }
    if scans.is_empty() {
        return reason(if has_full_join(&query) {
            "FULL JOIN"
        } else {
            "no table in FROM"
        });
    }
    settled(&query, builder)?;
    for varno in &mut scans {
        *varno = keyed(&mut query, *varno, builder)?;
    }
    let mut keys = Vec::new();
    let mut key = Vec::new();
    let mut parts = Vec::new();
    for varno in &scans {
        let from = keys.len();
        for (expr, equals) in key_of(&query, *varno, builder)? {
            keys.push(expr);
            key.push(KeyColumn {
                name: String::new(),
                equals,
                nullable: false,
            });
        }
        parts.push(from..keys.len());
    }
    let restricted = Restricted::new(&query, &keys, builder)?;
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
    let spine = touch::Spine {
        query: &query,
        scans: &scans,
        keys: &keys,
        parts: &parts,
        key: &key,
        table: storage.sql(),
    };
    let columns = names(&stored);
    // Nothing beside the spine in FROM: one row for each row of the spine.
    let tables: usize = query.from.iter().map(|item| rels(item).len()).sum();
    let alone = tables == scans.len() && !query.has_target_srfs;
    let rekey = Rekey {
        row_key: alone.then(|| key.clone()),
        table: storage.sql(),
        columns: columns.clone(),
        touch: Touch::Occurrences(touch::occurrences(&spine, builder)?),
        rows: arms(&restricted.query, &keys, &key, builder)?,
        key,
    };
    let rows = crate::sql::query::print(&restricted.query, builder)?;
    let tree = Op::Spine(Spine {
        tables: scans
            .iter()
            .filter_map(|varno| name_of(&query, *varno, builder))
            .collect(),
        keys: key_names,
    });
    let view = view(&query, &restricted.positions, storage, &mut stored, builder);
    Ok(Lowered {
        columns: storage_columns(&stored, builder)?,
        indexes,
        view,
        written: columns,
        identity: Identity::None,
        key: Vec::new(),
        rows,
        reads: query,
        looked_up: Vec::new(),
        advice: Vec::new(),
        tree: Some(tree),
        maintain: Maintain::Rekey(rekey),
    })
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

/// Fails where a result can change without a change of a table, or a change is not told as a whole.
fn settled(query: &Query, builder: &Builder) -> Result<(), Stop> {
    let mut result = Ok(());
    query.for_each_query(&mut |query| {
        if result.is_ok() {
            result = settled_level(query, builder);
        }
    });
    result
}

fn settled_level(query: &Query, builder: &Builder) -> Result<(), Stop> {
    let mut result = Ok(());
    query.for_each_expr(&mut |expr| {
        expr.for_each(&mut |node| {
            if matches!(node, Expr::Var(var) if var.attno < 0) && result.is_ok() {
                result = reason("system column");
            }
        });
        if result.is_ok() {
            result = super::volatility::settled(expr, builder);
        }
    });
    result?;
    for rte in &query.rtable {
        if let RteKind::Relation { relid, tablesample, .. } = &rte.kind {
            if tablesample.is_some() {
                return reason("TABLESAMPLE");
            }
            foldable(&builder.relation(*relid)?, rte.inh)?;
        }
    }
    Ok(())
}

/// The `varno` of a table with a key that shows the same rows: the table itself, or a stage with a copy of its rows in
/// which each has a number.
pub fn keyed(query: &mut Query, varno: i32, builder: &Builder) -> Result<i32, Stop> {
    let position = usize::try_from(varno - 1).unwrap_or(usize::MAX);
    let RteKind::Relation { relid, .. } = query.rtable[position].kind else {
        return Ok(varno);
    };
    let relation = builder.relation(relid)?;
    if !relation.keys.is_empty() {
        return Ok(varno);
    }
    let mut used: Vec<Var> = Vec::new();
    let mut whole_row = false;
    query.replace_vars(&mut |var| {
        if var.varno == varno {
            whole_row |= var.attno == 0;
            if !used.iter().any(|known| known.attno == var.attno) {
                used.push(var.clone());
            }
        }
        None
    });
    if whole_row {
        return reason("whole-row reference to a table without a key");
    }
    let targets = used
        .iter()
        .enumerate()
        .map(|(n, var)| Target {
            expr: Expr::Var(Var {
                varno: 1,
                ..var.clone()
            }),
            name: Some(format!("c{}", n + 1)),
            resno: i16::try_from(n + 1).unwrap_or(i16::MAX),
            ressortgroupref: 0,
            junk: false,
        })
        .collect();
    let copy = Query {
        rtable: vec![query.rtable[position].clone()],
        from: vec![FromItem::Rel(1)],
        targets,
        ..Query::default()
    };
    let view = builder.cut(&copy)?;
    query.replace_vars(&mut |var| {
        let column = used.iter().position(|known| known.attno == var.attno)?;
        (var.varno == varno).then(|| {
            Expr::Var(Var {
                attno: i16::try_from(column + 1).unwrap_or(i16::MAX),
                ..var.clone()
            })
        })
    });
    query.rtable[position].kind = RteKind::Subquery(Box::new(view));
    pull_up(query, varno);
    // The copy is one table, added at the end.
    i32::try_from(query.rtable.len()).map_err(|_| Error::Tree("too many tables".to_owned()).into())
}

/// The key columns of a table, with their equality.
fn key_of(query: &Query, varno: i32, builder: &Builder) -> Result<Vec<(Expr, String)>, Stop> {
    let Some(relid) = relid_of(query, varno) else {
        return reason("a spine that is no table");
    };
    let relation = builder.relation(relid)?;
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
            Ok((var, equality(column.type_oid, builder)?))
        })
        .collect()
}

fn name_of(query: &Query, varno: i32, builder: &Builder) -> Option<String> {
    Some(builder.relation(relid_of(query, varno)?).ok()?.name)
}
