//! WITH RECURSIVE: the rows of the CTE are a stage of their own, which reads itself.
//!
//! The CTE comes wrapped (`prepare/ctes.rs`). Its own name becomes the storage table, so that the step is a linear block like
//! any other; what a change does is in `op/recursion.rs`.
//!
//! Rule, cost and source: there too.

use super::bag::{self, HASH, any_branch, coerced};
use super::builder::{Builder, Storage, Stored};
use super::columns::{equal_is_same, equality, is_pseudo, storage_columns};
use super::from_items::{relid_of, rte};
use super::prepare::joins;
use super::simplify::{is_complex, simplify};
use super::stop::{Stop, reason};
use super::{Lowered, Maintain, advice, indexes, only_linear, scans, set_operation, sources, spine};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::op::Op;
use crate::op::recursion::Recursion as Operator;
use crate::op::term::Part;
use crate::plan::Oid;
use crate::query::{Cte, Expr, FromItem, Query, RteKind, SetOp, SetOperation, Target};
use crate::stage::recursion::{Branch, Recursion};
use crate::stage::storage::Identity;

/// Lowers `WITH RECURSIVE cte SELECT * FROM cte`.
pub fn lower(query: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    let [cte] = query.ctes.as_slice() else {
        return reason("WITH RECURSIVE of several queries");
    };
    if cte.search.is_some() {
        return reason("SEARCH");
    }
    if cte.cycle.is_some() {
        return reason("CYCLE");
    }
    let mut whole = (*cte.query).clone();
    joins::dissolve(&mut whole)?;
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
        if is_pseudo(target.expr.type_oid(), builder)? {
            return reason("WITH RECURSIVE of rows");
        }
        if !all {
            if !equal_is_same(&target.expr, builder)? {
                return reason("recursive UNION of a type whose equal values can look different");
            }
            equals.push(equality(target.expr.type_oid(), builder)?);
        }
        stored.push(Stored::of(format!("c{}", n + 1), &target.expr, builder)?);
    }
    let columns: Vec<String> = stored.iter().map(|column| column.name.clone()).collect();
    if columns.is_empty() {
        return reason("WITH RECURSIVE without columns");
    }
    stored.push(bag::hash(&columns));
    if storage.is_inner() {
        stored.push(Stored::number());
    }
    let view = super::view_of_columns(query, storage, &stored, &[], builder);

    let before = builder.len();
    let mut leaves = Vec::new();
    set_operation::collect(&whole, &left, all, &mut leaves, builder)?;
    let mut step = step(&whole, &right, cte, storage, builder)?;
    if builder.is_read_since(before, storage.relid) {
        return reason("an operator inside of the recursion");
    }
    if all {
        for level in leaves.iter_mut().chain([&mut step]) {
            number(level, storage.relid, builder)?;
        }
    }
    let mut trees = Vec::new();
    let mut branches = Vec::new();
    for level in leaves.iter().chain([&step]) {
        branches.push(branch(level, query, &mut trees, builder)?);
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
            indexed &= found_by_index(level, storage.relid, &mut looked_up, builder)?;
        }
    }
    // One query that reads all that the branches do.
    let mut reads = step;
    reads.rtable.append(&mut set_operation::reads(leaves.iter()).rtable);
    let recursion = Recursion {
        table: storage.sql(),
        columns: columns.clone(),
        hash: HASH.to_owned(),
        equals,
        base: branches,
        step: last,
        own: position,
        indexed,
        read: read(&reads, storage.relid, builder)?,
    };
    Ok(Lowered {
        columns: storage_columns(&stored, builder)?,
        indexes: indexes::on(storage.relid, &reads, builder)?,
        view,
        written: columns,
        identity: Identity::Hash(HASH.to_owned()),
        key: Vec::new(),
        rows: crate::sql::query::print(query, builder)?,
        reads,
        looked_up,
        advice: Vec::new(),
        tree: Some(Op::Recursion(Operator { inputs: trees, all })),
        maintain: Maintain::Recursion(Box::new(recursion)),
    })
}

/// The wrapped CTE of which a query shows columns, and does nothing else.
pub fn shown(query: &Query) -> Option<&Query> {
    let [FromItem::Rel(varno)] = query.from.as_slice() else {
        return None;
    };
    let is_column = |expr: &Expr| matches!(expr, Expr::Var(var) if var.varno == *varno && var.attno > 0);
    let plain = only_linear(query).is_ok()
        && query.quals.is_none()
        && query.distinct.is_empty()
        && query.targets.iter().all(|target| is_column(&target.expr));
    match &rte(query, *varno)?.kind {
        RteKind::Subquery(cte) if plain && !cte.ctes.is_empty() => Some(cte),
        _ => None,
    }
}

