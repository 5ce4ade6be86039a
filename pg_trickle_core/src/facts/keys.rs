//! Which columns identify a row of a join.
//!
//! The keys of all scans together identify it. A scan can be left out if the others determine its row functionally: the
//! conjuncts equate each column of its key to a constant or to a column of a scan that is already determined.
//!
//! The rows of an outer join have the key of its left input if the condition determines the right row in this way. A
//! semi-join or anti-join has the rows of its left input.

use super::join_tree::{JoinTree, PairKind, index};
use super::linear_block::{Flat, Resolver};
use crate::catalog::{Catalog, Key};
use crate::error::Error;
use crate::query::{Expr, Var};

/// The key of a join, as columns of its scans. `None` if some scan has no key.
pub fn of_join(flat: &Flat, catalog: &dyn Catalog) -> Result<Option<Vec<Var>>, Error> {
    let keys = keys_of(flat);
    let mut certain = flat.quals.clone();
    let mut kept: Vec<usize> = (0..keys.len()).collect();
    if let Some(tree) = &flat.tree {
        if !is_functional(tree, &keys, catalog)? {
            return Ok(None);
        }
        kept = tree.preserved().into_iter().map(index).collect();
        certain = tree.certain();
    }
    let given = kept.clone();
    if kept.iter().any(|scan| keys[*scan].is_empty()) {
        return Ok(None);
    }
    let equal = equalities(&certain, catalog)?;
    // Try the last scan first: in `orders JOIN customers`, the later tables tend to be the ones looked up.
    for candidate in given.iter().copied().rev() {
        if kept.len() == 1 {
            break;
        }
        let rest: Vec<usize> = kept.iter().copied().filter(|scan| *scan != candidate).collect();
        if determines(&rest, &given, &keys, &equal) {
            kept = rest;
        }
    }
    key_columns(flat, &kept)
}

/// The same, as columns of the query that was resolved.
pub fn of_query(flat: &Flat, resolver: &Resolver, catalog: &dyn Catalog) -> Result<Option<Vec<Expr>>, Error> {
    let vars = of_join(flat, catalog)?;
    let own = vars.map(|vars| {
        vars.iter()
            .map(|var| Some(Expr::Var(resolver.unresolve(var)?)))
            .collect()
    });
    Ok(own.flatten())
}

/// The columns that identify the rows of outer joins if NULLs are equal: the keys of all inputs. `None` if some input has
/// no key.
pub fn of_outer_join(flat: &Flat) -> Result<Option<Vec<Var>>, Error> {
    let Some(tree) = &flat.tree else { return Ok(None) };
    key_columns(flat, &tree.visible().into_iter().map(index).collect::<Vec<_>>())
}

/// All keys of each scan.
fn keys_of(flat: &Flat) -> Vec<&[Key]> {
    let of_scan = |position| flat.table(position).map_or(&[][..], |relation| &relation.keys);
    (0..flat.scans.len()).map(of_scan).collect()
}

/// The keys of some scans.
fn key_columns(flat: &Flat, scans: &[usize]) -> Result<Option<Vec<Var>>, Error> {
    let mut columns = Vec::new();
    for scan in scans {
        let Some(key) = flat.table(*scan).and_then(|relation| relation.keys.first()) else {
            return Ok(None);
        };
        for attnum in &key.columns {
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

/// For each scan of a join, whether one of its rows can be in several rows of the join.
pub fn fan_out(flat: &Flat, catalog: &dyn Catalog) -> Result<Vec<bool>, Error> {
    let scans = 0..flat.scans.len();
    let keys = keys_of(flat);
    let (wanted, certain, is_functional) = match &flat.tree {
        None => (scans.clone().collect(), flat.quals.clone(), true),
        Some(tree) => (
            tree.preserved().into_iter().map(index).collect(),
            tree.certain(),
            is_functional(tree, &keys, catalog)?,
        ),
    };
    let equal = equalities(&certain, catalog)?;
    let wanted: Vec<usize> = wanted;
    let fans_out = |scan: usize| {
        let is_one = is_functional && wanted.contains(&scan);
        !(is_one && determines(&[scan], &wanted, &keys, &equal))
    };
    Ok(scans.map(fans_out).collect())
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

/// True if each row of the left input of an outer join has at most one row of the right one.
fn is_functional(tree: &JoinTree, keys: &[&[Key]], catalog: &dyn Catalog) -> Result<bool, Error> {
    let pair = match tree {
        JoinTree::Scan(_) => return Ok(true),
        JoinTree::Inner(items, _) => {
            for item in items {
                if !is_functional(item, keys, catalog)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        JoinTree::Pair(pair) => pair,
    };
    if !is_functional(&pair.left, keys, catalog)? {
        return Ok(false);
    }
    match pair.kind {
        PairKind::Full => Ok(false),
        PairKind::Semi | PairKind::Anti => Ok(true),
        PairKind::Left => {
            // A condition of an outer join says nothing of the rows of its left input, nor does that of an anti-join.
            let mut conditions = pair.on.clone();
            conditions.extend(pair.right.certain());
            let left: Vec<usize> = pair.left.visible().into_iter().map(index).collect();
            let right: Vec<usize> = pair.right.preserved().into_iter().map(index).collect();
            Ok(is_functional(&pair.right, keys, catalog)?
                && determines(&left, &right, keys, &equalities(&conditions, catalog)?))
        }
    }
}

fn equalities(conditions: &[Expr], catalog: &dyn Catalog) -> Result<Vec<Equality>, Error> {
    let mut found = Vec::new();
    for qual in conditions {
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

/// True if the rows of the `given` scans determine those of all `wanted` ones.
fn determines(given: &[usize], wanted: &[usize], keys: &[&[Key]], equal: &[Equality]) -> bool {
    let mut known: Vec<bool> = (0..keys.len()).map(|scan| given.contains(&scan)).collect();
    loop {
        let next = wanted.iter().copied().find(|scan| {
            let is_equated = |attnum: &i16| {
                equal
                    .iter()
                    .any(|(column, to)| *column == (*scan, *attnum) && to.is_none_or(|(other, _)| known[other]))
            };
            !known[*scan] && keys[*scan].iter().any(|key| key.columns.iter().all(is_equated))
        });
        match next {
            Some(scan) => known[scan] = true,
            None => return wanted.iter().all(|scan| known[*scan]),
        }
    }
}
