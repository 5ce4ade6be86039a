//! FROM.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::query::{CoerceForm, Expr, FromItem, JoinExpr, JoinKind, RangeFunction, Rte, RteKind, TableSample, XmlOp};
use crate::sql::expr::{Printer, Scope, Vars};
use crate::sql::ident::{qualified, quote_ident};

impl Printer<'_> {
    /// The items of FROM, separated by commas.
    pub(super) fn tables(&self, items: &[FromItem]) -> Result<String, Error> {
        let texts: Vec<String> = items.iter().map(|item| self.joined(item)).collect::<Result<_, _>>()?;
        Ok(texts.join(", "))
    }

    fn joined(&self, item: &FromItem) -> Result<String, Error> {
        match item {
            FromItem::Rel(varno) => self.table(*varno),
            FromItem::Join(join) => self.join(join),
        }
    }

    fn join(&self, join: &JoinExpr) -> Result<String, Error> {
        let level = self.own_level()?;
        let mut write = || {
            let left = self.joined(&join.left)?;
            let right = self.joined(&join.right)?;
            let kind = match join.kind {
                JoinKind::Inner => "JOIN",
                JoinKind::Left => "LEFT JOIN",
                JoinKind::Right => "RIGHT JOIN",
                JoinKind::Full => "FULL JOIN",
            };
            let using = level.using(join)?;
            if !using.is_empty() {
                let names: Vec<String> = using.iter().map(|name| quote_ident(name)).collect();
                let alias = level.using_alias(join.rtindex);
                return Ok(format!(
                    "({left} {kind} {right} USING ({}) AS {alias})",
                    names.join(", ")
                ));
            }
            match &join.quals {
                Some(quals) => Ok(format!("({left} {kind} {right} ON {})", self.expr(quals)?)),
                None if join.kind == JoinKind::Inner => Ok(format!("({left} CROSS JOIN {right})")),
                // NATURAL over tables without a column in common.
                None => Ok(format!("({left} {kind} {right} ON TRUE)")),
            }
        };
        let text = level.inside(join, &mut write)?;
        if join.alias.is_none() {
            return Ok(text);
        }
        let columns = level.join_aliases(join)?;
        Ok(format!("{text} AS {}", aliased(&level.alias(join.rtindex), &columns)))
    }

    fn table(&self, varno: i32) -> Result<String, Error> {
        let level = self.own_level()?;
        let rte = level.rte(varno)?;
        let lateral = if rte.lateral { "LATERAL " } else { "" };
        let alias = aliased(&level.alias(varno), level.listed_columns(varno)?);
        match &rte.kind {
            RteKind::Relation { relid, tablesample, .. } => {
                let relation = self.catalog.relation(*relid)?;
                let only = if rte.inh { "" } else { "ONLY " };
                let name = qualified(&relation.schema, &relation.name);
                let same_names = relation
                    .columns
                    .iter()
                    .zip(level.columns(varno)?)
                    .all(|(column, name)| column.dropped || column.name == *name);
                let alias = if same_names { level.alias(varno) } else { alias };
                let sample = match tablesample {
                    Some(sample) => self.table_sample(sample)?,
                    None => String::new(),
                };
                Ok(format!("{only}{name} AS {alias}{sample}"))
            }
            RteKind::Subquery(query) => Ok(format!("{lateral}({}) AS {alias}", self.subquery(query)?)),
            RteKind::Cte { name, .. } => Ok(format!("{} AS {alias}", quote_ident(name))),
            RteKind::NamedTuplestore { name } => Ok(format!("{} AS {alias}", quote_ident(name))),
            RteKind::Function { functions, ordinality } => {
                let text = self.range_functions(functions)?;
                let ordinality = if *ordinality { " WITH ORDINALITY" } else { "" };
                Ok(format!("{lateral}{text}{ordinality} AS {alias}"))
            }
            RteKind::TableFunc(function) => Ok(format!("{lateral}{} AS {alias}", self.table_func(function)?)),
            RteKind::Values { .. } => self.values_item(rte, varno, lateral),
            RteKind::Join { .. } | RteKind::Result => {
                Err(Error::Tree(format!("entry {varno} of the range table in FROM")))
            }
        }
    }

    fn values_item(&self, rte: &Rte, varno: i32, lateral: &str) -> Result<String, Error> {
        let RteKind::Values { rows, .. } = &rte.kind else {
            return Err(Error::Tree("an entry that is not VALUES".to_owned()));
        };
        let level = self.own_level()?;
        let alias = aliased(&level.alias(varno), level.listed_columns(varno)?);
        Ok(format!("{lateral}({}) AS {alias}", self.values(rows)?))
    }

    fn table_sample(&self, sample: &TableSample) -> Result<String, Error> {
        let handler = self.catalog.function(sample.handler)?;
        let mut text = format!(
            " TABLESAMPLE {}({})",
            qualified(&handler.schema, &handler.name),
            self.list(&sample.args)?
        );
        if let Some(repeatable) = &sample.repeatable {
            text.push_str(&format!(" REPEATABLE ({})", self.expr(repeatable)?));
        }
        Ok(text)
    }

    fn range_functions(&self, functions: &[RangeFunction]) -> Result<String, Error> {
        if let [function] = functions
            && function.column_names.is_empty()
        {
            return self.function_call(&function.expr);
        }
        let mut texts = Vec::new();
        for function in functions {
            let mut text = self.function_call(&function.expr)?;
            if !function.column_names.is_empty() {
                text.push_str(&format!(" AS ({})", self.column_definitions(function)?));
            }
            texts.push(text);
        }
        Ok(format!("ROWS FROM ({})", texts.join(", ")))
    }

    /// FROM accepts only expressions that look like a call.
    fn function_call(&self, expr: &Expr) -> Result<String, Error> {
        if let Expr::Sql(leaf) = expr {
            return self.leaf(leaf);
        }
        let text = self.expr(expr)?;
        let looks_like_a_call = match expr {
            Expr::Func(func) => matches!(func.form, CoerceForm::Call | CoerceForm::SqlSyntax),
            Expr::Xml(xml) => xml.op != XmlOp::IsDocument,
            Expr::Coalesce(_) | Expr::MinMax(_) | Expr::SqlValue(_) | Expr::JsonExpr(_) | Expr::JsonConstructor(_) => {
                true
            }
            Expr::NullIf(op) => self.is_plain_null_if(op)?,
            _ => false,
        };
        if looks_like_a_call {
            return Ok(text);
        }
        let type_sql = self.catalog.type_sql(self.type_of(expr)?, expr.typmod())?;
        Ok(format!("CAST({text} AS {type_sql})"))
    }

    fn column_definitions(&self, function: &RangeFunction) -> Result<String, Error> {
        let mut texts = Vec::new();
        for (position, name) in function.column_names.iter().enumerate() {
            let missing = || Error::Tree(format!("column definition {name}"));
            let type_oid = *function.column_types.get(position).ok_or_else(missing)?;
            let typmod = *function.column_typmods.get(position).ok_or_else(missing)?;
            let collation = function.column_collations.get(position).copied();
            let mut text = format!("{} {}", quote_ident(name), self.catalog.type_sql(type_oid, typmod)?);
            if let Some(collation) = collation
                && collation != 0
                && collation != self.catalog.type_(type_oid)?.collation
            {
                let (schema, name) = self.catalog.collation(collation)?;
                text.push_str(&format!(" COLLATE {}", qualified(&schema, &name)));
            }
            texts.push(text);
        }
        Ok(texts.join(", "))
    }
}

/// VALUES or functions as a FROM item, without an alias.
pub fn derived(rte: &Rte, vars: &Vars<'_>, catalog: &dyn Catalog) -> Result<String, Error> {
    let scope = Scope::Given(vars);
    let printer = Printer { catalog, scope: &scope };
    match &rte.kind {
        RteKind::Function { functions, ordinality } => {
            let text = printer.range_functions(functions)?;
            Ok(if *ordinality {
                format!("{text} WITH ORDINALITY")
            } else {
                text
            })
        }
        RteKind::Values { rows, .. } => Ok(format!("({})", printer.values(rows)?)),
        _ => Err(Error::Tree("neither VALUES nor functions".to_owned())),
    }
}

/// `alias(columns)`.
fn aliased(alias: &str, columns: &[String]) -> String {
    let names: Vec<String> = columns
        .iter()
        .filter(|name| !name.is_empty())
        .map(|name| quote_ident(name))
        .collect();
    if names.is_empty() {
        alias.to_owned()
    } else {
        format!("{alias}({})", names.join(", "))
    }
}
