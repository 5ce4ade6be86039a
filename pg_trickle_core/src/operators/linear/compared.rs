//! Finds the scans of a block whose rows matter by one comparison ([`super::between`]).

use super::between::Between;
use super::recognise::print;
use crate::catalog::{Catalog, Column};
use crate::error::Error;
use crate::facts::join_tree::{index, scans_of};
use crate::facts::linear_block::Flat;
use crate::facts::order::{Order, orders};
use crate::facts::value_identity::{Sameness, sameness};
use crate::query::{Expr, Var};
use crate::stages::advice;
use crate::stages::graph::StageGraph;

/// The scans of a block of inner joins for which this holds. `outputs` are all other expressions that read its rows.
pub fn find(flat: &Flat, outputs: &[&Expr], catalog: &dyn Catalog) -> Result<Vec<Between>, Error> {
    let found = comparisons(flat, outputs, catalog)?.into_iter().map(|found| {
        Ok(Between {
            scan: found.scan,
            condition: found.condition,
            value: print(flat, found.value, catalog)?,
            order: found.order,
            bound: print(flat, found.bound, catalog)?,
        })
    });
    found.collect()
}

/// Advice for values without an index that are compared with the only row of a stage.
pub fn advice(flat: &Flat, outputs: &[&Expr], graph: &StageGraph) -> Result<Vec<String>, Error> {
    let mut advice = Vec::new();
    for found in comparisons(flat, outputs, graph)? {
        let reads = |qual: &&Expr| scans_of(qual).into_iter().any(|read| index(read) == found.scan);
        if flat.quals.iter().filter(reads).count() == 1 {
            advice.extend(advice::compared(flat, found.value, graph)?);
        }
    }
    Ok(advice)
}

/// A comparison with a scan that is not read otherwise.
struct Comparison<'q> {
    scan: usize,
    condition: usize,
    value: &'q Expr,
    order: Order,
    bound: &'q Expr,
}

fn comparisons<'q>(flat: &'q Flat, outputs: &[&Expr], catalog: &dyn Catalog) -> Result<Vec<Comparison<'q>>, Error> {
    let mut found = Vec::new();
    if flat.tree.is_none() && flat.scans.len() > 1 {
        for scan in 0..flat.scans.len() {
            found.extend(of_scan(flat, scan, outputs, catalog)?);
        }
    }
    Ok(found)
}

fn of_scan<'q>(
    flat: &'q Flat,
    scan: usize,
    outputs: &[&Expr],
    catalog: &dyn Catalog,
) -> Result<Option<Comparison<'q>>, Error> {
    let Some(key) = flat.table(scan).and_then(|relation| relation.keys.first()) else {
        return Ok(None);
    };
    for attnum in &key.columns {
        let column = flat.table(scan).and_then(|relation| relation.column(*attnum));
        let same = |column: &Column| sameness(column.type_oid, column.typmod, column.collation, catalog);
        if column.map(same).transpose()? != Some(Sameness::Equal) {
            return Ok(None);
        }
    }
    let is_own = |var: &Var| index(var.varno) == scan;
    let reads_more = |expr: &Expr| {
        expr.any(&mut |node| matches!(node, Expr::Var(var) if is_own(var) && !key.columns.contains(&var.attno)))
    };
    let is_read_by_another = (1..).zip(&flat.scans).any(|(other, _)| {
        let looks_at = flat.looks_at(other);
        looks_at.into_iter().any(|read| index(read) == scan)
    });
    if is_read_by_another || outputs.iter().any(|expr| reads_more(expr)) {
        return Ok(None);
    }
    let mut reading = flat.quals.iter().enumerate().filter(|(_, qual)| reads_more(qual));
    let (Some((condition, Expr::Op(compared))), None) = (reading.next(), reading.next()) else {
        return Ok(None);
    };
    let [left, right] = compared.args.as_slice() else {
        return Ok(None);
    };
    let Some([order]) = orders(compared, catalog)? else {
        return Ok(None);
    };
    let is_bound = |expr: &Expr| scans_of(expr).into_iter().all(|read| index(read) == scan);
    let is_value =
        |expr: &Expr| !scans_of(expr).is_empty() && scans_of(expr).into_iter().all(|read| index(read) != scan);
    let (left, right) = (at_once(left), at_once(right));
    let (value, bound, order) = if is_value(left) && is_bound(right) {
        (left, right, *order)
    } else if is_value(right) && is_bound(left) {
        (right, left, order.exchanged())
    } else {
        return Ok(None);
    };
    Ok(Some(Comparison {
        scan,
        condition,
        value,
        order,
        bound,
    }))
}

/// A value that a CASE puts off until there is a row to compare it with ([`crate::rewrite::single_rows`]).
fn at_once(expr: &Expr) -> &Expr {
    match expr {
        Expr::Case(case) => match (&case.arg, case.whens.as_slice(), &case.otherwise) {
            (None, [(_, value)], Some(otherwise)) if value == otherwise => otherwise,
            _ => expr,
        },
        _ => expr,
    }
}
