//! Casts of all kinds, and function calls, some of which are casts.

use super::Printer;
use crate::error::Error;
use crate::query::{CoerceForm, Expr, FuncExpr, XmlOp};

impl Printer<'_> {
    /// A call, or a cast that runs a function.
    pub(super) fn func(&self, expr: &Expr, func: &FuncExpr) -> Result<String, Error> {
        let is_cast = matches!(func.form, CoerceForm::ExplicitCast | CoerceForm::ImplicitCast);
        // A cast in a query is always an explicit one for its function; where the tree says otherwise, only a plain
        // call can say so too.
        if is_cast && !matches!(func.args.get(2), Some(flag) if is_false(flag)) {
            return self.cast(expr);
        }
        self.call(func)
    }

    /// `value::type`. The modifier is part of it: a length coercion is recognised by its form.
    pub(super) fn cast(&self, expr: &Expr) -> Result<String, Error> {
        if let Some(serialize) = serialized(expr) {
            return self.expr(serialize);
        }
        let Some((arg, _)) = operand(expr) else {
            return Err(Error::Tree("a cast of nothing".to_owned()));
        };
        let type_sql = self.catalog.type_sql(expr.type_oid(), expr.typmod())?;
        Ok(format!("{}::{type_sql}", self.expr(arg)?))
    }
}

/// What a cast is applied to, and how it was written.
fn operand(expr: &Expr) -> Option<(&Expr, CoerceForm)> {
    match expr {
        Expr::Func(e) => Some((e.args.first()?, e.form)),
        Expr::Relabel(e) => Some((&e.arg, e.form)),
        Expr::CoerceViaIo(e) => Some((&e.arg, e.form)),
        Expr::ArrayCoerce(e) => Some((&e.arg, e.form)),
        Expr::ConvertRowtype(e) => Some((&e.arg, e.form)),
        Expr::CoerceToDomain(e) => Some((&e.arg, e.form)),
        _ => None,
    }
}

/// The XMLSERIALIZE below implicit casts: these are part of it, because it names its result's type itself.
fn serialized(expr: &Expr) -> Option<&Expr> {
    let (arg, form) = operand(expr)?;
    if form != CoerceForm::ImplicitCast {
        return None;
    }
    match arg {
        Expr::Xml(xml) if xml.op == XmlOp::Serialize => Some(arg),
        _ => serialized(arg),
    }
}

/// The constant FALSE.
fn is_false(expr: &Expr) -> bool {
    matches!(expr, Expr::Const(constant)
        if constant.type_oid == super::oids::BOOL && !constant.is_null && !first_byte_set(&constant.node))
}

/// The first byte of a datum is not 0: a `bool` that is true, of either byte order's in-memory form on small machines.
fn first_byte_set(node: &str) -> bool {
    node.split_once('[')
        .and_then(|(_, datum)| datum.split_whitespace().next())
        .is_some_and(|byte| byte != "0")
}
