//! Queries without grouping, and UNION ALL of such queries: a bag over linear blocks.

use super::bag::Bag;
use super::block::Part;
use super::branch::{Branch, branch, coerced, union_of};
use super::compared;
use super::recognise::{nullable, print};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::keys;
use crate::facts::linear_block::Flat;
use crate::facts::types::{equality, has_arrays, is_ordered, is_pseudo, null_sql, type_of};
use crate::maintain::key::KeyColumn;
use crate::maintain::operator_tree::OperatorTree;
use crate::maintain::storage::Identity;
use crate::oids::INT8;
use crate::query::{Expr, Query};
use crate::sql::statement::hash;
use crate::stages::graph::StageGraph;
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::{StorageTable, StoredColumn, stored_name, written};
use crate::stages::view::view_of_columns;

/// The column with the hash of a row that has no key.
pub const HASH: &str = "__pgt_hash";

/// Plans a query that does not group.
pub fn plan(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    Ok(with_bag(query, storage, graph)?.0)
}

/// The plan, and the bag that it maintains.
pub fn with_bag(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<(StagePlan, Bag), Fallback> {
    let branch = branch(query, graph)?;
    let (mut outputs, mut stored) = outputs(&branch, graph)?;
    let key = if query.has_target_srfs {
        None
    } else {
        keys::of_join(&branch.flat, graph)?
    };
    let row_key = match key {
        None if !query.has_target_srfs => row_key(&branch, &outputs, graph)?,
        _ => None,
    };
    let mut key_names = Vec::new();
    let mut key_equals = Vec::new();
    if let Some(columns) = key {
        for var in columns {
            let expr = Expr::Var(var);
            key_equals.push(equality(expr.type_oid(), graph)?);
            let selected = branch.targets.iter().position(|target| target.expr == expr);
            let position = match selected {
                Some(position) => position,
                None => {
                    let name = format!("__pgt_k{}", key_names.len() + 1);
                    outputs.push(output(&branch.flat, &expr, &name, true, graph)?);
                    stored.push(StoredColumn::of(name, &expr, graph)?);
                    stored.len() - 1
                }
            };
            stored[position].not_null = true;
            key_names.push(outputs[position].name.clone());
        }
    }
    let identity = if key_names.is_empty() {
        Identity::Hash(HASH.to_owned())
    } else {
        Identity::Key(key_names)
    };
    let shown: Vec<&Expr> = branch.targets.iter().map(|target| &target.expr).collect();
    let advice = compared::advice(&branch.flat, &shown, graph)?;
    let part = Part {
        block: branch.block,
        values: outputs.iter().map(|output| output.sql.clone()).collect(),
    };
    let (mut plan, bag) = finish(Finish {
        query,
        reads: query.clone(),
        storage,
        outputs,
        stored,
        parts: vec![part],
        trees: vec![branch.operators],
        identity,
        key_equals,
        row_key,
        graph,
    })?;
    plan.advice = advice;
    Ok((plan, bag))
}

/// Plans a UNION ALL of branches. `query` is the whole query, with its ORDER BY; `reads` is what all branches read.
pub fn plan_union(
    query: &Query,
    leaves: &[Query],
    reads: Query,
    storage: &StorageTable,
    graph: &StageGraph,
) -> Result<StagePlan, Fallback> {
    let branches: Vec<Branch> = leaves
        .iter()
        .map(|leaf| branch(leaf, graph))
        .collect::<Result<_, Fallback>>()?;
    let Some(first) = branches.first() else {
        return reason("UNION ALL without branches");
    };
    let mut outputs = Vec::new();
    let mut stored = Vec::new();
    for (position, target) in query.visible_targets().enumerate() {
        let Some(own) = first.targets.get(position) else {
            return reason("branches with different numbers of columns");
        };
        let name = match &target.name {
            Some(name) => stored_name(name),
            None => format!("__pgt_o{}", position + 1),
        };
        let own = coerced(&own.expr, &target.expr, graph)?;
        outputs.push(output(&first.flat, &own, &name, false, graph)?);
        stored.push(StoredColumn::of(name, &target.expr, graph)?);
    }
    let mut parts = Vec::new();
    let mut trees = Vec::new();
    for branch in branches {
        let values = branch
            .targets
            .iter()
            .filter(|target| !target.junk)
            .zip(query.visible_targets())
            .map(|(own, target)| print(&branch.flat, &coerced(&own.expr, &target.expr, graph)?, graph))
            .collect::<Result<_, Error>>()?;
        parts.push(Part {
            block: branch.block,
            values,
        });
        trees.push(branch.operators);
    }
    let (plan, _) = finish(Finish {
        query,
        reads,
        storage,
        outputs,
        stored,
        parts,
        trees,
        identity: Identity::Hash(HASH.to_owned()),
        key_equals: Vec::new(),
        row_key: None,
        graph,
    })?;
    Ok(plan)
}

/// The stored columns that identify the rows of outer joins, if the query selects the keys of all its tables.
fn row_key(branch: &Branch, outputs: &[Output], graph: &StageGraph) -> Result<Option<Vec<KeyColumn>>, Fallback> {
    let Some(columns) = keys::of_outer_join(&branch.flat)? else {
        return Ok(None);
    };
    let mut key = Vec::new();
    for var in columns {
        let type_oid = var.type_oid;
        let expr = Expr::Var(var);
        let Some(position) = branch.targets.iter().position(|target| target.expr == expr) else {
            return Ok(None);
        };
        key.push(KeyColumn {
            name: outputs[position].name.clone(),
            equals: equality(type_oid, graph)?,
            nullable: nullable(&branch.flat, &expr)?,
            ordered: is_ordered(type_oid, graph)?,
            wrapped: has_arrays(type_oid, graph)?,
        });
    }
    Ok(Some(key))
}

fn outputs(branch: &Branch, graph: &StageGraph) -> Result<(Vec<Output>, Vec<StoredColumn>), Fallback> {
    let mut outputs = Vec::new();
    let mut stored = Vec::new();
    for (position, target) in branch.targets.iter().enumerate() {
        let name = match (&target.name, target.junk) {
            (Some(name), false) => stored_name(name),
            _ => format!("__pgt_o{}", position + 1),
        };
        if target.junk && is_pseudo(target.expr.type_oid(), graph)? {
            return reason("ORDER BY a row");
        }
        outputs.push(output(&branch.flat, &target.expr, &name, target.junk, graph)?);
        stored.push(StoredColumn::of(name, &target.expr, graph)?);
    }
    Ok((outputs, stored))
}

fn output(flat: &Flat, expr: &Expr, name: &str, hidden: bool, catalog: &dyn Catalog) -> Result<Output, Error> {
    let type_oid = type_of(expr, catalog)?;
    Ok(Output {
        sql: print(flat, expr, catalog)?,
        name: name.to_owned(),
        null: null_sql(type_oid, expr.typmod(), catalog)?,
        hidden,
    })
}

/// The column with the hash of these columns.
pub fn hash_column(columns: &[String]) -> StoredColumn {
    StoredColumn {
        name: HASH.to_owned(),
        type_oid: INT8,
        typmod: -1,
        collation: 0,
        not_null: false,
        numbered: false,
        generated: Some(format!("({}) STORED", hash(None, columns))),
    }
}

/// One output of a block, and the storage column it fills.
struct Output {
    /// SQL over the aliases of the scans.
    sql: String,
    /// The storage column.
    name: String,
    /// A NULL of its type, as SQL.
    null: String,
    /// True if the storage column is not part of the query's result.
    hidden: bool,
}

struct Finish<'a> {
    query: &'a Query,
    reads: Query,
    storage: &'a StorageTable,
    outputs: Vec<Output>,
    stored: Vec<StoredColumn>,
    parts: Vec<Part>,
    trees: Vec<OperatorTree>,
    identity: Identity,
    key_equals: Vec<String>,
    row_key: Option<Vec<KeyColumn>>,
    graph: &'a StageGraph<'a>,
}

