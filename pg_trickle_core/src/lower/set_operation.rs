//! UNION, INTERSECT and EXCEPT, with and without ALL.
//!
//! UNION ALL is a bag of several branches. The others group the rows of both sides by all columns and count each side,
//! l and r; how often a row is shown follows from the counts: UNION l + r > 0, INTERSECT l > 0 and r > 0, EXCEPT l > 0 and
//! r = 0, INTERSECT ALL min(l, r) times, EXCEPT ALL max(l − r, 0) times. Rows that cannot be counted, because equal ones
//! can look different, are recomputed with all that are equal to them ([`rows`]).
//!
//! Cost: one stored row per changed value; with ALL, its copies are made where it is read. Source: counting, Gupta, Mumick,
//! Subrahmanian, 1993, with a count for each side; min and difference of counts are the definitions of the SQL standard.

mod rows;

use super::builder::{Builder, Storage};
use super::columns::INT8;
use super::grouped::{counted, finish};
use super::simplify::{is_complex, simplify};
use super::stop::{Stop, reason};
use super::{Lowered, bag, column_of, only_linear};
use crate::query::{Expr, FromItem, Query, RangeFunction, Rte, RteKind, SetOp, SetOperation, SqlLeaf, Target};

/// Lowers a query that is a set operation.
pub fn lower(query: &Query, storage: &Storage, builder: &Builder) -> Result<Lowered, Stop> {
    let Some(SetOperation::Op {
        op, all, left, right, ..
    }) = &query.set_operations
    else {
        return reason("set operation over nothing");
    };
    if query.targets.iter().any(|target| target.junk) {
        return reason("ORDER BY an expression over a set operation");
    }
    if *op == SetOp::Union {
        let mut leaves = Vec::new();
        collect(query, left, *all, &mut leaves, builder)?;
        collect(query, right, *all, &mut leaves, builder)?;
        if *all {
            return bag::lower_union(query, &leaves, reads(leaves.iter()), storage, builder);
        }
        let sides: Vec<(Query, usize)> = leaves.into_iter().map(|leaf| (leaf, 0)).collect();
        return by_counts_or_rows(query, &sides, None, storage, builder);
    }
    let mut sides = Vec::new();
    for (side, operand) in [left, right].into_iter().enumerate() {
        let mut leaves = Vec::new();
        collect(query, operand, *all, &mut leaves, builder)?;
        sides.extend(leaves.into_iter().map(|leaf| (leaf, side)));
    }
    by_counts_or_rows(query, &sides, Some((*op, *all)), storage, builder)
}

/// The branches of an operand. `keep_counts` is false where only their rows matter, not how often they occur.
pub fn collect(
    query: &Query,
    operand: &SetOperation,
    keep_counts: bool,
    leaves: &mut Vec<Query>,
    builder: &Builder,
) -> Result<(), Stop> {
    match operand {
        SetOperation::Rel(varno) => {
            let position = usize::try_from(varno - 1).unwrap_or(usize::MAX);
            let Some(RteKind::Subquery(leaf)) = query.rtable.get(position).map(|rte| &rte.kind) else {
                return reason("set operation over no subquery");
            };
            let mut leaf = (**leaf).clone();
            if only_linear(&leaf).is_err() {
                leaf = builder.cut(&leaf)?;
            }
            leaf.sort.clear();
            simplify(&mut leaf, builder)?;
            if is_complex(&leaf) {
                leaf = builder.cut(&leaf)?;
                simplify(&mut leaf, builder)?;
            }
            leaves.push(leaf);
            Ok(())
        }
        SetOperation::Op {
            op: SetOp::Union,
            all,
            left,
            right,
            ..
        } if *all || !keep_counts => {
            collect(query, left, keep_counts, leaves, builder)?;
            collect(query, right, keep_counts, leaves, builder)
        }
        SetOperation::Op { .. } => {
            let nested = nested(query, operand)?;
            let mut leaf = builder.cut(&nested)?;
            simplify(&mut leaf, builder)?;
            leaves.push(leaf);
            Ok(())
        }
    }
}

