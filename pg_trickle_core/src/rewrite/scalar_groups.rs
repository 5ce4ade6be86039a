//! A correlated scalar aggregate as a grouped subquery, joined on its key.
//!
//! `(SELECT sum(y) FROM b WHERE b.k = a.k)` is `q.s` of `a LEFT JOIN (SELECT k, sum(y) AS s FROM b GROUP BY k) q ON q.k =
//! a.k`. Where there is no group, the outer join gives NULL, which is what these aggregates return for no rows; count
//! returns 0 instead.
//!
//! A lateral subquery in FROM that aggregates like this has exactly one row for each row that it is joined to, so it is
//! joined in the same way.
//!
//! The groups are a stage, so a changed row of `b` costs one stored group, and the rows of `a` with its key.
//! Source: unnesting after Kim, "On optimizing an SQL-like nested query", 1982, with the outer join of Ganski, Wong, 1987.

use super::keyed_groups::{inside, outer};
use crate::catalog::Catalog;
use crate::facts::fallback::Fallback;
use crate::facts::join_tree::index;
use crate::facts::linear_block::conjuncts;
use crate::facts::shape::{aggregates_whole_input, has_sublink, is_grouped};
use crate::oids::{INT2, INT4, INT8};
use crate::query::{
    Expr, FromItem, JoinExpr, JoinKind, List, OpExpr, Query, Rte, RteKind, SortGroup, SqlLeaf, SubLinkKind, Target,
    Var, attno, varno,
};
use crate::stages::graph::StageGraph;

/// A subquery as groups.
struct Groups {
    /// The subquery, as it was written.
    sublink: Query,
    /// The same, with comparisons of keys only.
    keyed: Query,
    /// The groups: keys, then aggregates.
    query: Query,
    /// For each key, the value of the enclosing query that it equals.
    given: Vec<Given>,
}

/// `key = value`, or the reverse.
struct Given {
    value: Expr,
    equality: OpExpr,
    key_is_left: bool,
}

/// Joins the correlated aggregates in WHERE, and in the select list of a query that does not group.
pub fn join(query: &mut Query, graph: &StageGraph) -> Result<(), Fallback> {
    if query.from.is_empty() {
        return Ok(());
    }
    let mut found: Vec<Groups> = Vec::new();
    let first = varno(query.rtable.len())?;
    if query.has_sublinks {
        let around = query.clone();
        let quals = match &mut query.quals {
            Some(Expr::Bool(and)) if and.is_and() => and.args.as_mut_slice(),
            quals => quals.as_mut_slice(),
        };
        for condition in quals {
            take(condition, &mut found, first, Some(&around), graph)?;
        }
        if !is_grouped(query) {
            for target in &mut query.targets {
                take(&mut target.expr, &mut found, first, Some(&around), graph)?;
            }
        }
    }
    lateral(query, &mut found, first, graph)?;
    for groups in found {
        let joined = varno(query.rtable.len())?;
        let mut conditions = Vec::new();
        for (n, given) in groups.given.into_iter().enumerate() {
            let key = column(&groups.query.targets[n].expr, joined, n)?;
            conditions.push(Expr::Op(OpExpr {
                args: if given.key_is_left {
                    vec![key, given.value]
                } else {
                    vec![given.value, key]
                },
                ..given.equality
            }));
        }
        let names = groups.query.visible_targets().filter_map(|target| target.name.clone());
        let names = names.collect();
        query
            .rtable
            .push(Rte::new(RteKind::Subquery(Box::new(groups.query)), "groups", names));
        let left = std::mem::take(&mut query.from)
            .into_iter()
            .reduce(|left, right| pair(JoinKind::Inner, left, right, None));
        let quals = if conditions.len() == 1 {
            conditions.pop()
        } else {
            Some(Expr::and(conditions))
        };
        if let Some(left) = left {
            query
                .from
                .push(pair(JoinKind::Left, left, FromItem::Rel(joined), quals));
        }
    }
    Ok(())
}

fn pair(kind: JoinKind, left: FromItem, right: FromItem, quals: Option<Expr>) -> FromItem {
    FromItem::Join(Box::new(JoinExpr {
        kind,
        natural: false,
        left,
        right,
        using: Vec::new(),
        using_alias: None,
        quals,
        alias: None,
        alias_columns: Vec::new(),
        rtindex: 0,
    }))
}

/// A column of the groups.
fn column(like: &Expr, joined: i32, n: usize) -> Result<Expr, Fallback> {
    Ok(Var::like(like, joined, attno(n)?))
}

