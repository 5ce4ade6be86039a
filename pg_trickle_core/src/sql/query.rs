//! Queries as SQL text, from which PostgreSQL's analysis makes the same tree again, apart from table aliases. These are
//! generated, so that no name of an inner level ever hides one of an outer level.

mod ctes;
mod from;
mod group;
mod joins;
mod level;
mod table_func;
mod window;

pub use from::derived;
pub(super) use level::Level;

use super::expr::{Printer, Scope};
use super::ident::quote_ident;
use super::statement::{column, op};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::query::{Query, RteKind, SetOp, SetOperation};

/// The query as SQL, without a semicolon.
pub fn print(query: &Query, catalog: &dyn Catalog) -> Result<String, Error> {
    let scope = Scope::Level(Level::new(query, None, catalog)?);
    let printer = Printer { catalog, scope: &scope };
    let names = output_names(query);
    select(&printer, Some(&names))
}

/// The names of the visible columns.
fn output_names(query: &Query) -> Vec<String> {
    query
        .visible_targets()
        .map(|target| target.name.clone().unwrap_or_else(|| "?column?".to_owned()))
        .collect()
}

/// The query of the printer's level. `names` are its column names, if they matter.
pub(super) fn select(printer: &Printer<'_>, names: Option<&[String]>) -> Result<String, Error> {
    let level = printer.own_level()?;
    let query = level.query;
    let mut text = printer.with_clause(query)?;
    if let Some(operations) = &query.set_operations {
        let own_names = output_names(query);
        text.push_str(&printer.set_operation(operations, names.or(Some(&own_names)), true)?);
    } else if let Some(rows) = simple_values(query, names) {
        text.push_str(&printer.values(rows)?);
    } else {
        text.push_str(&printer.simple_select(query, names)?);
    }
    text.push_str(&printer.tail(query)?);
    if let Some(top) = query.top {
        let own_names = output_names(query);
        let number = names.unwrap_or(&own_names).get(top.target);
        let number = number.ok_or_else(|| Error::Tree("a top-k query without its number".to_owned()))?;
        let is_top = op(&column("q", number), "<=", &top.count.to_string());
        text = format!("SELECT q.* FROM ({text}) AS q WHERE {is_top}");
    }
    Ok(text)
}

/// The rows of a query that is nothing but `VALUES`.
fn simple_values<'q>(query: &'q Query, names: Option<&[String]>) -> Option<&'q [Vec<crate::query::Expr>]> {
    let [crate::query::FromItem::Rel(varno)] = query.from.as_slice() else {
        return None;
    };
    let rte = query.rtable.get(usize::try_from(*varno).ok()?.checked_sub(1)?)?;
    let RteKind::Values { rows, .. } = &rte.kind else {
        return None;
    };
    let plain = query.quals.is_none()
        && query.having.is_none()
        && query.group.is_empty()
        && query.grouping_sets.is_empty()
        && query.windows.is_empty()
        && query.distinct.is_empty()
        && query.visible_targets().enumerate().all(|(position, target)| {
            matches!(&target.expr, crate::query::Expr::Var(var)
                if var.varno == *varno
                    && var.levels_up == 0
                    && usize::try_from(var.attno).is_ok_and(|attno| attno == position + 1))
        })
        && query.visible_targets().count() == rte.columns.len()
        && names.is_none_or(|names| {
            names
                .iter()
                .enumerate()
                .all(|(position, name)| *name == format!("column{}", position + 1))
        });
    plain.then_some(rows.as_slice())
}

impl<'a> Printer<'a> {
    /// The query level that this printer writes.
    pub(super) fn own_level(&self) -> Result<&'a Level<'a>, Error> {
        match self.scope {
            Scope::Level(level) => Ok(level),
            Scope::Given(_) => Err(Error::Tree("a query without a level".to_owned())),
        }
    }

    fn values(&self, rows: &[Vec<crate::query::Expr>]) -> Result<String, Error> {
        let rows: Vec<String> = rows
            .iter()
            .map(|row| Ok(format!("({})", self.list(row)?)))
            .collect::<Result<_, Error>>()?;
        Ok(format!("VALUES {}", rows.join(", ")))
    }

