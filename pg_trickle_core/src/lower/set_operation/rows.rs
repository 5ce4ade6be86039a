//! Set operations whose rows cannot be counted: the rows of both sides that are equal to a changed row are read again.
//!
//! Rule: what is shown of a row depends on the rows of both sides that are equal to it (`op/per_key.rs`). Cost: these rows,
//! with an index on the columns of every table. Source: reasoning.

use super::super::bag::{branch, coerced};
use super::super::builder::{Builder, Storage, Stored, stored_name};
use super::super::columns::{equality, is_pseudo, storage_columns};
use super::super::partition::{arms, index, names, view};
use super::super::scans::{nullable, print};
use super::super::stop::{Stop, reason};
use super::super::{Lowered, Maintain, advice, union_tree};
use super::reads;
use crate::op::Op;
use crate::op::per_key::{PerKey, What};
use crate::op::term::Part;
use crate::query::{Expr, Query, SetOp};
use crate::stage::rekey::{KeyColumn, Rekey, Touch};
use crate::stage::storage::Identity;

/// Lowers a set operation over linear queries, each with its side; without an operation the rows of all are united.
pub fn lower(
    query: &Query,
    leaves: &[(Query, usize)],
    operation: Option<(SetOp, bool)>,
    why: &str,
    storage: &Storage,
    builder: &Builder,
) -> Result<Lowered, Stop> {
    let mut key = Vec::new();
    let mut stored = Vec::new();
    for (n, target) in query.targets.iter().enumerate() {
        let name = match &target.name {
            Some(name) => stored_name(name),
            None => format!("__pgt_k{}", n + 1),
        };
        if is_pseudo(target.expr.type_oid(), builder)? {
            return reason("a row as key");
        }
        stored.push(Stored::of(name.clone(), &target.expr, builder)?);
        key.push(KeyColumn {
            name,
            equals: equality(target.expr.type_oid(), builder)?,
            nullable: false,
        });
    }
    let mut parts = Vec::new();
    let mut trees = Vec::new();
    let mut selects = Vec::new();
    for (leaf, side) in leaves {
        let branch = branch(leaf, builder)?;
        let mut values = Vec::new();
        for ((own, target), key) in branch.targets.iter().zip(&query.targets).zip(&mut key) {
            let value = coerced(&own.expr, &target.expr, builder)?;
            key.nullable |= nullable(&branch.flat, &value)?;
            values.push(print(&branch.flat, &value, builder)?);
        }
        parts.push(Part {
            block: branch.block,
            values,
        });
        trees.push(branch.tree);
        let mut select = leaf.clone();
        select.targets.retain(|target| !target.junk);
        for (own, target) in select.targets.iter_mut().zip(&query.targets) {
            own.expr = coerced(&own.expr, &target.expr, builder)?;
        }
        selects.push((select, *side));
    }
    let mut all = [Vec::new(), Vec::new()];
    let mut touched = [Vec::new(), Vec::new()];
    let mut looked_up = Vec::new();
    for (select, side) in &selects {
        let values: Vec<Expr> = select.targets.iter().map(|target| target.expr.clone()).collect();
        looked_up.extend(advice::columns(&values, select));
        touched[*side].extend(arms(select, &values, &key, builder)?);
        all[*side].push(format!("({})", crate::sql::query::print(select, builder)?));
    }
    let columns = names(&stored);
    let tree = Op::PerKey(PerKey {
        input: Box::new(union_tree(trees)),
        what: What::Rows(why.to_owned()),
        keys: columns.clone(),
    });
    let indexes = index(&key);
    let rekey = Rekey {
        // Without ALL each row is shown once.
        row_key: (!operation.is_some_and(|(_, all)| all)).then(|| key.clone()),
        table: storage.sql(),
        columns: columns.clone(),
        key,
        touch: Touch::Blocks(parts),
        rows: vec![combined(operation, &touched)],
    };
    let positions: Vec<Option<usize>> = (0..query.targets.len()).map(Some).collect();
    let view = view(query, &positions, storage, &mut stored, builder);
    Ok(Lowered {
        columns: storage_columns(&stored, builder)?,
        indexes,
        view,
        written: columns,
        identity: Identity::None,
        key: Vec::new(),
        rows: combined(operation, &all),
        reads: reads(leaves.iter().map(|(leaf, _)| leaf)),
        looked_up,
        advice: Vec::new(),
        tree: Some(tree),
        maintain: Maintain::Rekey(rekey),
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
