//! SQL/JSON expressions. The parser adds conversions around them, and adds them again when it reads the text. So only
//! what the user wrote is written: raw inputs, formats, RETURNING.

use super::Printer;
use super::call::Disguise;
use super::cast::is_false;
use crate::error::Error;
use crate::oids;
use crate::query::{
    Expr, JsonBehavior, JsonBehaviorKind, JsonConstructor, JsonConstructorKind, JsonExpr, JsonExprOp, JsonFormat,
    JsonIs, JsonItem, JsonReturning, JsonValue, JsonWrapper,
};
use crate::sql::ident::quote_ident;

/// `JS_FORMAT_JSON`.
const FORMAT_JSON: i32 = 1;

impl Printer<'_> {
    /// An input: the raw value with its format.
    #[inline(never)]
    pub(super) fn json_value(&self, value: &JsonValue) -> Result<String, Error> {
        Ok(format!("{}{}", self.expr(&value.raw)?, format_clause(value.format)))
    }

    /// `IS JSON`.
    #[inline(never)]
    pub(super) fn json_is(&self, test: &JsonIs) -> Result<String, Error> {
        let item = match test.item {
            JsonItem::Any => "",
            JsonItem::Object => " OBJECT",
            JsonItem::Array => " ARRAY",
            JsonItem::Scalar => " SCALAR",
        };
        let unique = if test.unique { " WITH UNIQUE KEYS" } else { "" };
        Ok(format!("({} IS JSON{item}{unique})", self.expr(&test.arg)?))
    }

    /// `JSON_OBJECT` and similar.
    #[inline(never)]
    pub(super) fn json_constructor(&self, json: &JsonConstructor) -> Result<String, Error> {
        let options = self.constructor_options(json)?;
        let (name, separator) = match json.kind {
            JsonConstructorKind::Object => ("JSON_OBJECT", " : "),
            JsonConstructorKind::Array => ("JSON_ARRAY", ", "),
            JsonConstructorKind::ObjectAgg => ("JSON_OBJECTAGG", " : "),
            JsonConstructorKind::ArrayAgg => ("JSON_ARRAYAGG", ", "),
            JsonConstructorKind::Parse => ("JSON", ", "),
            JsonConstructorKind::Scalar => ("JSON_SCALAR", ", "),
            JsonConstructorKind::Serialize => ("JSON_SERIALIZE", ", "),
        };
        let disguise = Disguise {
            name,
            separator,
            options: &options,
        };
        match &json.func {
            Some(Expr::Aggref(aggref)) => return self.aggregate(aggref, &disguise),
            Some(Expr::Window(window)) => return self.window_call(window, &disguise),
            _ => {}
        }
        let mut text = format!("{name}(");
        for (position, arg) in json.args.iter().enumerate() {
            let is_value = json.kind == JsonConstructorKind::Object && position % 2 == 1;
            if position > 0 {
                text.push_str(if is_value { separator } else { ", " });
            }
            text.push_str(&self.expr(arg)?);
        }
        text.push_str(&options);
        text.push(')');
        Ok(text)
    }

    fn constructor_options(&self, json: &JsonConstructor) -> Result<String, Error> {
        use JsonConstructorKind::{Array, ArrayAgg, Object, ObjectAgg, Parse, Scalar, Serialize};
        let mut text = String::new();
        let collects = match json.kind {
            Object | Array => !json.args.is_empty(),
            ObjectAgg | ArrayAgg => true,
            Parse | Scalar | Serialize => false,
        };
        if collects {
            text.push_str(if json.absent_on_null {
                " ABSENT ON NULL"
            } else {
                " NULL ON NULL"
            });
        }
        if json.unique {
            text.push_str(" WITH UNIQUE KEYS");
        }
        if !matches!(json.kind, Parse | Scalar) {
            text.push_str(&self.returning(&json.returning, true)?);
        }
        Ok(text)
    }

    /// ` RETURNING type [FORMAT JSON]`.
    fn returning(&self, returning: &JsonReturning, with_format: bool) -> Result<String, Error> {
        let not_given = returning.type_oid == oids::JSONB && returning.format.format == 0;
        if returning.type_oid == 0 || (with_format && not_given) {
            return Ok(String::new());
        }
        let type_sql = self.catalog.type_sql(returning.type_oid, returning.typmod)?;
        let format = if with_format {
            returning_format(returning)
        } else {
            String::new()
        };
        Ok(format!(" RETURNING {type_sql}{format}"))
    }

    /// `JSON_QUERY`, `JSON_VALUE`, `JSON_EXISTS`.
    #[inline(never)]
    pub(super) fn json_expr(&self, json: &JsonExpr) -> Result<String, Error> {
        let name = match json.op {
            JsonExprOp::Exists => "JSON_EXISTS",
            JsonExprOp::Query => "JSON_QUERY",
            JsonExprOp::Value => "JSON_VALUE",
            JsonExprOp::Table => return Err(Error::Tree("JSON_TABLE outside FROM".to_owned())),
        };
        let returning = match json.op {
            JsonExprOp::Exists | JsonExprOp::Table => String::new(),
            JsonExprOp::Query => self.returning(&json.returning, true)?,
            JsonExprOp::Value => self.returning(&json.returning, false)?,
        };
        Ok(format!(
            "{name}({}, {}{}{returning}{})",
            self.expr(&json.formatted)?,
            self.expr(&json.path)?,
            self.passing(json)?,
            self.json_options(json, false)?
        ))
    }

    /// ` PASSING value AS name, ...`.
    pub(in crate::sql) fn passing(&self, json: &JsonExpr) -> Result<String, Error> {
        if json.passing.is_empty() {
            return Ok(String::new());
        }
        let texts: Vec<String> = json
            .passing
            .iter()
            .zip(&json.passing_names)
            .map(|(value, name)| Ok(format!("{} AS {}", self.expr(value)?, quote_ident(name))))
            .collect::<Result<_, Error>>()?;
        Ok(format!(" PASSING {}", texts.join(", ")))
    }

    /// Wrapper, quotes, and the behavior on empty results and on errors. For a column of JSON_TABLE, the defaults are
    /// written, too: its type or one of these clauses is why JSON_QUERY computes it.
    pub(in crate::sql) fn json_options(&self, json: &JsonExpr, is_column: bool) -> Result<String, Error> {
        let mut text = String::new();
        if json.op == JsonExprOp::Query {
            text.push_str(match json.wrapper {
                JsonWrapper::Unspecified => "",
                JsonWrapper::None => " WITHOUT WRAPPER",
                JsonWrapper::Conditional => " WITH CONDITIONAL WRAPPER",
                JsonWrapper::Unconditional => " WITH UNCONDITIONAL WRAPPER",
            });
            if json.omit_quotes {
                text.push_str(" OMIT QUOTES");
            } else if is_column {
                text.push_str(" KEEP QUOTES");
            }
        }
        for (behavior, event) in [(&json.on_empty, "EMPTY"), (&json.on_error, "ERROR")] {
            if let Some(behavior) = behavior {
                text.push_str(&self.behavior(behavior, event)?);
            }
        }
        Ok(text)
    }

    /// ` ... ON EMPTY`, ` ... ON ERROR`.
    pub(in crate::sql) fn behavior(&self, behavior: &JsonBehavior, event: &str) -> Result<String, Error> {
        let what = match behavior.kind {
            JsonBehaviorKind::Null => "NULL".to_owned(),
            JsonBehaviorKind::Error => "ERROR".to_owned(),
            JsonBehaviorKind::Empty => "EMPTY".to_owned(),
            JsonBehaviorKind::True => "TRUE".to_owned(),
            JsonBehaviorKind::False => "FALSE".to_owned(),
            JsonBehaviorKind::Unknown => "UNKNOWN".to_owned(),
            JsonBehaviorKind::EmptyArray => "EMPTY ARRAY".to_owned(),
            JsonBehaviorKind::EmptyObject => "EMPTY OBJECT".to_owned(),
            JsonBehaviorKind::Default => {
                let value = behavior
                    .expr
                    .as_ref()
                    .ok_or_else(|| Error::Tree("DEFAULT without a value".to_owned()))?;
                format!("DEFAULT {}", self.expr(assigned(value))?)
            }
        };
        Ok(format!(" {what} ON {event}"))
    }
}

/// A default for a domain, without the assignment to its base type that the parser added: no cast can express it, and
/// the parser adds it again.
fn assigned(value: &Expr) -> &Expr {
    if let Expr::CoerceToDomain(cast) = value
        && let Expr::Func(func) = &cast.arg
        && matches!(func.args.get(2), Some(flag) if is_false(flag))
    {
        return &func.args[0];
    }
    value
}

/// ` FORMAT JSON [ENCODING ..]`, or nothing for the default.
fn format_clause(format: JsonFormat) -> String {
    if format.format != FORMAT_JSON {
        return String::new();
    }
    let encoding = match format.encoding {
        1 => " ENCODING UTF8",
        2 => " ENCODING UTF16",
        3 => " ENCODING UTF32",
        _ => "",
    };
    format!(" FORMAT JSON{encoding}")
}

/// The format of RETURNING, if it is not the default of the type.
pub(in crate::sql) fn returning_format(returning: &JsonReturning) -> String {
    if returning.type_oid == oids::JSONB || returning.format.encoding != 0 {
        format_clause(returning.format)
    } else {
        String::new()
    }
}
