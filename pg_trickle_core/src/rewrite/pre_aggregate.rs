//! Facts added up by the keys of their dimensions before they are joined to them.
//!
//! `SELECT d.a, count(*), sum(f.x) FROM f JOIN d ON f.d = d.id GROUP BY d.a` is `SELECT d.a, sum(s.n), sum(s.x) FROM (SELECT
//! d, count(*) AS n, sum(x) AS x FROM f GROUP BY d) s JOIN d ON s.d = d.id GROUP BY d.a`: the facts of a group of the subquery
//! match the same rows. It is a stage, so a changed dimension costs one of its rows, where it would read all of its facts.
//!
//! Facts without a dimension are added up, too, so nothing that could raise an error may be computed of facts. That numbers have
//! no room is left to the fallback of all stages.
//! Source: Yan, Larson, "Eager aggregation and lazy aggregation", 1995.

use super::dependents::aggregate;
use super::merge::{hoist, replace};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::from_items::{mentions_only, rels};
use crate::facts::linear_block::conjuncts;
use crate::facts::raising::node_may_raise;
use crate::facts::shape::only_groups;
use crate::facts::value_identity::equal_is_same;
use crate::facts::volatility::is_immutable;
use crate::oids::{COUNT, INT2, INT4, INT8, NUMERIC, SUM_INT2, SUM_INT4, SUM_INT8, SUM_NUMERIC};
use crate::plan::{Oid, PreAggregate};
use crate::query::{Aggref, Expr, FromItem, Query, Rte, RteKind, SortGroup, SqlLeaf, Target, Var, attno, varno};
use crate::sql::ident::is_one_of;
use crate::stages::graph::StageGraph;

/// How many times as many facts as combinations of dimensions there must be, and how many facts: a changed fact costs more.
const TIMES: i64 = 32;
const LEAST: i64 = 2000;

/// Aggregates for which it does not matter how often a value is there.
const REPEATABLE: &str = "any_value bool_and bool_or every max min";

/// The grouping over facts that have been added up, if there are such facts, and it is wanted; and what `explain` says of it.
pub fn over_sums(query: &Query, graph: &StageGraph) -> Result<Option<(Query, String)>, Error> {
    let is_plain = only_groups(query) && query.ctes.is_empty() && query.top.is_none();
    if !is_plain || graph.pre_aggregate.get() == PreAggregate::Never {
        return Ok(None);
    }
    let mut query = query.clone();
    hoist(&mut query);
    for rte in &mut query.rtable {
        if matches!(rte.kind, RteKind::Join { .. }) {
            // It lists all columns of its inputs.
            rte.kind = RteKind::Result;
        }
    }
    let tables: Vec<i32> = query.from.iter().flat_map(rels).collect();
    if tables.len() < 2 || tables.iter().any(|table| query.table(*table).is_none()) {
        return Ok(None);
    }
    for fact in tables {
        let Some(above) = above(&query, fact, graph)? else {
            continue;
        };
        if graph.pre_aggregate.get() == PreAggregate::BySize && !pays(&query, fact, &above.dimensions, graph)? {
            // For all groupings: what is recorded is one decision.
            graph.pre_aggregate.set(PreAggregate::Never);
            return Ok(None);
        }
        return Ok(Some((above.query, above.label)));
    }
    Ok(None)
}

/// Whether a change of dimensions gains more than a change of facts loses.
fn pays(query: &Query, fact: i32, dimensions: &[i32], graph: &StageGraph) -> Result<bool, Error> {
    let rows = |table: i32| query.table(table).map_or(Ok(0), |relid| graph.row_count(relid));
    let facts = rows(fact)?;
    let mut combinations = 1_i64;
    for dimension in dimensions {
        combinations = combinations.saturating_mul(rows(*dimension)?);
    }
    Ok(facts >= LEAST && combinations > 0 && facts >= combinations.saturating_mul(TIMES))
}

/// The facts that are added up.
struct Sums<'c> {
    graph: &'c StageGraph<'c>,
    fact: i32,
    /// The number of their entry in FROM.
    entry: i32,
    /// The columns of the subquery, over the table of facts: those that it is joined by, and then aggregates.
    columns: Vec<Expr>,
}

/// A query over sums of facts.
struct Above {
    query: Query,
    /// The tables that it joins them to.
    dimensions: Vec<i32>,
    label: String,
}

