//! One query level: the names of its tables and their columns.
//!
//! Columns keep the names that the parser saw (`eref`), because USING, NATURAL and whole-row references rely on them. A
//! table that has renamed a column since gets a list of column aliases.

use std::cell::RefCell;

use super::joins;
use crate::catalog::Catalog;
use crate::error::Error;
use crate::oids::RECORD;
use crate::query::{Cte, Expr, FromItem, JoinExpr, Query, Rte, RteKind, Var, varno};
use crate::sql::expr::{Printer, Scope, named_row};
use crate::sql::ident::quote_ident;

/// A query that is being written.
pub(in crate::sql) struct Level<'a> {
    /// The query.
    pub query: &'a Query,
    /// The enclosing level.
    pub outer: Option<&'a Scope<'a>>,
    /// The number of enclosing levels.
    depth: usize,
    /// The column names of each table; empty for dropped columns.
    columns: Vec<Vec<String>>,
    /// For each table, the innermost join with an alias around it, which hides the table's own name outside the join.
    hidden_by: Vec<Option<usize>>,
    /// For each join, whether its USING must be written as ON.
    using_as_on: Vec<bool>,
    /// The joins with an alias that are being written. Inside them, the names of their tables are visible.
    open: RefCell<Vec<usize>>,
}

impl<'a> Level<'a> {
    /// Names everything in `query`.
    pub fn new(query: &'a Query, outer: Option<&'a Scope<'a>>, catalog: &dyn Catalog) -> Result<Self, Error> {
        let depth = match outer {
            Some(Scope::Level(level)) => level.depth + 1,
            Some(Scope::Given(_)) | None => 0,
        };
        let mut columns = Vec::with_capacity(query.rtable.len());
        for rte in &query.rtable {
            let fixed = fixed_columns(rte, query, outer);
            columns.push(column_names(rte, fixed, catalog)?);
        }
        let mut level = Level {
            query,
            outer,
            depth,
            columns,
            hidden_by: vec![None; query.rtable.len()],
            using_as_on: vec![false; query.rtable.len()],
            open: RefCell::new(Vec::new()),
        };
        for item in &query.from {
            level.enter(item, None, catalog)?;
        }
        Ok(level)
    }

    /// Records which names the joins with an alias hide, and which joins cannot be written with USING. Returns true if
    /// that applies to the joins around `item`, too.
    fn enter(&mut self, item: &FromItem, around: Option<usize>, catalog: &dyn Catalog) -> Result<bool, Error> {
        match item {
            FromItem::Rel(varno) => {
                let position = self.position(*varno)?;
                self.hidden_by[position] = around;
                Ok(false)
            }
            FromItem::Join(join) if join.rtindex == 0 => {
                // A join that has lost its names.
                self.enter(&join.left, around, catalog)?;
                self.enter(&join.right, around, catalog)?;
                Ok(false)
            }
            FromItem::Join(join) => {
                let position = self.position(join.rtindex)?;
                self.hidden_by[position] = around;
                let inside = if join.alias.is_some() { Some(position) } else { around };
                let left = self.enter(&join.left, inside, catalog)?;
                let right = self.enter(&join.right, inside, catalog)?;
                // A column that is not merged below appears twice, so its name cannot be used above.
                let as_on = left || right || (!join.using.is_empty() && !joins::is_plain(join, catalog)?);
                self.using_as_on[position] = as_on;
                Ok(as_on && join.alias.is_none())
            }
        }
    }

    fn position(&self, varno: i32) -> Result<usize, Error> {
        usize::try_from(varno)
            .ok()
            .and_then(|varno| varno.checked_sub(1))
            .filter(|position| *position < self.query.rtable.len())
            .ok_or_else(|| Error::Tree(format!("range table entry {varno}")))
    }

