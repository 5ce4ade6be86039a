//! SQL/JSON expressions.

use super::Reader;
use crate::node::Node;
use crate::query::{
    Expr, JsonBehavior, JsonBehaviorKind, JsonConstructor, JsonConstructorKind, JsonExpr, JsonExprOp, JsonFormat,
    JsonIs, JsonItem, JsonReturning, JsonValue, JsonWrapper,
};

impl Reader {
    /// A format; the default one if the parser wrote none.
    #[inline(never)]
    fn format(&mut self, node: Node<'_>, field: &str) -> JsonFormat {
        let Some(format) = self.child(node, field) else {
            return JsonFormat::default();
        };
        self.expect(format, "JSONFORMAT");
        JsonFormat {
            format: self.number(format, "format_type"),
            encoding: self.number(format, "encoding"),
        }
    }

    #[inline(never)]
    fn returning(&mut self, node: Node<'_>, field: &str) -> JsonReturning {
        let returning = self.node(node, field);
        self.expect(returning, "JSONRETURNING");
        JsonReturning {
            format: self.format(returning, "format"),
            type_oid: self.number(returning, "typid"),
            typmod: self.number(returning, "typmod"),
        }
    }

    #[inline(never)]
    pub(super) fn json_value(&mut self, node: Node<'_>) -> Expr {
        Expr::JsonValue(Box::new(JsonValue {
            raw: self.one(node, "raw_expr"),
            formatted: self.opt_expr(node, "formatted_expr"),
            format: self.format(node, "format"),
        }))
    }

    #[inline(never)]
    pub(super) fn json_constructor(&mut self, node: Node<'_>) -> Expr {
        Expr::JsonConstructor(Box::new(JsonConstructor {
            kind: self.pick_from_1(
                node,
                "type",
                &[
                    JsonConstructorKind::Object,
                    JsonConstructorKind::Array,
                    JsonConstructorKind::ObjectAgg,
                    JsonConstructorKind::ArrayAgg,
                    JsonConstructorKind::Parse,
                    JsonConstructorKind::Scalar,
                    JsonConstructorKind::Serialize,
                ],
            ),
            args: self.exprs(node, "args"),
            func: self.opt_expr(node, "func"),
            coercion: self.opt_expr(node, "coercion"),
            returning: self.returning(node, "returning"),
            absent_on_null: self.flag(node, "absent_on_null"),
            unique: self.flag(node, "unique"),
        }))
    }

    #[inline(never)]
    pub(super) fn json_is(&mut self, node: Node<'_>) -> Expr {
        Expr::JsonIs(Box::new(JsonIs {
            arg: self.one(node, "expr"),
            format: self.format(node, "format"),
            item: self.pick(
                node,
                "item_type",
                &[JsonItem::Any, JsonItem::Object, JsonItem::Array, JsonItem::Scalar],
            ),
            unique: self.flag(node, "unique_keys"),
        }))
    }

    #[inline(never)]
    pub(super) fn json_expr(&mut self, node: Node<'_>) -> Expr {
        Expr::JsonExpr(Box::new(JsonExpr {
            op: self.pick(
                node,
                "op",
                &[
                    JsonExprOp::Exists,
                    JsonExprOp::Query,
                    JsonExprOp::Value,
                    JsonExprOp::Table,
                ],
            ),
            column_name: self.string(node, "column_name"),
            formatted: self.one(node, "formatted_expr"),
            format: self.format(node, "format"),
            path: self.one(node, "path_spec"),
            returning: self.returning(node, "returning"),
            passing_names: self.strings(node, "passing_names"),
            passing: self.exprs(node, "passing_values"),
            on_empty: self.json_behavior(node, "on_empty"),
            on_error: self.json_behavior(node, "on_error"),
            wrapper: self.pick(
                node,
                "wrapper",
                &[
                    JsonWrapper::Unspecified,
                    JsonWrapper::None,
                    JsonWrapper::Conditional,
                    JsonWrapper::Unconditional,
                ],
            ),
            omit_quotes: self.flag(node, "omit_quotes"),
            collation: self.number(node, "collation"),
        }))
    }

    fn json_behavior(&mut self, node: Node<'_>, field: &str) -> Option<JsonBehavior> {
        let behavior = self.child(node, field)?;
        self.expect(behavior, "JSONBEHAVIOR");
        Some(JsonBehavior {
            kind: self.pick(
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
            ),
            expr: self.opt_expr(behavior, "expr"),
            coerce: self.flag(behavior, "coerce"),
        })
    }
}