/// The query over the sums of the facts in one of its tables.
fn above(query: &Query, fact: i32, graph: &StageGraph) -> Result<Option<Above>, Error> {
    let (Some(rte), Some(relid)) = (query.rte(fact), query.table(fact)) else {
        return Ok(None);
    };
    if graph.is_stage(relid) || !matches!(rte.kind, RteKind::Relation { tablesample: None, .. }) {
        return Ok(None);
    }
    let mut sums = Sums {
        graph,
        fact,
        entry: varno(query.rtable.len())?,
        columns: Vec::new(),
    };
    let mut lower = Query::over(rte.clone());
    lower.has_aggs = true;
    let mut upper = query.clone();
    upper.quals = None;
    let mut matched: Vec<(i32, i16)> = Vec::new();
    for condition in conjuncts(query.quals.as_ref()) {
        if !reads(&condition, fact) {
            upper.add_qual(condition);
        } else if mentions_only(&condition, &[fact]) {
            if !sums.is_harmless(&condition)? {
                return Ok(None);
            }
            lower.add_qual(sums.inside(&condition));
        } else if let Some((own, other)) = sums.equality(&condition)? {
            if !sums.columns.contains(&own) {
                sums.columns.push(own);
            }
            matched.push((other.varno, other.attno));
            upper.add_qual(condition);
        } else {
            return Ok(None);
        }
    }
    let keys = sums.columns.len();
    let mut dimensions: Vec<i32> = matched.iter().map(|(table, _)| *table).collect();
    dimensions.sort_unstable();
    dimensions.dedup();
    for dimension in &dimensions {
        let relation = graph.relation(query.table(*dimension).unwrap_or_default())?;
        let is_matched = |column: &i16| matched.contains(&(*dimension, *column));
        let has_key = relation.keys.iter().any(|key| key.columns.iter().all(is_matched));
        if !has_key || graph.is_stage(relation.oid) {
            return Ok(None);
        }
    }
    if dimensions.is_empty() {
        return Ok(None);
    }
    let outputs = upper.targets.iter_mut().map(|target| &mut target.expr);
    let outputs: Vec<&mut Expr> = outputs.chain(&mut upper.having).collect();
    let mut shows_facts = false;
    for output in outputs {
        let mut totals = Vec::new();
        for call in output.aggregates() {
            let Some(total) = sums.total(&call)? else {
                return Ok(None);
            };
            totals.push((Expr::Aggref(Box::new(call)), total));
        }
        *output = output.transform(&mut |node| {
            let total = totals.iter().find(|(call, _)| call == node);
            total.map(|(_, total)| total.clone())
        });
        shows_facts |= reads(output, fact);
    }
    for key in sums.columns.iter().take(keys) {
        if shows_facts && !equal_is_same(key, graph)? {
            return Ok(None);
        }
    }
    let mut is_left = false;
    upper.replace_vars(&mut |var| {
        if var.varno != fact {
            return None;
        }
        let own = Expr::Var(var.clone());
        let column = sums.columns.iter().take(keys).position(|key| *key == own);
        is_left |= column.is_none();
        column.and_then(|n| Some(Var::like(&own, sums.entry, attno(n).ok()?)))
    });
    if is_left {
        return Ok(None);
    }
    for (column, n) in sums.columns.iter().zip(1..) {
        let is_key = lower.group.len() < keys;
        lower.push_column(sums.inside(column), if is_key { n } else { 0 })?;
        if is_key {
            lower.group.push(SortGroup::by(n));
        }
    }
    let names = lower.targets.iter().filter_map(|target| target.name.clone()).collect();
    let own = &sums.columns[..keys];
    let entry_of_sums = Rte::new(RteKind::Subquery(Box::new(lower)), "facts", names);
    let entry = FromItem::Rel(varno(upper.rtable.len())?);
    upper.rtable[query.position(fact)?].kind = RteKind::Result;
    upper.rtable.push(entry_of_sums);
    upper.from.iter_mut().for_each(|item| replace(item, fact, &entry));
    let facts = graph.relation(relid)?;
    let by = own.iter().filter_map(|key| match key {
        Expr::Var(var) => facts.column(var.attno),
        _ => None,
    });
    let by: Vec<&str> = by.map(|column| column.name.as_str()).collect();
    Ok(Some(Above {
        query: upper,
        dimensions,
        label: format!("facts of {}, added up first by {}", facts.name, by.join(", ")),
    }))
}

/// True if an expression reads a table of its own query.
fn reads(expr: &Expr, table: i32) -> bool {
    expr.any(&mut |node| matches!(node, Expr::Var(var) if var.levels_up == 0 && var.varno == table))
}

