//! Types and collations of expressions, according to the catalog.

use super::fallback::{Fallback, reason};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::plan::Oid;
use crate::query::Expr;
use crate::sql::ident::qualified;

/// ` COLLATE ...` if the collation is not the type's default, else nothing.
pub fn collate(type_oid: Oid, collation: Oid, catalog: &dyn Catalog) -> Result<String, Error> {
    if collation == 0 || collation == catalog.type_(type_oid)?.collation {
        return Ok(String::new());
    }
    let (schema, name) = catalog.collation(collation)?;
    Ok(format!(" COLLATE {}", qualified(&schema, &name)))
}

/// The type of an expression, including that of `ARRAY(subquery)`.
pub fn type_of(expr: &Expr, catalog: &dyn Catalog) -> Result<Oid, Error> {
    let type_oid = expr.type_oid();
    match expr {
        Expr::SubLink(sublink) if type_oid == 0 => {
            let Some(target) = sublink.query.targets.first() else {
                return Err(Error::Tree("ARRAY of nothing".to_owned()));
            };
            let element = catalog.type_(type_of(&target.expr, catalog)?)?;
            // An array of arrays has the same type as the array. `int2vector` is an array, but there are arrays of it.
            Ok(if element.array != 0 { element.array } else { element.oid })
        }
        _ => Ok(type_oid),
    }
}

/// The default equality operator of a type, as SQL.
pub fn equality(type_oid: Oid, catalog: &dyn Catalog) -> Result<String, Fallback> {
    match catalog.default_equality(type_oid)? {
        Some(default) => Ok(crate::sql::expr::operator_sql(&default.equality)),
        None => reason("a key without equality"),
    }
}

/// True for types that a B-tree can index: those with a default order, not only an equality.
pub fn is_ordered(type_oid: Oid, catalog: &dyn Catalog) -> Result<bool, Error> {
    let default = catalog.default_equality(type_oid)?;
    Ok(default.is_some_and(|default| default.less.is_some()))
}

/// True if there are arrays of a type: it is no array itself. `int2vector` and `oidvector` are arrays that have arrays, but
/// `ARRAY[v]` of one has more dimensions, and is empty where it is NULL.
pub fn has_arrays(type_oid: Oid, catalog: &dyn Catalog) -> Result<bool, Error> {
    let of = catalog.type_(type_oid)?;
    Ok(of.array != 0 && of.element == 0)
}

/// True for pseudo-types such as `record`, which no column can have.
pub fn is_pseudo(type_oid: Oid, catalog: &dyn Catalog) -> Result<bool, Error> {
    Ok(catalog.type_(type_oid)?.kind == 'p')
}

/// A NULL of a type, as SQL. A domain may refuse NULL, but checks this only when a value is cast to it. A subquery
/// without rows yields a NULL of the domain, as an outer join does.
pub fn null_sql(type_oid: Oid, typmod: i32, catalog: &dyn Catalog) -> Result<String, Error> {
    let null = format!("NULL::{}", catalog.type_sql(type_oid, typmod)?);
    Ok(if catalog.type_(type_oid)?.kind == 'd' {
        format!("(SELECT {null} WHERE FALSE)")
    } else {
        null
    })
}
