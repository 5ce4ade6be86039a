//! Plans windows whose results are computed again only near a change.

use super::near::{Extent, HIT, Near, RID, SEEDED, going_on, seed_column};
use super::places::{Order, Place, Side, tie_break};
use super::reach::{self, Prefix, Reach};
use crate::error::Error;
use crate::facts::fallback::Fallback;
use crate::facts::linear_block::{Flat, Resolver};
use crate::facts::types::{is_pseudo, type_of};
use crate::maintain::key::KeyColumn;
use crate::maintain::rekey::Rekey;
use crate::oids::{BOOL, TID};
use crate::operators::linear::block::{Block, Part};
use crate::operators::linear::recognise::print;
use crate::operators::linear::touched::KeysOfBlocks;
use crate::query::{Expr, Query, Rte, RteKind, SortGroup, SqlLeaf, Target, Var, Window, WindowFunc, attno};
use crate::sql::statement::column;
use crate::stages::graph::StageGraph;
use crate::stages::indexes::is_small;
use crate::stages::order_index::is_descending;
use crate::stages::restricted::{Restricted, for_touched};

/// The windows of a query that can be computed near a change.
pub struct Windows {
    /// The calls, with their reach, and whether they take rows that tie as alike.
    calls: Vec<(WindowFunc, Reach, bool)>,
    /// The order of all windows, without the key of the rows.
    order: Vec<(Expr, SortGroup)>,
    /// The key of the rows.
    own: Vec<Expr>,
    /// What has to be stored beside what the query selects.
    pub kept: Vec<Expr>,
}

impl Windows {
    /// The windows of a query, if a change does not reach all rows of its partitions. `keys` are the partition's, `own`
    /// those of the rows. With them comes the query with a total order where functions depend on it.
    pub fn of(
        query: &Query,
        keys: &[Expr],
        own: &[Expr],
        graph: &StageGraph,
    ) -> Result<Option<(Self, Query)>, Fallback> {
        let Some(first) = query.windows.first() else {
            return Ok(None);
        };
        let alike = |window: &Window| window.partition == first.partition && window.order == first.order;
        if !query.windows.iter().all(alike) || first.partition.len() != keys.len() {
            return Ok(None);
        }
        let mut found: Vec<WindowFunc> = Vec::new();
        let mut kept: Vec<Expr> = Vec::new();
        for target in query.targets.iter().filter(|target| has_window(&target.expr)) {
            // What stands beside the calls in an expression is stored, too.
            let _ = target.expr.transform(&mut |node| match node {
                Expr::Window(call) => {
                    if !found.contains(call) {
                        found.push((**call).clone());
                    }
                    Some(node.clone())
                }
                Expr::Var(_) => {
                    kept.push(node.clone());
                    Some(node.clone())
                }
                _ => None,
            });
        }
        let mut order = Vec::new();
        for item in &first.order {
            let Some(target) = query.target(item.target_ref) else {
                return Ok(None);
            };
            if is_descending(item, target.expr.type_oid(), graph)?.is_none() {
                return Ok(None);
            }
            order.push((target.expr.clone(), item.clone()));
        }
        let is_total = own.iter().all(|own| order.iter().any(|(expr, _)| expr == own));
        let mut calls = Vec::new();
        for call in found {
            let Some((reach, ties)) = reach::of(&call, query, is_total, graph)? else {
                return Ok(None);
            };
            let arguments = call.args.iter().filter(|arg| !matches!(arg, Expr::Const(_)));
            kept.extend(arguments.chain(&call.filter).cloned());
            calls.push((call, reach, ties));
        }
        let is_near = |(_, reach, _): &(WindowFunc, Reach, bool)| matches!(reach, Reach::Near(..));
        let has_prefix = calls.iter().any(is_prefix);
        let is_mixed = has_prefix && calls.iter().any(is_near);
        let is_range = |(_, reach, _): &(WindowFunc, Reach, bool)| matches!(reach, Reach::Range(..));
        if calls.iter().any(is_range) && !calls.iter().all(is_range) {
            return Ok(None);
        }
        for (_, reach, _) in calls.iter_mut().filter(|_| has_prefix) {
            match reach {
                Reach::First(1) => *reach = Reach::Prefix(Prefix::First),
                Reach::First(_) | Reach::Last => return Ok(None),
                Reach::Near(..) | Reach::Range(..) | Reach::Prefix(_) => {}
            }
        }
        kept.extend(order.iter().map(|(expr, _)| expr.clone()));
        // Where one change moves most rows of a partition, their order need not be stored to find them.
        for (expr, _) in &order {
            if moves_others(expr, query, graph)? {
                return Ok(None);
            }
        }
        // The rows beside a change may begin amid rows that tie.
        if calls.is_empty() || is_mixed && !is_total && calls.iter().any(|(.., alike)| *alike) {
            return Ok(None);
        }
        for column in order.iter().map(|(expr, _)| expr).chain(keys).chain(own) {
            if !is_small(column.type_oid()) {
                return Ok(None);
            }
        }
        for column in &kept {
            if is_pseudo(type_of(column, graph)?, graph)? {
                return Ok(None);
            }
        }
        let mut windows = Windows {
            calls,
            order,
            own: own.to_vec(),
            kept,
        };
        let query = windows.settle(query, graph)?;
        let compared = windows.calls.iter().filter(|call| !is_near(call) && !is_range(call));
        let compared: Vec<Expr> = compared
            .map(|(call, ..)| Expr::Window(Box::new(call.clone())))
            .collect();
        windows.kept.extend(compared);
        Ok(Some((windows, query)))
    }

