//! Indexes on the storage of stages. Whatever a query compares a stored column with, a change of the other side must
//! find the matching rows without a scan of the whole stage. Tables of the user have the indexes that the user gives
//! them.

use super::advice::Column;
use super::graph::StageGraph;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::oids::{
    BOOL, BPCHAR, DATE, FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC, OID, TEXT, TIMESTAMP, TIMESTAMPTZ, UUID, VARCHAR,
};
use crate::plan::Oid;
use crate::query::{Expr, Query, SubLinkKind, Var};
use crate::sql::ident::quote_ident;

/// Types of a small size, whose values always fit into an index.
const SMALL: &[Oid] = &[
    BOOL,
    INT8,
    INT2,
    INT4,
    OID,
    FLOAT4,
    FLOAT8,
    DATE,
    TIMESTAMP,
    TIMESTAMPTZ,
    NUMERIC,
    UUID,
];

/// Types whose values can be too long for a B-tree entry. A hash index, which stores only hashes, can hold them.
const LONG: &[Oid] = &[TEXT, BPCHAR, VARCHAR];

/// True for types of a small size, whose values always fit into an index.
pub fn is_small(type_oid: Oid) -> bool {
    SMALL.contains(&type_oid)
}

/// Adds the indexes that lower stages need for this query, whose rows changes look up by these columns.
pub fn add(query: &Query, looked_up: &[Column], graph: &StageGraph) -> Result<(), Error> {
    for (relid, method, column) in needed(query, looked_up, graph)? {
        graph.add_index(relid, method, &[column]);
    }
    Ok(())
}

/// True if a column has an index. A column of a stage gets one if its type allows.
pub fn is_found_by(relid: Oid, attno: i16, graph: &StageGraph) -> Result<bool, Error> {
    let relation = graph.relation(relid)?;
    let index = needed_on(relid, attno, graph)?;
    if let Some((relid, method, column)) = &index {
        graph.add_index(*relid, method, std::slice::from_ref(column));
    }
    Ok(index.is_some() || relation.is_indexed(attno))
}

/// The indexes that a query needs on a table: a column in parentheses, after `USING` if need be.
pub fn on(relid: Oid, query: &Query, graph: &StageGraph) -> Result<Vec<String>, Error> {
    let mut found: Vec<String> = Vec::new();
    for (of, method, column) in needed(query, &[], graph)? {
        let index = format!("{method}({column})");
        if of == relid && !found.contains(&index) {
            found.push(index);
        }
    }
    Ok(found)
}

/// A table, the index method, and the column.
type Needed = (Oid, &'static str, String);

fn needed(query: &Query, looked_up: &[Column], graph: &StageGraph) -> Result<Vec<Needed>, Error> {
    let mut compared = looked_up.to_vec();
    query.for_each_query(&mut |level| {
        level.for_each_expr(&mut |expr| expr.for_each(&mut |node| collect(level, node, &mut compared)));
    });
    let mut found = Vec::new();
    for (relid, attno) in compared {
        found.extend(needed_on(relid, attno, graph)?);
    }
    Ok(found)
}

/// The index on a column of a stage, if its type can have one.
fn needed_on(relid: Oid, attno: i16, graph: &StageGraph) -> Result<Option<Needed>, Error> {
    if !graph.is_stage(relid) {
        return Ok(None);
    }
    let relation = graph.relation(relid)?;
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

/// The table column that a variable of this level refers to.
fn column_of(level: &Query, var: &Var) -> Option<Column> {
    let relid = level.table(var.varno)?;
    (var.levels_up == 0).then_some((relid, var.attno))
}
