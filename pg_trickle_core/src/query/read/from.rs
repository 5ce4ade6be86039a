//! Range table entries, and how FROM joins them.

use super::Reader;
use super::group::Group;
use crate::node::Node;
use crate::query::{
    Expr, FromItem, JoinExpr, JoinKind, JsonTablePlan, RangeFunction, Rte, RteKind, TableFunc, TableFuncKind,
    TableSample,
};

/// `JoinType`; later values belong to the planner.
const JOINS: [JoinKind; 4] = [JoinKind::Inner, JoinKind::Left, JoinKind::Full, JoinKind::Right];

impl Reader {
    #[inline(never)]
    fn alias(&mut self, node: Node<'_>, field: &str) -> Option<(String, Vec<String>)> {
        let alias = self.child(node, field)?;
        self.expect(alias, "ALIAS");
        Some((self.name(alias, "aliasname"), self.strings(alias, "colnames")))
    }

    pub(super) fn rte(&mut self, node: Node<'_>) -> Rte {
        self.expect(node, "RANGETBLENTRY");
        let kind = self.rte_kind(node);
        let (alias_name, alias_columns) = self.alias(node, "alias").unzip();
        let (name, columns) = self.alias(node, "eref").unwrap_or_default();
        Rte {
            inh: matches!(kind, RteKind::Relation { .. }) && self.flag(node, "inh"),
            kind,
            alias: alias_name,
            alias_columns: alias_columns.unwrap_or_default(),
            name,
            columns,
            lateral: self.flag(node, "lateral"),
        }
    }

    fn rte_kind(&mut self, node: Node<'_>) -> RteKind {
        match self.number(node, "rtekind") {
            0 => RteKind::Relation {
                relid: self.number(node, "relid"),
                relkind: self.char(node, "relkind"),
                tablesample: self.opt(node, "tablesample", Self::table_sample).map(Box::new),
            },
            1 => RteKind::Subquery(Box::new(self.inner(node, "subquery", Self::query))),
            2 => RteKind::Join {
                kind: self.pick(node, "jointype", &JOINS),
                alias_vars: self.exprs(node, "joinaliasvars"),
                merged: self.number(node, "joinmergedcols"),
            },
            3 => RteKind::Function {
                functions: self.each(node, "functions", Self::range_function),
                ordinality: self.flag(node, "funcordinality"),
            },
            4 => RteKind::TableFunc(Box::new(self.inner(node, "tablefunc", Self::table_func))),
            5 => RteKind::Values {
                rows: self.rows(node, "values_lists"),
                types: self.numbers(node, "coltypes"),
                typmods: self.numbers(node, "coltypmods"),
                collations: self.numbers(node, "colcollations"),
            },
            6 => RteKind::Cte {
                name: self.name(node, "ctename"),
                levels_up: self.number(node, "ctelevelsup"),
                self_reference: self.flag(node, "self_reference"),
                types: self.numbers(node, "coltypes"),
                typmods: self.numbers(node, "coltypmods"),
                collations: self.numbers(node, "colcollations"),
            },
            7 => RteKind::NamedTuplestore {
                name: self.name(node, "enrname"),
            },
            8 => RteKind::Result,
            9 => {
                let exprs = self.exprs(node, "groupexprs");
                if let Some(scope) = self.groups.last_mut() {
                    *scope = Some(Group { varno: 0, exprs });
                }
                RteKind::Result
            }
            kind => {
                self.unknown(node, "rtekind", kind);
                RteKind::Result
            }
        }
    }

    fn rows(&mut self, node: Node<'_>, field: &str) -> Vec<Vec<Expr>> {
        let mut rows = Vec::new();
        for row in self.items(node, field) {
            let mut exprs = Vec::new();
            match row.nodes() {
                Some(nodes) => exprs.extend(nodes.into_iter().map(|expr| self.expr(expr))),
                None => self.fail(node.bad(field, "is not a list of rows")),
            }
            rows.push(exprs);
        }
        rows
    }

