//! Recognises WITH RECURSIVE: the rows of the CTE are a stage that reads itself.
//!
//! The CTE arrives wrapped in a query ([`crate::rewrite::ctes`]). The storage table replaces its self-reference, so
//! that the step is a linear block like any other.

use super::maintenance::{LOST_BYTES, LOST_BYTES_BELOW, Recursion, RecursionBranch};
use super::support::jump;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::shape::{is_complex, only_linear};
use crate::facts::types::{equality, is_pseudo};
use crate::facts::value_identity::equal_is_same;
use crate::facts::{raising, sources};
use crate::maintain::operator_tree::OperatorTree;
use crate::maintain::storage::Identity;
use crate::operators::linear::block::Part;
use crate::operators::linear::branch::{any_branch, coerced};
use crate::operators::linear::plan::{HASH, hash_column};
use crate::operators::linear::recognise;
use crate::operators::set_operation::leaves::collect;
use crate::plan::Oid;
use crate::query::{Cte, Expr, FromItem, Query, RteKind, SetOp, SetOperation, Target};
use crate::rewrite::join_names;
use crate::rewrite::numbered::keyed;
use crate::rewrite::simplify::simplify;
use crate::sql::ident::qualified;
use crate::stages::graph::StageGraph;
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::{StorageTable, StoredColumn, written};
use crate::stages::view::view_of_columns;
use crate::stages::{advice, indexes};

/// Plans `WITH RECURSIVE cte SELECT * FROM cte`.
pub fn plan(query: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    let [cte] = query.ctes.as_slice() else {
        return reason("WITH RECURSIVE with several CTEs");
    };
    if cte.search.is_some() {
        return reason("SEARCH");
    }
    if cte.cycle.is_some() {
        return reason("CYCLE");
    }
    let mut whole = (*cte.query).clone();
    join_names::dissolve(&mut whole)?;
    let Some(SetOperation::Op {
        op: SetOp::Union,
        all,
        left,
        right,
        ..
    }) = whole.set_operations.clone()
    else {
        return reason("WITH RECURSIVE without UNION");
    };
    let mut stored = Vec::new();
    let mut equals = Vec::new();
    for (n, target) in query.targets.iter().enumerate() {
        if is_pseudo(target.expr.type_oid(), graph)? {
            return reason("WITH RECURSIVE with a row value as a column");
        }
        if !all {
            if !equal_is_same(&target.expr, graph)? {
                return reason("recursive UNION of a type whose equal values can look different");
            }
            equals.push(equality(target.expr.type_oid(), graph)?);
        }
        stored.push(StoredColumn::of(format!("c{}", n + 1), &target.expr, graph)?);
    }
    let columns: Vec<String> = stored.iter().map(|column| column.name.clone()).collect();
    if columns.is_empty() {
        return reason("WITH RECURSIVE without columns");
    }
    let written = written(&stored, graph)?;
    stored.push(hash_column(&columns));
    let mut rows = crate::sql::query::print(query, graph)?;
    let ranks = qualified(&storage.schema, &format!("{}_rank", storage.name));
    let mut filled = None;
    if !all {
        stored.push(StoredColumn::rank(&ranks));
        // Without a schema, the rows are not stored.
        if !storage.schema.is_empty() {
            filled = Some(format!("{rows} WHERE {}", jump(&ranks, true)));
            rows = format!("{rows} WHERE {}", jump(&ranks, false));
        }
    }
    if storage.is_inner() {
        stored.push(StoredColumn::number());
    }
    let view = view_of_columns(query, storage, &stored, &[], graph)?;

    let before = graph.len();
    let mut leaves = Vec::new();
    collect(&whole, &left, all, &mut leaves, graph)?;
    let mut step = step(&whole, &right, cte, storage, graph)?;
    if graph.is_read_since(before, storage.relid) {
        return reason("an operator other than joins and filters inside the recursion");
    }
    if all {
        for level in leaves.iter_mut().chain([&mut step]) {
            number(level, storage.relid, graph)?;
        }
    }
    let mut trees = Vec::new();
    let mut branches = Vec::new();
    for level in leaves.iter().chain([&step]) {
        branches.push(branch(level, query, &mut trees, graph)?);
    }
    let Some(last) = branches.pop() else {
        return reason("WITH RECURSIVE without UNION");
    };
    let own = |relid: Oid| relid == storage.relid;
    let Some(position) = last.part.block.scans.iter().position(|scan| own(scan.relid)) else {
        return reason("WITH RECURSIVE that reads itself in a subquery");
    };
    let mut looked_up = Vec::new();
    let mut indexed = true;
    if !all {
        for level in leaves.iter().chain([&step]) {
            indexed &= found_by_index(level, storage.relid, &mut looked_up, graph)?;
        }
    }
    // A query that reads whatever the branches read.
    let mut reads = step;
    reads.rtable.append(&mut Query::reading_all(leaves.iter()).rtable);
    let own_indexes = indexes::on(storage.relid, &reads, graph)?;
    let recursion = Recursion {
        table: storage.sql(),
        written: written.clone(),
        columns,
        hash: HASH.to_owned(),
        ranks,
        filled,
        equals,
        base: branches,
        step: last,
        own: position,
        indexed: indexed && !own_indexes.is_empty(),
        may_raise: raising::may_raise(&reads, graph)?,
        lost_bytes: if storage.is_inner() {
            LOST_BYTES_BELOW
        } else {
            LOST_BYTES
        },
        read: read(&reads, storage.relid, graph)?,
    };
    Ok(StagePlan {
        stored,
        indexes: own_indexes,
        view,
        written,
        identity: Identity::Hash(HASH.to_owned()),
        key: Vec::new(),
        rows,
        reads,
        looked_up,
        advice: Vec::new(),
        crossings: Vec::new(),
        operators: Some(OperatorTree::new(
            format!("recursion, UNION{}", if all { " ALL" } else { "" }),
            trees,
        )),
        maintenance: Box::new(recursion),
    })
}

