//! Set operations whose rows cannot be counted: the rows of both sides that equal a changed row are read again.
//!
//! Rule: how a row appears in the result depends on the rows of both sides that are equal to it. Cost: these rows,
//! given an index on the columns of every table. Source: our own reasoning.

use crate::facts::fallback::{Fallback, reason};
use crate::facts::types::{equality, has_arrays, is_ordered, is_pseudo};
use crate::maintain::key::KeyColumn;
use crate::maintain::operator_tree::OperatorTree;
use crate::maintain::rekey::Rekey;
use crate::maintain::storage::Identity;
use crate::operators::linear::block::Part;
use crate::operators::linear::branch::{branch, coerced, union_of};
use crate::operators::linear::recognise::{nullable, print};
use crate::operators::linear::touched::KeysOfBlocks;
use crate::query::{Expr, Query, SetOp};
use crate::stages::advice;
use crate::stages::graph::StageGraph;
use crate::stages::restricted::{for_touched, index};
use crate::stages::stage_plan::StagePlan;
use crate::stages::stored::{StorageTable, StoredColumn, stored_name, written};
use crate::stages::view::view_at;

/// Plans a set operation over linear queries, each with its side. Without an operation, it is the UNION of all of them.
pub fn plan(
    query: &Query,
    leaves: &[(Query, usize)],
    operation: Option<(SetOp, bool)>,
    why: &str,
    storage: &StorageTable,
    graph: &StageGraph,
) -> Result<StagePlan, Fallback> {
    let mut key = Vec::new();
    let mut stored = Vec::new();
    for (n, target) in query.targets.iter().enumerate() {
        let name = match &target.name {
            Some(name) => stored_name(name),
            None => format!("__pgt_k{}", n + 1),
        };
        if is_pseudo(target.expr.type_oid(), graph)? {
            return reason("a row value as a key");
        }
        stored.push(StoredColumn::of(name.clone(), &target.expr, graph)?);
        key.push(KeyColumn {
            name,
            equals: equality(target.expr.type_oid(), graph)?,
            nullable: false,
            ordered: is_ordered(target.expr.type_oid(), graph)?,
            wrapped: has_arrays(target.expr.type_oid(), graph)?,
        });
    }
    let mut parts = Vec::new();
    let mut trees = Vec::new();
    let mut selects = Vec::new();
    for (leaf, side) in leaves {
        let branch = branch(leaf, graph)?;
        if branch.block.tree.is_some() {
            return reason("set operation of outer joins");
        }
        let mut values = Vec::new();
        for ((own, target), key) in branch.targets.iter().zip(&query.targets).zip(&mut key) {
            let value = coerced(&own.expr, &target.expr, graph)?;
            key.nullable |= nullable(&branch.flat, &value)?;
            values.push(print(&branch.flat, &value, graph)?);
        }
        parts.push(Part {
            block: branch.block,
            values,
        });
        trees.push(branch.operators);
        let mut select = leaf.clone();
        select.targets.retain(|target| !target.junk);
        for (own, target) in select.targets.iter_mut().zip(&query.targets) {
            own.expr = coerced(&own.expr, &target.expr, graph)?;
        }
        selects.push((select, *side));
    }
    let mut all = [Vec::new(), Vec::new()];
    let mut touched = [Vec::new(), Vec::new()];
    let mut looked_up = Vec::new();
    for (select, side) in &selects {
        let values: Vec<Expr> = select.targets.iter().map(|target| target.expr.clone()).collect();
        looked_up.extend(advice::columns(&values, select));
        touched[*side].extend(for_touched(select, &values, &key, graph)?);
        all[*side].push(format!("({})", crate::sql::query::print(select, graph)?));
    }
    let written = written(&stored, graph)?;
    let label = format!("set operation by ({}), row by row: {why}", written.columns.join(", "));
    let operators = OperatorTree::new(label, vec![union_of(trees)]);
    let indexes = index(&key);
    let rekey = Rekey {
        // Without ALL, each row appears once.
        row_key: (!operation.is_some_and(|(_, all)| all)).then(|| key.clone()),
        table: storage.sql(),
        row: written.clone(),
        key,
        touched: Box::new(KeysOfBlocks(parts)),
        rows: vec![combined(operation, &touched)],
    };
    let positions: Vec<Option<usize>> = (0..query.targets.len()).map(Some).collect();
    let view = view_at(query, &positions, storage, &mut stored, &[], graph)?;
    Ok(StagePlan {
        stored,
        indexes,
        view,
        written,
        identity: Identity::None,
        key: Vec::new(),
        rows: combined(operation, &all),
        reads: Query::reading_all(leaves.iter().map(|(leaf, _)| leaf)),
        looked_up,
        advice: Vec::new(),
        crossings: Vec::new(),
        operators: Some(operators),
        maintenance: Box::new(rekey),
    })
}

/// The operation over the rows of both sides, given as SELECTs.
fn combined(operation: Option<(SetOp, bool)>, sides: &[Vec<String>; 2]) -> String {
    let [left, right] = sides.each_ref().map(|side| side.join(" UNION ALL "));
    let Some((op, all)) = operation else {
        return format!("SELECT DISTINCT * FROM ({left}) AS l");
    };
    let word = match op {
        SetOp::Intersect => "INTERSECT",
        SetOp::Except | SetOp::Union => "EXCEPT",
    };
    let all = if all { " ALL" } else { "" };
    format!("(SELECT * FROM ({left}) AS l {word}{all} SELECT * FROM ({right}) AS r)")
}