/// Lowers such a query: its rows are those of the CTE, its columns some of the stored ones.
pub fn show(query: &Query, cte: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    let mut lowered = lower(cte, storage, builder)?;
    let stored = std::mem::take(&mut lowered.view.targets);
    for target in &query.targets {
        let column = match &target.expr {
            Expr::Var(var) => usize::try_from(var.attno - 1).ok().and_then(|n| stored.get(n)),
            _ => None,
        };
        lowered.view.targets.push(Target {
            expr: column.unwrap_or(target).expr.clone(),
            ..target.clone()
        });
    }
    lowered.view.sort.clone_from(&query.sort);
    Ok(lowered)
}

/// The recursive branch, with the storage in place of the CTE's name.
fn step(whole: &Query, operand: &SetOperation, cte: &Cte, storage: &Storage, builder: &Builder) -> Result<Query, Stop> {
    let SetOperation::Rel(varno) = operand else {
        return reason("a set operation inside of the recursion");
    };
    let position = usize::try_from(varno - 1).unwrap_or(usize::MAX);
    let Some(RteKind::Subquery(step)) = whole.rtable.get(position).map(|rte| &rte.kind) else {
        return reason("WITH RECURSIVE without UNION");
    };
    let mut step = (**step).clone();
    read_storage(&mut step, 2, &cte.name, storage.relid);
    only_linear(&step)?;
    step.sort.clear();
    simplify(&mut step, builder)?;
    if is_complex(&step) {
        return reason("an outer join or a subquery inside of the recursion");
    }
    Ok(step)
}

/// Replaces the CTE's name, which is defined `depth` levels up.
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

/// Gives every table a key: rows that came are told from the others by it.
fn number(query: &mut Query, own: Oid, builder: &Builder) -> Result<(), Stop> {
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
        if relid_of(query, varno).is_some_and(|relid| relid != own) {
            spine::keyed(query, varno, builder)?;
        }
    }
    Ok(())
}

/// A branch as a block, with values of the CTE's types.
fn branch(level: &Query, query: &Query, trees: &mut Vec<Op>, builder: &Builder) -> Result<Branch, Stop> {
    let branch = any_branch(level, builder)?;
    let mut values = Vec::new();
    let mut nullable = Vec::new();
    for (own, target) in branch.targets.iter().filter(|own| !own.junk).zip(&query.targets) {
        let value = coerced(&own.expr, &target.expr, builder)?;
        if value.any(&mut |node| matches!(node, Expr::Var(var) if var.attno == 0)) {
            return reason("whole-row reference inside of WITH RECURSIVE");
        }
        nullable.push(scans::nullable(&branch.flat, &value)?);
        values.push(scans::print(&branch.flat, &value, builder)?);
    }
    if values.len() != query.targets.len() {
        return reason("UNION of different widths");
    }
    trees.push(branch.tree);
    Ok(Branch {
        part: Part {
            block: branch.block,
            values,
        },
        nullable,
    })
}

/// Whether an index finds the rows that give a row of the CTE, by a column that they show; if not, such a column.
fn found_by_index(
    level: &Query,
    own: Oid,
    looked_up: &mut Vec<advice::Column>,
    builder: &Builder,
) -> Result<bool, Error> {
    let shown: Vec<Expr> = level.targets.iter().map(|target| target.expr.clone()).collect();
    let mut columns = advice::columns(&shown, level);
    columns.retain(|(relid, _)| *relid != own);
    for (relid, attno) in &columns {
        if indexes::is_found_by(*relid, *attno, builder)? {
            return Ok(true);
        }
    }
    looked_up.extend(columns.first());
    Ok(level.from.is_empty())
}

/// Which columns are read of each table, its key among them.
fn read(reads: &Query, own: Oid, builder: &Builder) -> Result<Vec<(Oid, Vec<String>)>, Error> {
    let mut found = Vec::new();
    for source in sources::sources(reads, builder)? {
        if source.relid == own {
            continue;
        }
        let relation = builder.relation(source.relid)?;
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
        found.push((source.relid, names.map(|column| column.name.clone()).collect()));
    }
    Ok(found)
}
