//! SQL/JSON expressions.

use super::{Reader, expect, pick};
use crate::error::Error;
use crate::node::Node;
use crate::query::{
    Expr, JsonBehavior, JsonBehaviorKind, JsonConstructor, JsonConstructorKind, JsonExpr, JsonExprOp, JsonFormat,
    JsonIs, JsonItem, JsonReturning, JsonValue, JsonWrapper,
};

/// A format; where the parser put none it is the default one.
fn format(node: Node<'_>, field: &str) -> Result<JsonFormat, Error> {
    let Some(format) = node.child(field)? else {
        return Ok(JsonFormat::default());
    };
    expect(format, "JSONFORMAT")?;
    Ok(JsonFormat {
        format: format.number("format_type")?,
        encoding: format.number("encoding")?,
    })
}

fn returning(node: Node<'_>, field: &str) -> Result<JsonReturning, Error> {
    let returning = node.node(field)?;
    expect(returning, "JSONRETURNING")?;
    Ok(JsonReturning {
        format: format(returning, "format")?,
        type_oid: returning.number("typid")?,
        typmod: returning.number("typmod")?,
    })
}

impl Reader {
    #[inline(never)]
    pub(super) fn json_value(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::JsonValue(Box::new(JsonValue {
            raw: self.one(node, "raw_expr")?,
            formatted: self.opt_expr(node, "formatted_expr")?,
            format: format(node, "format")?,
        })))
    }

    #[inline(never)]
    pub(super) fn json_constructor(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::JsonConstructor(Box::new(JsonConstructor {
            kind: match node.number("type")? {
                1 => JsonConstructorKind::Object,
                2 => JsonConstructorKind::Array,
                3 => JsonConstructorKind::ObjectAgg,
                4 => JsonConstructorKind::ArrayAgg,
                5 => JsonConstructorKind::Parse,
                6 => JsonConstructorKind::Scalar,
                7 => JsonConstructorKind::Serialize,
                kind => return Err(node.bad("type", &format!("has the unknown value {kind}"))),
            },
            args: self.exprs(node, "args")?,
            func: self.opt_expr(node, "func")?,
            coercion: self.opt_expr(node, "coercion")?,
            returning: returning(node, "returning")?,
            absent_on_null: node.bool("absent_on_null")?,
            unique: node.bool("unique")?,
        })))
    }

    #[inline(never)]
    pub(super) fn json_is(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::JsonIs(Box::new(JsonIs {
            arg: self.one(node, "expr")?,
            format: format(node, "format")?,
            item: pick(
                node,
                "item_type",
                &[JsonItem::Any, JsonItem::Object, JsonItem::Array, JsonItem::Scalar],
            )?,
            unique: node.bool("unique_keys")?,
        })))
    }

    #[inline(never)]
    pub(super) fn json_expr(&mut self, node: Node<'_>) -> Result<Expr, Error> {
        Ok(Expr::JsonExpr(Box::new(JsonExpr {
            op: pick(
                node,
                "op",
                &[
                    JsonExprOp::Exists,
                    JsonExprOp::Query,
                    JsonExprOp::Value,
                    JsonExprOp::Table,
                ],
            )?,
            column_name: node.string("column_name")?,
            formatted: self.one(node, "formatted_expr")?,
            format: format(node, "format")?,
            path: self.one(node, "path_spec")?,
            returning: returning(node, "returning")?,
            passing_names: node.strings("passing_names")?,
            passing: self.exprs(node, "passing_values")?,
            on_empty: self.json_behavior(node, "on_empty")?,
            on_error: self.json_behavior(node, "on_error")?,
            wrapper: pick(
                node,
                "wrapper",
                &[
                    JsonWrapper::Unspecified,
                    JsonWrapper::None,
                    JsonWrapper::Conditional,
                    JsonWrapper::Unconditional,
                ],
            )?,
            omit_quotes: node.bool("omit_quotes")?,
            collation: node.number("collation")?,
        })))
    }

    fn json_behavior(&mut self, node: Node<'_>, field: &str) -> Result<Option<JsonBehavior>, Error> {
        let Some(behavior) = node.child(field)? else {
            return Ok(None);
        };
        expect(behavior, "JSONBEHAVIOR")?;
        Ok(Some(JsonBehavior {
            kind: pick(
                behavior,
                "btype",
                &[
                    JsonBehaviorKind::Null,
                    JsonBehaviorKind::Error,
                    JsonBehaviorKind::Empty,
                    JsonBehaviorKind::True,
                    JsonBehaviorKind::False,
                    JsonBehaviorKind::Unknown,
                    JsonBehaviorKind::EmptyArray,
                    JsonBehaviorKind::EmptyObject,
                    JsonBehaviorKind::Default,
                ],
            )?,
            expr: self.opt_expr(behavior, "expr")?,
            coerce: behavior.bool("coerce")?,
        }))
    }
}