/// The wrapped CTE, if all the query does is select columns of it.
pub fn shown(query: &Query) -> Option<&Query> {
    let [FromItem::Rel(varno)] = query.from.as_slice() else {
        return None;
    };
    let is_column = |expr: &Expr| matches!(expr, Expr::Var(var) if var.varno == *varno && var.attno > 0);
    let plain = only_linear(query).is_ok()
        && query.quals.is_none()
        && query.distinct.is_empty()
        && query.targets.iter().all(|target| is_column(&target.expr));
    match &query.rte(*varno)?.kind {
        RteKind::Subquery(cte) if plain && !cte.ctes.is_empty() => Some(cte),
        _ => None,
    }
}

/// Plans such a query: its rows are those of the CTE, and its columns are among the stored ones.
pub fn show(query: &Query, cte: &Query, storage: &StorageTable, graph: &StageGraph) -> Result<StagePlan, Fallback> {
    let mut plan = plan(cte, storage, graph)?;
    let stored = std::mem::take(&mut plan.view.targets);
    for target in &query.targets {
        let column = match &target.expr {
            Expr::Var(var) => usize::try_from(var.attno - 1).ok().and_then(|n| stored.get(n)),
            _ => None,
        };
        plan.view.targets.push(Target {
            expr: column.unwrap_or(target).expr.clone(),
            ..target.clone()
        });
    }
    plan.view.sort.clone_from(&query.sort);
    Ok(plan)
}

/// The recursive branch, with the storage in place of its reference to the CTE.
fn step(
    whole: &Query,
    operand: &SetOperation,
    cte: &Cte,
    storage: &StorageTable,
    graph: &StageGraph,
) -> Result<Query, Fallback> {
    let SetOperation::Rel(varno) = operand else {
        return reason("a set operation inside the recursion");
    };
    let Some(RteKind::Subquery(step)) = whole.rte(*varno).map(|rte| &rte.kind) else {
        return reason("WITH RECURSIVE without UNION");
    };
    let mut step = (**step).clone();
    read_storage(&mut step, 2, &cte.name, storage.relid);
    only_linear(&step)?;
    step.sort.clear();
    simplify(&mut step, graph)?;
    if is_complex(&step) {
        return reason("an outer join or a subquery inside the recursion");
    }
    Ok(step)
}

