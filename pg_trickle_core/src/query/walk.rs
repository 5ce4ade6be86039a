//! Walking expressions.

use super::{Expr, JsonBehavior, Query, Target};

impl Expr {
    /// A copy in which every node for which `replace` gives something is replaced by that. Subqueries of SubLinks are
    /// left alone.
    #[must_use]
    pub fn transform(&self, replace: &mut dyn FnMut(&Expr) -> Option<Expr>) -> Expr {
        if let Some(replaced) = replace(self) {
            return replaced;
        }
        let mut copy = self.clone();
        copy.for_each_child_mut(&mut |child| *child = child.transform(replace));
        copy
    }

    /// Calls `visit` for this node and all below it, not entering the subqueries of SubLinks.
    pub fn for_each(&self, visit: &mut dyn FnMut(&Expr)) {
        visit(self);
        self.for_each_child(&mut |child| child.for_each(visit));
    }

    /// True where `test` holds for this node or one below it.
    #[must_use]
    pub fn any(&self, test: &mut dyn FnMut(&Expr) -> bool) -> bool {
        let mut found = false;
        self.for_each(&mut |node| found = found || test(node));
        found
    }

    /// Calls `visit` for the direct children.
    pub fn for_each_child(&self, visit: &mut dyn FnMut(&Expr)) {
        // One list of children serves both walks; the copy costs less than a second list that can drift from it.
        let mut copy = self.clone();
        copy.for_each_child_mut(&mut |child| visit(child));
    }

    /// Calls `visit` for the direct children, which it may change.
    pub fn for_each_child_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        match self {
            Expr::Var(_) | Expr::Const(_) | Expr::Param(_) | Expr::CaseTest(..) | Expr::SqlValue(_) | Expr::Sql(_) => {}
            Expr::Aggref(e) => {
                e.direct_args.iter_mut().for_each(&mut *visit);
                targets(&mut e.args, visit);
                e.filter.iter_mut().for_each(visit);
            }
            Expr::Grouping(e) => e.args.iter_mut().for_each(visit),
            Expr::Window(e) => {
                e.args.iter_mut().for_each(&mut *visit);
                e.filter.iter_mut().for_each(visit);
            }
            Expr::Subscript(e) => {
                visit(&mut e.container);
                e.upper.iter_mut().flatten().for_each(&mut *visit);
                e.lower.iter_mut().flatten().for_each(visit);
            }
            Expr::Func(e) => e.args.iter_mut().for_each(visit),
            Expr::NamedArg(e) => visit(&mut e.arg),
            Expr::Op(e) | Expr::Distinct(e) | Expr::NullIf(e) => e.args.iter_mut().for_each(visit),
            Expr::ScalarArrayOp(e) => e.args.iter_mut().for_each(visit),
            Expr::Bool(e) => e.args.iter_mut().for_each(visit),
            Expr::SubLink(e) => e.test.iter_mut().for_each(visit),
            Expr::FieldSelect(e) => visit(&mut e.arg),
            Expr::Relabel(e) => visit(&mut e.arg),
            Expr::CoerceViaIo(e) => visit(&mut e.arg),
            Expr::ArrayCoerce(e) => {
                visit(&mut e.arg);
                visit(&mut e.element);
            }
            Expr::ConvertRowtype(e) => visit(&mut e.arg),
            Expr::Collate(e) => visit(&mut e.arg),
            Expr::Case(e) => {
                e.arg.iter_mut().for_each(&mut *visit);
                for (condition, result) in &mut e.whens {
                    visit(condition);
                    visit(result);
                }
                e.otherwise.iter_mut().for_each(visit);
            }
            Expr::Array(e) => e.elements.iter_mut().for_each(visit),
            Expr::Row(e) => e.args.iter_mut().for_each(visit),
            Expr::RowCompare(e) => {
                e.left.iter_mut().for_each(&mut *visit);
                e.right.iter_mut().for_each(visit);
            }
            Expr::Coalesce(e) => e.args.iter_mut().for_each(visit),
            Expr::MinMax(e) => e.args.iter_mut().for_each(visit),
            Expr::Xml(e) => {
                e.named_args.iter_mut().for_each(&mut *visit);
                e.args.iter_mut().for_each(visit);
            }
            Expr::JsonValue(e) => {
                visit(&mut e.raw);
                e.formatted.iter_mut().for_each(visit);
            }
            Expr::JsonConstructor(e) => {
                e.args.iter_mut().for_each(&mut *visit);
                e.func.iter_mut().for_each(&mut *visit);
                e.coercion.iter_mut().for_each(visit);
            }
            Expr::JsonIs(e) => visit(&mut e.arg),
            Expr::JsonExpr(e) => {
                visit(&mut e.formatted);
                visit(&mut e.path);
                e.passing.iter_mut().for_each(&mut *visit);
                behavior(&mut e.on_empty, visit);
                behavior(&mut e.on_error, visit);
            }
            Expr::NullTest(e) => visit(&mut e.arg),
            Expr::BooleanTest(e) => visit(&mut e.arg),
            Expr::CoerceToDomain(e) => visit(&mut e.arg),
        }
    }
}

