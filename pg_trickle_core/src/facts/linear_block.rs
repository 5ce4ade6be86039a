//! A linear block: the scans of FROM, and the conjuncts of WHERE and ON.
//!
//! The query has already been rewritten (`rewrite/`), so FROM holds tables, VALUES, functions, and inner joins of
//! these. Every Var of a flattened expression refers to a scan: `varno` is the position of the scan, counted from 1.

use super::fallback::{Fallback, reason};
use super::join_tree::{self, JoinTree};
use crate::catalog::{Catalog, Relation};
use crate::error::Error;
use crate::query::{Expr, FromItem, JoinKind, Query, Rte, RteKind, Target, Var};

/// What a scan reads.
pub enum Source {
    /// A table, or the storage table of a stage.
    Table {
        /// Its catalog entry.
        relation: Box<Relation>,
        /// False for `ONLY`.
        inherit: bool,
    },
    /// VALUES or functions, whose rows no statement changes. Their expressions may refer to earlier scans.
    Derived(Box<Rte>),
}

/// A flattened block.
#[derive(Default)]
pub struct Flat {
    /// The scans, in the order of FROM.
    pub scans: Vec<Source>,
    /// The conjuncts.
    pub quals: Vec<Expr>,
    /// The joins, unless all of them are inner. Then the conjuncts are in the tree.
    pub tree: Option<JoinTree>,
    /// With several scans: the columns that the query mentions.
    pub used: Vec<Var>,
    /// With a tree: the scans that an outer join can make NULL.
    pub nullable: Vec<i32>,
}

impl Flat {
    /// The table that a scan reads.
    pub fn table(&self, position: usize) -> Option<&Relation> {
        match self.scans.get(position)? {
            Source::Table { relation, .. } => Some(relation),
            Source::Derived(_) => None,
        }
    }

    /// What a scan reads, given its number.
    pub fn scan(&self, scan: i32) -> Option<&Source> {
        self.scans.get(join_tree::index(scan))
    }

    /// The scans that the expressions of a function or of VALUES mention.
    pub fn looks_at(&self, scan: i32) -> Vec<i32> {
        let mut found = Vec::new();
        if let Some(Source::Derived(rte)) = self.scan(scan) {
            match &rte.kind {
                RteKind::Function { functions, .. } => functions
                    .iter()
                    .for_each(|function| found.extend(join_tree::scans_of(&function.expr))),
                RteKind::Values { rows, .. } => {
                    rows.iter()
                        .flatten()
                        .for_each(|value| found.extend(join_tree::scans_of(value)));
                }
                _ => {}
            }
        }
        found
    }
}

/// Replaces the Vars of one query by Vars over the scans of its flattened block.
pub struct Resolver<'q> {
    query: &'q Query,
    scan_of: Vec<Option<i32>>,
    /// For the tables of the enclosing query.
    around: Option<&'q Resolver<'q>>,
}

impl<'q> Resolver<'q> {
    /// Flattens FROM and WHERE of a query.
    pub fn new(query: &'q Query, flat: &mut Flat, catalog: &dyn Catalog) -> Result<Self, Fallback> {
        let mut resolver = Resolver::empty(query, None);
        for item in &query.from {
            resolver.add(item, flat, catalog)?;
        }
        if let Some(quals) = &query.quals {
            flatten_and(resolver.resolve(quals)?, &mut flat.quals);
        }
        Ok(resolver)
    }

    /// A resolver that knows no scan yet.
    pub fn empty(query: &'q Query, around: Option<&'q Resolver<'q>>) -> Self {
        Resolver {
            query,
            scan_of: vec![None; query.rtable.len()],
            around,
        }
    }

    fn add(&mut self, item: &FromItem, flat: &mut Flat, catalog: &dyn Catalog) -> Result<(), Fallback> {
        match item {
            FromItem::Rel(varno) => {
                self.scan(*varno, flat, catalog)?;
            }
            FromItem::Join(join) => {
                match join.kind {
                    JoinKind::Inner => {}
                    JoinKind::Left => return reason("LEFT JOIN"),
                    JoinKind::Right => return reason("RIGHT JOIN"),
                    JoinKind::Full => return reason("FULL JOIN"),
                }
                self.add(&join.left, flat, catalog)?;
                self.add(&join.right, flat, catalog)?;
                if let Some(quals) = &join.quals {
                    flatten_and(self.resolve(quals)?, &mut flat.quals);
                }
            }
        }
        Ok(())
    }

