//! Row values and their fields.

use super::{Printer, Scope};
use crate::error::Error;
use crate::oids;
use crate::plan::Oid;
use crate::query::{Expr, FieldSelect, Query, RowExpr, Rte, RteKind, SubLinkKind, Var};
use crate::sql::ident::quote_ident;
use crate::sql::query::Level;

/// The deepest nesting of subqueries through which a row may be passed on.
const MAX_DEPTH: usize = 100;

impl<'a> Printer<'a> {
    /// `ROW(..)`, with a cast for a named type.
    #[inline(never)]
    pub(super) fn row(&self, row: &RowExpr) -> Result<String, Error> {
        if row.type_oid == oids::RECORD || row.type_oid == 0 {
            return self.record(row);
        }
        // The parser puts a NULL in place of each dropped column of the type.
        let type_ = self.catalog.type_(self.base_type(row.type_oid)?)?;
        let relation = self.catalog.relation(type_.relid)?;
        let mut texts = Vec::new();
        for (arg, column) in row.args.iter().zip(&relation.columns) {
            if !column.dropped {
                texts.push(self.expr(arg)?);
            }
        }
        let type_sql = self.catalog.type_sql(row.type_oid, -1)?;
        Ok(format!("ROW({})::{type_sql}", texts.join(", ")))
    }

    fn record(&self, row: &RowExpr) -> Result<String, Error> {
        if !has_own_names(row) {
            return Ok(format!("ROW({})", self.list(&row.args)?));
        }
        // The row of `JOIN .. USING (..) AS alias`. Its field names matter to `row_to_json` and similar functions.
        let values: Vec<String> = row.args.iter().map(|arg| self.expr(arg)).collect::<Result<_, _>>()?;
        Ok(named_row(row.names.iter().zip(&values)))
    }

    /// `(row).field`.
    #[inline(never)]
    pub(super) fn field_select(&self, select: &FieldSelect) -> Result<String, Error> {
        let position = usize::try_from(select.field)
            .ok()
            .and_then(|field| field.checked_sub(1));
        if let (Expr::Row(row), Some(position)) = (&select.arg, position)
            && has_own_names(row)
            && let Some(field) = row.args.get(position)
        {
            return self.expr(field);
        }
        let names = self.field_names(&select.arg, 0)?;
        let name = position
            .and_then(|position| names.get(position))
            .ok_or_else(|| Error::Tree(format!("field {} of a row", select.field)))?;
        Ok(format!("({}).{}", self.expr(&select.arg)?, quote_ident(name)))
    }

    /// The type of an expression, even if only the catalog knows it.
    pub(in crate::sql) fn type_of(&self, expr: &Expr) -> Result<Oid, Error> {
        if let Expr::SubLink(sublink) = expr
            && sublink.kind == SubLinkKind::Array
            && let Some(target) = sublink.query.targets.first()
        {
            let element = self.type_of(&target.expr)?;
            let type_ = self.catalog.type_(element)?;
            // An array of arrays has the same type as the array.
            return Ok(if type_.array != 0 { type_.array } else { element });
        }
        Ok(expr.type_oid())
    }

    /// True for composite types, domains over them, and `record`.
    pub(super) fn is_row_type(&self, type_oid: Oid) -> Result<bool, Error> {
        if type_oid == oids::RECORD {
            return Ok(true);
        }
        Ok(self.catalog.type_(self.base_type(type_oid)?)?.kind == 'c')
    }

    /// The base type below all domains.
    fn base_type(&self, type_oid: Oid) -> Result<Oid, Error> {
        let mut oid = type_oid;
        for _ in 0..MAX_DEPTH {
            let type_ = self.catalog.type_(oid)?;
            if type_.kind != 'd' {
                break;
            }
            oid = type_.base;
        }
        Ok(oid)
    }

    /// The names of the fields of a row, by position.
    fn field_names(&self, expr: &Expr, depth: usize) -> Result<Vec<String>, Error> {
        let type_oid = self.base_type(expr.type_oid())?;
        if type_oid != oids::RECORD {
            let type_ = self.catalog.type_(type_oid)?;
            let relation = self.catalog.relation(type_.relid)?;
            return Ok(relation.columns.iter().map(|column| column.name.clone()).collect());
        }
        if depth > MAX_DEPTH {
            return Err(Error::Tree("a row passed on too often".to_owned()));
        }
        match expr {
            Expr::Var(var) => self.var_field_names(var, depth),
            Expr::Row(row) => Ok(row.names.clone()),
            Expr::Func(func) => Ok(self.catalog.function(func.function)?.out_names),
            Expr::SubLink(sublink) if sublink.kind == SubLinkKind::Expr => {
                self.target_field_names(&sublink.query, 1, Some(self.scope), depth)
            }
            Expr::FieldSelect(_)
            | Expr::Subscript(_)
            | Expr::Const(_)
            | Expr::Param(_)
            | Expr::Aggref(_)
            | Expr::Grouping(_)
            | Expr::Window(_)
            | Expr::NamedArg(_)
            | Expr::Op(_)
            | Expr::Distinct(_)
            | Expr::NullIf(_)
            | Expr::ScalarArrayOp(_)
            | Expr::Bool(_)
            | Expr::SubLink(_)
            | Expr::Relabel(_)
            | Expr::CoerceViaIo(_)
            | Expr::ArrayCoerce(_)
            | Expr::ConvertRowtype(_)
            | Expr::Collate(_)
            | Expr::Case(_)
            | Expr::CaseTest(..)
            | Expr::Array(_)
            | Expr::RowCompare(_)
            | Expr::Coalesce(_)
            | Expr::MinMax(_)
            | Expr::SqlValue(_)
            | Expr::Xml(_)
            | Expr::JsonValue(_)
            | Expr::JsonConstructor(_)
            | Expr::JsonIs(_)
            | Expr::JsonExpr(_)
            | Expr::NullTest(_)
            | Expr::BooleanTest(_)
            | Expr::CoerceToDomain(_)
            | Expr::Sql(_) => Err(Error::Tree("a field of a row without names".to_owned())),
        }
    }