fn finish(from: Finish) -> Result<(StagePlan, Bag), Fallback> {
    let mut stored = from.stored;
    let written = written(&stored, from.graph)?;
    let mut bag = Bag {
        written: written.clone(),
        table: from.storage.sql(),
        nulls: Vec::new(),
        parts: from.parts,
        identity: from.identity,
        key_equals: from.key_equals,
        row_key: from.row_key,
    };
    let mut key = Vec::new();
    match &bag.identity {
        Identity::Key(names) => {
            key.clone_from(names);
            if bag.parts.iter().any(|part| bag.only_table(part, names).is_none()) {
                bag.nulls = from.outputs.iter().map(|output| output.null.clone()).collect();
            }
        }
        Identity::Hash(_) => stored.push(hash_column(&bag.column_names())),
        Identity::Single | Identity::None => {}
    }
    if from.storage.is_inner() && !matches!(bag.identity, Identity::Key(_)) {
        stored.push(StoredColumn::number());
    }
    let view = view_of_columns(from.query, from.storage, &stored, &key, from.graph)?;
    let selected: Vec<String> = (from.outputs.iter().filter(|output| !output.hidden))
        .map(|output| output.sql.clone())
        .collect();
    let label = format!("project {}", selected.join(", "));
    let projected = |tree| OperatorTree::new(label.clone(), vec![tree]);
    let operators = union_of(from.trees.into_iter().map(projected).collect());
    let plan = StagePlan {
        stored,
        indexes: Vec::new(),
        view,
        written,
        identity: bag.identity.clone(),
        key,
        rows: bag.query(),
        reads: from.reads,
        looked_up: Vec::new(),
        advice: Vec::new(),
        crossings: Vec::new(),
        operators: Some(operators),
        maintenance: Box::new(bag.clone()),
    };
    Ok((plan, bag))
}
