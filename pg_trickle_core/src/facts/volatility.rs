//! Which functions a query calls, and what that means for its maintenance.
//!
//! A volatile function gives the query no defined result over time: refused. A stable function is folded when its
//! result depends on its arguments and on session settings only; one that reads the clock or the session, or whose
//! body may read tables, is left to Rebuild.

use super::fallback::Fallback;
use crate::catalog::{Catalog, Function};
use crate::error::Error;
use crate::plan::Oid;
use crate::query::{Expr, Query, RteKind};

/// The functions that an expression node calls by itself.
fn called(node: &Expr, catalog: &dyn Catalog) -> Result<Vec<Oid>, Error> {
    Ok(match node {
        Expr::Func(e) => vec![e.function],
        Expr::Aggref(e) => vec![e.function],
        Expr::Window(e) => vec![e.function],
        Expr::Op(e) | Expr::Distinct(e) | Expr::NullIf(e) => vec![catalog.operator(e.operator)?.function],
        Expr::ScalarArrayOp(e) => vec![catalog.operator(e.operator)?.function],
        Expr::RowCompare(e) => e
            .operators
            .iter()
            .map(|operator| Ok(catalog.operator(*operator)?.function))
            .collect::<Result<_, Error>>()?,
        _ => Vec::new(),
    })
}

/// Fails if a volatile function is called anywhere in the query, its subqueries or the views it reads.
pub fn refuse_volatile(query: &Query, catalog: &dyn Catalog) -> Result<(), Error> {
    let mut result = Ok(());
    query.for_each_query(&mut |query| {
        if result.is_ok() {
            result = refuse_in(query, catalog);
        }
    });
    result
}

fn refuse_in(query: &Query, catalog: &dyn Catalog) -> Result<(), Error> {
    let mut result = Ok(());
    query.for_each_expr(&mut |expr| {
        expr.for_each(&mut |node| {
            if result.is_ok() {
                result = refuse_node(node, catalog);
            }
        });
    });
    result?;
    for rte in &query.rtable {
        if let RteKind::Relation {
            relid, relkind: 'v', ..
        } = &rte.kind
        {
            let view = crate::query::read_view(&catalog.view_tree(*relid)?)?;
            refuse_volatile(&view, catalog)?;
        }
    }
    Ok(())
}

fn refuse_node(node: &Expr, catalog: &dyn Catalog) -> Result<(), Error> {
    for oid in called(node, catalog)? {
        let function = catalog.function(oid)?;
        if function.volatility == 'v' {
            return Err(Error::Unsupported {
                what: format!("volatile function {}()", function.name),
                fragment: format!("{}()", function.name),
                hint: "Its result changes from call to call, so the stream table could not stay equal to its query. \
                       Store the value in a column of a source, or compute it when reading the stream table."
                    .to_owned(),
            });
        }
    }
    Ok(())
}

/// The part of an expression that keeps it from being folded, if there is one.
fn unstable(expr: &Expr, catalog: &dyn Catalog) -> Result<Option<String>, Error> {
    let mut result = Ok(None);
    expr.for_each(&mut |node| {
        if matches!(result, Ok(None)) {
            result = unstable_node(node, catalog);
        }
    });
    result
}

/// Whether an index can hold the expression.
pub fn is_immutable(expr: &Expr, catalog: &dyn Catalog) -> bool {
    !expr.any(&mut |node| {
        let is_immutable = |oid: &Oid| catalog.function(*oid).is_ok_and(|function| function.volatility == 'i');
        !called(node, catalog).is_ok_and(|called| called.iter().all(is_immutable))
    })
}

/// Fails where an expression can change its value without a change of a table.
pub fn settled(expr: &Expr, catalog: &dyn Catalog) -> Result<(), Fallback> {
    unstable(expr, catalog)?.map_or(Ok(()), |what| Err(Fallback::Whole(what)))
}

/// The same for all expressions of a query, and of the queries in it.
pub fn settled_query(query: &Query, catalog: &dyn Catalog) -> Result<(), Fallback> {
    let mut result = Ok(());
    query.for_each_query(&mut |query| {
        query.for_each_expr(&mut |expr| {
            if result.is_ok() {
                result = settled(expr, catalog);
            }
        });
    });
    result
}

fn unstable_node(node: &Expr, catalog: &dyn Catalog) -> Result<Option<String>, Error> {
    if matches!(node, Expr::SqlValue(_)) {
        return Ok(Some("CURRENT_DATE, CURRENT_USER or the like".to_owned()));
    }
    for oid in called(node, catalog)? {
        let function = catalog.function(oid)?;
        if function.volatility == 's' && !depends_on_arguments_only(&function) {
            return Ok(Some(format!("stable function {}()", function.name)));
        }
    }
    Ok(None)
}

/// True for the built-in stable functions that are stable only because of session settings such as TimeZone.
fn depends_on_arguments_only(function: &Function) -> bool {
    const OF_THE_SESSION: &str = "pg_ has_ txid_ current_ inet_ to_reg session_ obj_ col_ shobj_ row_security get";
    // age(timestamp) counts from today.
    let from_today = function.name == "age" && function.arg_types.len() == 1;
    let of_the_session = OF_THE_SESSION
        .split(' ')
        .any(|prefix| function.name.starts_with(prefix));
    let reads_tables = function.name.contains("_to_xml");
    function.schema == "pg_catalog" && !function.arg_types.is_empty() && !from_today && !of_the_session && !reads_tables
}
