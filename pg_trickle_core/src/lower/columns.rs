//! Types of stored columns.

use super::builder::Stored;
use super::stop::{Stop, reason};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::plan::Oid;
use crate::query::Expr;
use crate::sql::ident::{is_one_of, qualified};
use crate::stage::storage::StorageColumn;

/// The OID of `int8`.
pub const INT8: Oid = 20;
/// The OID of `numeric`.
pub const NUMERIC: Oid = 1700;
/// The OID of `record`.
pub const RECORD: Oid = 2249;

/// The columns of a storage table for its DDL.
pub fn storage_columns(stored: &[Stored], catalog: &dyn Catalog) -> Result<Vec<StorageColumn>, Error> {
    stored
        .iter()
        .map(|column| {
            Ok(StorageColumn {
                name: column.name.clone(),
                type_sql: catalog.type_sql(column.type_oid, column.typmod)?,
                collate: collate(column.type_oid, column.collation, catalog)?,
                not_null: column.not_null,
                numbered: column.numbered,
                generated: column.generated.clone(),
            })
        })
        .collect()
}

/// ` COLLATE ...` where the type's own collation does not hold.
pub fn collate(type_oid: Oid, collation: Oid, catalog: &dyn Catalog) -> Result<String, Error> {
    if collation == 0 || collation == catalog.type_(type_oid)?.collation {
        return Ok(String::new());
    }
    let (schema, name) = catalog.collation(collation)?;
    Ok(format!(" COLLATE {}", qualified(&schema, &name)))
}

/// The type of an expression, that of `ARRAY(subquery)` included.
pub fn type_of(expr: &Expr, catalog: &dyn Catalog) -> Result<Oid, Error> {
    let type_oid = expr.type_oid();
    match expr {
        Expr::SubLink(sublink) if type_oid == 0 => {
            let Some(target) = sublink.query.targets.first() else {
                return Err(Error::Tree("ARRAY of nothing".to_owned()));
            };
            let element = catalog.type_(type_of(&target.expr, catalog)?)?;
            Ok(if element.element != 0 {
                element.oid
            } else {
                element.array
            })
        }
        _ => Ok(type_oid),
    }
}

/// The default equality of a type, as an operator in SQL.
pub fn equality(type_oid: Oid, catalog: &dyn Catalog) -> Result<String, Stop> {
    match catalog.default_equality(type_oid)? {
        Some(default) => Ok(crate::sql::expr::operator_sql(&default.equality)),
        None => reason("a key without equality"),
    }
}

/// True for pseudo-types such as `record`, of which no column can be.
pub fn is_pseudo(type_oid: Oid, catalog: &dyn Catalog) -> Result<bool, Error> {
    Ok(catalog.type_(type_oid)?.kind == 'p')
}

/// True where equal values have the same bytes, so that any of them can stand for a group (what a btree class says
/// with its `equalimage` support function). Not so: numeric 1.0 and 1.00, float −0 and 0, interval 1 day and 24 hours.
pub fn equal_is_same(expr: &Expr, catalog: &dyn Catalog) -> Result<bool, Error> {
    if catalog.type_(expr.type_oid())?.name == "numeric" {
        return Ok(super::scale::fixed_scale(expr, catalog)?.is_some());
    }
    same_by_type(expr.type_oid(), expr.typmod(), expr.collation(), catalog)
}

fn same_by_type(type_oid: Oid, typmod: i32, collation: Oid, catalog: &dyn Catalog) -> Result<bool, Error> {
    const PLAIN: &str = "bool int2 int4 int8 oid char name text varchar date time timetz timestamp timestamptz uuid bytea inet cidr macaddr money bit varbit";
    if collation != 0 && catalog.collation(collation)?.0 != "pg_catalog" {
        // It may be nondeterministic.
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
