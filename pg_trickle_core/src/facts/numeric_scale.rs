//! The number of decimals of a numeric expression (`dscale` in numeric.c), if it is the same for every row.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::oids::{INT2, INT4, INT8, NUMERIC};
use crate::plan::Oid;
use crate::query::{CoerceForm, Expr, FuncExpr, OpExpr};
use crate::sql::ident::is_one_of;

const INTEGERS: [Oid; 3] = [INT8, INT2, INT4];
/// `VARHDRSZ`, the offset of numeric's type modifier.
const TYPMOD_OFFSET: i32 = 4;

/// Fields of `extract` whose values are integers.
const WHOLE_FIELDS: &str = "year month day quarter week dow doy isodow isoyear hour minute decade century millennium";

/// The scale of all finite values of the expression, if they have the same.
pub fn fixed_scale(expr: &Expr, catalog: &dyn Catalog) -> Result<Option<u32>, Error> {
    if INTEGERS.contains(&expr.type_oid()) {
        return Ok(Some(0));
    }
    if expr.type_oid() != NUMERIC {
        return Ok(None);
    }
    match expr {
        Expr::Const(constant) if !constant.is_null => {
            let text = catalog.const_text(&constant.node)?;
            Ok(text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b'.')
                .then(|| text.split_once('.').map_or(0, |(_, decimals)| decimals.len()))
                .and_then(|decimals| u32::try_from(decimals).ok()))
        }
        Expr::Op(op) => of_operator(op, catalog),
        Expr::Func(function) => of_function(function, catalog),
        Expr::Coalesce(list) => common(list.args.iter(), catalog),
        Expr::MinMax(list) => common(list.args.iter(), catalog),
        Expr::Case(case) => common(
            case.whens.iter().map(|(_, value)| value).chain(case.otherwise.as_ref()),
            catalog,
        ),
        _ => Ok(of_typmod(expr.typmod())),
    }
}

/// The scale in a type modifier of numeric: 11 bits, signed. A negative scale means no decimals.
fn of_typmod(typmod: i32) -> Option<u32> {
    if typmod < TYPMOD_OFFSET {
        return None;
    }
    let bits = (typmod - TYPMOD_OFFSET) & 0x7ff;
    let scale = (bits ^ 1024) - 1024;
    Some(u32::try_from(scale).unwrap_or(0))
}

fn common<'e>(mut exprs: impl Iterator<Item = &'e Expr>, catalog: &dyn Catalog) -> Result<Option<u32>, Error> {
    let is_null = |expr: &&Expr| matches!(expr, Expr::Const(constant) if constant.is_null);
    let mut scale = None;
    if let Some(first) = exprs.by_ref().find(|expr| !is_null(expr)) {
        scale = fixed_scale(first, catalog)?;
    }
    for expr in exprs.filter(|expr| !is_null(expr)) {
        if fixed_scale(expr, catalog)? != scale {
            return Ok(None);
        }
    }
    Ok(scale)
}

fn of_operator(op: &OpExpr, catalog: &dyn Catalog) -> Result<Option<u32>, Error> {
    let operator = catalog.operator(op.operator)?;
    if operator.schema != "pg_catalog" {
        return Ok(None);
    }
    let scales: Option<Vec<u32>> = op
        .args
        .iter()
        .map(|arg| fixed_scale(arg, catalog))
        .collect::<Result<_, Error>>()?;
    Ok(match (operator.name.as_str(), scales.as_deref()) {
        ("+" | "-", Some([a, b])) => Some(*a.max(b)),
        ("*", Some([a, b])) => Some(a + b),
        ("+" | "-", Some([a])) => Some(*a),
        _ => None,
    })
}

fn of_function(call: &FuncExpr, catalog: &dyn Catalog) -> Result<Option<u32>, Error> {
    let function = catalog.function(call.function)?;
    if function.schema != "pg_catalog" {
        return Ok(None);
    }
    let is_cast = call.form != CoerceForm::Call && call.form != CoerceForm::SqlSyntax;
    Ok(match (function.name.as_str(), call.args.as_slice()) {
        ("numeric", [_, Expr::Const(modifier)]) => modifier.int4().and_then(of_typmod),
        ("numeric", [from]) if is_cast => fixed_scale(from, catalog)?.filter(|_| from.type_oid() != NUMERIC),
        ("abs", [of]) => fixed_scale(of, catalog)?,
        ("extract", [Expr::Const(field), _]) if !field.is_null => {
            let field = catalog.const_text(&field.node)?.to_ascii_lowercase();
            is_one_of(&field, WHOLE_FIELDS).then_some(0)
        }
        ("round" | "trunc", [_, Expr::Const(digits)]) => {
            digits.int4().and_then(|digits| u32::try_from(digits.max(0)).ok())
        }
        ("round" | "trunc" | "floor" | "ceil" | "ceiling", [_]) => Some(0),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::of_typmod;

    #[test]
    fn scale_of_type_modifiers() {
        // numeric(10,2), numeric(5), numeric(3,-2), none.
        assert_eq!(of_typmod((10 << 16 | 2) + 4), Some(2));
        assert_eq!(of_typmod((5 << 16) + 4), Some(0));
        assert_eq!(of_typmod((3 << 16 | (-2 & 0x7ff)) + 4), Some(0));
        assert_eq!(of_typmod(-1), None);
    }
}
