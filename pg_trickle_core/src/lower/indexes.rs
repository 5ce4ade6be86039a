//! Indexes on stages of ours: whatever a query compares their columns with, a change of the other side must find them
//! without reading the whole stage. Tables of the user have the indexes that the user gives them.

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

/// Adds the indexes that the stages below need for this query, whose rows are looked up by the expressions `keys`.
pub fn add(query: &Query, keys: &[Expr], builder: &Builder) -> Result<(), Error> {
    let mut compared = Vec::new();
    for key in keys {
        if let Expr::Var(var) = key {
            compared.extend(column_of(query, var));
        }
    }
    query.for_each_query(&mut |level| {
        level.for_each_expr(&mut |expr| expr.for_each(&mut |node| collect(level, node, &mut compared)));
    });
    for (relid, attno) in compared {
        if !builder.is_stage(relid) {
            continue;
        }
        let relation = builder.relation(relid)?;
        let Some(column) = relation.column(attno) else {
            continue;
        };
        if SMALL.contains(&column.type_oid) {
            builder.add_index(relid, "", &[quote_ident(&column.name)]);
        } else if LONG.contains(&column.type_oid) {
            builder.add_index(relid, "USING hash ", &[quote_ident(&column.name)]);
        }
    }
    Ok(())
}

fn collect(level: &Query, node: &Expr, compared: &mut Vec<(Oid, i16)>) {
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
fn column_of(level: &Query, var: &Var) -> Option<(Oid, i16)> {
    let relid = relid_of(level, var.varno)?;
    (var.levels_up == 0).then_some((relid, var.attno))
}
