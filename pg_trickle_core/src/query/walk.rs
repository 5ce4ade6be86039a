//! Walking expressions.

use super::{Aggref, ArrayCoerce, Case, Expr, JsonConstructor, JsonExpr, JsonValue, Query, Subscript, WindowFunc, Xml};

/// Lists the children of each node once, for walks that read and walks that change.
macro_rules! children {
    ($(#[$doc:meta])* $name:ident, $iter:ident, $($mutable:tt)?) => {
        $(#[$doc])*
        pub fn $name<'e>(&'e $($mutable)? self, visit: &mut dyn FnMut(&'e $($mutable)? Expr)) {
            match self {
                Expr::Var(_) | Expr::Const(_) | Expr::Param(_) | Expr::CaseTest(..) | Expr::SqlValue(_) => {}
                Expr::Sql(e) => e.args.$iter().for_each(visit),
                Expr::Aggref(e) => {
                    let Aggref { direct_args, args, filter, .. } = & $($mutable)? **e;
                    direct_args.$iter().for_each(&mut *visit);
                    args.$iter().for_each(|target| visit(& $($mutable)? target.expr));
                    filter.$iter().for_each(visit);
                }
                Expr::Grouping(e) => e.args.$iter().for_each(visit),
                Expr::Window(e) => {
                    let WindowFunc { args, filter, .. } = & $($mutable)? **e;
                    args.$iter().for_each(&mut *visit);
                    filter.$iter().for_each(visit);
                }
                Expr::Subscript(e) => {
                    let Subscript { container, upper, lower, .. } = & $($mutable)? **e;
                    visit(container);
                    upper.$iter().flatten().for_each(&mut *visit);
                    lower.$iter().flatten().for_each(visit);
                }
                Expr::Func(e) => e.args.$iter().for_each(visit),
                Expr::NamedArg(e) => visit(& $($mutable)? e.arg),
                Expr::Op(e) | Expr::Distinct(e) | Expr::NullIf(e) => e.args.$iter().for_each(visit),
                Expr::ScalarArrayOp(e) => e.args.$iter().for_each(visit),
                Expr::Bool(e) => e.args.$iter().for_each(visit),
                Expr::SubLink(e) => e.test.$iter().for_each(visit),
                Expr::FieldSelect(e) => visit(& $($mutable)? e.arg),
                Expr::Relabel(e) => visit(& $($mutable)? e.arg),
                Expr::CoerceViaIo(e) => visit(& $($mutable)? e.arg),
                Expr::ArrayCoerce(e) => {
                    let ArrayCoerce { arg, element, .. } = & $($mutable)? **e;
                    visit(arg);
                    visit(element);
                }
                Expr::ConvertRowtype(e) => visit(& $($mutable)? e.arg),
                Expr::Collate(e) => visit(& $($mutable)? e.arg),
                Expr::Case(e) => {
                    let Case { arg, whens, otherwise, .. } = & $($mutable)? **e;
                    arg.$iter().for_each(&mut *visit);
                    for (condition, result) in whens {
                        visit(condition);
                        visit(result);
                    }
                    otherwise.$iter().for_each(visit);
                }
                Expr::Array(e) => e.elements.$iter().for_each(visit),
                Expr::Row(e) => e.args.$iter().for_each(visit),
                Expr::RowCompare(e) => {
                    e.left.$iter().for_each(&mut *visit);
                    e.right.$iter().for_each(visit);
                }
                Expr::Coalesce(e) => e.args.$iter().for_each(visit),
                Expr::MinMax(e) => e.args.$iter().for_each(visit),
                Expr::Xml(e) => {
                    let Xml { named_args, args, .. } = & $($mutable)? **e;
                    named_args.$iter().for_each(&mut *visit);
                    args.$iter().for_each(visit);
                }
                Expr::JsonValue(e) => {
                    let JsonValue { raw, formatted, .. } = & $($mutable)? **e;
                    visit(raw);
                    formatted.$iter().for_each(visit);
                }
                Expr::JsonConstructor(e) => {
                    let JsonConstructor { args, func, coercion, .. } = & $($mutable)? **e;
                    args.$iter().chain(func).chain(coercion).for_each(visit);
                }
                Expr::JsonIs(e) => visit(& $($mutable)? e.arg),
                Expr::JsonExpr(e) => {
                    let JsonExpr { formatted, path, passing, on_empty, on_error, .. } = & $($mutable)? **e;
                    visit(formatted);
                    visit(path);
                    passing.$iter().for_each(&mut *visit);
                    for behavior in [on_empty, on_error].into_iter().flatten() {
                        behavior.expr.$iter().for_each(&mut *visit);
                    }
                }
                Expr::NullTest(e) => visit(& $($mutable)? e.arg),
                Expr::BooleanTest(e) => visit(& $($mutable)? e.arg),
                Expr::CoerceToDomain(e) => visit(& $($mutable)? e.arg),
            }
        }
    };
}

impl Expr {
    /// A copy in which nodes are replaced by whatever `replace` returns for them. Does not enter the subqueries of
    /// SubLinks.
    #[must_use]
    pub fn transform(&self, replace: &mut dyn FnMut(&Expr) -> Option<Expr>) -> Expr {
        if let Some(replaced) = replace(self) {
            return replaced;
        }
        let mut copy = self.clone();
        copy.for_each_child_mut(&mut |child| *child = child.transform(replace));
        copy
    }

    /// Calls `visit` for this node and all nodes below it. Does not enter the subqueries of SubLinks.
    pub fn for_each<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        visit(self);
        self.for_each_child(&mut |child| child.for_each(visit));
    }

    /// Its aggregates, also those inside of others.
    #[must_use]
    pub fn aggregates(&self) -> Vec<Aggref> {
        let mut calls = Vec::new();
        self.for_each(&mut |node| {
            if let Expr::Aggref(call) = node {
                calls.push((**call).clone());
            }
        });
        calls
    }

    /// True if `test` holds for this node or one below it.
    #[must_use]
    pub fn any(&self, test: &mut dyn FnMut(&Expr) -> bool) -> bool {
        let mut found = false;
        self.for_each(&mut |node| found = found || test(node));
        found
    }

    children! {
        /// Calls `visit` for the direct children.
        for_each_child, iter,
    }

    children! {
        /// Calls `visit` for the direct children, and lets it change them.
        for_each_child_mut, iter_mut, mut
    }
}

impl Query {
    /// Calls `visit` for this query and all queries in it, at any depth: subqueries in FROM, CTEs and SubLinks.
    pub fn for_each_query<'q>(&'q self, visit: &mut dyn FnMut(&'q Query)) {
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

    /// Calls `visit` for every expression directly in this query, but not in its subqueries.
    pub fn for_each_expr<'q>(&'q self, visit: &mut dyn FnMut(&'q Expr)) {
        self.targets.iter().for_each(|target| visit(&target.expr));
        [&self.quals, &self.having, &self.limit_offset, &self.limit_count]
            .into_iter()
            .flatten()
            .for_each(&mut *visit);
        for window in &self.windows {
            window
                .start_offset
                .iter()
                .chain(&window.end_offset)
                .for_each(&mut *visit);
        }
        for item in &self.from {
            from_item(item, visit);
        }
        for rte in &self.rtable {
            rte_exprs(&rte.kind, visit);
        }
    }
}

fn from_item<'q>(item: &'q super::FromItem, visit: &mut dyn FnMut(&'q Expr)) {
    if let super::FromItem::Join(join) = item {
        from_item(&join.left, visit);
        from_item(&join.right, visit);
        join.quals.iter().for_each(visit);
    }
}

fn rte_exprs<'q>(kind: &'q super::RteKind, visit: &mut dyn FnMut(&'q Expr)) {
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
        | RteKind::Result => {}
    }
}
