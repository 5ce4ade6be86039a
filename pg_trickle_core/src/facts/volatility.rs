//! Which functions a query calls, and what that means for its maintenance.
//!
//! A volatile function, or a sample that cannot be repeated, leaves the query without a defined result over time, so
//! the query is refused. [`super::stability`] says what other functions depend on.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::plan::Oid;
use crate::query::{Expr, Query, RteKind};
use crate::sql::ident::quote_ident;

/// The functions that this expression node itself calls.
pub fn called(node: &Expr, catalog: &dyn Catalog) -> Result<Vec<Oid>, Error> {
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

/// Fails if the query, its subqueries or the views it reads call a volatile function, or take a sample that cannot be
/// repeated.
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
        match &rte.kind {
            RteKind::Relation {
                relid, relkind: 'v', ..
            } => refuse_volatile(&crate::query::read_view(&catalog.view_tree(*relid)?)?, catalog)?,
            RteKind::Relation {
                tablesample: Some(sample),
                ..
            } if sample.repeatable.is_none() => {
                return Err(Error::Unsupported {
                    what: format!("sample of {} without REPEATABLE", rte.name),
                    fragment: format!("{} TABLESAMPLE", quote_ident(&rte.name)),
                    hint: "It takes other rows each time, so the stream table could not stay equal to its query. \
                           Use a method that can repeat a sample: TABLESAMPLE BERNOULLI (10) REPEATABLE (1)."
                        .to_owned(),
                });
            }
            _ => {}
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

/// True if an index can be built on the expression.
pub fn is_immutable(expr: &Expr, catalog: &dyn Catalog) -> bool {
    !expr.any(&mut |node| {
        let is_immutable = |oid: &Oid| catalog.function(*oid).is_ok_and(|function| function.volatility == 'i');
        !called(node, catalog).is_ok_and(|called| called.iter().all(is_immutable))
    })
}