    /// The range table entry of a Var.
    pub fn rte(&self, varno: i32) -> Result<&'a Rte, Error> {
        Ok(&self.query.rtable[self.position(varno)?])
    }

    /// The alias of a range table entry, different from those of the enclosing levels.
    pub fn alias(&self, varno: i32) -> String {
        match self.rte(varno).map(|rte| &rte.kind) {
            // The parser's own name for a bare VALUES, which cannot have an alias.
            Ok(RteKind::Values { .. }) => quote_ident("*VALUES*"),
            _ => format!("r{}_{varno}", self.depth),
        }
    }

    /// The alias of the merged columns of a join.
    pub fn using_alias(&self, varno: i32) -> String {
        format!("u{}_{varno}", self.depth)
    }

    /// The columns of USING, unless this join must be written with ON.
    pub fn using<'j>(&self, join: &'j JoinExpr) -> Result<&'j [String], Error> {
        if join.rtindex == 0 {
            return Ok(&[]);
        }
        let as_on = self.using_as_on[self.position(join.rtindex)?];
        Ok(if as_on { &[] } else { &join.using })
    }

    /// The columns that a list of column aliases can rename.
    pub fn listed_columns(&self, varno: i32) -> Result<&[String], Error> {
        let rte = self.rte(varno)?;
        let columns = self.columns(varno)?;
        Ok(&columns[..columns.len() - fixed_columns(rte, self.query, self.outer)])
    }

    /// The column names of a table; empty for dropped columns.
    pub fn columns(&self, varno: i32) -> Result<&[String], Error> {
        Ok(&self.columns[self.position(varno)?])
    }

    /// A column of this level.
    pub fn var(&self, var: &Var, printer: &Printer<'_>) -> Result<String, Error> {
        let position = self.position(var.varno)?;
        let rte = &self.query.rtable[position];
        if let Some(join) = self.visible_join(position) {
            return self.through_join(join, var, printer);
        }
        if let RteKind::Join { .. } = &rte.kind {
            let join = self.join_of(var.varno)?;
            let is_merged = usize::try_from(var.attno).is_ok_and(|attno| attno <= join.using.len());
            if join.alias.is_none() || (self.using_as_on[position] && is_merged) {
                return self.merged_column(var, printer);
            }
        }
        let alias = self.alias(var.varno);
        if var.attno == 0 {
            // The cast keeps the row from being expanded into its columns.
            let type_sql = printer.catalog.type_sql(var.type_oid, -1)?;
            let row = format!("{alias}.*::{type_sql}");
            if let RteKind::Subquery(_) = self.rte(var.varno)?.kind
                && var.type_oid != RECORD
            {
                // A view that was replaced by its query. The cast makes a row of NULLs of the NULL that an outer join gives.
                return Ok(format!(
                    "CASE WHEN {alias}.*::pg_catalog.record IS NOT DISTINCT FROM NULL THEN NULL ELSE {row} END"
                ));
            }
            return Ok(row);
        }
        let name = self.column_name(position, var)?;
        Ok(format!("{alias}.{}", quote_ident(name)))
    }

    /// An expression of this level, seen from a level below.
    fn as_own(&self, printer: &Printer<'_>, expr: &Expr) -> Result<String, Error> {
        let mut scope = printer.scope;
        loop {
            match scope {
                Scope::Level(level) if std::ptr::eq(level.query, self.query) => {
                    let own = Printer {
                        catalog: printer.catalog,
                        scope,
                    };
                    return own.expr(expr);
                }
                Scope::Level(Level { outer: Some(outer), .. }) => scope = outer,
                Scope::Level(_) | Scope::Given(_) => {
                    return Err(Error::Tree("a query level outside its own scope".to_owned()));
                }
            }
        }
    }

    fn column_name(&self, position: usize, var: &Var) -> Result<&str, Error> {
        let system = match var.attno {
            -1 => "ctid",
            -2 => "xmin",
            -3 => "cmin",
            -4 => "xmax",
            -5 => "cmax",
            -6 => "tableoid",
            _ => "",
        };
        if !system.is_empty() {
            return Ok(system);
        }
        usize::try_from(var.attno)
            .ok()
            .and_then(|attno| self.columns[position].get(attno.checked_sub(1)?))
            .filter(|name| !name.is_empty())
            .map(String::as_str)
            .ok_or_else(|| Error::Tree(format!("column {} of {}", var.attno, self.query.rtable[position].name)))
    }

    /// The join whose alias must be used for a table's columns at this point, if its own name is hidden.
    fn visible_join(&self, position: usize) -> Option<usize> {
        let open = self.open.borrow();
        let mut found = None;
        let mut join = self.hidden_by[position];
        while let Some(position) = join {
            if open.contains(&position) {
                break;
            }
            found = Some(position);
            join = self.hidden_by[position];
        }
        found
    }

    fn through_join(&self, join: usize, var: &Var, printer: &Printer<'_>) -> Result<String, Error> {
        let varno = varno(join)?;
        if let Some(name) = self.joined_name(self.join_of(varno)?, var)? {
            return Ok(format!("{}.{}", self.alias(varno), quote_ident(&name)));
        }
        match self.rte(var.varno)?.kind {
            RteKind::Join { .. } => self.unmerged(var, printer),
            _ => Err(Error::Tree(format!("column {} is not visible", var.attno))),
        }
    }

    /// A merged column of a join, which the parser knows by the alias of USING.
    fn merged_column(&self, var: &Var, printer: &Printer<'_>) -> Result<String, Error> {
        if var.attno == 0 {
            return self.unmerged_row(var, printer);
        }
        let using = self.using(self.join_of(var.varno)?)?;
        let name = usize::try_from(var.attno)
            .ok()
            .and_then(|attno| using.get(attno.checked_sub(1)?));
        match name {
            Some(name) => Ok(format!("{}.{}", self.using_alias(var.varno), quote_ident(name))),
            None => self.unmerged(var, printer),
        }
    }

    /// The row of a join whose columns differ from those of its text. Functions such as `row_to_json` see their names.
    fn unmerged_row(&self, var: &Var, printer: &Printer<'_>) -> Result<String, Error> {
        let values: Vec<String> = self
            .alias_vars(var.varno)?
            .iter()
            .map(|column| self.as_own(printer, column))
            .collect::<Result<_, _>>()?;
        Ok(named_row(self.rte(var.varno)?.columns.iter().zip(&values)))
    }

    /// The expression that a column of a join stands for.
    fn unmerged(&self, var: &Var, printer: &Printer<'_>) -> Result<String, Error> {
        let alias_vars = self.alias_vars(var.varno)?;
        let column = usize::try_from(var.attno)
            .ok()
            .and_then(|attno| alias_vars.get(attno.checked_sub(1)?));
        let column = column.ok_or_else(|| Error::Tree(format!("column {} of a join", var.attno)))?;
        self.as_own(printer, column)
    }

    /// The expressions that the columns of a join stand for.
    pub(super) fn alias_vars(&self, rtindex: i32) -> Result<&'a [Expr], Error> {
        if rtindex == 0 {
            return Ok(&[]);
        }
        match &self.rte(rtindex)?.kind {
            RteKind::Join { alias_vars, .. } => Ok(alias_vars),
            _ => Err(Error::Tree(format!("entry {rtindex} of the range table is not a join"))),
        }
    }

    fn join_of(&self, rtindex: i32) -> Result<&'a JoinExpr, Error> {
        fn find(items: &[FromItem], rtindex: i32) -> Option<&JoinExpr> {
            items.iter().find_map(|item| in_item(item, rtindex))
        }
        fn in_item(item: &FromItem, rtindex: i32) -> Option<&JoinExpr> {
            match item {
                FromItem::Rel(_) => None,
                FromItem::Join(join) if join.rtindex == rtindex => Some(join),
                FromItem::Join(join) => in_item(&join.left, rtindex).or_else(|| in_item(&join.right, rtindex)),
            }
        }
        find(&self.query.from, rtindex).ok_or_else(|| Error::Tree(format!("no join with entry {rtindex}")))
    }

    /// Runs `write` while the names inside this join are visible.
    pub fn inside(&self, join: &JoinExpr, write: &mut dyn FnMut() -> Result<String, Error>) -> Result<String, Error> {
        if join.alias.is_none() {
            return write();
        }
        let position = self.position(join.rtindex)?;
        self.open.borrow_mut().push(position);
        let text = write();
        self.open.borrow_mut().pop();
        text
    }
}

