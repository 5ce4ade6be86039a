//! The linear part of a query, flattened: base tables, conjuncts, and expressions over them.
//!
//! Views, subqueries and CTEs without operators of their own are merged into the query that reads them, each reference
//! with its own scans. Afterwards every Var of an expression means a scan: `varno` is its position, counted from 1.

use super::stop::{Stop, reason};
use crate::catalog::{Catalog, Relation};
use crate::error::Error;
use crate::query::{Cte, Expr, FromItem, JoinKind, Query, RteKind, Target, Var};

/// Views may refer to views; deeper than this they are left to Rebuild.
const MAX_DEPTH: usize = 50;

/// One scan of a flattened query.
pub struct FlatScan {
    /// What the catalog says of the table.
    pub relation: Relation,
    /// False for `ONLY`.
    pub inherit: bool,
}

/// A flattened query.
#[derive(Default)]
pub struct Flat {
    /// The scans, in the query's order.
    pub scans: Vec<FlatScan>,
    /// The conjuncts of WHERE and ON.
    pub quals: Vec<Expr>,
}

/// What a range table entry has become.
#[derive(Clone)]
enum Mapping {
    /// Not reached by FROM.
    Absent,
    /// A scan, by its `varno` in the flattened query.
    Scan(i32),
    /// Expressions over scans: the outputs of a merged subquery.
    Outputs(Vec<Expr>),
}

/// Merges a query that is linear as a whole, and returns its visible outputs.
fn merge(
    query: &Query,
    outer_ctes: &[&[Cte]],
    flat: &mut Flat,
    catalog: &dyn Catalog,
    depth: usize,
) -> Result<Vec<Expr>, Stop> {
    super::only_linear(query)?;
    let resolver = Resolver::over(query, outer_ctes, flat, catalog, depth)?;
    query
        .targets
        .iter()
        .filter(|target| !target.junk)
        .map(|target| resolver.resolve(&target.expr))
        .collect()
}

/// Replaces the Vars of one query level by expressions over the scans of the flattened query.
pub struct Resolver<'q> {
    query: &'q Query,
    mappings: Vec<Mapping>,
}

impl<'q> Resolver<'q> {
    /// Flattens FROM and WHERE of `query` into `flat`.
    pub fn new(query: &'q Query, flat: &mut Flat, catalog: &dyn Catalog) -> Result<Self, Stop> {
        Self::over(query, &[], flat, catalog, 0)
    }

    fn over(
        query: &'q Query,
        outer_ctes: &[&[Cte]],
        flat: &mut Flat,
        catalog: &dyn Catalog,
        depth: usize,
    ) -> Result<Self, Stop> {
        if depth > MAX_DEPTH {
            return reason("subqueries nested too deep");
        }
        let mut levels: Vec<&[Cte]> = vec![&query.ctes];
        levels.extend_from_slice(outer_ctes);
        let mut resolver = Resolver {
            query,
            mappings: vec![Mapping::Absent; query.rtable.len()],
        };
        for item in &query.from {
            resolver.add(item, &levels, flat, catalog, depth)?;
        }
        if let Some(quals) = &query.quals {
            resolver.add_quals(quals, flat)?;
        }
        Ok(resolver)
    }

    fn add(
        &mut self,
        item: &FromItem,
        ctes: &[&[Cte]],
        flat: &mut Flat,
        catalog: &dyn Catalog,
        depth: usize,
    ) -> Result<(), Stop> {
        match item {
            FromItem::Rel(varno) => {
                let position = position(*varno)?;
                self.mappings[position] = self.enter(position, ctes, flat, catalog, depth)?;
                Ok(())
            }
            FromItem::Join(join) => {
                match join.kind {
                    JoinKind::Inner => {}
                    JoinKind::Left => return reason("LEFT JOIN"),
                    JoinKind::Right => return reason("RIGHT JOIN"),
                    JoinKind::Full => return reason("FULL JOIN"),
                }
                self.add(&join.left, ctes, flat, catalog, depth)?;
                self.add(&join.right, ctes, flat, catalog, depth)?;
                match &join.quals {
                    Some(quals) => self.add_quals(quals, flat),
                    None => Ok(()),
                }
            }
        }
    }

