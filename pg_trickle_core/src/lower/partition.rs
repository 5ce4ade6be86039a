//! Operators whose result for one key depends on the rows with that key only: windows by their partition, DISTINCT ON by
//! its expressions, aggregates without an incremental state by their group. Maintained by Rekey.
//!
//! Rule, cost and source: `op/per_key.rs`. Windows over partitions of no common column are cut into stages, each of which
//! costs its own partitions.

use super::MAX_KEYS;
use super::builder::{Builder, Storage, Stored, stored_name};
use super::columns::{equality, is_pseudo, storage_columns, type_of};
use super::linear::{Flat, Resolver};
use super::prepare::pull_up::add_qual;
use super::scans::{block, check, nullable, print};
use super::stop::{Stop, reason};
use super::{Lowered, Maintain, column_of, split};
use crate::catalog::Catalog;
use crate::op::Op;
use crate::op::per_key::{PerKey, What};
use crate::op::term::Part;
use crate::query::{Bool, BoolOp, Expr, FromItem, NullTest, Query, Rte, RteKind, SqlLeaf, Target, Var};
use crate::sql::ident::quote_ident;
use crate::stage::rekey::{IS_TOUCHED, KeyColumn, Rekey, TOUCHED, Touch, key_column, null_arms};
use crate::stage::storage::Identity;