fn take(
    expr: &mut Expr,
    found: &mut Vec<Groups>,
    first: i32,
    around: Option<&Query>,
    graph: &StageGraph,
) -> Result<(), Fallback> {
    if let Expr::SubLink(sublink) = expr {
        if sublink.kind != SubLinkKind::Expr || sublink.query.visible_targets().count() != 1 {
            return Ok(());
        }
        let known = found.iter().position(|groups| groups.sublink == sublink.query);
        let position = match known {
            Some(position) => position,
            None => {
                let Some(groups) = groups(&sublink.query, around, graph)? else {
                    return Ok(());
                };
                for given in &groups.given {
                    if let Expr::Var(var) = &given.value
                        && let Some(around) = around
                        && is_key_of_first_rows(around, var, graph)?
                    {
                        return Ok(());
                    }
                }
                found.push(groups);
                found.len() - 1
            }
        };
        let joined = first + i32::try_from(position).unwrap_or_default();
        if let Some(value) = values(&found[position], joined, graph)?.pop() {
            *expr = value;
        }
        return Ok(());
    }
    // What may not be computed for a row is not joined to it by anything but keys.
    let around = around.filter(|_| !matches!(expr, Expr::Case(_) | Expr::Coalesce(_) | Expr::Bool(_)));
    let mut result = Ok(());
    expr.for_each_child_mut(&mut |child| {
        if result.is_ok() {
            result = take(child, found, first, around, graph);
        }
    });
    result
}

/// True if a column is the key of a table of which the query reads first rows. What belongs to them is read with them:
/// the groups of all other rows of the table would be kept up to date for nobody.
fn is_key_of_first_rows(query: &Query, var: &Var, graph: &StageGraph) -> Result<bool, Fallback> {
    let Some(RteKind::Subquery(rows)) = query.rte(var.varno).map(|rte| &rte.kind) else {
        return Ok(false);
    };
    let Some(Expr::Var(own)) = rows.targets.get(index(var.attno.into())).map(|target| &target.expr) else {
        return Ok(false);
    };
    let Some(relid) = rows.table(own.varno).filter(|_| rows.limit_count.is_some()) else {
        return Ok(false);
    };
    Ok(own.levels_up == 0 && graph.relation(relid)?.keys.iter().any(|key| key.columns == [own.attno]))
}

/// The values of the subquery's columns, over the columns of its groups.
fn values(groups: &Groups, joined: i32, graph: &StageGraph) -> Result<Vec<Expr>, Fallback> {
    let value = |target: &Target| {
        let mut failed = None;
        let value = lowered(&target.expr).transform(&mut |node| {
            if !matches!(node, Expr::Aggref(_)) {
                return None;
            }
            let n = groups.query.targets.iter().position(|target| target.expr == *node)?;
            match over_groups(node, joined, n, graph) {
                Ok(value) => Some(value),
                Err(why) => {
                    failed = Some(why);
                    None
                }
            }
        });
        failed.map_or(Ok(value), Err)
    };
    groups.keyed.visible_targets().map(value).collect()
}

/// Takes the lateral subqueries in FROM that aggregate the rows of a key.
fn lateral(query: &mut Query, found: &mut Vec<Groups>, first: i32, graph: &StageGraph) -> Result<(), Fallback> {
    let entries = query.rtable.len();
    for position in 0..entries {
        let own = varno(position)?;
        let RteKind::Subquery(subquery) = &query.rtable[position].kind else {
            continue;
        };
        if !query.rtable[position].lateral {
            continue;
        }
        let subquery = (**subquery).clone();
        let mut others = query.clone();
        others.rtable[position].kind = RteKind::Result;
        let mut is_read = query.from.iter().any(|item| decides_elsewhere(item, own));
        let mut whole = false;
        others.replace_vars(&mut |var| {
            whole |= var.varno == own && var.attno <= 0;
            None
        });
        for rte in others.rtable.iter().filter(|rte| rte.lateral) {
            Query::over(rte.clone()).replace_vars(&mut |var| {
                is_read |= var.varno == own;
                None
            });
        }
        if is_read || whole {
            continue;
        }
        let Some(groups) = groups(&subquery, Some(query), graph)? else {
            continue;
        };
        let mut condition = None;
        let listed = query.from.iter().position(|item| *item == FromItem::Rel(own));
        let is_taken = match listed {
            Some(place) if query.from.len() > 1 => {
                query.from.remove(place);
                true
            }
            Some(_) => false,
            None => query.from.iter_mut().any(|item| without(item, own, &mut condition)),
        };
        if !is_taken {
            continue;
        }
        if let Some(condition) = condition {
            query.add_qual(condition);
        }
        found.push(groups);
        let groups = &found[found.len() - 1];
        let joined = first + i32::try_from(found.len() - 1).unwrap_or_default();
        let values = values(groups, joined, graph)?;
        query.rtable[position].kind = RteKind::Result;
        query.replace_vars(&mut |var| {
            let column = usize::try_from(var.attno).ok()?.checked_sub(1)?;
            (var.varno == own).then(|| values.get(column).cloned())?
        });
    }
    Ok(())
}

