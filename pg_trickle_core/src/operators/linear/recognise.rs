//! A flattened FROM and WHERE as SQL: scans with their names and keys, conditions, and whether they can be folded.
//!
//! VALUES and functions in FROM are scans without changes of their own. A function of columns of other items changes
//! with them, row by row: δ(R × f(R)) = δR × f(δR), the rule of projection.

use super::block::Block;
use super::scan::Scan;
use crate::catalog::{Catalog, Relation};
use crate::error::Error;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::linear_block::{Flat, Source};
use crate::facts::stability;
use crate::maintain::operator_tree::OperatorTree;
use crate::query::{Expr, Rte, RteKind, Var};
use crate::sql::ident::{qualified, quote_ident};

/// The scans, in order. Fails if the transition tables of a table would not show its whole change.
fn scans(flat: &Flat, catalog: &dyn Catalog) -> Result<Vec<Scan>, Fallback> {
    flat.scans
        .iter()
        .enumerate()
        .map(|(position, source)| match source {
            Source::Table { relation, inherit } => table(relation, *inherit, position, catalog),
            Source::Derived(rte) => derived(flat, rte, position, catalog),
        })
        .collect()
}

fn table(relation: &Relation, inherit: bool, position: usize, catalog: &dyn Catalog) -> Result<Scan, Fallback> {
    let name = qualified(&relation.schema, &relation.name);
    foldable(relation, inherit)?;
    Ok(Scan {
        relid: relation.oid,
        table: if inherit { name } else { format!("ONLY {name}") },
        alias: alias(position),
        columns: String::new(),
        key: key(relation, catalog)?,
    })
}

/// Fails if the transition tables of a table do not show what the query sees of its changes.
pub fn foldable(relation: &Relation, inherit: bool) -> Result<(), Fallback> {
    if !inherit && relation.is_partitioned {
        return reason("ONLY over a partitioned table");
    }
    if relation.row_security {
        return reason("a table with row-level security");
    }
    Ok(())
}

fn derived(flat: &Flat, rte: &Rte, position: usize, catalog: &dyn Catalog) -> Result<Scan, Fallback> {
    let exprs: Vec<&Expr> = match &rte.kind {
        RteKind::Function { functions, .. } => {
            functions
                .iter()
                .try_for_each(|function| stability::settled_columns(function, catalog))?;
            functions.iter().map(|function| &function.expr).collect()
        }
        RteKind::Values { rows, .. } => rows.iter().flatten().collect(),
        _ => Vec::new(),
    };
    for expr in exprs {
        check(flat, expr, catalog)?;
    }
    let names: Vec<String> = (1..=rte.columns.len()).map(|n| format!("c{n}")).collect();
    let item = crate::sql::query::derived(rte, &|var: &Var| var_sql(flat, var, catalog), catalog)?;
    Ok(Scan {
        relid: 0,
        table: format!("LATERAL {item}"),
        alias: alias(position),
        columns: format!("({})", names.join(", ")),
        key: Vec::new(),
    })
}

/// The first key of a table, with the equality operator of each column.
fn key(relation: &Relation, catalog: &dyn Catalog) -> Result<Vec<(String, String)>, Error> {
    let Some(key) = relation.keys.first() else {
        return Ok(Vec::new());
    };
    let mut columns = Vec::new();
    for column in key.columns.iter().filter_map(|attnum| relation.column(*attnum)) {
        if let Some(default) = catalog.default_equality(column.type_oid)? {
            columns.push((column.name.clone(), crate::sql::expr::operator_sql(&default.equality)));
        }
    }
    Ok(columns)
}

/// The alias of the scan at a position, counted from 0.
#[must_use]
pub fn alias(position: usize) -> String {
    format!("a{}", position + 1)
}

fn position_of(var: &Var) -> Result<usize, Error> {
    usize::try_from(var.varno - 1).map_err(|_| Error::Tree(format!("Var of scan {}", var.varno)))
}

