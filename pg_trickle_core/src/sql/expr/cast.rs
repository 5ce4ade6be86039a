//! Casts of all kinds, and function calls, some of which are casts.

use super::Printer;
use crate::error::Error;
use crate::query::{CoerceForm, Expr, FuncExpr, XmlOp};

impl Printer<'_> {
    /// A call, or a cast that runs a function.
    #[inline(never)]
    pub(super) fn func(&self, expr: &Expr, func: &FuncExpr) -> Result<String, Error> {
        let is_cast = matches!(func.form, CoerceForm::ExplicitCast | CoerceForm::ImplicitCast);
        // PostgreSQL reads a cast in a query as an explicit one and passes that to its function. If the tree says
        // otherwise, only a plain call can express it.
        let says_implicit = matches!(func.args.get(2), Some(flag) if is_false(flag));
        if is_cast && (!says_implicit || serialized(expr).is_some()) {
            return self.cast(expr);
        }
        self.call(func)
    }

    /// `value::type`, including the type modifier. A length coercion is recognised by its form.
    #[inline(never)]
    pub(super) fn cast(&self, expr: &Expr) -> Result<String, Error> {
        if let Some(serialize) = serialized(expr) {
            return self.expr(serialize);
        }
        let Some((arg, _)) = operand(expr) else {
            return Err(Error::Tree("a cast of nothing".to_owned()));
        };
        let type_sql = self.catalog.type_sql(expr.type_oid(), expr.typmod())?;
        let arg = self.undomained(expr, arg)?;
        let mut value = self.expr(arg)?;
        if let Expr::Array(array) = arg
            && !array.elements.is_empty()
        {
            // A cast right after `ARRAY[..]` applies to the elements. A cast to the array's own type in between
            // prevents that.
            let own = self
                .catalog
                .type_sql(array.type_oid, elements_typmod(&array.elements))?;
            value = format!("{value}::{own}");
        }
        Ok(format!("{value}::{type_sql}"))
    }
}

impl Printer<'_> {
    /// A cast to a domain applies the modifier of the base type itself, so the coercion below it is not written.
    fn undomained<'e>(&self, expr: &Expr, arg: &'e Expr) -> Result<&'e Expr, Error> {
        let (Expr::CoerceToDomain(cast), Expr::Func(func)) = (expr, arg) else {
            return Ok(arg);
        };
        let domain = self.catalog.type_(cast.type_oid)?;
        let is_part = func.form == CoerceForm::ImplicitCast
            && func.args.len() > 1
            && (func.type_oid, arg.typmod()) == (domain.base, domain.base_typmod);
        Ok(match func.args.first() {
            Some(inner) if is_part => inner,
            _ => arg,
        })
    }
}

/// The type modifier of all elements; -1 if they differ or have none.
fn elements_typmod(elements: &[Expr]) -> i32 {
    let mut typmods = elements.iter().map(Expr::typmod);
    let first = typmods.next().unwrap_or(-1);
    if typmods.all(|typmod| typmod == first) {
        first
    } else {
        -1
    }
}

/// The operand of a cast, and how the cast was written.
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

/// The XMLSERIALIZE below implicit casts. They are part of it, because XMLSERIALIZE names the type of its result.
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
pub(super) fn is_false(expr: &Expr) -> bool {
    matches!(expr, Expr::Const(constant)
        if constant.type_oid == crate::oids::BOOL && constant.int4().is_some_and(|value| value & 0xff == 0))
}
