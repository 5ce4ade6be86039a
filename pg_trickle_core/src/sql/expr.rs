//! Analysed expressions as SQL text, from which PostgreSQL's analysis makes the same tree again.
//!
//! Every function, operator, type and collation is schema-qualified, every constant has its type, and casts that the
//! parser added are written out. So the text means the same under every `search_path` and every set of overloads. Only
//! the way a call was written is lost, because the tree does not record it: `EXTRACT(..)` becomes a plain call.
//!
//! Every piece of text is self-contained: it can be followed by `::type`, and be an operand of any operator.

mod call;
mod cast;
mod compare;
mod json;
mod row;
mod sublink;
mod xml;

pub(super) use call::target_of;
pub(super) use compare::is_plain_equality;
pub(super) use json::returning_format;
pub(super) use row::named_row;

use super::ident::{qualified, quote_ident};
use super::literal::quote_literal;
use super::query::Level;
use crate::catalog::{Catalog, Operator};
use crate::error::Error;
use crate::oids;
use crate::plan::Oid;
use crate::query::{
    ArrayExpr, BoolOp, Case, Collate, Const, Expr, NamedArg, Param, ParamKind, SqlLeaf, Subscript, Var,
};

/// Writes a Var of the block that contains the expression. Its `levels_up` is 0.
pub type Vars<'a> = dyn Fn(&Var) -> Result<String, Error> + 'a;

/// The expression as SQL. `vars` names its Vars.
pub fn print(expr: &Expr, vars: &Vars<'_>, catalog: &dyn Catalog) -> Result<String, Error> {
    let scope = Scope::Given(vars);
    Printer { catalog, scope: &scope }.expr(expr)
}

/// What Vars can refer to: query levels, innermost first.
pub(super) enum Scope<'a> {
    /// A block whose names the caller knows.
    Given(&'a Vars<'a>),
    /// A query that is being written.
    Level(Level<'a>),
}

/// Writes expressions at one query level.
#[derive(Clone, Copy)]
pub(super) struct Printer<'a> {
    pub(super) catalog: &'a dyn Catalog,
    pub(super) scope: &'a Scope<'a>,
}

impl<'a> Printer<'a> {
    /// Any expression. Each arm only calls a method, so that no locals take stack space at every level.
    pub(super) fn expr(&self, expr: &Expr) -> Result<String, Error> {
        match expr {
            Expr::Var(var) => self.var(var),
            Expr::Const(constant) => self.constant(constant),
            Expr::Param(param) => self.param(param),
            Expr::Aggref(aggref) => self.aggref(aggref),
            Expr::Grouping(grouping) => self.listed("GROUPING(", &grouping.args, ")"),
            Expr::Window(window) => self.window_func(window),
            Expr::Subscript(subscript) => self.subscript(subscript),
            Expr::Func(func) => self.func(expr, func),
            Expr::NamedArg(arg) => self.named_arg(arg),
            Expr::Op(op) => self.op(op),
            Expr::Distinct(op) => self.distinct(op),
            Expr::NullIf(op) => self.null_if(op),
            Expr::ScalarArrayOp(op) => self.scalar_array_op(op),
            Expr::Bool(boolean) => self.boolean(boolean.op, &boolean.args),
            Expr::SubLink(sublink) => self.sublink(sublink),
            Expr::FieldSelect(select) => self.field_select(select),
            Expr::Relabel(_)
            | Expr::CoerceViaIo(_)
            | Expr::ArrayCoerce(_)
            | Expr::ConvertRowtype(_)
            | Expr::CoerceToDomain(_) => self.cast(expr),
            Expr::Collate(collate) => self.collate(collate),
            Expr::Case(case) => self.case(case),
            Expr::CaseTest(..) => Err(Error::Tree("a CASE value outside its CASE".to_owned())),
            Expr::Array(array) => self.array(array),
            Expr::Row(row) => self.row(row),
            Expr::RowCompare(compare) => self.row_compare(compare),
            Expr::Coalesce(list) => self.listed("COALESCE(", &list.args, ")"),
            Expr::MinMax(list) if list.least => self.listed("LEAST(", &list.args, ")"),
            Expr::MinMax(list) => self.listed("GREATEST(", &list.args, ")"),
            Expr::SqlValue(value) => sql_value(value.op, value.typmod),
            Expr::Xml(xml) => self.xml(xml),
            Expr::JsonValue(value) => self.json_value(value),
            Expr::JsonConstructor(constructor) => self.json_constructor(constructor),
            Expr::JsonIs(test) => self.json_is(test),
            Expr::JsonExpr(json) => self.json_expr(json),
            Expr::NullTest(test) => self.null_test(test),
            Expr::BooleanTest(test) => self.boolean_test(test),
            Expr::Sql(leaf) => Ok(format!("({})", self.leaf(leaf)?)),
        }
    }