    fn simple_select(&self, query: &Query, names: Option<&[String]>) -> Result<String, Error> {
        let mut text = String::from("SELECT");
        if query.distinct_on {
            let items: Vec<String> = query
                .distinct
                .iter()
                .map(|item| self.position(query, item.target_ref))
                .collect::<Result<_, _>>()?;
            text.push_str(&format!(" DISTINCT ON ({})", items.join(", ")));
        } else if !query.distinct.is_empty() {
            text.push_str(" DISTINCT");
        }
        let own_names = output_names(query);
        let names = names.unwrap_or(&own_names);
        let mut columns = Vec::new();
        for (target, name) in query.visible_targets().zip(names) {
            columns.push(format!("{} AS {}", self.expr(&target.expr)?, quote_ident(name)));
        }
        if !columns.is_empty() {
            text.push_str(&format!(" {}", columns.join(", ")));
        }
        let from = self.tables(&query.from)?;
        if !from.is_empty() {
            text.push_str(&format!(" FROM {from}"));
        }
        if let Some(quals) = &query.quals {
            text.push_str(&format!(" WHERE {}", self.expr(quals)?));
        }
        text.push_str(&self.group_by(query)?);
        if let Some(having) = &query.having {
            text.push_str(&format!(" HAVING {}", self.expr(having)?));
        }
        text.push_str(&self.window_clause(query)?);
        Ok(text)
    }

    /// Set operations over subqueries, with each operand in parentheses.
    fn set_operation(&self, operation: &SetOperation, names: Option<&[String]>, top: bool) -> Result<String, Error> {
        match operation {
            SetOperation::Rel(varno) => {
                let rte = self.own_level()?.rte(*varno)?;
                let RteKind::Subquery(query) = &rte.kind else {
                    return Err(Error::Tree(
                        "a set operation over something other than a subquery".to_owned(),
                    ));
                };
                Ok(format!("({})", self.named_subquery(query, names)?))
            }
            SetOperation::Op {
                op, all, left, right, ..
            } => {
                let word = match op {
                    SetOp::Union => "UNION",
                    SetOp::Intersect => "INTERSECT",
                    SetOp::Except => "EXCEPT",
                };
                let all = if *all { " ALL" } else { "" };
                // The result has the column names of the leftmost operand.
                let left = self.set_operation(left, names, false)?;
                let right = self.set_operation(right, None, false)?;
                Ok(if top {
                    format!("{left} {word}{all} {right}")
                } else {
                    format!("({left} {word}{all} {right})")
                })
            }
        }
    }

    /// ORDER BY, LIMIT, FOR UPDATE.
    fn tail(&self, query: &Query) -> Result<String, Error> {
        let mut text = String::new();
        if !query.sort.is_empty() {
            let items: Vec<String> = query
                .sort
                .iter()
                .map(|item| {
                    let target = super::expr::target_of(&query.targets, item.target_ref)?;
                    let position = self.position(query, item.target_ref)?;
                    Ok(format!("{position}{}", self.direction(item, &target.expr)?))
                })
                .collect::<Result<_, Error>>()?;
            text.push_str(&format!(" ORDER BY {}", items.join(", ")));
        }
        if let Some(offset) = &query.limit_offset {
            text.push_str(&format!(" OFFSET {}", self.expr(offset)?));
        }
        if let Some(count) = &query.limit_count {
            let count = self.expr(count)?;
            text.push_str(&if query.limit_with_ties {
                format!(" FETCH FIRST ({count}) ROWS WITH TIES")
            } else {
                format!(" LIMIT {count}")
            });
        }
        for mark in query.row_marks.iter().filter(|mark| !mark.pushed_down) {
            let strength = match mark.strength {
                1 => "KEY SHARE",
                2 => "SHARE",
                3 => "NO KEY UPDATE",
                4 => "UPDATE",
                other => return Err(Error::Tree(format!("row lock {other}"))),
            };
            let wait = match mark.wait_policy {
                1 => " SKIP LOCKED",
                2 => " NOWAIT",
                _ => "",
            };
            let alias = self.own_level()?.alias(mark.rti);
            text.push_str(&format!(" FOR {strength} OF {alias}{wait}"));
        }
        Ok(text)
    }

    /// A target as an item of ORDER BY, GROUP BY or DISTINCT ON: by position if it is a visible column.
    fn position(&self, query: &Query, target_ref: u32) -> Result<String, Error> {
        let target = super::expr::target_of(&query.targets, target_ref)?;
        if !target.junk {
            return Ok(target.resno.to_string());
        }
        match &target.expr {
            crate::query::Expr::Const(constant) => self.typed_constant(constant),
            expr => self.expr(expr),
        }
    }

    /// A subquery of the printer's level, with the given column names.
    fn named_subquery(&self, query: &Query, names: Option<&[String]>) -> Result<String, Error> {
        let scope = Scope::Level(Level::new(query, Some(self.scope), self.catalog)?);
        let printer = Printer {
            catalog: self.catalog,
            scope: &scope,
        };
        select(&printer, names)
    }
}