    /// The query with windows that continue their order by the key of the rows, where it is not total and functions depend
    /// on it.
    fn settle(&mut self, query: &Query, graph: &StageGraph) -> Result<Query, Fallback> {
        let mut query = query.clone();
        let rest: Vec<Expr> = self.rest().cloned().collect();
        if rest.is_empty() {
            return Ok(query);
        }
        let mut ties = Vec::new();
        for expr in &rest {
            ties.push(tie_break(query.refer(expr)?, expr, graph)?);
        }
        let by_row: Vec<u32> = self
            .calls
            .iter()
            .filter(|(.., alike)| !alike)
            .map(|(call, ..)| call.winref)
            .collect();
        let by_peers: Vec<u32> = self
            .calls
            .iter()
            .filter(|(.., alike)| *alike)
            .map(|(call, ..)| call.winref)
            .collect();
        let next = query.windows.iter().map(|window| window.winref).max().unwrap_or(0) + 1;
        let mut copies = Vec::new();
        for (window, winref) in query.windows.iter_mut().zip(next..) {
            if !by_row.contains(&window.winref) {
                continue;
            }
            let mut settled = window.clone();
            settled.order.extend(ties.iter().cloned());
            settled.name = None;
            if by_peers.contains(&window.winref) {
                settled.winref = winref;
                copies.push((window.winref, settled));
            } else {
                *window = settled;
            }
        }
        let peers: Vec<WindowFunc> = self
            .calls
            .iter()
            .filter(|(.., alike)| *alike)
            .map(|(call, ..)| call.clone())
            .collect();
        query.for_each_expr_mut(&mut |expr| move_calls(expr, &copies, &peers));
        for (call, ..) in self.calls.iter_mut().filter(|(.., alike)| !alike) {
            if let Some((_, window)) = copies.iter().find(|(winref, _)| *winref == call.winref) {
                call.winref = window.winref;
            }
        }
        query.windows.extend(copies.into_iter().map(|(_, window)| window));
        Ok(query)
    }

    /// The columns of the key that the order of the windows lacks.
    fn rest(&self) -> impl Iterator<Item = &Expr> {
        self.own
            .iter()
            .filter(|own| !self.order.iter().any(|(expr, _)| expr == *own))
    }

