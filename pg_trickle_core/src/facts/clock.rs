//! The clock in a query: what reads it, and which comparisons with it a temporal filter can follow.
//!
//! `now()` is the time at which the transaction began. A comparison of a row's value with an expression of the clock
//! alone (`ts > now() - interval '1 hour'`) changes with time for the rows whose value lies between what the expression
//! was and what it is now, and for no others.

use super::order::{Order, orders};
use super::stability::settled;
use super::volatility::called;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::Fallback;
use crate::query::{Bool, BoolOp, Expr, Query, RteKind, SqlLeaf, read_view};
use crate::sql::ident::is_one_of;

/// The functions that return the time at which the transaction began.
const FUNCTIONS: &str = "now transaction_timestamp";

/// `SVFOP_LOCALTIMESTAMP_N`: the `SqlValue`s up to this one read the clock, the others the session.
const LAST_OF_CLOCK: i32 = 8;

/// A comparison of a row's value with an expression of the clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The value, an expression of columns.
    pub value: Expr,
    /// The operator between the value and the bound.
    pub order: Order,
    /// The bound, an expression of the clock.
    pub bound: Expr,
}

/// The comparisons that an expression is the conjunction of: two for `=`, one for others. `None` if the expression is
/// no such comparison.
pub fn comparisons(expr: &Expr, catalog: &dyn Catalog) -> Result<Option<Vec<Comparison>>, Error> {
    let Expr::Op(op) = expr else { return Ok(None) };
    let [left, right] = op.args.as_slice() else {
        return Ok(None);
    };
    let Some(orders) = orders(op, catalog)? else {
        return Ok(None);
    };
    let (value, bound, is_exchanged) = if is_bound(right, catalog)? {
        (left, right, false)
    } else if is_bound(left, catalog)? {
        (right, left, true)
    } else {
        return Ok(None);
    };
    if !is_value(value, catalog)? {
        return Ok(None);
    }
    let compared = orders.iter().map(|order| Comparison {
        value: value.clone(),
        order: if is_exchanged { order.exchanged() } else { *order },
        bound: bound.clone(),
    });
    Ok(Some(compared.collect()))
}

/// True for an expression of the clock alone, which is never NULL.
fn is_bound(expr: &Expr, catalog: &dyn Catalog) -> Result<bool, Error> {
    let mut result = Ok(true);
    let mut reads = false;
    expr.for_each(&mut |node| {
        if matches!(result, Ok(true)) {
            result = reads_clock(node, catalog).and_then(|is_clock| {
                reads |= is_clock;
                Ok(is_clock || never_null(node, catalog)?)
            });
        }
    });
    if !result? || !reads {
        return Ok(false);
    }
    let mut error = None;
    let given = expr.transform(&mut |node| match reads_clock(node, catalog) {
        Ok(true) => Some(SqlLeaf::text(String::new(), node.type_oid(), node.typmod(), 0)),
        Ok(false) => None,
        Err(found) => {
            error.get_or_insert(found);
            None
        }
    });
    error.map_or(Ok(()), Err)?;
    is_settled(&given, catalog)
}

/// True if the node is not NULL unless something below it is. Built-in operators are strict.
fn never_null(node: &Expr, catalog: &dyn Catalog) -> Result<bool, Error> {
    Ok(match node {
        Expr::Const(constant) => !constant.is_null,
        Expr::Func(call) => {
            let function = catalog.function(call.function)?;
            function.schema == "pg_catalog" && function.strict && !call.returns_set
        }
        Expr::Op(op) => catalog.operator(op.operator)?.schema == "pg_catalog",
        Expr::NamedArg(_) | Expr::Relabel(_) | Expr::CoerceViaIo(_) | Expr::MinMax(_) | Expr::Coalesce(_) => true,
        _ => false,
    })
}

/// True if an expression is NULL where one of its columns is.
pub fn is_strict(expr: &Expr, catalog: &dyn Catalog) -> Result<bool, Error> {
    let mut result = Ok(true);
    expr.for_each(&mut |node| {
        if matches!(result, Ok(true)) {
            result = match node {
                Expr::Var(_) | Expr::Const(_) | Expr::Relabel(_) | Expr::CoerceViaIo(_) => Ok(true),
                Expr::Func(_) | Expr::Op(_) => never_null(node, catalog),
                _ => Ok(false),
            };
        }
    });
    result
}

/// True for an expression of columns of this query level that changes only with them.
fn is_value(expr: &Expr, catalog: &dyn Catalog) -> Result<bool, Error> {
    let mut has_column = false;
    let mut is_plain = true;
    expr.for_each(&mut |node| match node {
        Expr::Var(var) => {
            has_column = true;
            is_plain &= var.levels_up == 0 && var.attno > 0;
        }
        Expr::Func(call) => is_plain &= !call.returns_set,
        Expr::Aggref(_) | Expr::Window(_) | Expr::Grouping(_) | Expr::SubLink(_) | Expr::Param(_) => is_plain = false,
        _ => {}
    });
    Ok(has_column && is_plain && is_settled(expr, catalog)?)
}

