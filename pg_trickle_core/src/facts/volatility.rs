//! Which functions a query calls, and what that means for its maintenance.
//!
//! A volatile function leaves the query without a defined result over time, so the query is refused. A stable function
//! is allowed in a Fold if its result depends only on its arguments and on session settings. One that reads the clock
//! or the session, or whose body may read tables, needs a full refresh.

use super::fallback::Fallback;
use crate::catalog::{Catalog, Function};
use crate::error::Error;
use crate::plan::Oid;
use crate::query::{Expr, Query, RteKind};

/// The functions that this expression node itself calls.
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

/// Fails if the query, its subqueries or the views it reads call a volatile function.
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

/// The first part of an expression whose value can change without a change to a table, if there is one.
fn unstable(expr: &Expr, catalog: &dyn Catalog) -> Result<Option<String>, Error> {
    let mut result = Ok(None);
    expr.for_each(&mut |node| {
        if matches!(result, Ok(None)) {
            result = unstable_node(node, catalog);
        }
    });
    result
}

/// True if an index can be built on the expression.
pub fn is_immutable(expr: &Expr, catalog: &dyn Catalog) -> bool {
    !expr.any(&mut |node| {
        let is_immutable = |oid: &Oid| catalog.function(*oid).is_ok_and(|function| function.volatility == 'i');
        !called(node, catalog).is_ok_and(|called| called.iter().all(is_immutable))
    })
}

/// Fails if the value of an expression can change without a change to a table.
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

/// True for the built-in stable functions that depend only on session settings such as TimeZone.
fn depends_on_arguments_only(function: &Function) -> bool {
    const OF_THE_SESSION: &str = "pg_ has_ txid_ current_ inet_ to_reg session_ obj_ col_ shobj_ row_security get";
    // age(timestamp) counts from the current date.
    let from_today = function.name == "age" && function.arg_types.len() == 1;
    let of_the_session = OF_THE_SESSION
        .split(' ')
        .any(|prefix| function.name.starts_with(prefix));
    let reads_tables = function.name.contains("_to_xml");
    function.schema == "pg_catalog" && !function.arg_types.is_empty() && !from_today && !of_the_session && !reads_tables
}