impl Sums<'_> {
    /// An expression over the facts alone, for a query that reads nothing else.
    fn inside(&self, expr: &Expr) -> Expr {
        let mut own = expr.clone();
        own.replace_vars(&mut |var| {
            Some(Expr::Var(Var {
                varno: 1,
                ..var.clone()
            }))
        });
        own
    }

    /// True if an expression can be computed of facts that the query would not meet.
    fn is_harmless(&self, expr: &Expr) -> Result<bool, Error> {
        let mut result = Ok(true);
        expr.for_each(&mut |node| {
            if matches!(result, Ok(true)) {
                result = self.may_raise(node).map(|raises| !raises);
            }
        });
        Ok(result? && is_immutable(expr, self.graph))
    }

    fn may_raise(&self, node: &Expr) -> Result<bool, Error> {
        if let Expr::Op(op) = node {
            let operator = self.graph.operator(op.operator)?;
            let of_numbers = [INT2, INT4, INT8, NUMERIC].contains(&operator.result);
            if operator.schema == "pg_catalog" && of_numbers && is_one_of(&operator.name, "+ - *") {
                return Ok(false);
            }
        }
        node_may_raise(node, self.graph)
    }

    /// A column of the facts and one of another table, where a condition says that they are equal.
    fn equality(&self, condition: &Expr) -> Result<Option<(Expr, Var)>, Error> {
        let Expr::Op(op) = condition else { return Ok(None) };
        let [Expr::Var(left), Expr::Var(right)] = op.args.as_slice() else {
            return Ok(None);
        };
        let (own, other) = if left.varno == self.fact {
            (left, right)
        } else {
            (right, left)
        };
        let is_alike = own.type_oid == other.type_oid && own.collation == other.collation;
        if !is_alike || own.attno < 1 || other.attno < 1 || own.levels_up > 0 || other.levels_up > 0 {
            return Ok(None);
        }
        let default = self.graph.default_equality(own.type_oid)?;
        let is_default = default.is_some_and(|of| of.equality.oid == op.operator && of.less.is_some());
        Ok(is_default.then(|| (Expr::Var(own.clone()), other.clone())))
    }

    /// What an aggregate of joined facts is, over the facts that were added up.
    fn total(&mut self, call: &Aggref) -> Result<Option<Expr>, Error> {
        let function = self.graph.function(call.function)?;
        let is_plain = call.kind == 'n'
            && call.levels_up == 0
            && call.distinct.is_empty()
            && call.order.is_empty()
            && !call.variadic
            && function.schema == "pg_catalog";
        let parts: Vec<&Expr> = call.args.iter().map(|arg| &arg.expr).chain(&call.filter).collect();
        if !is_plain || function.arg_types.len() > 1 {
            return Ok(None);
        }
        let is_repeatable = is_one_of(&function.name, REPEATABLE);
        if is_repeatable && !parts.iter().any(|part| reads(part, self.fact)) {
            return Ok(Some(Expr::Aggref(Box::new(call.clone()))));
        }
        for part in &parts {
            if !mentions_only(part, &[self.fact]) || !self.is_harmless(part)? {
                return Ok(None);
            }
        }
        let sum = match function.arg_types.as_slice() {
            [INT2] => SUM_INT2,
            [INT4] => SUM_INT4,
            [INT8] => SUM_INT8,
            [NUMERIC] => SUM_NUMERIC,
            _ => 0,
        };
        let with = |function: Oid, type_oid: Oid| Aggref {
            function,
            type_oid,
            ..call.clone()
        };
        Ok(Some(match function.name.as_str() {
            "count" => whole(self.sum(call.clone())?),
            "sum" if sum != 0 && call.type_oid == INT8 => whole(self.sum(call.clone())?),
            "sum" if sum != 0 => self.sum(call.clone())?,
            "avg" if sum != 0 => {
                let of = if matches!(sum, SUM_INT2 | SUM_INT4) {
                    INT8
                } else {
                    NUMERIC
                };
                let (sum, count) = (self.sum(with(sum, of))?, self.sum(with(COUNT, INT8))?);
                // Without a value, the sum is NULL.
                leaf(&["", " OPERATOR(pg_catalog./) ", ""], vec![sum, count], NUMERIC)
            }
            _ if is_repeatable => {
                let mut above = call.clone();
                let column = self.column(call.clone())?;
                above.filter = None;
                above.args = vec![Target {
                    expr: column,
                    ..above.args.swap_remove(0)
                }];
                Expr::Aggref(Box::new(above))
            }
            _ => return Ok(None),
        }))
    }

    /// The column that holds an aggregate.
    fn column(&mut self, call: Aggref) -> Result<Expr, Error> {
        let call = Expr::Aggref(Box::new(call));
        let known = self.columns.iter().position(|known| *known == call);
        let position = known.unwrap_or(self.columns.len());
        if known.is_none() {
            self.columns.push(call.clone());
        }
        Ok(Var::like(&call, self.entry, attno(position)?))
    }

    /// The sum of an aggregate.
    fn sum(&mut self, call: Aggref) -> Result<Expr, Error> {
        let column = self.column(call)?;
        let function = if column.type_oid() == INT8 {
            SUM_INT8
        } else {
            SUM_NUMERIC
        };
        Ok(aggregate(function, NUMERIC, &column))
    }
}

/// `sum::bigint`
fn whole(sum: Expr) -> Expr {
    leaf(&["", "::pg_catalog.int8"], vec![sum], INT8)
}

fn leaf(parts: &[&str], args: Vec<Expr>, type_oid: Oid) -> Expr {
    Expr::Sql(SqlLeaf {
        parts: parts.iter().map(|part| (*part).to_owned()).collect(),
        args,
        type_oid,
        typmod: -1,
        collation: 0,
    })
}