/// An operand that is a set operation, as a query of its own.
fn nested(query: &Query, operand: &SetOperation) -> Result<Query, Stop> {
    fn first(operand: &SetOperation) -> i32 {
        match operand {
            SetOperation::Rel(varno) => *varno,
            SetOperation::Op { left, .. } => first(left),
        }
    }
    let SetOperation::Op {
        types,
        typmods,
        collations,
        ..
    } = operand
    else {
        return reason("set operation over nothing");
    };
    let targets = Target::columns_of(first(operand), types, typmods, collations);
    Ok(Query {
        rtable: query.rtable.clone(),
        targets,
        set_operations: Some(operand.clone()),
        ..Query::default()
    })
}

/// A query that reads what all the branches read.
pub fn reads<'q>(leaves: impl Iterator<Item = &'q Query>) -> Query {
    Query {
        rtable: leaves
            .map(|leaf| Rte::new(RteKind::Subquery(Box::new(leaf.clone())), "leaf", Vec::new()))
            .collect(),
        ..Query::default()
    }
}

fn by_counts_or_rows(
    query: &Query,
    leaves: &[(Query, usize)],
    operation: Option<(SetOp, bool)>,
    storage: &Storage,
    builder: &Builder,
) -> Result<Lowered, Stop> {
    match grouped(query, leaves, operation, storage, builder) {
        Err(Stop::Reason(why)) => rows::lower(query, leaves, operation, &why, storage, builder),
        other => other,
    }
}

fn grouped(
    query: &Query,
    leaves: &[(Query, usize)],
    operation: Option<(SetOp, bool)>,
    storage: &Storage,
    builder: &Builder,
) -> Result<Lowered, Stop> {
    let targets: Vec<&Target> = query.targets.iter().collect();
    let sides = if operation.is_some() { 2 } else { 1 };
    let counted = counted(&targets, leaves, sides, storage, builder)?;
    let mut view = counted.view(query, &targets, storage, builder);
    if let Some((op, all)) = operation {
        let left = column_of(&view, &counted.stored, targets.len() + 1);
        let right = column_of(&view, &counted.stored, targets.len() + 2);
        let counts = vec![left, right];
        match (op, all) {
            (SetOp::Intersect, false) => {
                view.quals = Some(SqlLeaf::condition(
                    &["", " OPERATOR(pg_catalog.>) 0 AND ", " OPERATOR(pg_catalog.>) 0"],
                    counts,
                ));
            }
            (SetOp::Except | SetOp::Union, false) => {
                view.quals = Some(SqlLeaf::condition(
                    &["", " OPERATOR(pg_catalog.>) 0 AND ", " OPERATOR(pg_catalog.=) 0"],
                    counts,
                ));
            }
            (SetOp::Intersect, true) => {
                repeat(&mut view, &["pg_catalog.generate_series(1, LEAST(", ", ", "))"], counts);
            }
            (SetOp::Except | SetOp::Union, true) => repeat(
                &mut view,
                &["pg_catalog.generate_series(1, ", " OPERATOR(pg_catalog.-) ", ")"],
                counts,
            ),
        }
    }
    let reads = reads(leaves.iter().map(|(leaf, _)| leaf));
    finish(counted.group, counted.stored, view, &reads, builder)
}

/// Shows each row as often as a function returns rows.
fn repeat(view: &mut Query, parts: &[&str], counts: Vec<Expr>) {
    let call = Expr::Sql(SqlLeaf {
        parts: parts.iter().map(|part| (*part).to_owned()).collect(),
        args: counts,
        type_oid: INT8,
        typmod: -1,
        collation: 0,
    });
    view.rtable.push(Rte {
        lateral: true,
        ..Rte::new(
            RteKind::Function {
                functions: vec![RangeFunction {
                    expr: call,
                    column_count: 1,
                    column_names: Vec::new(),
                    column_types: Vec::new(),
                    column_typmods: Vec::new(),
                    column_collations: Vec::new(),
                }],
                ordinality: false,
            },
            "copies",
            vec!["copy".to_owned()],
        )
    });
    view.from.push(FromItem::Rel(2));
}