    /// The maintenance near a change, if the order can be searched; else that by `whole` partitions. `restricted` is the
    /// query that came with these windows, and selects `kept`.
    pub fn maintenance(
        &self,
        whole: Rekey,
        restricted: &Restricted,
        flat: &Flat,
        resolver: &Resolver,
        block: Block,
        graph: &StageGraph,
    ) -> Result<Result<Near, Rekey>, Fallback> {
        let Some(row_key) = whole.row_key.clone() else {
            return Ok(Err(whole));
        };
        let targets: Vec<&Target> = restricted.query.visible_targets().collect();
        let columns = &whole.row.columns;
        let base: Vec<usize> = (0..targets.len()).filter(|n| !has_window(&targets[*n].expr)).collect();
        let base_names: Vec<String> = base.iter().map(|n| columns[*n].clone()).collect();
        let stored = |expr: &Expr| targets.iter().position(|target| target.expr == *expr);
        let name = |expr: &Expr| {
            let position =
                stored(expr).ok_or_else(|| Error::Tree("a window argument that is not stored".to_owned()))?;
            Ok::<String, Error>(columns[position].clone())
        };
        let Some(order) = self.places(&whole.key, &name, flat, resolver, graph)? else {
            return Ok(Err(whole));
        };
        let lower = lower(restricted, &base);
        let rows = for_touched(&lower, &self.own, &row_key, graph)?;
        let calls = &self.calls;
        let near: Vec<(i64, i64)> = (calls.iter())
            .filter_map(|(_, reach, _)| match reach {
                Reach::Near(before, after) | Reach::Range(before, after) => Some((*before, *after)),
                Reach::Prefix(_) | Reach::First(_) | Reach::Last => None,
            })
            .collect();
        let beside = (
            near.iter().map(|(before, _)| *before).max().unwrap_or(0),
            near.iter().map(|(_, after)| *after).max().unwrap_or(0),
        );
        let (mut seeds, mut edges) = (Vec::new(), Vec::new());
        for (n, (call, reach, _)) in calls.iter().enumerate() {
            let stored = || name(&Expr::Window(Box::new(call.clone())));
            match reach {
                Reach::Near(..) | Reach::Range(..) => {}
                Reach::Prefix(prefix) => seeds.push((*prefix, stored()?)),
                Reach::First(most) => edges.push((Side::Before, *most, stored()?, call_column(n))),
                Reach::Last => edges.push((Side::After, 1, stored()?, call_column(n))),
            }
        }
        let extent = if let Reach::Range(..) = calls[0].1 {
            let (below, above) = if order.places[0].descending {
                beside
            } else {
                (beside.1, beside.0)
            };
            Extent::Range {
                below,
                above,
                type_oid: self.order[0].0.type_oid(),
            }
        } else if seeds.is_empty() {
            Extent::Reach {
                before: beside.0,
                after: beside.1,
                edges,
            }
        } else {
            let by_peers = calls.iter().any(|(.., alike)| *alike);
            Extent::Suffix {
                places: if by_peers { self.order.len() } else { order.places.len() },
                seeds,
                totals: totals(calls, &name, graph)?,
                beside,
            }
        };
        let over = Over {
            targets: &targets,
            base: &base,
            names: &base_names,
        };
        let local = over.calls(calls, restricted, &extent, graph)?;
        let mut results = Vec::new();
        for (n, target) in targets.iter().enumerate() {
            results.push(if has_window(&target.expr) {
                over.result(&target.expr, calls, graph)?
            } else {
                column("l", &columns[n])
            });
        }
        let keys = self
            .own
            .iter()
            .map(|expr| print(flat, &resolver.resolve(expr)?, graph).map_err(Fallback::from));
        Ok(Ok(Near {
            touched: KeysOfBlocks(vec![Part {
                block,
                values: keys.collect::<Result<_, Fallback>>()?,
            }]),
            base: base_names.clone(),
            row_key,
            rows,
            order,
            calls: local,
            results,
            extent,
            whole,
        }))
    }

    fn places(
        &self,
        partition: &[KeyColumn],
        name: &dyn Fn(&Expr) -> Result<String, Error>,
        flat: &Flat,
        resolver: &Resolver,
        graph: &StageGraph,
    ) -> Result<Option<Order>, Fallback> {
        let mut items: Vec<(Expr, SortGroup)> = self.order.clone();
        for expr in self.rest() {
            items.push((expr.clone(), tie_break(0, expr, graph)?));
        }
        let Some(places) = Place::all(&items, name, flat, resolver, graph)? else {
            return Ok(None);
        };
        let order = Order {
            partition: partition.to_vec(),
            places,
        };
        Ok(order.is_searchable().then_some(order))
    }
}

