//! One query level: what its tables and their columns are called.
//!
//! Columns keep the names that the parser saw (`eref`), because USING, NATURAL and rows made of whole tables rely on
//! them: every table with another name for a column today gets a list of column aliases.

use std::cell::RefCell;

use crate::catalog::Catalog;
use crate::error::Error;
use crate::query::{Expr, FromItem, JoinExpr, Query, Rte, RteKind, Var};
use crate::sql::expr::{Printer, Scope};
use crate::sql::ident::quote_ident;

/// A query that is being written.
pub(in crate::sql) struct Level<'a> {
    /// The query.
    pub query: &'a Query,
    /// The level around it.
    pub outer: Option<&'a Scope<'a>>,
    /// How many levels are around it.
    depth: usize,
    /// The names of each table's columns, empty for dropped ones.
    columns: Vec<Vec<String>>,
    /// For each table the innermost join with an alias around it: outside of that join its own name is hidden.
    hidden_by: Vec<Option<usize>>,
    /// Joins with an alias that are being written: inside, the names of their tables still count.
    open: RefCell<Vec<usize>>,
}

/// A column of a join, by the Var that the parser makes of it.
struct JoinColumn {
    varno: i32,
    attno: i16,
    name: String,
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
            columns.push(column_names(rte, catalog)?);
        }
        let mut level = Level {
            query,
            outer,
            depth,
            columns,
            hidden_by: vec![None; query.rtable.len()],
            open: RefCell::new(Vec::new()),
        };
        for item in &query.from {
            level.enter(item, None)?;
        }
        Ok(level)
    }

    /// Notes which names the joins with an alias hide, and names the columns of these joins.
    fn enter(&mut self, item: &FromItem, around: Option<usize>) -> Result<(), Error> {
        match item {
            FromItem::Rel(varno) => {
                let position = self.position(*varno)?;
                self.hidden_by[position] = around;
            }
            FromItem::Join(join) => {
                let mut inside = around;
                if join.rtindex != 0 {
                    let position = self.position(join.rtindex)?;
                    self.hidden_by[position] = around;
                    if join.alias.is_some() {
                        inside = Some(position);
                    }
                }
                self.enter(&join.left, inside)?;
                self.enter(&join.right, inside)?;
            }
        }
        Ok(())
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

    /// The alias of a range table entry; unlike those of the levels around.
    pub fn alias(&self, varno: i32) -> String {
        match self.rte(varno).map(|rte| &rte.kind) {
            // The parser's own name for a bare VALUES, which can have no alias.
            Ok(RteKind::Values { .. }) => quote_ident("*VALUES*"),
            _ => format!("r{}_{varno}", self.depth),
        }
    }

    /// The alias of the merged columns of a join.
    pub fn using_alias(&self, varno: i32) -> String {
        format!("u{}_{varno}", self.depth)
    }

    /// The names of a table's columns, empty for dropped ones.
    pub fn columns(&self, varno: i32) -> Result<&[String], Error> {
        Ok(&self.columns[self.position(varno)?])
    }

    /// A column of this level.
    pub fn var(&self, var: &Var, printer: &Printer<'_>) -> Result<String, Error> {
        let position = self.position(var.varno)?;
        let rte = &self.query.rtable[position];
        if let RteKind::Group { exprs } = &rte.kind {
            let expr = usize::try_from(var.attno)
                .ok()
                .and_then(|attno| exprs.get(attno.checked_sub(1)?))
                .ok_or_else(|| Error::Tree(format!("grouping expression {}", var.attno)))?;
            return self.as_own(printer, expr);
        }
        if let Some(join) = self.visible_join(position) {
            return self.through_join(join, var);
        }
        if let RteKind::Join { .. } = &rte.kind
            && self.join_of(var.varno)?.alias.is_none()
        {
            return self.merged_column(var);
        }
        let alias = self.alias(var.varno);
        if var.attno == 0 {
            // The cast keeps the row from being expanded into its columns.
            let type_sql = printer.catalog.type_sql(var.type_oid, -1)?;
            return Ok(format!("{alias}.*::{type_sql}"));
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
                    return Err(Error::Tree("a level outside of its own scope".to_owned()));
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

    /// The join under whose alias a table's columns are to be had from here, if not under its own.
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

    fn through_join(&self, join: usize, var: &Var) -> Result<String, Error> {
        let varno = i32::try_from(join + 1).unwrap_or(i32::MAX);
        let RteKind::Join { alias_vars, .. } = &self.query.rtable[join].kind else {
            return Err(Error::Tree("a join that is none".to_owned()));
        };
        let column = alias_vars
            .iter()
            .position(|column| same_column(column, var))
            .ok_or_else(|| Error::Tree(format!("column {} is not visible", var.attno)))?;
        Ok(format!(
            "{}.{}",
            self.alias(varno),
            quote_ident(&self.columns[join][column])
        ))
    }

    /// A merged column of a join without an alias: the parser knows it by the alias of USING.
    fn merged_column(&self, var: &Var) -> Result<String, Error> {
        let join = self.join_of(var.varno)?;
        let name = usize::try_from(var.attno)
            .ok()
            .and_then(|attno| join.using.get(attno.checked_sub(1)?))
            .ok_or_else(|| Error::Tree(format!("merged column {} of a join", var.attno)))?;
        Ok(format!("{}.{}", self.using_alias(var.varno), quote_ident(name)))
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

    /// Runs `write` while the names inside this join count.
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

    /// The column aliases of a join with an alias: those it was given, also where its tables have got columns since.
    pub fn join_aliases(&self, join: &JoinExpr) -> Result<Vec<String>, Error> {
        let position = self.position(join.rtindex)?;
        let RteKind::Join { alias_vars, .. } = &self.query.rtable[position].kind else {
            return Err(Error::Tree("a join that is none".to_owned()));
        };
        let mut names = Vec::new();
        for column in self.join_columns(join)? {
            let known = alias_vars.iter().position(
                |alias| matches!(alias, Expr::Var(var) if (var.varno, var.attno) == (column.varno, column.attno)),
            );
            // A merged column without a Var of its own is at the same place in both lists.
            let known = known.or_else(|| {
                (column.varno == join.rtindex)
                    .then(|| usize::try_from(column.attno).ok()?.checked_sub(1))
                    .flatten()
            });
            names.push(match known {
                Some(known) => self.columns[position][known].clone(),
                None => fresh(&column.name, &self.columns[position]),
            });
        }
        Ok(names)
    }

    fn join_columns(&self, join: &JoinExpr) -> Result<Vec<JoinColumn>, Error> {
        let mut left = self.item_columns(&join.left)?;
        let mut right = self.item_columns(&join.right)?;
        let mut columns = Vec::new();
        let alias_vars: &[Expr] = match &self.rte(join.rtindex)?.kind {
            RteKind::Join { alias_vars, .. } => alias_vars,
            _ => &[],
        };
        for (position, name) in join.using.iter().enumerate() {
            left.retain(|column| column.name != *name);
            right.retain(|column| column.name != *name);
            let (varno, attno) = match alias_vars.get(position) {
                Some(Expr::Var(var)) => (var.varno, var.attno),
                _ => (join.rtindex, i16::try_from(position + 1).unwrap_or(i16::MAX)),
            };
            columns.push(JoinColumn {
                varno,
                attno,
                name: name.clone(),
            });
        }
        columns.append(&mut left);
        columns.append(&mut right);
        Ok(columns)
    }

    fn item_columns(&self, item: &FromItem) -> Result<Vec<JoinColumn>, Error> {
        match item {
            FromItem::Rel(varno) => Ok(self
                .columns(*varno)?
                .iter()
                .zip(1_i16..)
                .filter(|(name, _)| !name.is_empty())
                .map(|(name, attno)| JoinColumn {
                    varno: *varno,
                    attno,
                    name: name.clone(),
                })
                .collect()),
            FromItem::Join(join) => {
                let mut columns = self.join_columns(join)?;
                if join.alias.is_some() {
                    for (column, name) in columns.iter_mut().zip(self.join_aliases(join)?) {
                        column.name = name;
                    }
                }
                Ok(columns)
            }
        }
    }
}

/// A join's column is this Var.
fn same_column(column: &Expr, var: &Var) -> bool {
    matches!(column, Expr::Var(column)
        if (column.varno, column.attno, column.levels_up) == (var.varno, var.attno, 0))
}

/// The names under which a table's columns can be had.
fn column_names(rte: &Rte, catalog: &dyn Catalog) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::with_capacity(rte.columns.len());
    if let RteKind::Relation { relid, .. } = &rte.kind {
        // The catalog tells which columns are still there, and which have come since; new names must not hide old ones.
        for (position, column) in catalog.relation(*relid)?.columns.iter().enumerate() {
            let known = rte.columns.get(position).filter(|name| !name.is_empty());
            names.push(match known {
                _ if column.dropped => String::new(),
                Some(name) => name.clone(),
                None => {
                    let mut taken = rte.columns.clone();
                    taken.extend_from_slice(&names);
                    fresh(&column.name, &taken)
                }
            });
        }
        return Ok(names);
    }
    for name in &rte.columns {
        // A subquery may have two columns of one name as long as nobody asks for them by name. We do.
        let name = if !name.is_empty() && names.contains(name) {
            let mut taken = rte.columns.clone();
            taken.extend_from_slice(&names);
            fresh(name, &taken)
        } else {
            name.clone()
        };
        names.push(name);
    }
    Ok(names)
}

/// The name, or one like it that is not taken.
fn fresh(name: &str, taken: &[String]) -> String {
    let mut fresh = name.to_owned();
    let mut number = 1;
    while taken.contains(&fresh) {
        fresh = format!("{name}_{number}");
        number += 1;
    }
    fresh
}