fn targets(targets: &mut [Target], visit: &mut dyn FnMut(&mut Expr)) {
    for target in targets {
        visit(&mut target.expr);
    }
}

fn behavior(behavior: &mut Option<JsonBehavior>, visit: &mut dyn FnMut(&mut Expr)) {
    if let Some(JsonBehavior { expr: Some(expr), .. }) = behavior {
        visit(expr);
    }
}

impl Query {
    /// Calls `visit` for every query in this one: itself, subqueries in FROM, CTEs and SubLinks, at any depth.
    pub fn for_each_query(&self, visit: &mut dyn FnMut(&Query)) {
        visit(self);
        for cte in &self.ctes {
            cte.query.for_each_query(visit);
        }
        for rte in &self.rtable {
            if let super::RteKind::Subquery(query) = &rte.kind {
                query.for_each_query(visit);
            }
        }
        self.for_each_expr(&mut |expr| {
            expr.for_each(&mut |node| {
                if let Expr::SubLink(sublink) = node {
                    sublink.query.for_each_query(visit);
                }
            });
        });
    }

    /// Calls `visit` for every expression that stands directly in this query, not in its subqueries.
    pub fn for_each_expr(&self, visit: &mut dyn FnMut(&Expr)) {
        self.targets.iter().for_each(|target| visit(&target.expr));
        [&self.quals, &self.having, &self.limit_offset, &self.limit_count]
            .into_iter()
            .flatten()
            .for_each(&mut *visit);
        for window in &self.windows {
            window.start_offset.iter().chain(&window.end_offset).for_each(&mut *visit);
        }
        for item in &self.from {
            from_item(item, visit);
        }
        for rte in &self.rtable {
            rte_exprs(&rte.kind, visit);
        }
    }
}

fn from_item(item: &super::FromItem, visit: &mut dyn FnMut(&Expr)) {
    if let super::FromItem::Join(join) = item {
        from_item(&join.left, visit);
        from_item(&join.right, visit);
        join.quals.iter().for_each(visit);
    }
}

fn rte_exprs(kind: &super::RteKind, visit: &mut dyn FnMut(&Expr)) {
    use super::RteKind;
    match kind {
        RteKind::Relation {
            tablesample: Some(sample),
            ..
        } => sample.args.iter().chain(&sample.repeatable).for_each(visit),
        RteKind::Function { functions, .. } => functions.iter().for_each(|function| visit(&function.expr)),
        RteKind::TableFunc(function) => {
            function.ns_uris.iter().for_each(&mut *visit);
            function.doc.iter().chain(&function.row).for_each(&mut *visit);
            function
                .column_exprs
                .iter()
                .chain(&function.column_defaults)
                .chain(&function.column_values)
                .flatten()
                .for_each(&mut *visit);
            function.passing.iter().for_each(visit);
        }
        RteKind::Values { rows, .. } => rows.iter().flatten().for_each(visit),
        // The columns of a join are repeated where they are used.
        RteKind::Relation { .. }
        | RteKind::Subquery(_)
        | RteKind::Join { .. }
        | RteKind::Cte { .. }
        | RteKind::NamedTuplestore { .. }
        | RteKind::Result
        | RteKind::Group { .. } => {}
    }
}