/// Window functions: those whose partitions have something in common together, each stage by what its partitions have in
/// common, the windows without PARTITION BY above all others.
pub fn windows(query: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    let query = &only_used(query);
    let mut parts: Vec<(Vec<Expr>, Vec<u32>)> = Vec::new();
    for window in &query.windows {
        let own: Vec<Expr> = window
            .partition
            .iter()
            .filter_map(|sort| query.target(sort.target_ref))
            .map(|target| target.expr.clone())
            .collect();
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
    if parts.iter().any(|(keys, _)| keys.iter().any(split::gives_rows)) {
        return reason("PARTITION BY a function that returns rows");
    }
    parts.sort_by_key(|(keys, _)| keys.is_empty());
    match parts.as_slice() {
        [] => reason("window functions without a window"),
        [(keys, _)] => lower(query, keys, What::Window, storage, builder),
        [(_, members), ..] => super::plan(&split::above_windows(query, members, builder)?, storage, builder),
    }
}

/// The query with the windows that a function uses, each with all of its definition.
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

/// DISTINCT ON.
pub fn distinct_on(query: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    let keys: Vec<Expr> = query
        .distinct
        .iter()
        .filter_map(|sort| query.target(sort.target_ref))
        .map(|target| target.expr.clone())
        .collect();
    lower(query, &keys, What::DistinctOn, storage, builder)
}

/// DISTINCT by columns that cannot be counted in storage, for the reason given.
pub fn distinct(query: &Query, why: &str, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    let keys: Vec<Expr> = query
        .targets
        .iter()
        .filter(|target| !target.junk)
        .map(|target| target.expr.clone())
        .collect();
    lower(query, &keys, What::Group(why.to_owned()), storage, builder)
}

/// Groups whose aggregates have no incremental state, for the reason given.
pub fn groups(query: &Query, why: &str, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    if !query.grouping_sets.is_empty() {
        return Err(Stop::Reason(why.to_owned()));
    }
    let keys: Vec<Expr> = query
        .group
        .iter()
        .filter_map(|sort| query.target(sort.target_ref))
        .map(|target| target.expr.clone())
        .collect();
    lower(query, &keys, What::Group(why.to_owned()), storage, builder)
}

fn lower(query: &Query, keys: &[Expr], what: What, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    // The block alone: its rows are what keys are taken from.
    let plain = Query {
        targets: Vec::new(),
        group: Vec::new(),
        having: None,
        has_aggs: false,
        windows: Vec::new(),
        has_windows: false,
        distinct: Vec::new(),
        distinct_on: false,
        sort: Vec::new(),
        ..query.clone()
    };
    let mut flat = Flat::default();
    let resolver = Resolver::new(&plain, &mut flat, builder)?;
    let (block, tree) = block(&flat, builder)?;
    let mut key = Vec::new();
    let mut key_sql = Vec::new();
    let mut advice = Vec::new();
    for expr in keys {
        let resolved = resolver.resolve(expr)?;
        check(&flat, &resolved, builder)?;
        if is_pseudo(resolved.type_oid(), builder)? {
            return reason("a row as key");
        }
        key.push(KeyColumn {
            name: String::new(),
            equals: equality(resolved.type_oid(), builder)?,
            nullable: nullable(&flat, &resolved)?,
        });
        key_sql.push(print(&flat, &resolved, builder)?);
        advice.extend(super::advice::expression(&flat, &resolved, builder)?);
    }
    let mut settled = Ok(());
    query.for_each_expr(&mut |expr| {
        if settled.is_ok() {
            settled = super::volatility::settled(expr, builder);
        }
    });
    settled?;
    let unique = matches!(what, What::Group(_) | What::DistinctOn);
    // A window function leaves each row of the block its own.
    let own = if unique || query.has_target_srfs {
        None
    } else {
        super::keys::of_join(&flat, builder)?.and_then(|vars| {
            vars.iter()
                .map(|var| Some(Expr::Var(resolver.unresolve(var)?)))
                .collect()
        })
    };
    let own: Option<Vec<Expr>> = own;
    let kept: Vec<Expr> = keys.iter().chain(own.iter().flatten()).cloned().collect();
    let restricted = Restricted::new(query, &kept, builder)?;
    let mut stored_columns = restricted.stored.clone();
    for (key, position) in key.iter_mut().zip(&restricted.key_positions) {
        key.name.clone_from(&stored_columns[*position].name);
    }
    let columns = names(&stored_columns);
    let row_key = if unique {
        Some(key.clone())
    } else {
        own.map(|own| {
            own.iter()
                .zip(&restricted.key_positions[keys.len()..])
                .map(|(expr, position)| {
                    Ok(KeyColumn {
                        name: columns[*position].clone(),
                        equals: equality(expr.type_oid(), builder)?,
                        nullable: false,
                    })
                })
                .collect::<Result<_, Stop>>()
        })
        .transpose()?
    };
    let rekey = Rekey {
        row_key,
        table: storage.sql(),
        columns: columns.clone(),
        key: key.clone(),
        touch: Touch::Blocks(vec![Part { block, values: key_sql }]),
        rows: arms(&restricted.query, keys, &key, builder)?,
    };
    let rows = crate::sql::query::print(&restricted.query, builder)?;
    let key_names: Vec<String> = key.iter().map(|key| key.name.clone()).collect();
    let view = view(query, &restricted.positions, storage, &mut stored_columns, builder);
    let tree = Op::PerKey(PerKey {
        input: Box::new(tree),
        what,
        keys: key_names.clone(),
    });
    Ok(Lowered {
        columns: storage_columns(&stored_columns, builder)?,
        indexes: index(&key),
        view,
        written: columns,
        identity: Identity::None,
        key: if unique { key_names } else { Vec::new() },
        rows,
        reads: query.clone(),
        looked_up: super::advice::columns(keys, query),
        advice,
        tree: Some(tree),
        maintain: Maintain::Rekey(rekey),
    })
}

/// The names of stored columns.
pub fn names(stored: &[Stored]) -> Vec<String> {
    stored.iter().map(|column| column.name.clone()).collect()
}

/// A view of the storage with the query's columns: `positions` says where each target is stored. Storage that other stages
/// read gets a column that numbers its rows.
pub fn view(
    query: &Query,
    positions: &[Option<usize>],
    storage: &Storage,
    stored: &mut Vec<Stored>,
    builder: &Builder,
) -> Query {
    if storage.is_inner() {
        stored.push(Stored::number());
    }
    let mut view = builder.register(storage, stored, &[]);
    let targets = query
        .targets
        .iter()
        .zip(positions)
        .filter_map(|(target, position)| {
            Some(Target {
                expr: column_of(&view, stored, (*position)?),
                ..target.clone()
            })
        })
        .collect();
    view.targets = targets;
    view.sort.clone_from(&query.sort);
    view
}

/// A query whose key is part of what it selects, ready to be restricted to some keys.
pub struct Restricted {
    /// The query, with all that is stored as visible columns and without ORDER BY.
    pub query: Query,
    /// What is stored.
    pub stored: Vec<Stored>,
    /// Where each target of the original query is stored.
    pub positions: Vec<Option<usize>>,
    /// Where each key is stored.
    pub key_positions: Vec<usize>,
}

impl Restricted {
    /// Adds what is missing to the select list.
    pub fn new(original: &Query, keys: &[Expr], catalog: &dyn Catalog) -> Result<Self, Stop> {
        let mut query = original.clone();
        let sorts = std::mem::take(&mut query.sort);
        let is_sorted = |target: &Target| sorts.iter().any(|sort| sort.target_ref == target.ressortgroupref);
        let mut positions = Vec::new();
        let mut stored = Vec::new();
        let mut visible = Vec::new();
        let mut junk = Vec::new();
        for (position, mut target) in std::mem::take(&mut query.targets).into_iter().enumerate() {
            if target.junk && (!is_sorted(&target) || is_pseudo(type_of(&target.expr, catalog)?, catalog)?) {
                if is_sorted(&target) {
                    return reason("ORDER BY a row");
                }
                positions.push(None);
                junk.push(target);
                continue;
            }
            if target.junk || target.name.is_none() {
                target.name = Some(format!("__pgt_o{}", position + 1));
            }
            positions.push(Some(stored.len()));
            if !target.junk
                && let Some(name) = &target.name
            {
                target.name = Some(stored_name(name));
            }
            target.junk = false;
            stored.push(Stored::of(
                target.name.clone().unwrap_or_default(),
                &target.expr,
                catalog,
            )?);
            visible.push(target);
        }
        let mut key_positions = Vec::new();
        for (n, key) in keys.iter().enumerate() {
            let known = visible.iter().position(|target| target.expr == *key);
            let position = match known {
                Some(position) => position,
                None => {
                    let name = format!("__pgt_k{}", n + 1);
                    // A grouping expression that is not selected becomes visible; its reference stays.
                    let own = junk.iter().position(|target| target.expr == *key);
                    let ressortgroupref = own.map_or(0, |own| junk.remove(own).ressortgroupref);
                    stored.push(Stored::of(name.clone(), key, catalog)?);
                    visible.push(Target {
                        expr: key.clone(),
                        name: Some(name),
                        resno: 0,
                        ressortgroupref,
                        junk: false,
                    });
                    visible.len() - 1
                }
            };
            key_positions.push(position);
        }
        // DISTINCT ON needs its order to choose by.
        if query.distinct_on {
            query.sort = sorts;
        }
        visible.append(&mut junk);
        for (n, target) in visible.iter_mut().enumerate() {
            target.resno = i16::try_from(n + 1).unwrap_or(i16::MAX);
        }
        query.targets = visible;
        Ok(Restricted {
            query,
            stored,
            positions,
            key_positions,
        })
    }
}

/// A query, whose key is `keys`, for the touched keys: one SELECT for each combination of NULLs.
pub fn arms(query: &Query, keys: &[Expr], key: &[KeyColumn], builder: &Builder) -> Result<Vec<String>, Stop> {
    if key.is_empty() {
        // Also a query that gives a row for no rows must give none where nothing is touched.
        let query = crate::sql::query::print(query, builder)?;
        return Ok(vec![format!("SELECT q.* FROM ({query}) AS q WHERE {IS_TOUCHED}")]);
    }
    let nullable: Vec<bool> = key.iter().map(|key| key.nullable).collect();
    let arms = null_arms(&nullable);
    let covers_nulls = arms.len() == 1 && nullable.contains(&true);
    let mut texts = Vec::new();
    for arm in arms {
        let mut query = query.clone();
        let columns = (0..key.len()).map(key_column).collect();
        query.rtable.push(touched_keys(columns));
        let varno = i32::try_from(query.rtable.len()).unwrap_or(i32::MAX);
        query.from.insert(0, FromItem::Rel(varno));
        for (n, (expr, key)) in keys.iter().zip(key).enumerate() {
            let given = Expr::Var(Var {
                varno,
                attno: i16::try_from(n + 1).unwrap_or(i16::MAX),
                type_oid: expr.type_oid(),
                typmod: -1,
                collation: expr.collation(),
                levels_up: 0,
            });
            let equal = SqlLeaf::condition(
                &["", &format!(" {} ", key.equals), ""],
                vec![expr.clone(), given.clone()],
            );
            let both_null = Expr::Bool(Bool {
                op: BoolOp::And,
                args: vec![is_null(expr.clone()), is_null(given)],
            });
            let condition = match (arm[n], covers_nulls && key.nullable) {
                (true, _) => both_null,
                (false, true) => Expr::Bool(Bool {
                    op: BoolOp::Or,
                    args: vec![equal, both_null],
                }),
                (false, false) => equal,
            };
            add_qual(&mut query, Some(condition));
        }
        texts.push(format!("({})", crate::sql::query::print(&query, builder)?));
    }
    Ok(texts)
}

/// The index that finds stored rows by their key.
pub fn index(key: &[KeyColumn]) -> Vec<String> {
    let columns: Vec<String> = key.iter().take(MAX_KEYS).map(|key| quote_ident(&key.name)).collect();
    if columns.is_empty() {
        Vec::new()
    } else {
        vec![format!("({})", columns.join(", "))]
    }
}

fn is_null(arg: Expr) -> Expr {
    Expr::NullTest(Box::new(NullTest {
        arg,
        negated: false,
        is_row: false,
    }))
}

fn touched_keys(columns: Vec<String>) -> Rte {
    Rte::new(
        RteKind::NamedTuplestore {
            name: TOUCHED.to_owned(),
        },
        TOUCHED,
        columns,
    )
}
