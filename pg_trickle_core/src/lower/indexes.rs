//! Indexes on stages of ours: whatever a query compares their columns with, a change of the other side must find them
//! without reading the whole stage. Tables of the user have the indexes that the user gives them.

use super::advice::Column;
use super::builder::Builder;
use super::from_items::relid_of;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::plan::Oid;
use crate::query::{Expr, Query, SubLinkKind, Var};
use crate::sql::ident::quote_ident;

/// Types of a fixed and small size, whose values always fit into an index: bool, int8, int2, int4, oid, float4, float8,
/// date, timestamp, timestamptz, numeric, uuid.
const SMALL: &[Oid] = &[16, 20, 21, 23, 26, 700, 701, 1082, 1114, 1184, 1700, 2950];

/// Types whose values can be longer than an entry of a B-tree, but not than one of a hash index: text, bpchar, varchar.
const LONG: &[Oid] = &[25, 1042, 1043];

/// Adds the indexes that the stages below need for this query, whose rows are looked up by these columns.
pub fn add(query: &Query, looked_up: &[Column], builder: &Builder) -> Result<(), Error> {
    for (relid, method, column) in needed(query, looked_up, builder)? {
        builder.add_index(relid, method, &[column]);
    }
    Ok(())
}

/// Whether a column has an index. Columns of stages get one.
pub fn is_found_by(relid: Oid, attno: i16, builder: &Builder) -> Result<bool, Error> {
    let relation = builder.relation(relid)?;
    let index = needed_on(relid, attno, builder)?;
    if let Some((relid, method, column)) = &index {
        builder.add_index(*relid, method, std::slice::from_ref(column));
    }
    Ok(index.is_some() || relation.indexed.contains(&attno))
}

/// The indexes that a query needs on a table: columns in parentheses, after `USING`.
pub fn on(relid: Oid, query: &Query, builder: &Builder) -> Result<Vec<String>, Error> {
    let mut found: Vec<String> = Vec::new();
    for (of, method, column) in needed(query, &[], builder)? {
        let index = format!("{method}({column})");
        if of == relid && !found.contains(&index) {
            found.push(index);
        }
    }
    Ok(found)
}

/// A table, how its index is to work, and the column.
type Needed = (Oid, &'static str, String);

fn needed(query: &Query, looked_up: &[Column], builder: &Builder) -> Result<Vec<Needed>, Error> {
    let mut compared = looked_up.to_vec();
    query.for_each_query(&mut |level| {
        level.for_each_expr(&mut |expr| expr.for_each(&mut |node| collect(level, node, &mut compared)));
    });
    let mut found = Vec::new();
    for (relid, attno) in compared {
        found.extend(needed_on(relid, attno, builder)?);
    }
    Ok(found)
}

/// The index on a column of a stage, where its type can have one.
fn needed_on(relid: Oid, attno: i16, builder: &Builder) -> Result<Option<Needed>, Error> {
    if !builder.is_stage(relid) {
        return Ok(None);
    }
    let relation = builder.relation(relid)?;
    Ok(relation.column(attno).and_then(|column| {
        let method = if SMALL.contains(&column.type_oid) {
            ""
        } else if LONG.contains(&column.type_oid) {
            "USING hash "
        } else {
            return None;
        };
        Some((relid, method, quote_ident(&column.name)))
    }))
}

fn collect(level: &Query, node: &Expr, compared: &mut Vec<Column>) {
    match node {
        Expr::Op(op) => {
            if let [left, right] = op.args.as_slice() {
                for (arg, other) in [(left, right), (right, left)] {
                    let is_known = |node: &Expr| matches!(node, Expr::Var(_) | Expr::Param(_));
                    if let Expr::Var(var) = arg
                        && other.any(&mut |node| is_known(node))
                    {
                        compared.extend(column_of(level, var));
                    }
                }
            }
        }
        Expr::SubLink(sublink) if matches!(sublink.kind, SubLinkKind::Any | SubLinkKind::All) => {
            for target in &sublink.query.targets {
                if let Expr::Var(var) = &target.expr {
                    compared.extend(column_of(&sublink.query, var));
                }
            }
        }
        _ => {}
    }
}

/// The table's column that a variable of this level is.
fn column_of(level: &Query, var: &Var) -> Option<Column> {
    let relid = relid_of(level, var.varno)?;
    (var.levels_up == 0).then_some((relid, var.attno))
}