    fn table_sample(&mut self, node: Node<'_>) -> TableSample {
        self.expect(node, "TABLESAMPLECLAUSE");
        TableSample {
            handler: self.number(node, "tsmhandler"),
            args: self.exprs(node, "args"),
            repeatable: self.opt_expr(node, "repeatable"),
        }
    }

    fn range_function(&mut self, node: Node<'_>) -> RangeFunction {
        self.expect(node, "RANGETBLFUNCTION");
        RangeFunction {
            expr: self.one(node, "funcexpr"),
            column_count: self.number(node, "funccolcount"),
            column_names: self.strings(node, "funccolnames"),
            column_types: self.numbers(node, "funccoltypes"),
            column_typmods: self.numbers(node, "funccoltypmods"),
            column_collations: self.numbers(node, "funccolcollations"),
        }
    }

    fn table_func(&mut self, node: Node<'_>) -> TableFunc {
        self.expect(node, "TABLEFUNC");
        let mut ns_names = Vec::new();
        for name in self.items(node, "ns_names") {
            let text = name.string();
            if text.is_none() && !name.is_null() {
                self.fail(node.bad("ns_names", "is not a list of strings"));
            }
            ns_names.push(text);
        }
        TableFunc {
            kind: self.pick(node, "functype", &[TableFuncKind::Xml, TableFuncKind::Json]),
            ns_uris: self.exprs(node, "ns_uris"),
            ns_names,
            doc: self.opt_expr(node, "docexpr"),
            row: self.opt_expr(node, "rowexpr"),
            column_names: self.strings(node, "colnames"),
            column_types: self.numbers(node, "coltypes"),
            column_typmods: self.numbers(node, "coltypmods"),
            column_collations: self.numbers(node, "colcollations"),
            column_exprs: self.opt_exprs(node, "colexprs"),
            column_defaults: self.opt_exprs(node, "coldefexprs"),
            column_values: self.opt_exprs(node, "colvalexprs"),
            passing: self.exprs(node, "passingvalexprs"),
            plan: self.opt(node, "plan", Self::json_table_plan).map(Box::new),
            not_nulls: self.numbers(node, "notnulls"),
            ordinality: self.number(node, "ordinalitycol"),
        }
    }

    fn json_table_plan(&mut self, node: Node<'_>) -> JsonTablePlan {
        if node.label() == "JSONTABLESIBLINGJOIN" {
            return JsonTablePlan::Siblings(
                Box::new(self.inner(node, "lplan", Self::json_table_plan)),
                Box::new(self.inner(node, "rplan", Self::json_table_plan)),
            );
        }
        self.expect(node, "JSONTABLEPATHSCAN");
        let path = self.node(node, "path");
        self.expect(path, "JSONTABLEPATH");
        JsonTablePlan::Path {
            path: self.one(path, "value"),
            name: self.name(path, "name"),
            first_column: self.number(node, "colMin"),
            last_column: self.number(node, "colMax"),
            error_on_error: self.flag(node, "errorOnError"),
            child: self.opt(node, "child", Self::json_table_plan).map(Box::new),
        }
    }

    pub(super) fn item(&mut self, node: Node<'_>) -> FromItem {
        if node.label() != "JOINEXPR" {
            self.expect(node, "RANGETBLREF");
            return FromItem::Rel(self.number(node, "rtindex"));
        }
        let (alias_name, alias_columns) = self.alias(node, "alias").unzip();
        FromItem::Join(Box::new(JoinExpr {
            kind: self.pick(node, "jointype", &JOINS),
            natural: self.flag(node, "isNatural"),
            left: self.inner(node, "larg", Self::item),
            right: self.inner(node, "rarg", Self::item),
            using: self.strings(node, "usingClause"),
            using_alias: self.alias(node, "join_using_alias").map(|(name, _)| name),
            quals: self.opt_expr(node, "quals"),
            alias: alias_name,
            alias_columns: alias_columns.unwrap_or_default(),
            rtindex: self.number(node, "rtindex"),
        }))
    }
}