    fn var_field_names(&self, var: &Var, depth: usize) -> Result<Vec<String>, Error> {
        let (level, scope) = self.level(var.levels_up)?;
        let rte = level.rte(var.varno)?;
        let printer = Printer {
            catalog: self.catalog,
            scope,
        };
        if var.attno == 0 {
            return Ok(rte.columns.clone());
        }
        printer.column_field_names(rte, var.attno, depth)
    }

    /// The query level `levels_up` levels up, and its scope.
    fn level(&self, levels_up: u32) -> Result<(&'a Level<'a>, &'a Scope<'a>), Error> {
        let mut scope = self.scope;
        let mut left = levels_up;
        loop {
            match scope {
                Scope::Level(level) if left == 0 => return Ok((level, scope)),
                Scope::Level(Level { outer: Some(outer), .. }) => {
                    left -= 1;
                    scope = outer;
                }
                Scope::Level(_) | Scope::Given(_) => {
                    return Err(Error::Tree("a row of an unknown query level".to_owned()));
                }
            }
        }
    }

    /// The field names of a column that holds rows.
    fn column_field_names(&self, rte: &Rte, attno: i16, depth: usize) -> Result<Vec<String>, Error> {
        let position = usize::try_from(attno).ok().and_then(|n| n.checked_sub(1));
        let position = position.ok_or_else(|| Error::Tree("a field of a system column".to_owned()))?;
        let missing = || Error::Tree(format!("column {attno} of {}", rte.name));
        match &rte.kind {
            RteKind::Subquery(query) => self.target_field_names(query, attno, Some(self.scope), depth),
            RteKind::Join { alias_vars, .. } => {
                let column = alias_vars.get(position).ok_or_else(missing)?;
                self.field_names(column, depth + 1)
            }
            RteKind::Values { rows, .. } => {
                let row = rows.first().ok_or_else(missing)?;
                self.field_names(row.get(position).ok_or_else(missing)?, depth + 1)
            }
            RteKind::Cte { name, levels_up, .. } => {
                let (level, scope) = self.level(*levels_up)?;
                let cte = level
                    .query
                    .ctes
                    .iter()
                    .find(|cte| cte.name == *name)
                    .ok_or_else(missing)?;
                self.target_field_names(&cte.query, attno, Some(scope), depth)
            }
            // A column of type `record` in a function or table has no field names.
            RteKind::Function { .. }
            | RteKind::Relation { .. }
            | RteKind::TableFunc(_)
            | RteKind::NamedTuplestore { .. }
            | RteKind::Result => Err(missing()),
        }
    }

    /// The field names of a column of a subquery.
    fn target_field_names(
        &self,
        query: &Query,
        attno: i16,
        outer: Option<&Scope<'_>>,
        depth: usize,
    ) -> Result<Vec<String>, Error> {
        let target = query
            .targets
            .iter()
            .find(|target| target.resno == attno && !target.junk)
            .ok_or_else(|| Error::Tree(format!("column {attno} of a subquery")))?;
        let scope = Scope::Level(Level::new(query, outer, self.catalog)?);
        Printer {
            catalog: self.catalog,
            scope: &scope,
        }
        .field_names(&target.expr, depth + 1)
    }
}

/// True for a row of type `record` whose field names differ from those that `ROW(..)` gives.
fn has_own_names(row: &RowExpr) -> bool {
    row.type_oid == oids::RECORD
        && row
            .names
            .iter()
            .zip(1..)
            .any(|(name, number)| *name != format!("f{number}"))
}

/// A row with these field names and values.
pub(in crate::sql) fn named_row<'s>(fields: impl Iterator<Item = (&'s String, &'s String)>) -> String {
    let columns: Vec<String> = fields
        .map(|(name, value)| format!("{value} AS {}", quote_ident(name)))
        .collect();
    format!(
        "(SELECT __pgt_r.*::pg_catalog.record FROM (SELECT {}) AS __pgt_r)",
        columns.join(", ")
    )
}
