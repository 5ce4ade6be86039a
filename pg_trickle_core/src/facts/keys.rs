//! Which columns identify a row of a join.
//!
//! The keys of all scans together identify it. A scan can be left out if the others determine its row functionally: the
//! conjuncts equate each column of its key to a constant or to a column of a scan that is already determined.

use super::linear_block::Flat;
use crate::catalog::{Catalog, Key};
use crate::error::Error;
use crate::query::{Expr, Var};

/// The key of a join, as columns of its scans. `None` if some scan has no key.
pub fn of_join(flat: &Flat, catalog: &dyn Catalog) -> Result<Option<Vec<Var>>, Error> {
    let mut keys: Vec<&Key> = Vec::new();
    for position in 0..flat.scans.len() {
        match flat.table(position).and_then(|relation| relation.keys.first()) {
            Some(key) => keys.push(key),
            None => return Ok(None),
        }
    }
    let equal = equalities(flat, catalog)?;
    let mut kept: Vec<usize> = (0..keys.len()).collect();
    // Try the last scan first: in `orders JOIN customers`, the later tables tend to be the ones looked up.
    for candidate in (0..keys.len()).rev() {
        if kept.len() == 1 {
            break;
        }
        let rest: Vec<usize> = kept.iter().copied().filter(|scan| *scan != candidate).collect();
        if determines_all(&rest, &keys, &equal) {
            kept = rest;
        }
    }
    let mut columns = Vec::new();
    for scan in &kept {
        for attnum in &keys[*scan].columns {
            let Some(column) = flat.table(*scan).and_then(|relation| relation.column(*attnum)) else {
                return Ok(None);
            };
            columns.push(Var {
                varno: i32::try_from(scan + 1).map_err(|_| Error::Tree("too many tables".to_owned()))?,
                attno: *attnum,
                type_oid: column.type_oid,
                typmod: column.typmod,
                collation: column.collation,
                levels_up: 0,
            });
        }
    }
    Ok(Some(columns))
}

/// A column of a scan: the position of the scan, and the attribute number.
type Column = (usize, i16);

/// A column that a conjunct equates to another column, or to a constant.
type Equality = (Column, Option<Column>);

fn column_of(expr: &Expr) -> Option<Column> {
    match expr {
        Expr::Var(var) if var.attno > 0 => Some((usize::try_from(var.varno - 1).ok()?, var.attno)),
        _ => None,
    }
}

fn equalities(flat: &Flat, catalog: &dyn Catalog) -> Result<Vec<Equality>, Error> {
    let mut found = Vec::new();
    for qual in &flat.quals {
        let Expr::Op(op) = qual else { continue };
        let [left, right] = op.args.as_slice() else { continue };
        if left.type_oid() != right.type_oid() || left.collation() != right.collation() {
            continue;
        }
        let default = catalog.default_equality(left.type_oid())?;
        if default.is_none_or(|default| default.equality.oid != op.operator) {
            continue;
        }
        match (column_of(left), column_of(right)) {
            (Some(a), Some(b)) => found.extend([(a, Some(b)), (b, Some(a))]),
            (Some(a), None) if matches!(right, Expr::Const(_)) => found.push((a, None)),
            (None, Some(b)) if matches!(left, Expr::Const(_)) => found.push((b, None)),
            _ => {}
        }
    }
    Ok(found)
}

fn determines_all(given: &[usize], keys: &[&Key], equal: &[Equality]) -> bool {
    let mut known: Vec<bool> = (0..keys.len()).map(|scan| given.contains(&scan)).collect();
    loop {
        let next = (0..keys.len()).find(|scan| {
            !known[*scan]
                && keys[*scan].columns.iter().all(|attnum| {
                    equal
                        .iter()
                        .any(|(column, to)| *column == (*scan, *attnum) && to.is_none_or(|(other, _)| known[other]))
                })
        });
        match next {
            Some(scan) => known[scan] = true,
            None => return known.iter().all(|known| *known),
        }
    }
}
