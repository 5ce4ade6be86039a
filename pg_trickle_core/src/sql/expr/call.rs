//! Calls: functions, aggregates, window functions.

use super::{Printer, Scope};
use crate::error::Error;
use crate::query::{Aggref, Expr, FuncExpr, SortGroup, Target, WindowFunc};
use crate::sql::ident::{qualified, quote_ident};

/// How a SQL/JSON constructor rewrites the aggregate that implements it.
pub(super) struct Disguise<'t> {
    /// The constructor's name.
    pub name: &'t str,
    /// Text between key and value.
    pub separator: &'t str,
    /// Text after the arguments.
    pub options: &'t str,
}

impl Printer<'_> {
    /// `schema.name(args)`.
    #[inline(never)]
    pub(super) fn call(&self, func: &FuncExpr) -> Result<String, Error> {
        // Write the arguments first, while little else of this call is on the stack.
        let args = self.call_args(&func.args, func.variadic)?;
        let function = self.catalog.function(func.function)?;
        Ok(format!("{}({args})", qualified(&function.schema, &function.name)))
    }

    fn call_args(&self, args: &[Expr], variadic: bool) -> Result<String, Error> {
        let mut text = String::new();
        for (position, arg) in args.iter().enumerate() {
            if position > 0 {
                text.push_str(", ");
            }
            if variadic && position + 1 == args.len() {
                text.push_str("VARIADIC ");
            }
            text.push_str(&self.expr(arg)?);
        }
        Ok(text)
    }

    /// An aggregate call.
    #[inline(never)]
    pub(super) fn aggref(&self, aggref: &Aggref) -> Result<String, Error> {
        let function = self.catalog.function(aggref.function)?;
        let name = qualified(&function.schema, &function.name);
        self.aggregate(
            aggref,
            &Disguise {
                name: &name,
                separator: ", ",
                options: "",
            },
        )
    }

    #[inline(never)]
    pub(super) fn aggregate(&self, aggref: &Aggref, how: &Disguise<'_>) -> Result<String, Error> {
        let mut text = format!("{}(", how.name);
        if !aggref.distinct.is_empty() {
            text.push_str("DISTINCT ");
        }
        let order = self.order_by(&aggref.order, &aggref.args)?;
        if aggref.kind == 'n' {
            if aggref.star {
                text.push('*');
            } else {
                let args: Vec<&Target> = aggref.args.iter().filter(|arg| !arg.junk).collect();
                for (position, arg) in args.iter().enumerate() {
                    if position > 0 {
                        text.push_str(how.separator);
                    }
                    if aggref.variadic && position + 1 == args.len() {
                        text.push_str("VARIADIC ");
                    }
                    text.push_str(&self.expr(&arg.expr)?);
                }
            }
            text.push_str(&order);
            text.push_str(how.options);
            text.push(')');
        } else {
            text.push_str(&self.list(&aggref.direct_args)?);
            text.push_str(&format!(") WITHIN GROUP ({})", order.trim_start()));
        }
        self.push_filter(&mut text, aggref.filter.as_ref())?;
        Ok(text)
    }

    fn push_filter(&self, text: &mut String, filter: Option<&Expr>) -> Result<(), Error> {
        if let Some(filter) = filter {
            text.push_str(&format!(" FILTER (WHERE {})", self.expr(filter)?));
        }
        Ok(())
    }

    /// A window function call.
    #[inline(never)]
    pub(super) fn window_func(&self, window: &WindowFunc) -> Result<String, Error> {
        let function = self.catalog.function(window.function)?;
        let name = qualified(&function.schema, &function.name);
        self.window_call(
            window,
            &Disguise {
                name: &name,
                separator: ", ",
                options: "",
            },
        )
    }

    #[inline(never)]
    pub(super) fn window_call(&self, window: &WindowFunc, how: &Disguise<'_>) -> Result<String, Error> {
        let args = if window.star {
            "*".to_owned()
        } else {
            let args: Vec<String> = window.args.iter().map(|arg| self.expr(arg)).collect::<Result<_, _>>()?;
            args.join(how.separator)
        };
        let mut text = format!("{}({args}{})", how.name, how.options);
        self.push_filter(&mut text, window.filter.as_ref())?;
        let Scope::Level(level) = self.scope else {
            return Err(Error::Tree("a window function outside its query".to_owned()));
        };
        let definition = level
            .query
            .windows
            .iter()
            .find(|definition| definition.winref == window.winref)
            .ok_or_else(|| Error::Tree(format!("window {}", window.winref)))?;
        match &definition.name {
            Some(name) => text.push_str(&format!(" OVER {}", quote_ident(name))),
            None => text.push_str(&format!(" OVER {}", self.window_definition(definition)?)),
        }
        Ok(text)
    }

    /// ` ORDER BY ...`, or nothing without items. Items are written as expressions. This is right everywhere but in the
    /// query's own ORDER BY, where a constant would be a position.
    pub(in crate::sql) fn order_by(&self, items: &[SortGroup], targets: &[Target]) -> Result<String, Error> {
        if items.is_empty() {
            return Ok(String::new());
        }
        let texts: Vec<String> = items
            .iter()
            .map(|item| {
                let target = target_of(targets, item.target_ref)?;
                let expr = self.expr(&target.expr)?;
                Ok(format!("{expr}{}", self.direction(item, &target.expr)?))
            })
            .collect::<Result<_, Error>>()?;
        Ok(format!(" ORDER BY {}", texts.join(", ")))
    }

    /// ` ASC NULLS LAST` and similar.
    pub(in crate::sql) fn direction(&self, item: &SortGroup, expr: &Expr) -> Result<String, Error> {
        let type_oid = self.type_of(expr)?;
        let default = self.catalog.default_equality(type_oid)?;
        let is =
            |operator: Option<&crate::catalog::Operator>| operator.is_some_and(|operator| operator.oid == item.sort_op);
        let direction = match &default {
            Some(default) if is(default.less.as_ref()) => " ASC".to_owned(),
            Some(default) if is(default.greater.as_ref()) => " DESC".to_owned(),
            _ => format!(" USING {}", self.operator(item.sort_op)?),
        };
        let nulls = if item.nulls_first { "FIRST" } else { "LAST" };
        Ok(format!("{direction} NULLS {nulls}"))
    }
}

/// The target that a sort or group item refers to.
pub(in crate::sql) fn target_of(targets: &[Target], target_ref: u32) -> Result<&Target, Error> {
    targets
        .iter()
        .find(|target| target.ressortgroupref == target_ref)
        .ok_or_else(|| Error::Tree(format!("sort or group reference {target_ref}")))
}