/// Replaces references to the CTE, which is defined `depth` levels up, by the storage.
fn read_storage(query: &mut Query, depth: u32, cte: &str, relid: Oid) {
    for rte in &mut query.rtable {
        match &mut rte.kind {
            RteKind::Cte {
                name,
                levels_up,
                self_reference: true,
                ..
            } if name == cte && *levels_up == depth => {
                rte.kind = RteKind::Relation {
                    relid,
                    relkind: 'r',
                    tablesample: None,
                };
                rte.inh = true;
            }
            RteKind::Subquery(inner) => read_storage(inner, depth + 1, cte, relid),
            _ => {}
        }
    }
}

/// Gives every table a key, by which inserted rows are told from the others.
fn number(query: &mut Query, own: Oid, graph: &StageGraph) -> Result<(), Fallback> {
    fn tables(item: &FromItem, found: &mut Vec<i32>) {
        match item {
            FromItem::Rel(varno) => found.push(*varno),
            FromItem::Join(join) => {
                tables(&join.left, found);
                tables(&join.right, found);
            }
        }
    }
    let mut found = Vec::new();
    query.from.iter().for_each(|item| tables(item, &mut found));
    for varno in found {
        if query.table(varno).is_some_and(|relid| relid != own) {
            keyed(query, varno, graph)?;
        }
    }
    Ok(())
}

/// A branch as a block, with values in the types of the CTE's columns.
fn branch(
    level: &Query,
    query: &Query,
    trees: &mut Vec<OperatorTree>,
    graph: &StageGraph,
) -> Result<RecursionBranch, Fallback> {
    let branch = any_branch(level, graph)?;
    let mut values = Vec::new();
    let mut nullable = Vec::new();
    for (own, target) in branch.targets.iter().filter(|own| !own.junk).zip(&query.targets) {
        let value = coerced(&own.expr, &target.expr, graph)?;
        if value.any(&mut |node| matches!(node, Expr::Var(var) if var.attno == 0)) {
            return reason("whole-row reference inside WITH RECURSIVE");
        }
        nullable.push(recognise::nullable(&branch.flat, &value)?);
        values.push(recognise::print(&branch.flat, &value, graph)?);
    }
    if values.len() != query.targets.len() {
        return reason("branches with different numbers of columns");
    }
    trees.push(branch.operators);
    Ok(RecursionBranch {
        part: Part {
            block: branch.block,
            values,
        },
        nullable,
    })
}

/// True if an index finds the rows that derive a given row of the CTE, by a column that the branch selects. Otherwise
/// adds such a column to `looked_up`.
fn found_by_index(
    level: &Query,
    own: Oid,
    looked_up: &mut Vec<advice::Column>,
    graph: &StageGraph,
) -> Result<bool, Error> {
    let shown: Vec<Expr> = level.targets.iter().map(|target| target.expr.clone()).collect();
    let mut columns = advice::columns(&shown, level);
    columns.retain(|(relid, _)| *relid != own);
    for (relid, attno) in &columns {
        if indexes::is_found_by(*relid, *attno, graph)? {
            return Ok(true);
        }
    }
    looked_up.extend(columns.first());
    Ok(level.from.is_empty())
}

/// The tables that are read, each with its number and the columns that are read of it, including its key.
fn read(reads: &Query, own: Oid, graph: &StageGraph) -> Result<Vec<(Oid, u32, Vec<String>)>, Error> {
    let mut found = Vec::new();
    for source in sources::sources(reads, graph)? {
        if source.relid == own {
            continue;
        }
        let relation = graph.relation(source.relid)?;
        let mut columns = source.columns;
        for attnum in relation.keys.first().iter().flat_map(|key| &key.columns) {
            if !columns.contains(attnum) {
                columns.push(*attnum);
            }
        }
        if columns.is_empty() {
            let first = relation.columns.iter().find(|column| !column.dropped);
            columns.extend(first.map(|column| column.attnum));
        }
        let names = columns.iter().filter_map(|attnum| relation.column(*attnum));
        found.push((
            source.relid,
            source.delta,
            names.map(|column| column.name.clone()).collect(),
        ));
    }
    Ok(found)
}