    /// Adds the scan of a range table entry, and returns its number.
    pub fn scan(&mut self, varno: i32, flat: &mut Flat, catalog: &dyn Catalog) -> Result<i32, Fallback> {
        let position = usize::try_from(varno - 1).map_err(|_| Error::Tree(format!("varno {varno}")))?;
        let Some(rte) = self.query.rtable.get(position) else {
            return Err(Error::Tree(format!("varno {varno}")).into());
        };
        let source = match &rte.kind {
            RteKind::Relation {
                tablesample: Some(_), ..
            } => return reason("TABLESAMPLE"),
            RteKind::Relation { relid, .. } => Source::Table {
                relation: Box::new(catalog.relation(*relid)?),
                inherit: rte.inh,
            },
            RteKind::Function { .. } | RteKind::Values { .. } => Source::Derived(Box::new(self.derived(rte)?)),
            RteKind::TableFunc(_) => return reason("XMLTABLE or JSON_TABLE"),
            RteKind::Subquery(_) if rte.lateral => return reason("LATERAL subquery"),
            RteKind::Subquery(_) => return reason("subquery in FROM"),
            RteKind::Cte { .. } => return reason("WITH RECURSIVE"),
            RteKind::NamedTuplestore { .. } => return reason("transition table"),
            RteKind::Join { .. } | RteKind::Result => return reason("no table in FROM"),
        };
        flat.scans.push(source);
        let scan = i32::try_from(flat.scans.len()).map_err(|_| Error::Tree("too many tables".to_owned()))?;
        self.scan_of[position] = Some(scan);
        Ok(scan)
    }

    fn derived(&self, rte: &Rte) -> Result<Rte, Fallback> {
        let mut copy = rte.clone();
        match &mut copy.kind {
            RteKind::Function { functions, .. } => {
                for function in functions {
                    function.expr = self.resolve(&function.expr)?;
                }
            }
            RteKind::Values { rows, .. } => {
                for value in rows.iter_mut().flatten() {
                    *value = self.resolve(value)?;
                }
            }
            _ => {}
        }
        Ok(copy)
    }

    /// The expression, with Vars over the scans of the flattened block.
    pub fn resolve(&self, expr: &Expr) -> Result<Expr, Fallback> {
        let mut failure = None;
        let resolved = expr.transform(&mut |node| match node {
            Expr::Var(var) => match self.lookup(var) {
                Ok(var) => Some(Expr::Var(var)),
                Err(why) => {
                    failure.get_or_insert(why);
                    Some(node.clone())
                }
            },
            Expr::SubLink(_) => {
                failure.get_or_insert(Fallback::Reason("subquery in an expression".to_owned()));
                Some(node.clone())
            }
            _ => None,
        });
        match failure {
            None => Ok(resolved),
            Some(failure) => Err(failure),
        }
    }

    /// The Var over the scans for a Var of the query.
    pub fn lookup(&self, var: &Var) -> Result<Var, Fallback> {
        if var.levels_up > 0 {
            let Some(around) = self.around else {
                return reason("correlated subquery");
            };
            return around.lookup(&Var {
                levels_up: var.levels_up - 1,
                ..var.clone()
            });
        }
        let scan = usize::try_from(var.varno - 1)
            .ok()
            .and_then(|position| self.scan_of.get(position).copied().flatten());
        match scan {
            Some(varno) => Ok(Var { varno, ..var.clone() }),
            None => Err(Error::Tree(format!("Var of an unknown table {}", var.varno)).into()),
        }
    }

    /// The query's own Var for a Var over the scans.
    pub fn unresolve(&self, var: &Var) -> Option<Var> {
        let position = self.scan_of.iter().position(|scan| *scan == Some(var.varno))?;
        Some(Var {
            varno: i32::try_from(position + 1).ok()?,
            ..var.clone()
        })
    }

    /// The query's targets with resolved expressions, junk included.
    pub fn targets(&self) -> Result<Vec<Target>, Fallback> {
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

/// Splits a condition into its conjuncts.
pub fn flatten_and(expr: Expr, into: &mut Vec<Expr>) {
    match expr {
        Expr::Bool(boolean) if boolean.is_and() => {
            for argument in boolean.args {
                flatten_and(argument, into);
            }
        }
        other => into.push(other),
    }
}

/// The conjuncts of a condition.
pub fn conjuncts(condition: Option<&Expr>) -> Vec<Expr> {
    let mut list = Vec::new();
    if let Some(condition) = condition {
        flatten_and(condition.clone(), &mut list);
    }
    list
}