/// True if a join reads a table in its condition that is not the join of that table itself.
fn decides_elsewhere(item: &FromItem, table: i32) -> bool {
    let FromItem::Join(join) = item else { return false };
    let reads = |node: &Expr| matches!(node, Expr::Var(var) if var.varno == table);
    join.right != FromItem::Rel(table)
        && join
            .quals
            .as_ref()
            .is_some_and(|quals| quals.any(&mut |node| reads(node)))
        || decides_elsewhere(&join.left, table)
        || decides_elsewhere(&join.right, table)
}

/// Removes a table from the preserved side of a FROM item, if it is joined to all rows there. `condition` is what must
/// hold for the rows that remain.
fn without(item: &mut FromItem, table: i32, condition: &mut Option<Expr>) -> bool {
    let FromItem::Join(join) = item else { return false };
    let is_here = join.right == FromItem::Rel(table);
    match join.kind {
        JoinKind::Inner if is_here => *condition = join.quals.take(),
        JoinKind::Left if is_here && is_true(join.quals.as_ref()) => {}
        JoinKind::Inner => {
            return without(&mut join.left, table, condition) || without(&mut join.right, table, condition);
        }
        JoinKind::Left => return without(&mut join.left, table, condition),
        JoinKind::Right => return without(&mut join.right, table, condition),
        JoinKind::Full => return false,
    }
    let left = join.left.clone();
    *item = left;
    true
}

fn is_true(condition: Option<&Expr>) -> bool {
    match condition {
        None => true,
        Some(Expr::Const(constant)) => !constant.is_null && constant.int4().is_some_and(|value| value & 0xff != 0),
        Some(_) => false,
    }
}

fn over_groups(call: &Expr, joined: i32, n: usize, graph: &StageGraph) -> Result<Expr, Fallback> {
    let own = column(call, joined, n)?;
    let Expr::Aggref(aggregate) = call else { return Ok(own) };
    let name = graph.function(aggregate.function)?.name;
    Ok(if counts(&name) {
        let zero = SqlLeaf::text("0::pg_catalog.int8".to_owned(), INT8, -1, 0);
        Expr::Coalesce(List {
            type_oid: INT8,
            collation: 0,
            args: vec![own, zero],
        })
    } else {
        own
    })
}

/// The aggregates that return 0 for no rows; the other built-in ones return NULL.
fn counts(name: &str) -> bool {
    name == "count" || name == "regr_count"
}

/// An expression of the subquery, one level up.
fn lowered(expr: &Expr) -> Expr {
    expr.transform(&mut |node| match node {
        Expr::Var(var) if var.levels_up > 0 => Some(Expr::Var(Var {
            levels_up: var.levels_up - 1,
            ..var.clone()
        })),
        // Its arguments are of the subquery's own level.
        Expr::Aggref(_) => Some(node.clone()),
        _ => None,
    })
}

/// The groups of a subquery that aggregates the rows that match one of the query `around` it; without that, only those with its
/// key.
fn groups(query: &Query, around: Option<&Query>, graph: &StageGraph) -> Result<Option<Groups>, Fallback> {
    if !aggregates_whole_input(query) || !query.ctes.is_empty() {
        return Ok(None);
    }
    let mut compared = Vec::new();
    for condition in conjuncts(query.quals.as_ref()) {
        if equality(&condition, graph)?.is_none() {
            compared.extend(outer(&condition));
        }
    }
    for target in query.visible_targets() {
        target.expr.for_each(&mut |node| {
            if matches!(node, Expr::Aggref(_)) {
                compared.extend(outer(node));
            }
        });
    }
    let keyed = match compared.as_slice() {
        [] => Some(query.clone()),
        [table, others @ ..] if others.iter().all(|other| other == table) => match around {
            Some(around) => inside(query, *table, around, graph)?,
            None => None,
        },
        _ => None,
    };
    match keyed {
        Some(keyed) => by_keys(query, keyed, graph),
        None => Ok(None),
    }
}

