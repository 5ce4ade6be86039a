//! Which queries can raise an error: a division by zero, a cast of a text, a second row of a scalar subquery.
//!
//! A stage may evaluate an expression for rows that the query of the stream table never meets. That only matters where it can
//! raise an error. What is listed here cannot, whatever the rows are; anything else counts as if it could.

use super::volatility::called;
use crate::catalog::{Catalog, Function};
use crate::error::Error;
use crate::oids::{FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC, TEXT};
use crate::plan::Oid;
use crate::query::{Expr, Query, RteKind, SubLinkKind};
use crate::sql::ident::is_one_of;

/// Operators of PostgreSQL's own that compare values, or look into them.
const OPERATORS: &str = "= <> < > <= >= -> ->>";

/// Its functions and aggregates.
const FUNCTIONS: &str = "\
    array_agg bool_and bool_or btrim char_length count every length lower ltrim max min octet_length rtrim string_agg \
    upper cume_dist dense_rank first_value last_value percent_rank rank row_number";

/// Its functions that raise no error for numbers, whose sums have room for all there can be.
const OF_NUMBERS: &str = "avg int4 int8 float8 numeric sum";

const NUMBERS: [Oid; 6] = [INT2, INT4, INT8, FLOAT4, FLOAT8, NUMERIC];

/// True if an expression of the query, or of a query in it, can raise an error.
pub fn may_raise(query: &Query, catalog: &dyn Catalog) -> Result<bool, Error> {
    let mut result = Ok(false);
    query.for_each_query(&mut |query| {
        let is_view = |kind: &RteKind| matches!(kind, RteKind::Relation { relkind: 'v', .. } | RteKind::TableFunc(_));
        if query.rtable.iter().any(|rte| is_view(&rte.kind)) {
            result = Ok(true);
        }
        query.for_each_expr(&mut |expr| {
            expr.for_each(&mut |node| {
                if matches!(result, Ok(false)) {
                    result = node_may_raise(node, catalog);
                }
            });
        });
    });
    result
}

/// True if an expression can raise an error, or a query in it.
pub fn expr_may_raise(expr: &Expr, catalog: &dyn Catalog) -> Result<bool, Error> {
    let mut result = Ok(false);
    expr.for_each(&mut |node| {
        if matches!(result, Ok(false)) {
            result = match node {
                Expr::SubLink(sublink) => may_raise(&sublink.query, catalog),
                _ => Ok(false),
            };
        }
        if matches!(result, Ok(false)) {
            result = node_may_raise(node, catalog);
        }
    });
    result
}

/// True if this node alone can raise an error.
pub fn node_may_raise(node: &Expr, catalog: &dyn Catalog) -> Result<bool, Error> {
    match node {
        Expr::Var(_)
        | Expr::Const(_)
        | Expr::Param(_)
        | Expr::Grouping(_)
        | Expr::Bool(_)
        | Expr::Relabel(_)
        | Expr::Collate(_)
        | Expr::Case(_)
        | Expr::CaseTest(..)
        | Expr::Coalesce(_)
        | Expr::MinMax(_)
        | Expr::NullTest(_)
        | Expr::BooleanTest(_)
        | Expr::Row(_)
        | Expr::FieldSelect(_)
        | Expr::SqlValue(_) => Ok(false),
        Expr::SubLink(sublink) => Ok(!matches!(
            sublink.kind,
            SubLinkKind::Exists | SubLinkKind::Any | SubLinkKind::All | SubLinkKind::Array
        )),
        Expr::Op(e) | Expr::Distinct(e) | Expr::NullIf(e) => operator_may_raise(e.operator, e.type_oid, catalog),
        Expr::ScalarArrayOp(e) => operator_may_raise(e.operator, 0, catalog),
        Expr::Func(_) | Expr::Aggref(_) | Expr::Window(_) => {
            for function in called(node, catalog)? {
                if function_may_raise(&catalog.function(function)?) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Ok(true),
    }
}

fn operator_may_raise(operator: Oid, result: Oid, catalog: &dyn Catalog) -> Result<bool, Error> {
    let operator = catalog.operator(operator)?;
    let joins_texts = operator.name == "||" && result == TEXT;
    Ok(operator.schema != "pg_catalog" || !joins_texts && !is_one_of(&operator.name, OPERATORS))
}

fn function_may_raise(function: &Function) -> bool {
    let of_numbers = is_one_of(&function.name, OF_NUMBERS)
        && function.arg_types.len() == 1
        && widens(&function.arg_types, function.result, function.kind);
    function.schema != "pg_catalog" || !of_numbers && !is_one_of(&function.name, FUNCTIONS)
}

/// An aggregate of numbers, or a cast to a type that can hold all values of the other.
fn widens(from: &[Oid], to: Oid, kind: char) -> bool {
    let size = |oid: &Oid| NUMBERS.iter().position(|number| number == oid);
    match from.first().and_then(size) {
        Some(_) if kind == 'a' => true,
        Some(from) => size(&to).is_some_and(|to| from < to) && to != FLOAT4,
        None => false,
    }
}