fn is_prefix((_, reach, _): &(WindowFunc, Reach, bool)) -> bool {
    matches!(reach, Reach::Prefix(_))
}

/// True if the expression is the result of a window function of a lower stage, which a change of one row can change for
/// many others.
fn moves_others(expr: &Expr, query: &Query, graph: &StageGraph) -> Result<bool, Error> {
    let Expr::Var(var) = expr else { return Ok(false) };
    let Some((lower, stored)) = graph.stored_expr(var, query) else {
        return Ok(false);
    };
    let mut calls = Vec::new();
    stored.for_each(&mut |node| {
        if let Expr::Window(call) = node {
            calls.push((**call).clone());
        }
    });
    for call in calls {
        let reach = reach::of(&call, &lower, false, graph)?;
        if !matches!(reach, Some((Reach::Near(..), _))) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn move_calls(expr: &mut Expr, copies: &[(u32, Window)], peers: &[WindowFunc]) {
    if let Expr::Window(call) = expr
        && !peers.contains(call)
        && let Some((_, window)) = copies.iter().find(|(winref, _)| *winref == call.winref)
    {
        call.winref = window.winref;
    }
    expr.for_each_child_mut(&mut |child| move_calls(child, copies, peers));
}

fn has_window(expr: &Expr) -> bool {
    expr.any(&mut |node| matches!(node, Expr::Window(_)))
}

/// The query of the columns without windows.
fn lower(restricted: &Restricted, base: &[usize]) -> Query {
    let visible: Vec<&Target> = restricted.query.visible_targets().collect();
    let mut lower = restricted.query.rows();
    for (n, resno) in base.iter().zip(1_i16..) {
        lower.targets.push(Target {
            resno,
            ressortgroupref: 0,
            ..visible[*n].clone()
        });
    }
    lower
}

/// Aggregates over the rows `x` of one partition that came or went. If they are equal, no prefix behind these rows changes.
fn totals(
    calls: &[(WindowFunc, Reach, bool)],
    name: &dyn Fn(&Expr) -> Result<String, Error>,
    graph: &StageGraph,
) -> Result<Option<Vec<String>>, Error> {
    let mut totals = vec!["pg_catalog.count(*)".to_owned()];
    for (call, reach, _) in calls {
        let function = match reach {
            Reach::Prefix(Prefix::Count) if call.is_agg => "count",
            Reach::Prefix(Prefix::Sum) => "sum",
            Reach::Prefix(Prefix::Count | Prefix::Rank) => continue,
            _ => return Ok(None),
        };
        let argument = match call.args.first() {
            None => "*".to_owned(),
            Some(Expr::Const(constant)) => crate::sql::expr::print(&Expr::Const(constant.clone()), &no_columns, graph)?,
            Some(argument) => column("x", &name(argument)?),
        };
        let filter = match &call.filter {
            None => String::new(),
            Some(filter) => format!(" FILTER (WHERE {})", column("x", &name(filter)?)),
        };
        totals.push(format!("pg_catalog.{function}({argument}){filter}"));
    }
    Ok(Some(totals))
}

fn no_columns(var: &Var) -> Result<String, Error> {
    Err(Error::Tree(format!("Var {} outside a query", var.varno)))
}

/// Expressions over the stored columns that do not depend on other rows.
struct Over<'a> {
    targets: &'a [&'a Target],
    base: &'a [usize],
    names: &'a [String],
}