    fn enter(
        &self,
        position: usize,
        ctes: &[&[Cte]],
        flat: &mut Flat,
        catalog: &dyn Catalog,
        depth: usize,
    ) -> Result<Mapping, Stop> {
        let rte = &self.query.rtable[position];
        if rte.lateral {
            return reason("LATERAL");
        }
        match &rte.kind {
            RteKind::Relation { relid, tablesample, .. } => {
                if tablesample.is_some() {
                    return reason("TABLESAMPLE");
                }
                let relation = catalog.relation(*relid)?;
                if relation.kind == 'v' {
                    let tree = catalog.view_tree(*relid)?;
                    let view = crate::query::read_view(&tree)?;
                    return Ok(Mapping::Outputs(merge(&view, &[], flat, catalog, depth + 1)?));
                }
                flat.scans.push(FlatScan {
                    relation,
                    inherit: rte.inh,
                });
                let varno = i32::try_from(flat.scans.len()).map_err(|_| Error::Tree("too many tables".to_owned()))?;
                Ok(Mapping::Scan(varno))
            }
            RteKind::Subquery(subquery) => Ok(Mapping::Outputs(merge(subquery, ctes, flat, catalog, depth + 1)?)),
            RteKind::Cte {
                name,
                levels_up,
                self_reference,
                ..
            } => {
                if *self_reference {
                    return reason("WITH RECURSIVE");
                }
                let level = *levels_up as usize;
                let found = ctes
                    .get(level)
                    .and_then(|ctes| ctes.iter().find(|cte| cte.name == *name));
                let Some(cte) = found else {
                    return Err(Error::Tree(format!("no CTE named {name}")).into());
                };
                if cte.recursive {
                    return reason("WITH RECURSIVE");
                }
                let visible = &ctes[level..];
                Ok(Mapping::Outputs(merge(&cte.query, visible, flat, catalog, depth + 1)?))
            }
            RteKind::Function { .. } => reason("function in FROM"),
            RteKind::TableFunc(_) => reason("XMLTABLE or JSON_TABLE"),
            RteKind::Values { .. } => reason("VALUES"),
            RteKind::Join { .. } | RteKind::Group { .. } => {
                Err(Error::Tree("a join or group entry stands in FROM".to_owned()).into())
            }
            RteKind::NamedTuplestore { .. } => reason("transition table"),
            RteKind::Result => reason("no FROM clause"),
        }
    }

    fn add_quals(&self, quals: &Expr, flat: &mut Flat) -> Result<(), Stop> {
        let resolved = self.resolve(quals)?;
        flatten_and(resolved, &mut flat.quals);
        Ok(())
    }

    /// The expression over the scans of the flattened query.
    pub fn resolve(&self, expr: &Expr) -> Result<Expr, Stop> {
        let mut stop = None;
        let resolved = self.resolve_in(expr, &mut stop);
        match stop {
            None => Ok(resolved),
            Some(stop) => Err(stop),
        }
    }

    fn resolve_in(&self, expr: &Expr, stop: &mut Option<Stop>) -> Expr {
        expr.transform(&mut |node| match node {
            Expr::Var(var) => match self.lookup(var, stop) {
                Ok(replaced) => Some(replaced),
                Err(why) => {
                    stop.get_or_insert(why);
                    Some(node.clone())
                }
            },
            Expr::SubLink(_) => {
                stop.get_or_insert(Stop::Reason("subquery in an expression".to_owned()));
                Some(node.clone())
            }
            _ => None,
        })
    }

    fn lookup(&self, var: &Var, stop: &mut Option<Stop>) -> Result<Expr, Stop> {
        if var.levels_up > 0 {
            return reason("correlated subquery");
        }
        let position = position(var.varno)?;
        if let Some(RteKind::Join { alias_vars, .. }) = self.query.rtable.get(position).map(|rte| &rte.kind) {
            let alias = column_of(alias_vars, var)?;
            return Ok(self.resolve_in(alias, stop));
        }
        match self.mappings.get(position) {
            Some(Mapping::Scan(varno)) => Ok(Expr::Var(Var {
                varno: *varno,
                ..var.clone()
            })),
            Some(Mapping::Outputs(outputs)) => {
                if var.attno == 0 {
                    return reason("whole-row reference to a subquery");
                }
                Ok(column_of(outputs, var)?.clone())
            }
            Some(Mapping::Absent) | None => Err(Error::Tree(format!("Var of an unknown table {}", var.varno)).into()),
        }
    }

    /// The query's targets with resolved expressions, junk included.
    pub fn targets(&self) -> Result<Vec<Target>, Stop> {
        self.query
            .targets
            .iter()
            .map(|target| {
                Ok(Target {
                    expr: self.resolve(&target.expr)?,
                    ..target.clone()
                })
            })
            .collect()
    }
}

fn position(varno: i32) -> Result<usize, Stop> {
    usize::try_from(varno - 1).map_err(|_| Error::Tree(format!("varno {varno}")).into())
}

fn column_of<'e>(columns: &'e [Expr], var: &Var) -> Result<&'e Expr, Stop> {
    usize::from(var.attno.unsigned_abs())
        .checked_sub(1)
        .and_then(|n| columns.get(n))
        .ok_or_else(|| Error::Tree(format!("column {} of a subquery", var.attno)).into())
}

fn flatten_and(expr: Expr, into: &mut Vec<Expr>) {
    match expr {
        Expr::Bool(boolean) if boolean.is_and() => {
            for argument in boolean.args {
                flatten_and(argument, into);
            }
        }
        other => into.push(other),
    }
}