/// The groups of the subquery `sublink`, of which `query` compares keys only.
fn by_keys(sublink: &Query, query: Query, graph: &StageGraph) -> Result<Option<Groups>, Fallback> {
    for target in query.visible_targets() {
        if has_sublink(&target.expr) || !only_aggregates(&target.expr, graph)? {
            return Ok(None);
        }
    }
    let mut rest = Vec::new();
    let mut keys: Vec<Expr> = Vec::new();
    let mut given = Vec::new();
    for condition in conjuncts(query.quals.as_ref()) {
        match equality(&condition, graph)? {
            Some((key, own)) => {
                keys.push(key);
                given.push(own);
            }
            None => rest.push(condition),
        }
    }
    if keys.is_empty() {
        return Ok(None);
    }
    let mut calls: Vec<Expr> = Vec::new();
    for target in query.visible_targets() {
        target.expr.for_each(&mut |node| {
            if matches!(node, Expr::Aggref(_)) && !calls.contains(node) {
                calls.push(node.clone());
            }
        });
    }
    let mut grouped = query.rows();
    grouped.quals = None;
    grouped.has_aggs = true;
    rest.into_iter().for_each(|condition| grouped.add_qual(condition));
    for (n, expr) in keys.iter().chain(&calls).enumerate() {
        let is_key = n < keys.len();
        let target_ref = if is_key { u32::from(attno(n)?.unsigned_abs()) } else { 0 };
        grouped.push_column(expr.clone(), target_ref)?;
        if is_key {
            grouped.group.push(SortGroup::by(target_ref));
        }
    }
    Ok((!grouped.is_correlated()).then(|| Groups {
        sublink: sublink.clone(),
        keyed: query,
        query: grouped,
        given,
    }))
}

/// True if an expression has no column of its own level outside of built-in aggregates, whose result for no rows is known.
fn only_aggregates(expr: &Expr, graph: &StageGraph) -> Result<bool, Fallback> {
    Ok(match expr {
        Expr::Aggref(call) => {
            let known =
                graph.function(call.function)?.schema == "pg_catalog" && call.kind != 'h' && call.levels_up == 0;
            known && !expr.any(&mut |node| matches!(node, Expr::Var(var) if var.levels_up > 0))
        }
        Expr::Var(var) => var.levels_up == 1,
        Expr::JsonConstructor(_) | Expr::Grouping(_) => false,
        _ => {
            let mut children = Vec::new();
            expr.for_each_child(&mut |child| children.push(child));
            for child in children {
                if !only_aggregates(child, graph)? {
                    return Ok(false);
                }
            }
            true
        }
    })
}

/// For a condition that a column of the subquery equals a value of the enclosing query: the column, and the rest.
fn equality(condition: &Expr, graph: &StageGraph) -> Result<Option<(Expr, Given)>, Fallback> {
    let Expr::Op(op) = condition else { return Ok(None) };
    let [left, right] = op.args.as_slice() else {
        return Ok(None);
    };
    let levels = |expr: &Expr| {
        let mut found = Vec::new();
        expr.for_each(&mut |node| {
            if let Expr::Var(var) = node {
                found.push(var.levels_up);
            }
        });
        found
    };
    let is_own = |expr: &Expr| !has_sublink(expr) && !levels(expr).is_empty() && levels(expr).iter().all(|up| *up == 0);
    let is_outer =
        |expr: &Expr| !has_sublink(expr) && !levels(expr).is_empty() && levels(expr).iter().all(|up| *up == 1);
    let (key, outer) = if is_own(left) && is_outer(right) {
        (left, right)
    } else if is_own(right) && is_outer(left) {
        (right, left)
    } else {
        return Ok(None);
    };
    let operator = graph.operator(op.operator)?;
    let integer = |type_oid: u32| [INT2, INT4, INT8].contains(&type_oid);
    // At most one group must equal a value.
    let same = key.type_oid() == outer.type_oid()
        && graph
            .default_equality(key.type_oid())?
            .is_some_and(|default| default.equality.oid == op.operator)
        && (op.input_collation == 0 || op.input_collation == key.collation());
    let integers =
        operator.schema == "pg_catalog" && operator.name == "=" && integer(operator.left) && integer(operator.right);
    if !same && !integers {
        return Ok(None);
    }
    Ok(Some((
        key.clone(),
        Given {
            value: lowered(outer),
            equality: op.clone(),
            key_is_left: key == left,
        },
    )))
}
