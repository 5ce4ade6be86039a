//! XMLTABLE and JSON_TABLE.

use crate::error::Error;
use crate::query::{Expr, JsonBehaviorKind, JsonExprOp, JsonTablePlan, TableFunc, TableFuncKind, attno};
use crate::sql::expr::{Printer, returning_format};
use crate::sql::ident::quote_ident;
use crate::sql::literal::quote_literal;

impl Printer<'_> {
    /// A table function and its columns.
    pub(super) fn table_func(&self, function: &TableFunc) -> Result<String, Error> {
        match function.kind {
            TableFuncKind::Xml => self.xml_table(function),
            TableFuncKind::Json => self.json_table(function),
        }
    }

    fn xml_table(&self, function: &TableFunc) -> Result<String, Error> {
        let mut text = String::from("XMLTABLE(");
        if !function.ns_uris.is_empty() {
            let mut namespaces = Vec::new();
            for (uri, name) in function.ns_uris.iter().zip(&function.ns_names) {
                let uri = self.expr(uri)?;
                namespaces.push(match name {
                    Some(name) => format!("{uri} AS {}", quote_ident(name)),
                    None => format!("DEFAULT {uri}"),
                });
            }
            text.push_str(&format!("XMLNAMESPACES({}), ", namespaces.join(", ")));
        }
        let missing = || Error::Tree("XMLTABLE without its input".to_owned());
        let row = self.expr(function.row.as_ref().ok_or_else(missing)?)?;
        let doc = self.expr(function.doc.as_ref().ok_or_else(missing)?)?;
        let mut columns = Vec::new();
        for (position, name) in function.column_names.iter().enumerate() {
            columns.push(self.xml_column(function, position, name)?);
        }
        text.push_str(&format!("({row}) PASSING ({doc}) COLUMNS {})", columns.join(", ")));
        Ok(text)
    }

    fn xml_column(&self, function: &TableFunc, position: usize, name: &str) -> Result<String, Error> {
        let number = i32::from(attno(position)?) - 1;
        let mut text = quote_ident(name);
        if function.ordinality == number {
            text.push_str(" FOR ORDINALITY");
            return Ok(text);
        }
        text.push_str(&format!(" {}", self.column_type(function, position)?));
        if let Some(Some(default)) = function.column_defaults.get(position) {
            text.push_str(&format!(" DEFAULT ({})", self.expr(default)?));
        }
        if let Some(Some(path)) = function.column_exprs.get(position) {
            text.push_str(&format!(" PATH ({})", self.expr(path)?));
        }
        if function.not_nulls.contains(&number) {
            text.push_str(" NOT NULL");
        }
        Ok(text)
    }

    fn column_type(&self, function: &TableFunc, position: usize) -> Result<String, Error> {
        let type_oid = function.column_types.get(position);
        let typmod = function.column_typmods.get(position);
        match (type_oid, typmod) {
            (Some(type_oid), Some(typmod)) => self.catalog.type_sql(*type_oid, *typmod),
            _ => Err(Error::Tree(format!("type of column {position}"))),
        }
    }

    fn json_table(&self, function: &TableFunc) -> Result<String, Error> {
        let Some(Expr::JsonExpr(doc)) = &function.doc else {
            return Err(Error::Tree("JSON_TABLE without its input".to_owned()));
        };
        let Some(JsonTablePlan::Path {
            path,
            name,
            first_column,
            last_column,
            child,
            ..
        }) = function.plan.as_deref()
        else {
            return Err(Error::Tree("JSON_TABLE without a root path".to_owned()));
        };
        let mut columns = self.json_columns(function, *first_column, *last_column)?;
        if let Some(child) = child {
            self.nested_columns(function, child, &mut columns)?;
        }
        let mut text = format!(
            "JSON_TABLE({}, {} AS {}{} COLUMNS ({})",
            self.expr(&doc.formatted)?,
            self.path(path)?,
            quote_ident(name),
            self.passing(doc)?,
            columns.join(", ")
        );
        if let Some(behavior) = &doc.on_error
            && behavior.kind != JsonBehaviorKind::EmptyArray
        {
            text.push_str(&self.behavior(behavior, "ERROR")?);
        }
        text.push(')');
        Ok(text)
    }

    /// A path as a bare literal, because JSON_TABLE accepts nothing else.
    fn path(&self, path: &Expr) -> Result<String, Error> {
        match path {
            Expr::Const(constant) if !constant.is_null => Ok(quote_literal(&self.const_text(constant)?)),
            _ => Err(Error::Tree("a JSON path that is not a constant".to_owned())),
        }
    }

    fn nested_columns(
        &self,
        function: &TableFunc,
        plan: &JsonTablePlan,
        columns: &mut Vec<String>,
    ) -> Result<(), Error> {
        match plan {
            JsonTablePlan::Path {
                path,
                name,
                first_column,
                last_column,
                child,
                ..
            } => {
                let mut inner = self.json_columns(function, *first_column, *last_column)?;
                if let Some(child) = child {
                    self.nested_columns(function, child, &mut inner)?;
                }
                columns.push(format!(
                    "NESTED PATH {} AS {} COLUMNS ({})",
                    self.path(path)?,
                    quote_ident(name),
                    inner.join(", ")
                ));
                Ok(())
            }
            JsonTablePlan::Siblings(left, right) => {
                self.nested_columns(function, left, columns)?;
                self.nested_columns(function, right, columns)
            }
        }
    }

    fn json_columns(&self, function: &TableFunc, first: i32, last: i32) -> Result<Vec<String>, Error> {
        let (Ok(first), Ok(last)) = (usize::try_from(first), usize::try_from(last)) else {
            return Ok(Vec::new());
        };
        let mut columns = Vec::new();
        for (position, name) in function.column_names.iter().enumerate() {
            if (first..=last).contains(&position) {
                columns.push(self.json_column(function, position, name)?);
            }
        }
        Ok(columns)
    }

    fn json_column(&self, function: &TableFunc, position: usize, name: &str) -> Result<String, Error> {
        let name = quote_ident(name);
        let json = match function.column_values.get(position) {
            Some(Some(Expr::JsonExpr(json))) => json,
            Some(None) => return Ok(format!("{name} FOR ORDINALITY")),
            _ => return Err(Error::Tree(format!("column {name} of JSON_TABLE"))),
        };
        let kind = if json.op == JsonExprOp::Exists { " EXISTS" } else { "" };
        let format = returning_format(&json.returning);
        Ok(format!(
            "{name} {}{kind}{format} PATH {}{}",
            self.column_type(function, position)?,
            self.path(&json.path)?,
            self.json_options(json, true)?
        ))
    }
}
