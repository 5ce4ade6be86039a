//! Subqueries that return exactly one row are joined, and a column of the join replaces them.
//!
//! Cost: a join with one row. Source: unnesting after Kim, "On optimizing an SQL-like nested query", 1982.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::facts::fallback::Fallback;
use crate::facts::raising;
use crate::facts::shape::{aggregates_whole_input, is_grouped};
use crate::query::{Case, Expr, FromItem, Query, Rte, RteKind, SubLinkKind, Var, varno};
use crate::stages::graph::StageGraph;

/// Joins the subqueries that always return exactly one row (uncorrelated aggregates without GROUP BY), if they are in
/// WHERE or in the select list of a query that does not group.
pub fn join(query: &mut Query, graph: &StageGraph) -> Result<(), Fallback> {
    let mut rows = Rows {
        found: Vec::new(),
        offset: query.rtable.len(),
        other: other(query, graph)?,
    };
    if let Some(quals) = &mut query.quals {
        rows.take(quals, graph)?;
    }
    // The select list is computed for rows of the join.
    rows.other = None;
    if !is_grouped(query) {
        for target in &mut query.targets {
            rows.take(&mut target.expr, graph)?;
        }
    }
    for subquery in rows.found {
        let view = graph.cut(&subquery)?;
        let names = view.targets.iter().filter_map(|target| target.name.clone()).collect();
        query.from.push(FromItem::Rel(varno(query.rtable.len())?));
        query
            .rtable
            .push(Rte::new(RteKind::Subquery(Box::new(view)), "single", names));
    }
    Ok(())
}

/// The subqueries that are joined.
struct Rows {
    found: Vec<Query>,
    /// Where they come in the range table.
    offset: usize,
    /// A column of another entry of FROM, for conditions.
    other: Option<Expr>,
}

impl Rows {
    fn take(&mut self, expr: &mut Expr, graph: &StageGraph) -> Result<(), Error> {
        if let Expr::SubLink(sublink) = expr
            && sublink.kind == SubLinkKind::Expr
            && is_single_row(&sublink.query)
            && let Some(target) = sublink.query.targets.first()
        {
            let position = match self.found.iter().position(|known| *known == sublink.query) {
                Some(position) => position,
                None => {
                    self.found.push(sublink.query.clone());
                    self.found.len() - 1
                }
            };
            let column = Var::like(&target.expr, varno(self.offset + position)?, 1);
            *expr = match &self.other {
                Some(other) if raising::expr_may_raise(&target.expr, graph)? => late(column, other),
                Some(_) | None => column,
            };
            return Ok(());
        }
        let mut result = Ok(());
        expr.for_each_child_mut(&mut |child| {
            if result.is_ok() {
                result = self.take(child, graph);
            }
        });
        result
    }
}

/// The value, computed once there is a row to compare it with, and not to look for one in an index.
fn late(value: Expr, other: &Expr) -> Expr {
    Expr::Case(Box::new(Case {
        type_oid: value.type_oid(),
        collation: value.collation(),
        arg: None,
        whens: vec![(Expr::is_null(other.clone()), value.clone())],
        otherwise: Some(value),
    }))
}

/// A column of the first entry of FROM, if that is a table or a subquery that has one.
fn other(query: &Query, graph: &StageGraph) -> Result<Option<Expr>, Error> {
    let Some(FromItem::Rel(first)) = query.from.first() else {
        return Ok(None);
    };
    Ok(match query.rte(*first).map(|rte| &rte.kind) {
        Some(RteKind::Subquery(subquery)) => subquery
            .visible_targets()
            .next()
            .map(|target| Var::like(&target.expr, *first, target.resno)),
        Some(RteKind::Relation { relid, .. }) => {
            let relation = graph.relation(*relid)?;
            let column = relation.columns.iter().find(|column| !column.dropped);
            column.map(|column| {
                Expr::Var(Var {
                    varno: *first,
                    attno: column.attnum,
                    type_oid: column.type_oid,
                    typmod: column.typmod,
                    collation: column.collation,
                    levels_up: 0,
                })
            })
        }
        _ => None,
    })
}

fn is_single_row(query: &Query) -> bool {
    aggregates_whole_input(query) && !query.is_correlated() && query.visible_targets().count() == 1
}