impl Over<'_> {
    /// The base column that holds an expression.
    fn base_column(&self, expr: &Expr) -> Result<Option<Expr>, Error> {
        let position = self.base.iter().position(|n| self.targets[*n].expr == *expr);
        position
            .map(|position| Ok(Var::like(expr, 1, attno(position)?)))
            .transpose()
    }

    fn over(&self, expr: &Expr, call: &mut dyn FnMut(&WindowFunc) -> Option<Expr>) -> Result<Expr, Error> {
        let mut failure = None;
        let over = expr.transform(&mut |node| match node {
            Expr::Window(window) => call(window),
            _ => match self.base_column(node) {
                Ok(column) => column,
                Err(error) => {
                    failure.get_or_insert(error);
                    None
                }
            },
        });
        failure.map_or(Ok(over), Err)
    }

    /// The SELECT of the calls over the rows `r`.
    fn calls(
        &self,
        calls: &[(WindowFunc, Reach, bool)],
        restricted: &Restricted,
        extent: &Extent,
        graph: &StageGraph,
    ) -> Result<String, Error> {
        let mut columns = self.names.to_vec();
        let mut more = vec![(HIT.to_owned(), BOOL), (RID.to_owned(), TID)];
        if let Extent::Suffix { .. } = extent {
            more.push((SEEDED.to_owned(), BOOL));
            for (n, (call, ..)) in calls.iter().filter(|call| is_prefix(call)).enumerate() {
                more.push((seed_column(n), call.type_oid));
            }
        }
        columns.extend(more.iter().map(|(name, _)| name.clone()));
        let mut targets = Vec::new();
        let mut push = |expr: Expr, name: String, is_base: bool| -> Result<(), Error> {
            let resno = attno(targets.len())?;
            targets.push(Target {
                expr,
                name: Some(name),
                resno,
                ressortgroupref: if is_base { u32::from(resno.unsigned_abs()) } else { 0 },
                junk: false,
            });
            Ok(())
        };
        for (n, name) in self.base.iter().zip(self.names) {
            let expr = &self.targets[*n].expr;
            if let Some(column) = self.base_column(expr)? {
                push(column, name.clone(), true)?;
            }
        }
        for (n, (name, type_oid)) in more.iter().enumerate() {
            let column = Var {
                varno: 1,
                attno: attno(self.names.len() + n)?,
                type_oid: *type_oid,
                typmod: -1,
                collation: 0,
                levels_up: 0,
            };
            push(Expr::Var(column), name.clone(), false)?;
        }
        for (n, (call, ..)) in calls.iter().enumerate() {
            let mut over = call.clone();
            for arg in over.args.iter_mut().chain(&mut over.filter) {
                *arg = self.over(arg, &mut |_| None)?;
            }
            push(Expr::Window(Box::new(over)), call_column(n), false)?;
        }
        let mut windows = Vec::new();
        for window in &restricted.query.windows {
            let mut window = window.clone();
            window.name = None;
            for item in window.partition.iter_mut().chain(&mut window.order) {
                let expr = restricted.query.target(item.target_ref).map(|target| &target.expr);
                let position = self.base.iter().position(|n| Some(&self.targets[*n].expr) == expr);
                let Some(position) = position else {
                    return Err(Error::Tree("an order that is not stored".to_owned()));
                };
                item.target_ref = u32::from(attno(position)?.unsigned_abs());
            }
            windows.push(window);
        }
        let rows = RteKind::NamedTuplestore { name: "r".to_owned() };
        let mut query = Query::over(Rte::new(rows, "r", columns));
        query.targets = targets;
        query.windows = windows;
        query.has_windows = true;
        crate::sql::query::print(&query, graph)
    }

    /// A stored column, over the calls `l`.
    fn result(&self, expr: &Expr, calls: &[(WindowFunc, Reach, bool)], graph: &StageGraph) -> Result<String, Error> {
        let over = self.over(expr, &mut |call| {
            let n = calls.iter().position(|(known, ..)| known == call)?;
            let own = format!("l.{}", call_column(n));
            let sql = match calls[n].1 {
                Reach::Prefix(prefix) => {
                    let n = calls[..n].iter().filter(|call| is_prefix(call)).count();
                    going_on(prefix, &format!("l.{}", seed_column(n)), &own, &format!("l.{SEEDED}"))
                }
                Reach::Near(..) | Reach::Range(..) | Reach::First(_) | Reach::Last => own,
            };
            Some(SqlLeaf::text(sql, call.type_oid, -1, call.collation))
        })?;
        let name = |var: &Var| {
            let position = usize::try_from(var.attno - 1).ok();
            let name = position.and_then(|position| self.names.get(position));
            name.map(|name| column("l", name))
                .ok_or_else(|| Error::Tree(format!("column {}", var.attno)))
        };
        crate::sql::expr::print(&over, &name, graph)
    }
}

/// The column of the `n`-th call over the rows that are read.
fn call_column(n: usize) -> String {
    format!("__pgt_f{}", n + 1)
}