/// The SQL of a Var, over the aliases of the scans.
pub fn var_sql(flat: &Flat, var: &Var, catalog: &dyn Catalog) -> Result<String, Error> {
    let position = position_of(var)?;
    let alias = alias(position);
    let Some(relation) = flat.table(position) else {
        return Ok(format!("{alias}.c{}", var.attno));
    };
    if var.attno == 0 {
        // A transition table has no named row type, so build the row from its columns.
        let values: Vec<String> = relation
            .columns
            .iter()
            .filter(|column| !column.dropped)
            .map(|column| format!("{alias}.{}", quote_ident(&column.name)))
            .collect();
        let row_type = catalog.type_sql(var.type_oid, -1)?;
        return Ok(format!("ROW({})::{row_type}", values.join(", ")));
    }
    let column = relation
        .column(var.attno)
        .ok_or_else(|| Error::Tree(format!("column {} of {}", var.attno, relation.name)))?;
    Ok(format!("{alias}.{}", quote_ident(&column.name)))
}

/// Fails for columns that a transition table does not have.
fn check_columns(flat: &Flat, expr: &Expr) -> Result<(), Fallback> {
    let mut result = Ok(());
    expr.for_each(&mut |node| {
        if let Expr::Var(var) = node
            && result.is_ok()
        {
            result = check_var(flat, var);
        }
    });
    result
}

fn check_var(flat: &Flat, var: &Var) -> Result<(), Fallback> {
    if var.attno < 0 {
        return reason("system column");
    }
    let Some(relation) = flat.table(position_of(var)?) else {
        return if var.attno == 0 {
            reason("whole-row reference to a function")
        } else {
            Ok(())
        };
    };
    let is_virtual = relation
        .columns
        .iter()
        .any(|column| (var.attno == 0 || column.attnum == var.attno) && column.generated == Some('v'));
    if is_virtual {
        // PostgreSQL 18 leaves virtual generated columns NULL in transition tables.
        return reason("virtual generated column");
    }
    Ok(())
}

/// Whether an expression over the scans can be NULL.
pub fn nullable(flat: &Flat, expr: &Expr) -> Result<bool, Error> {
    Ok(match expr {
        Expr::Var(var) => !flat
            .table(position_of(var)?)
            .and_then(|relation| relation.column(var.attno))
            .is_some_and(|column| column.not_null),
        Expr::Const(constant) => constant.is_null,
        _ => true,
    })
}

/// The SQL of an expression, over the aliases of the scans.
pub fn print(flat: &Flat, expr: &Expr, catalog: &dyn Catalog) -> Result<String, Error> {
    crate::sql::expr::print(expr, &|var: &Var| var_sql(flat, var, catalog), catalog)
}

/// Fails if the value of an expression over the scans can change without a change to the scans, or if a transition
/// table lacks one of its columns.
pub fn check(flat: &Flat, expr: &Expr, catalog: &dyn Catalog) -> Result<(), Fallback> {
    stability::settled(expr, catalog)?;
    check_columns(flat, expr)
}

/// The linear block of a flattened query, and its operator tree. Fails if it reads no table.
pub fn block(flat: &Flat, catalog: &dyn Catalog) -> Result<(Block, OperatorTree), Fallback> {
    let (block, operators) = any_block(flat, catalog)?;
    reads_a_table(&block)?;
    Ok((block, operators))
}

/// Fails for a block that reads no table.
pub fn reads_a_table(block: &Block) -> Result<(), Fallback> {
    if block.scans.iter().all(|scan| scan.relid == 0) {
        return reason("no table in FROM");
    }
    Ok(())
}

/// The linear block of a flattened query, and its operator tree, even if it reads no table.
pub fn any_block(flat: &Flat, catalog: &dyn Catalog) -> Result<(Block, OperatorTree), Fallback> {
    let scans = scans(flat, catalog)?;
    let mut conditions = Vec::new();
    for qual in &flat.quals {
        check(flat, qual, catalog)?;
        conditions.push(print(flat, qual, catalog)?);
    }
    let mut inputs: Vec<OperatorTree> = scans
        .iter()
        .map(|scan| OperatorTree::new(scan.label(), Vec::new()))
        .collect();
    let mut tree = match (inputs.pop(), inputs.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            inputs.extend(last);
            OperatorTree::new(format!("inner join of {}", inputs.len()), inputs)
        }
    };
    if !conditions.is_empty() {
        tree = OperatorTree::new(format!("filter {}", conditions.join(" AND ")), vec![tree]);
    }
    Ok((Block { scans, conditions }, tree))
}