    /// The core's own SQL, without enclosing parentheses.
    pub(super) fn leaf(&self, leaf: &SqlLeaf) -> Result<String, Error> {
        let mut text = String::new();
        for (n, part) in leaf.parts.iter().enumerate() {
            text.push_str(part);
            if let Some(arg) = leaf.args.get(n) {
                text.push_str(&self.expr(arg)?);
            }
        }
        Ok(text)
    }

    /// Expressions, separated by commas.
    pub(super) fn list(&self, exprs: &[Expr]) -> Result<String, Error> {
        self.listed("", exprs, "")
    }

    #[inline(never)]
    fn listed(&self, before: &str, exprs: &[Expr], after: &str) -> Result<String, Error> {
        let mut text = String::from(before);
        for (position, expr) in exprs.iter().enumerate() {
            if position > 0 {
                text.push_str(", ");
            }
            text.push_str(&self.expr(expr)?);
        }
        text.push_str(after);
        Ok(text)
    }

    #[inline(never)]
    fn param(&self, param: &Param) -> Result<String, Error> {
        if param.kind != ParamKind::Extern {
            return Err(Error::Tree(format!("parameter {} outside a subquery's test", param.id)));
        }
        let type_sql = self.catalog.type_sql(param.type_oid, param.typmod)?;
        Ok(format!("${}::{type_sql}", param.id))
    }

    #[inline(never)]
    fn named_arg(&self, arg: &NamedArg) -> Result<String, Error> {
        Ok(format!("{} => {}", quote_ident(&arg.name), self.expr(&arg.arg)?))
    }

    #[inline(never)]
    fn collate(&self, collate: &Collate) -> Result<String, Error> {
        let (schema, name) = self.catalog.collation(collate.collation)?;
        let arg = self.expr(&collate.arg)?;
        Ok(format!("({arg} COLLATE {})", qualified(&schema, &name)))
    }

    #[inline(never)]
    fn array(&self, array: &ArrayExpr) -> Result<String, Error> {
        if array.elements.is_empty() {
            // Only the cast gives the type of an empty array.
            let type_sql = self.catalog.type_sql(array.type_oid, -1)?;
            return Ok(format!("ARRAY[]::{type_sql}"));
        }
        self.listed("ARRAY[", &array.elements, "]")
    }

    #[inline(never)]
    fn var(&self, var: &Var) -> Result<String, Error> {
        let mut scope = self.scope;
        let mut levels = var.levels_up;
        loop {
            match scope {
                Scope::Given(vars) => {
                    return vars(&Var {
                        levels_up: levels,
                        ..var.clone()
                    });
                }
                Scope::Level(level) if levels == 0 => return level.var(var, self),
                Scope::Level(level) => {
                    levels -= 1;
                    scope = level
                        .outer
                        .ok_or_else(|| Error::Tree("a Var of a query level that does not exist".to_owned()))?;
                }
            }
        }
    }

    /// A constant with its type. Small integers and booleans are written plainly, because the parser reads them back as
    /// the same constant.
    #[inline(never)]
    pub(super) fn constant(&self, constant: &Const) -> Result<String, Error> {
        match (constant.type_oid, constant.int4()) {
            (oids::INT4, Some(value)) if value >= 0 => return Ok(value.to_string()),
            (oids::BOOL, Some(value)) => return Ok((value & 0xff != 0).to_string()),
            _ => {}
        }
        self.typed_constant(constant)
    }

    /// A constant as a cast, even where a plain one would be taken for the position of a column.
    pub(super) fn typed_constant(&self, constant: &Const) -> Result<String, Error> {
        let type_sql = self.catalog.type_sql(constant.type_oid, constant.typmod)?;
        if constant.is_null {
            return Ok(format!("NULL::{type_sql}"));
        }
        let text = self.const_text(constant)?;
        Ok(format!("{}::{type_sql}", quote_literal(&text)))
    }

    /// The value of a non-NULL constant, as text.
    pub(super) fn const_text(&self, constant: &Const) -> Result<String, Error> {
        if oids::REG_TYPES.contains(&constant.type_oid)
            && let Some(value) = constant.int4()
        {
            return Ok(value.cast_unsigned().to_string());
        }
        // The output function of `xml` omits the XML declaration.
        if constant.type_oid == oids::XML
            && let Some(text) = stored_text(&constant.node)
        {
            return Ok(text);
        }
        self.catalog.const_text(&constant.node)
    }

    /// `OPERATOR(schema.name)`.
    pub(super) fn operator(&self, oid: Oid) -> Result<String, Error> {
        Ok(operator_sql(&self.catalog.operator(oid)?))
    }

