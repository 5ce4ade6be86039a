//! Range table entries, and how FROM joins them.

use super::{Reader, expect, pick};
use crate::error::Error;
use crate::node::Node;
use crate::query::{
    Expr, FromItem, JoinExpr, JoinKind, JsonTablePlan, RangeFunction, Rte, RteKind, TableFunc, TableFuncKind,
    TableSample,
};

/// `JoinType`; the kinds after these are the planner's.
const JOINS: [JoinKind; 4] = [JoinKind::Inner, JoinKind::Left, JoinKind::Full, JoinKind::Right];

fn alias(node: Node<'_>, field: &str) -> Result<Option<(String, Vec<String>)>, Error> {
    let Some(alias) = node.child(field)? else {
        return Ok(None);
    };
    expect(alias, "ALIAS")?;
    Ok(Some((alias.name("aliasname")?, alias.strings("colnames")?)))
}

impl Reader {
    pub(super) fn rte(&mut self, node: Node<'_>) -> Result<Rte, Error> {
        expect(node, "RANGETBLENTRY")?;
        let kind = self.rte_kind(node)?;
        let (alias_name, alias_columns) = alias(node, "alias")?.unzip();
        let (name, columns) = alias(node, "eref")?.unwrap_or_default();
        Ok(Rte {
            inh: matches!(kind, RteKind::Relation { .. }) && node.bool("inh")?,
            kind,
            alias: alias_name,
            alias_columns: alias_columns.unwrap_or_default(),
            name,
            columns,
            lateral: node.bool("lateral")?,
        })
    }

    fn rte_kind(&mut self, node: Node<'_>) -> Result<RteKind, Error> {
        Ok(match node.number("rtekind")? {
            0 => RteKind::Relation {
                relid: node.number("relid")?,
                relkind: node.char("relkind")?,
                tablesample: node
                    .child("tablesample")?
                    .map(|sample| self.table_sample(sample).map(Box::new))
                    .transpose()?,
            },
            1 => RteKind::Subquery(Box::new(self.query(node.node("subquery")?)?)),
            2 => RteKind::Join {
                kind: pick(node, "jointype", &JOINS)?,
                alias_vars: self.exprs(node, "joinaliasvars")?,
                merged: node.number("joinmergedcols")?,
            },
            3 => RteKind::Function {
                functions: self.each(node, "functions", Self::range_function)?,
                ordinality: node.bool("funcordinality")?,
            },
            4 => RteKind::TableFunc(Box::new(self.table_func(node.node("tablefunc")?)?)),
            5 => RteKind::Values {
                rows: self.rows(node, "values_lists")?,
                types: node.numbers("coltypes")?,
                typmods: node.numbers("coltypmods")?,
                collations: node.numbers("colcollations")?,
            },
            6 => RteKind::Cte {
                name: node.name("ctename")?,
                levels_up: node.number("ctelevelsup")?,
                self_reference: node.bool("self_reference")?,
                types: node.numbers("coltypes")?,
                typmods: node.numbers("coltypmods")?,
                collations: node.numbers("colcollations")?,
            },
            7 => RteKind::NamedTuplestore {
                name: node.name("enrname")?,
            },
            8 => RteKind::Result,
            9 => RteKind::Group {
                exprs: self.exprs(node, "groupexprs")?,
            },
            kind => return Err(node.bad("rtekind", &format!("has the unknown value {kind}"))),
        })
    }

    fn rows(&mut self, node: Node<'_>, field: &str) -> Result<Vec<Vec<Expr>>, Error> {
        let wrong = || node.bad(field, "is no list of rows");
        node.list(field)?
            .map(|row| {
                row.items()
                    .ok_or_else(wrong)?
                    .map(|item| self.expr(item.node().ok_or_else(wrong)?))
                    .collect()
            })
            .collect()
    }

    fn table_sample(&mut self, node: Node<'_>) -> Result<TableSample, Error> {
        expect(node, "TABLESAMPLECLAUSE")?;
        Ok(TableSample {
            handler: node.number("tsmhandler")?,
            args: self.exprs(node, "args")?,
            repeatable: self.opt_expr(node, "repeatable")?,
        })
    }

