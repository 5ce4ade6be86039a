//! Comparisons by order: `<`, `<=`, `>=` and `>` of built-in types.

use super::types::is_ordered;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::oids::FIRST_OF_INITDB;
use crate::query::OpExpr;

/// How a value is compared with a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
}

impl Order {
    /// The operator.
    pub fn sql(self) -> &'static str {
        match self {
            Order::Less => "<",
            Order::LessOrEqual => "<=",
            Order::GreaterOrEqual => ">=",
            Order::Greater => ">",
        }
    }

    /// The same comparison with its sides exchanged.
    pub fn exchanged(self) -> Self {
        match self {
            Order::Less => Order::Greater,
            Order::LessOrEqual => Order::GreaterOrEqual,
            Order::GreaterOrEqual => Order::LessOrEqual,
            Order::Greater => Order::Less,
        }
    }

    /// The comparison that holds for all values, other than NULL, for which this one does not.
    pub fn complement(self) -> Self {
        match self {
            Order::Less => Order::GreaterOrEqual,
            Order::LessOrEqual => Order::Greater,
            Order::GreaterOrEqual => Order::Less,
            Order::Greater => Order::LessOrEqual,
        }
    }

    /// True for a bound from below: as time passes, rows leave and do not come back.
    pub fn is_lower(self) -> bool {
        matches!(self, Order::Greater | Order::GreaterOrEqual)
    }

    /// The operators that bound, from below and from above, the values between two bounds `least` and `greatest` for
    /// which the comparison has different results.
    pub fn between(self) -> [&'static str; 2] {
        match self {
            Order::Less | Order::GreaterOrEqual => [">=", "<"],
            Order::LessOrEqual | Order::Greater => [">", "<="],
        }
    }
}

/// What the operator compares by, if it is a comparison of built-in types that a B-tree can index.
pub fn orders(op: &OpExpr, catalog: &dyn Catalog) -> Result<Option<&'static [Order]>, Error> {
    let operator = catalog.operator(op.operator)?;
    let orders: &[Order] = match operator.name.as_str() {
        "<" => &[Order::Less],
        "<=" => &[Order::LessOrEqual],
        "=" => &[Order::GreaterOrEqual, Order::LessOrEqual],
        ">=" => &[Order::GreaterOrEqual],
        ">" => &[Order::Greater],
        _ => return Ok(None),
    };
    if operator.schema != "pg_catalog" {
        return Ok(None);
    }
    for type_oid in [operator.left, operator.right] {
        if type_oid >= FIRST_OF_INITDB || catalog.type_(type_oid)?.collation != 0 || !is_ordered(type_oid, catalog)? {
            return Ok(None);
        }
    }
    Ok(Some(orders))
}
