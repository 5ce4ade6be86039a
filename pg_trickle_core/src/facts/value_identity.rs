//! Whether equal values are identical, so that any of them can stand for all.

use super::numeric_scale::fixed_scale;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::oids::{NUMERIC, REG_TYPES};
use crate::plan::Oid;
use crate::query::Expr;
use crate::sql::ident::is_one_of;

/// When two values of a column have the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sameness {
    /// When they are equal. The type can be hashed.
    Equal,
    /// When they are equal and have as many decimals (numeric).
    EqualAndScale,
    /// When their images are equal (`pgtrickle.row_image`).
    Image,
}

/// When two values of a column of this type, modifier and collation are the same.
pub fn sameness(type_oid: Oid, typmod: i32, collation: Oid, catalog: &dyn Catalog) -> Result<Sameness, Error> {
    const NOT_HASHED: &str = "money bit varbit";
    let of = catalog.type_(type_oid)?;
    if type_oid == NUMERIC && typmod < 0 {
        return Ok(Sameness::EqualAndScale);
    }
    let base = if of.element == 0 {
        &of.name
    } else {
        &catalog.type_(of.element)?.name
    };
    // Values of several collations have none, and cannot be compared.
    let is_comparable = (of.collation == 0 || collation != 0) && of.kind != 'd' && !is_one_of(base, NOT_HASHED);
    Ok(
        if is_comparable && same_by_type(type_oid, typmod, collation, catalog)? {
            Sameness::Equal
        } else {
            Sameness::Image
        },
    )
}

/// True if equal values have the same bytes, so that any of them can stand for a group. A btree operator class says so
/// with its `equalimage` support function. It is not so for numeric (1.0 and 1.00), float (−0 and 0) and interval (1
/// day and 24 hours).
pub fn equal_is_same(expr: &Expr, catalog: &dyn Catalog) -> Result<bool, Error> {
    if catalog.type_(expr.type_oid())?.name == "numeric" {
        return Ok(fixed_scale(expr, catalog)?.is_some());
    }
    same_by_type(expr.type_oid(), expr.typmod(), expr.collation(), catalog)
}

fn same_by_type(type_oid: Oid, typmod: i32, collation: Oid, catalog: &dyn Catalog) -> Result<bool, Error> {
    const PLAIN: &str = "bool int2 int4 int8 oid char name text varchar date time timetz timestamp timestamptz uuid bytea inet cidr macaddr money bit varbit";
    if REG_TYPES.contains(&type_oid) {
        return Ok(true);
    }
    if collation != 0 && catalog.collation(collation)?.0 != "pg_catalog" {
        // The collation may be nondeterministic.
        return Ok(false);
    }
    let of = catalog.type_(type_oid)?;
    match of.kind {
        'e' => return Ok(true),
        'd' => return same_by_type(of.base, of.base_typmod, collation, catalog),
        _ => {}
    }
    if of.schema != "pg_catalog" {
        return Ok(false);
    }
    if of.element != 0 {
        return same_by_type(of.element, typmod, collation, catalog);
    }
    let with_modifier = matches!(of.name.as_str(), "bpchar" | "numeric") && typmod >= 0;
    Ok(with_modifier || is_one_of(&of.name, PLAIN))
}
