//! The columns of joins that have an alias, and whether a join can be written with USING.

use super::level::{Level, fresh};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::query::{Expr, FromItem, JoinExpr, Var};
use crate::sql::expr::is_plain_equality;

/// A column of a join, by the Var that the parser makes for it.
struct JoinColumn {
    varno: i32,
    attno: i16,
    name: String,
}

impl Level<'_> {
    /// The column aliases of a join with an alias: the names it had originally, even if its tables have gained columns
    /// since.
    pub fn join_aliases(&self, join: &JoinExpr) -> Result<Vec<String>, Error> {
        let alias_vars = self.alias_vars(join.rtindex)?;
        let own = self.columns(join.rtindex)?;
        let mut names: Vec<String> = Vec::new();
        for column in self.join_columns(join)? {
            let known = alias_vars.iter().position(
                |alias| matches!(alias, Expr::Var(var) if (var.varno, var.attno) == (column.varno, column.attno)),
            );
            // A merged column without a Var of its own has the same position in both lists.
            let known = known.or_else(|| {
                (column.varno == join.rtindex)
                    .then(|| usize::try_from(column.attno).ok()?.checked_sub(1))
                    .flatten()
            });
            let name = known
                .and_then(|known| own.get(known))
                .filter(|name| !names.contains(name));
            names.push(match name {
                Some(name) => name.clone(),
                None => fresh(&column.name, &[own, &names]),
            });
        }
        Ok(names)
    }

    /// The name of this column in a join with an alias.
    pub fn joined_name(&self, join: &JoinExpr, var: &Var) -> Result<Option<String>, Error> {
        let columns = self.join_columns(join)?;
        let names = self.join_aliases(join)?;
        let mut named = columns.iter().zip(names);
        let found = named.find(|(column, _)| (column.varno, column.attno) == (var.varno, var.attno));
        Ok(found.map(|(_, name)| name))
    }

    fn join_columns(&self, join: &JoinExpr) -> Result<Vec<JoinColumn>, Error> {
        let mut left = self.item_columns(&join.left)?;
        let mut right = self.item_columns(&join.right)?;
        let mut columns = Vec::new();
        let alias_vars = self.alias_vars(join.rtindex)?;
        for (name, attno) in self.using(join)?.iter().zip(1_i16..) {
            left.retain(|column| column.name != *name);
            right.retain(|column| column.name != *name);
            let (varno, attno) = match usize::try_from(attno - 1).ok().and_then(|n| alias_vars.get(n)) {
                Some(Expr::Var(var)) => (var.varno, var.attno),
                _ => (join.rtindex, attno),
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
            FromItem::Rel(varno) => {
                let names = self.columns(*varno)?.iter().zip(1_i16..);
                let live = names.filter(|(name, _)| !name.is_empty());
                Ok(live
                    .map(|(name, attno)| JoinColumn {
                        varno: *varno,
                        attno,
                        name: name.clone(),
                    })
                    .collect())
            }
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

/// True if every column of USING is compared by an `=` that the parser finds by its bare name.
pub(super) fn is_plain(join: &JoinExpr, catalog: &dyn Catalog) -> Result<bool, Error> {
    let mut quals: Vec<&Expr> = join.quals.iter().collect();
    while let Some(qual) = quals.pop() {
        match qual {
            Expr::Bool(boolean) => quals.extend(&boolean.args),
            Expr::Op(op) if is_plain_equality(&catalog.operator(op.operator)?) => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}