    #[inline(never)]
    fn boolean(&self, op: BoolOp, args: &[Expr]) -> Result<String, Error> {
        let word = match op {
            BoolOp::And => " AND ",
            BoolOp::Or => " OR ",
            BoolOp::Not => "",
        };
        let mut text = String::from(if op == BoolOp::Not { "(NOT " } else { "(" });
        for (position, arg) in args.iter().enumerate() {
            if position > 0 {
                text.push_str(word);
            }
            text.push_str(&self.expr(arg)?);
        }
        text.push(')');
        Ok(text)
    }

    #[inline(never)]
    fn subscript(&self, subscript: &Subscript) -> Result<String, Error> {
        let mut text = format!("({})", self.expr(&subscript.container)?);
        let bound = |bound: Option<&Option<Expr>>| match bound {
            Some(Some(bound)) => self.expr(bound),
            Some(None) | None => Ok(String::new()),
        };
        for (position, upper) in subscript.upper.iter().enumerate() {
            let upper = bound(Some(upper))?;
            if subscript.lower.is_empty() {
                text.push_str(&format!("[{upper}]"));
            } else {
                // The space separates `:` from a following `::` of a cast.
                let lower = bound(subscript.lower.get(position))?;
                text.push_str(&format!("[{lower} : {upper}]"));
            }
        }
        // The parentheses make a further subscript or field apply to the result of this node.
        Ok(format!("({text})"))
    }

    #[inline(never)]
    fn case(&self, case: &Case) -> Result<String, Error> {
        let mut text = String::from("CASE");
        let tested = match &case.arg {
            Some(arg) => self.tested(arg, &case.whens)?,
            None => compare::Tested::Nothing,
        };
        if let compare::Tested::Once(arg) = &tested {
            text.push_str(&format!(" {arg}"));
        }
        for (condition, result) in &case.whens {
            let condition = self.when(condition, &tested)?;
            text.push_str(&format!(" WHEN {condition} THEN {}", self.expr(result)?));
        }
        if let Some(otherwise) = &case.otherwise {
            text.push_str(&format!(" ELSE {}", self.expr(otherwise)?));
        }
        text.push_str(" END");
        Ok(text)
    }
}

/// `OPERATOR(schema.name)`.
#[must_use]
pub fn operator_sql(operator: &Operator) -> String {
    format!("OPERATOR({}.{})", quote_ident(&operator.schema), operator.name)
}

/// `CURRENT_DATE` and similar, by `SQLValueFunctionOp`.
fn sql_value(op: i32, typmod: i32) -> Result<String, Error> {
    let (name, has_precision) = match op {
        0 => ("CURRENT_DATE", false),
        1 => ("CURRENT_TIME", false),
        2 => ("CURRENT_TIME", true),
        3 => ("CURRENT_TIMESTAMP", false),
        4 => ("CURRENT_TIMESTAMP", true),
        5 => ("LOCALTIME", false),
        6 => ("LOCALTIME", true),
        7 => ("LOCALTIMESTAMP", false),
        8 => ("LOCALTIMESTAMP", true),
        9 => ("CURRENT_ROLE", false),
        10 => ("CURRENT_USER", false),
        11 => ("USER", false),
        12 => ("SESSION_USER", false),
        13 => ("CURRENT_CATALOG", false),
        14 => ("CURRENT_SCHEMA", false),
        _ => return Err(Error::Tree(format!("SQL value function {op}"))),
    };
    Ok(if has_precision {
        format!("{name}({typmod})")
    } else {
        name.to_owned()
    })
}

/// The text in a datum that is stored like `text`: four bytes for the length, then the characters.
fn stored_text(node: &str) -> Option<String> {
    let (_, datum) = node.split_once(":constvalue")?;
    let (_, bytes) = datum.split_once('[')?;
    let bytes: Vec<u8> = bytes
        .split_whitespace()
        .take_while(|byte| *byte != "]" && *byte != "]}")
        .map(|byte| byte.parse::<i16>().ok().map(|byte| byte.to_le_bytes()[0]))
        .collect::<Option<_>>()?;
    let (header, text) = bytes.split_first_chunk::<4>()?;
    // The lowest two bits of the length say how the value is packed; 0 means not at all.
    let length = usize::try_from(u32::from_le_bytes(*header)).ok()?;
    if length & 3 != 0 || length >> 2 != bytes.len() {
        return None;
    }
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::stored_text;

    #[test]
    fn texts_are_read_from_their_datum() {
        let node = "{CONST :consttype 142 :constisnull false :location 3 :constvalue 8 [ 32 0 0 0 60 97 47 62 ]}";
        assert_eq!(stored_text(node).as_deref(), Some("<a/>"));
        assert_eq!(stored_text("{CONST :constvalue 4 [ 33 0 0 0 ]}"), None);
        assert_eq!(stored_text("{CONST :constvalue <>}"), None);
    }
}