    fn range_function(&mut self, node: Node<'_>) -> Result<RangeFunction, Error> {
        expect(node, "RANGETBLFUNCTION")?;
        Ok(RangeFunction {
            expr: self.one(node, "funcexpr")?,
            column_count: node.number("funccolcount")?,
            column_names: node.strings("funccolnames")?,
            column_types: node.numbers("funccoltypes")?,
            column_typmods: node.numbers("funccoltypmods")?,
            column_collations: node.numbers("funccolcollations")?,
        })
    }

    fn table_func(&mut self, node: Node<'_>) -> Result<TableFunc, Error> {
        expect(node, "TABLEFUNC")?;
        let ns_names = node
            .list("ns_names")?
            .map(|name| match name.string() {
                None if !name.is_null() => Err(node.bad("ns_names", "is no list of strings")),
                name => Ok(name),
            })
            .collect::<Result<_, _>>()?;
        Ok(TableFunc {
            kind: pick(node, "functype", &[TableFuncKind::Xml, TableFuncKind::Json])?,
            ns_uris: self.exprs(node, "ns_uris")?,
            ns_names,
            doc: self.opt_expr(node, "docexpr")?,
            row: self.opt_expr(node, "rowexpr")?,
            column_names: node.strings("colnames")?,
            column_types: node.numbers("coltypes")?,
            column_typmods: node.numbers("coltypmods")?,
            column_collations: node.numbers("colcollations")?,
            column_exprs: self.opt_exprs(node, "colexprs")?,
            column_defaults: self.opt_exprs(node, "coldefexprs")?,
            column_values: self.opt_exprs(node, "colvalexprs")?,
            passing: self.exprs(node, "passingvalexprs")?,
            plan: node
                .child("plan")?
                .map(|plan| self.json_table_plan(plan).map(Box::new))
                .transpose()?,
            not_nulls: node.numbers("notnulls")?,
            ordinality: node.number("ordinalitycol")?,
        })
    }

    fn json_table_plan(&mut self, node: Node<'_>) -> Result<JsonTablePlan, Error> {
        if node.label() == "JSONTABLESIBLINGJOIN" {
            return Ok(JsonTablePlan::Siblings(
                Box::new(self.json_table_plan(node.node("lplan")?)?),
                Box::new(self.json_table_plan(node.node("rplan")?)?),
            ));
        }
        expect(node, "JSONTABLEPATHSCAN")?;
        let path = node.node("path")?;
        expect(path, "JSONTABLEPATH")?;
        Ok(JsonTablePlan::Path {
            path: self.one(path, "value")?,
            name: path.name("name")?,
            first_column: node.number("colMin")?,
            last_column: node.number("colMax")?,
            error_on_error: node.bool("errorOnError")?,
            child: node
                .child("child")?
                .map(|child| self.json_table_plan(child).map(Box::new))
                .transpose()?,
        })
    }

    pub(super) fn item(&mut self, node: Node<'_>) -> Result<FromItem, Error> {
        if node.label() == "RANGETBLREF" {
            return Ok(FromItem::Rel(node.number("rtindex")?));
        }
        expect(node, "JOINEXPR")?;
        let (alias_name, alias_columns) = alias(node, "alias")?.unzip();
        Ok(FromItem::Join(Box::new(JoinExpr {
            kind: pick(node, "jointype", &JOINS)?,
            natural: node.bool("isNatural")?,
            left: self.item(node.node("larg")?)?,
            right: self.item(node.node("rarg")?)?,
            using: node.strings("usingClause")?,
            using_alias: alias(node, "join_using_alias")?.map(|(name, _)| name),
            quals: self.opt_expr(node, "quals")?,
            alias: alias_name,
            alias_columns: alias_columns.unwrap_or_default(),
            rtindex: node.number("rtindex")?,
        })))
    }
}
