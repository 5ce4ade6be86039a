//! Small constructors that rules use: column and table numbers, and simple expressions.

use super::{Bool, BoolOp, Expr, FromItem, NullTest, Query, Rte, RteKind, SqlLeaf, SubLink, SubLinkKind, Target, Var};
use crate::error::Error;
use crate::oids::BOOL;
use crate::plan::Oid;

/// The `attno` of the column at a position that counts from 0.
///
/// # Errors
///
/// [`Error::Tree`] beyond PostgreSQL's limit for columns.
pub fn attno(position: usize) -> Result<i16, Error> {
    i16::try_from(position + 1).map_err(|_| Error::Tree(format!("{} columns", position + 1)))
}

/// The `varno` of the range table entry at a position that counts from 0.
///
/// # Errors
///
/// [`Error::Tree`] beyond PostgreSQL's limit for tables.
pub fn varno(position: usize) -> Result<i32, Error> {
    i32::try_from(position + 1).map_err(|_| Error::Tree(format!("{} tables in FROM", position + 1)))
}

impl Query {
    /// All rows of one range table entry, without columns yet.
    #[must_use]
    pub fn over(rte: Rte) -> Query {
        Query {
            rtable: vec![rte],
            from: vec![FromItem::Rel(1)],
            ..Query::default()
        }
    }

    /// A query that reads all that some queries read, and serves no other purpose.
    #[must_use]
    pub fn reading_all<'q>(queries: impl Iterator<Item = &'q Query>) -> Query {
        Query {
            rtable: queries
                .map(|query| Rte::new(RteKind::Subquery(Box::new(query.clone())), "leaf", Vec::new()))
                .collect(),
            ..Query::default()
        }
    }

    /// The position of a `varno` in the range table.
    ///
    /// # Errors
    ///
    /// [`Error::Tree`] if there is no such entry.
    pub fn position(&self, varno: i32) -> Result<usize, Error> {
        usize::try_from(varno)
            .ok()
            .and_then(|varno| varno.checked_sub(1))
            .filter(|position| *position < self.rtable.len())
            .ok_or_else(|| Error::Tree(format!("no table with the number {varno}")))
    }

    /// The range table entry of a `varno`.
    #[must_use]
    pub fn rte(&self, varno: i32) -> Option<&Rte> {
        self.rtable.get(self.position(varno).ok()?)
    }

    /// The table that a range table entry reads, if it is a table.
    #[must_use]
    pub fn table(&self, varno: i32) -> Option<Oid> {
        match self.rte(varno)?.kind {
            RteKind::Relation { relid, .. } => Some(relid),
            _ => None,
        }
    }

    /// The number by which clauses refer to an expression. It becomes a hidden target, where it is none yet.
    ///
    /// # Errors
    ///
    /// [`Error::Tree`] for more targets than PostgreSQL has numbers for.
    pub fn refer(&mut self, expr: &Expr) -> Result<u32, Error> {
        let refs = self.targets.iter().map(|target| target.ressortgroupref);
        let next = refs.max().unwrap_or(0) + 1;
        if let Some(target) = self.targets.iter_mut().find(|target| target.expr == *expr) {
            if target.ressortgroupref == 0 {
                target.ressortgroupref = next;
            }
            return Ok(target.ressortgroupref);
        }
        let resno = attno(self.targets.len())?;
        self.targets.push(Target {
            expr: expr.clone(),
            name: None,
            resno,
            ressortgroupref: next,
            junk: true,
        });
        Ok(next)
    }

    /// Adds a column, which is named after its position, and the number by which clauses refer to it, or 0.
    ///
    /// # Errors
    ///
    /// [`Error::Tree`] beyond PostgreSQL's limit for columns.
    pub fn push_column(&mut self, expr: Expr, ressortgroupref: u32) -> Result<(), Error> {
        let resno = attno(self.targets.len())?;
        self.targets.push(Target {
            expr,
            name: Some(format!("c{resno}")),
            resno,
            ressortgroupref,
            junk: false,
        });
        Ok(())
    }

    /// The rows of FROM and WHERE, without columns and without any operator above them.
    #[must_use]
    pub fn rows(&self) -> Query {
        Query {
            ctes: self.ctes.clone(),
            recursive: self.recursive,
            rtable: self.rtable.clone(),
            from: self.from.clone(),
            quals: self.quals.clone(),
            has_sublinks: self.has_sublinks,
            ..Query::default()
        }
    }

    /// Adds a conjunct to WHERE.
    pub fn add_qual(&mut self, qual: Expr) {
        self.quals = Some(match self.quals.take() {
            None => qual,
            Some(Expr::Bool(mut and)) if and.is_and() => {
                and.args.push(qual);
                Expr::Bool(and)
            }
            Some(first) => Expr::and(vec![first, qual]),
        });
    }
}

impl Var {
    /// A column of this query level, with the type of an expression.
    #[must_use]
    pub fn like(expr: &Expr, varno: i32, attno: i16) -> Expr {
        Expr::Var(Var {
            varno,
            attno,
            type_oid: expr.type_oid(),
            typmod: expr.typmod(),
            collation: expr.collation(),
            levels_up: 0,
        })
    }
}

impl Expr {
    /// `a AND b AND ...`
    #[must_use]
    pub fn and(args: Vec<Expr>) -> Expr {
        Expr::Bool(Bool { op: BoolOp::And, args })
    }

    /// `TRUE`
    #[must_use]
    pub fn always() -> Expr {
        SqlLeaf::text("TRUE".to_owned(), BOOL, -1, 0)
    }

    /// `NOT a`
    #[must_use]
    pub fn negated(arg: Expr) -> Expr {
        Expr::Bool(Bool {
            op: BoolOp::Not,
            args: vec![arg],
        })
    }

    /// `a IS NULL`
    #[must_use]
    pub fn is_null(arg: Expr) -> Expr {
        Expr::NullTest(Box::new(NullTest {
            arg,
            negated: false,
            is_row: false,
        }))
    }

    /// `NOT EXISTS (query)`
    #[must_use]
    pub fn not_exists(query: Query) -> Expr {
        Expr::negated(Expr::SubLink(Box::new(SubLink {
            kind: SubLinkKind::Exists,
            test: None,
            operator_name: Vec::new(),
            query,
        })))
    }
}