/// The number of columns of a table whose names are fixed: SEARCH and CYCLE add columns to a CTE that no alias can
/// rename.
fn fixed_columns(rte: &Rte, query: &Query, outer: Option<&Scope<'_>>) -> usize {
    let RteKind::Cte { name, levels_up, .. } = &rte.kind else {
        return 0;
    };
    let mut ctes: &[Cte] = &query.ctes;
    let mut scope = outer;
    for _ in 0..*levels_up {
        let Some(Scope::Level(level)) = scope else {
            return 0;
        };
        ctes = &level.query.ctes;
        scope = level.outer;
    }
    match ctes.iter().find(|cte| cte.name == *name) {
        Some(cte) => rte.columns.len().saturating_sub(cte.columns.len()),
        None => 0,
    }
}

/// The names by which the columns of a table can be referred to.
fn column_names(rte: &Rte, fixed: usize, catalog: &dyn Catalog) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::with_capacity(rte.columns.len());
    if let RteKind::Relation { relid, .. } = &rte.kind {
        // The catalog tells which columns still exist and which are new; the names of new ones must not hide old ones.
        for (position, column) in catalog.relation(*relid)?.columns.iter().enumerate() {
            let known = rte.columns.get(position).filter(|name| !name.is_empty());
            names.push(match known {
                _ if column.dropped => String::new(),
                Some(name) => name.clone(),
                None => fresh(&column.name, &[&rte.columns, &names]),
            });
        }
        return Ok(names);
    }
    let (free, fixed) = rte.columns.split_at(rte.columns.len() - fixed);
    for name in free {
        // A subquery may have two columns with the same name if nothing refers to them by name. The generated text
        // does.
        let is_taken = !name.is_empty() && (names.contains(name) || fixed.contains(name));
        names.push(if is_taken {
            fresh(name, &[&rte.columns, &names])
        } else {
            name.clone()
        });
    }
    names.extend_from_slice(fixed);
    Ok(names)
}

/// The name, or a similar one if it is taken.
pub(super) fn fresh(name: &str, taken: &[&[String]]) -> String {
    let mut fresh = name.to_owned();
    let mut number = 1;
    while taken.iter().any(|names| names.contains(&fresh)) {
        fresh = format!("{name}_{number}");
        number += 1;
    }
    fresh
}