fn is_settled(expr: &Expr, catalog: &dyn Catalog) -> Result<bool, Error> {
    match settled(expr, catalog) {
        Ok(()) => Ok(true),
        Err(Fallback::Error(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// True if the node itself reads the clock.
pub fn reads_clock(node: &Expr, catalog: &dyn Catalog) -> Result<bool, Error> {
    Ok(match node {
        Expr::SqlValue(value) => value.op <= LAST_OF_CLOCK,
        Expr::Func(call) => {
            let function = catalog.function(call.function)?;
            function.schema == "pg_catalog" && is_one_of(&function.name, FUNCTIONS)
        }
        _ => false,
    })
}

/// All comparisons with the clock directly in this query, each once.
pub fn compared(query: &Query, catalog: &dyn Catalog) -> Result<Vec<(Expr, Vec<Comparison>)>, Error> {
    let mut found: Vec<(Expr, Vec<Comparison>)> = Vec::new();
    let mut result = Ok(());
    query.for_each_expr(&mut |expr| {
        expr.for_each(&mut |node| {
            if result.is_err() || !matches!(node, Expr::Op(_)) || found.iter().any(|(known, _)| known == node) {
                return;
            }
            match comparisons(node, catalog) {
                Ok(Some(comparisons)) => found.push((node.clone(), comparisons)),
                Ok(None) => {}
                Err(error) => result = Err(error),
            }
        });
    });
    result.map(|()| found)
}

/// True if time alone can change the result of a query: it, or a view that it reads, reads the clock, or calls a stable
/// function that may do so.
pub fn is_followed(query: &Query, catalog: &dyn Catalog) -> Result<bool, Error> {
    let mut result = Ok(false);
    query.for_each_query(&mut |level| {
        level.for_each_expr(&mut |expr| {
            expr.for_each(&mut |node| {
                if matches!(result, Ok(false)) {
                    result = may_read_clock(node, catalog);
                }
            });
        });
        for rte in &level.rtable {
            if let RteKind::Relation {
                relid, relkind: 'v', ..
            } = rte.kind
                && matches!(result, Ok(false))
            {
                let view = catalog.view_tree(relid).and_then(|tree| read_view(&tree));
                result = view.and_then(|view| is_followed(&view, catalog));
            }
        }
    });
    result
}

fn may_read_clock(node: &Expr, catalog: &dyn Catalog) -> Result<bool, Error> {
    if reads_clock(node, catalog)? {
        return Ok(true);
    }
    for oid in called(node, catalog)? {
        let function = catalog.function(oid)?;
        let of_clock = is_one_of(&function.name, "age statement_timestamp");
        if function.volatility == 's' && (function.schema != "pg_catalog" || of_clock) && !is_settled(node, catalog)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Replaces what reads the clock, in the query and all queries in it, by the moment, a `timestamptz` as SQL. Views that
/// read the clock become subqueries.
pub fn replace(query: &mut Query, moment: &str, catalog: &dyn Catalog) -> Result<(), Error> {
    let mut result = Ok(());
    query.for_each_expr_mut(&mut |expr| in_expr(expr, moment, catalog, &mut result));
    result?;
    for rte in &mut query.rtable {
        if let RteKind::Relation {
            relid, relkind: 'v', ..
        } = rte.kind
        {
            let view = read_view(&catalog.view_tree(relid)?)?;
            if is_followed(&view, catalog)? && !catalog.is_foreign_view(relid)? {
                rte.kind = RteKind::Subquery(Box::new(view));
                rte.inh = false;
            }
        }
        if let RteKind::Subquery(subquery) = &mut rte.kind {
            replace(subquery, moment, catalog)?;
        }
    }
    for cte in &mut query.ctes {
        replace(&mut cte.query, moment, catalog)?;
    }
    Ok(())
}

fn in_expr(expr: &mut Expr, moment: &str, catalog: &dyn Catalog, result: &mut Result<(), Error>) {
    if result.is_err() {
        return;
    }
    match as_of(expr, moment, catalog) {
        Ok(Some(replaced)) => {
            *expr = replaced;
            return;
        }
        Ok(None) => {}
        Err(error) => *result = Err(error),
    }
    if let Expr::SubLink(sublink) = expr
        && result.is_ok()
    {
        *result = replace(&mut sublink.query, moment, catalog);
    }
    expr.for_each_child_mut(&mut |child| in_expr(child, moment, catalog, result));
}

/// What a node that reads the clock is at a moment.
fn as_of(node: &Expr, moment: &str, catalog: &dyn Catalog) -> Result<Option<Expr>, Error> {
    let sql = match node {
        Expr::SqlValue(value) if value.op <= LAST_OF_CLOCK => {
            format!("{moment}::{}", catalog.type_sql(value.type_oid, value.typmod)?)
        }
        Expr::Func(call) => {
            let function = catalog.function(call.function)?;
            let is_clock = is_one_of(&function.name, FUNCTIONS) || function.name == "statement_timestamp";
            if function.schema != "pg_catalog" {
                return Ok(None);
            } else if is_clock {
                moment.to_owned()
            } else if function.name == "age" && call.args.len() == 1 {
                // The age at the midnight that the moment's day began with.
                return Ok(Some(Expr::Sql(SqlLeaf {
                    parts: vec![
                        format!(
                            "pg_catalog.age({moment}::pg_catalog.date::{}, ",
                            catalog.type_sql(call.args[0].type_oid(), -1)?
                        ),
                        ")".to_owned(),
                    ],
                    args: call.args.clone(),
                    type_oid: call.type_oid,
                    typmod: -1,
                    collation: 0,
                })));
            } else {
                return Ok(None);
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(SqlLeaf::text(sql, node.type_oid(), node.typmod(), 0)))
}

/// The conjunction of conditions.
pub fn all(mut conditions: Vec<Expr>) -> Option<Expr> {
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(Expr::Bool(Bool {
            op: BoolOp::And,
            args: conditions,
        })),
    }
}
