//! `SELECT DISTINCT k, max(x) OVER (PARTITION BY k)` is `SELECT k, max(x) .. GROUP BY k`: aggregates over whole partitions
//! are the same in all rows of a partition, and DISTINCT keeps one of these.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::shape::is_grouped;
use crate::query::{Aggref, Expr, Query, Target, Window, WindowFunc, attno, frame};
use crate::sql::ident::is_one_of;

/// Aggregates whose result does not depend on the order of their input.
const UNORDERED: &str = "count sum avg min max bool_and bool_or every";

/// The query with GROUP BY in place of windows, if it is such a query.
pub fn as_groups(query: &Query, catalog: &dyn Catalog) -> Result<Option<Query>, Error> {
    let Some(first) = query.windows.first() else {
        return Ok(None);
    };
    let keys: Vec<&Expr> = query.referred(&first.partition).collect();
    let is_whole = |window: &Window| {
        window.partition == first.partition && window.order.is_empty() && window.frame_options & frame::NONDEFAULT == 0
    };
    if query.distinct.is_empty()
        || query.distinct_on
        || is_grouped(query)
        || query.has_target_srfs
        || query.has_sublinks
        || keys.is_empty()
        || !query.windows.iter().all(is_whole)
    {
        return Ok(None);
    }
    let mut grouped = query.clone();
    let mut failure = None;
    for target in &mut grouped.targets {
        target.expr = target.expr.transform(&mut |node| match node {
            _ if keys.contains(&node) => Some(node.clone()),
            Expr::Window(call) => aggregate(call, catalog).unwrap_or_else(|error| {
                failure = Some(error);
                None
            }),
            _ => None,
        });
    }
    if let Some(error) = failure {
        return Err(error);
    }
    let is_left = |target: &Target| {
        let mut outside = false;
        let _ = target.expr.transform(&mut |node| {
            outside |= matches!(node, Expr::Var(_) | Expr::Window(_)) && !keys.contains(&node);
            (keys.contains(&node) || matches!(node, Expr::Aggref(_))).then(|| node.clone())
        });
        outside
    };
    if grouped.targets.iter().any(is_left) {
        return Ok(None);
    }
    let shown: Vec<&Expr> = query.visible_targets().map(|target| &target.expr).collect();
    if keys.iter().all(|key| shown.contains(key)) {
        grouped.distinct.clear();
    }
    grouped.group.clone_from(&first.partition);
    grouped.windows.clear();
    grouped.has_windows = false;
    grouped.has_aggs = true;
    Ok(Some(grouped))
}

/// The aggregate that a window function is over its whole partition.
fn aggregate(call: &WindowFunc, catalog: &dyn Catalog) -> Result<Option<Expr>, Error> {
    let function = catalog.function(call.function)?;
    if !call.is_agg || function.schema != "pg_catalog" || !is_one_of(&function.name, UNORDERED) {
        return Ok(None);
    }
    let arg = |(n, expr): (usize, &Expr)| {
        Ok(Target {
            expr: expr.clone(),
            name: None,
            resno: attno(n)?,
            ressortgroupref: 0,
            junk: false,
        })
    };
    Ok(Some(Expr::Aggref(Box::new(Aggref {
        function: call.function,
        type_oid: call.type_oid,
        collation: call.collation,
        input_collation: call.input_collation,
        arg_types: call.args.iter().map(Expr::type_oid).collect(),
        direct_args: Vec::new(),
        args: call.args.iter().enumerate().map(arg).collect::<Result<_, Error>>()?,
        order: Vec::new(),
        distinct: Vec::new(),
        filter: call.filter.clone(),
        star: call.star,
        variadic: false,
        kind: 'n',
        levels_up: 0,
    }))))
}
