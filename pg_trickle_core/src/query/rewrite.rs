//! Changes to whole queries: replaces Vars at any depth, and adjusts query levels when a query moves.

use super::{Expr, FromItem, JoinExpr, Query, RteKind, Var};

impl Query {
    /// Calls `visit` for every expression directly in this query, and lets it change the expression.
    pub fn for_each_expr_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        self.targets.iter_mut().for_each(|target| visit(&mut target.expr));
        [
            &mut self.quals,
            &mut self.having,
            &mut self.limit_offset,
            &mut self.limit_count,
        ]
        .into_iter()
        .flatten()
        .for_each(&mut *visit);
        for window in &mut self.windows {
            window.start_offset.iter_mut().for_each(&mut *visit);
            window.end_offset.iter_mut().for_each(&mut *visit);
        }
        for item in &mut self.from {
            from_item(item, visit);
        }
        for rte in &mut self.rtable {
            rte_exprs(&mut rte.kind, visit);
        }
    }

    /// Replaces Vars of this query level wherever they are: in this query, or deeper as outer references. `replace`
    /// returns an expression of this level, which is adjusted to the depth where it is inserted.
    pub fn replace_vars(&mut self, replace: &mut dyn FnMut(&Var) -> Option<Expr>) {
        self.replace_vars_at(0, replace);
    }

    fn replace_vars_at(&mut self, depth: u32, replace: &mut dyn FnMut(&Var) -> Option<Expr>) {
        self.for_each_expr_mut(&mut |expr| replace_in(expr, depth, replace));
        for rte in &mut self.rtable {
            if let RteKind::Subquery(query) = &mut rte.kind {
                query.replace_vars_at(depth + 1, replace);
            }
        }
        for cte in &mut self.ctes {
            cte.query.replace_vars_at(depth + 1, replace);
        }
    }

    /// Replaces columns, aggregates and GROUPING() of the query that directly contains this one. What `replace` is given and gives is of
    /// that query's level.
    pub fn replace_outer(&mut self, replace: &mut dyn FnMut(&Expr) -> Option<Expr>) {
        self.replace_outer_at(1, replace);
    }

    fn replace_outer_at(&mut self, depth: u32, replace: &mut dyn FnMut(&Expr) -> Option<Expr>) {
        self.for_each_expr_mut(&mut |expr| replace_outer_in(expr, depth, replace));
        for rte in &mut self.rtable {
            if let RteKind::Subquery(query) = &mut rte.kind {
                query.replace_outer_at(depth + 1, replace);
            }
        }
        for cte in &mut self.ctes {
            cte.query.replace_outer_at(depth + 1, replace);
        }
    }

    /// True if the query refers to enclosing queries.
    #[must_use]
    pub fn is_correlated(&self) -> bool {
        let mut copy = self.clone();
        let mut found = false;
        copy.outer_vars(0, &mut |_| found = true);
        found
    }

    fn outer_vars(&mut self, depth: u32, visit: &mut dyn FnMut(&Var)) {
        self.for_each_expr_mut(&mut |expr| outer_vars_in(expr, depth, visit));
        for rte in &mut self.rtable {
            if let RteKind::Subquery(query) = &mut rte.kind {
                query.outer_vars(depth + 1, visit);
            }
        }
        for cte in &mut self.ctes {
            cte.query.outer_vars(depth + 1, visit);
        }
    }
}

impl Query {
    /// Adjusts references to enclosing queries when this query moves `by` levels deeper.
    pub fn raise_outer(&mut self, by: u32) {
        if by > 0 {
            raise_query(self, by, 1);
        }
    }

    /// Adjusts references to enclosing queries when this query is merged into the query that contains it. Vars of the
    /// containing query become Vars of its own level.
    pub fn lower_outer(&mut self) {
        lower_query(self, 1);
    }
}

fn lower_query(query: &mut Query, depth: u32) {
    query.for_each_expr_mut(&mut |expr| lower(expr, depth));
    for rte in &mut query.rtable {
        match &mut rte.kind {
            RteKind::Subquery(inner) => lower_query(inner, depth + 1),
            RteKind::Cte { levels_up, .. } if *levels_up >= depth => *levels_up -= 1,
            _ => {}
        }
    }
    for cte in &mut query.ctes {
        lower_query(&mut cte.query, depth + 1);
    }
}

fn lower(expr: &mut Expr, depth: u32) {
    match expr {
        Expr::Var(var) if var.levels_up >= depth => var.levels_up -= 1,
        Expr::Aggref(call) if call.levels_up >= depth => call.levels_up -= 1,
        Expr::Grouping(call) if call.levels_up >= depth => call.levels_up -= 1,
        Expr::SubLink(sublink) => lower_query(&mut sublink.query, depth + 1),
        _ => {}
    }
    expr.for_each_child_mut(&mut |child| lower(child, depth));
}

fn outer_vars_in(expr: &mut Expr, depth: u32, visit: &mut dyn FnMut(&Var)) {
    match expr {
        Expr::Var(var) if var.levels_up > depth => visit(&Var {
            levels_up: var.levels_up - depth - 1,
            ..var.clone()
        }),
        Expr::Aggref(call) if call.levels_up > depth => {
            // Everything in an aggregate of an outer query is outer, too. Its Vars say so themselves.
        }
        Expr::SubLink(sublink) => sublink.query.outer_vars(depth + 1, visit),
        _ => {}
    }
    expr.for_each_child_mut(&mut |child| outer_vars_in(child, depth, visit));
}

fn replace_in(expr: &mut Expr, depth: u32, replace: &mut dyn FnMut(&Var) -> Option<Expr>) {
    if let Expr::Var(var) = expr {
        if var.levels_up == depth
            && let Some(mut replaced) = replace(&Var {
                levels_up: 0,
                ..var.clone()
            })
        {
            raise(&mut replaced, depth, 0);
            *expr = replaced;
        }
        return;
    }
    if let Expr::SubLink(sublink) = expr {
        sublink.query.replace_vars_at(depth + 1, replace);
    }
    expr.for_each_child_mut(&mut |child| replace_in(child, depth, replace));
}

fn replace_outer_in(expr: &mut Expr, depth: u32, replace: &mut dyn FnMut(&Expr) -> Option<Expr>) {
    let is_outer = match expr {
        Expr::Var(var) => var.levels_up == depth,
        Expr::Aggref(call) => call.levels_up == depth,
        Expr::Grouping(call) => call.levels_up == depth,
        _ => false,
    };
    if is_outer {
        let mut own = expr.clone();
        // Nothing in an aggregate is of a level below its own.
        for _ in 0..depth {
            lower(&mut own, 1);
        }
        if let Some(mut replaced) = replace(&own) {
            raise(&mut replaced, depth, 0);
            *expr = replaced;
            return;
        }
    }
    if let Expr::SubLink(sublink) = expr {
        sublink.query.replace_outer_at(depth + 1, replace);
    }
    expr.for_each_child_mut(&mut |child| replace_outer_in(child, depth, replace));
}

/// Adds `by` to the levels of the Vars that refer outside an expression.
fn raise(expr: &mut Expr, by: u32, depth: u32) {
    if by == 0 {
        return;
    }
    match expr {
        Expr::Var(var) if var.levels_up >= depth => var.levels_up += by,
        Expr::Aggref(call) if call.levels_up >= depth => call.levels_up += by,
        Expr::Grouping(call) if call.levels_up >= depth => call.levels_up += by,
        Expr::SubLink(sublink) => raise_query(&mut sublink.query, by, depth + 1),
        _ => {}
    }
    expr.for_each_child_mut(&mut |child| raise(child, by, depth));
}

fn raise_query(query: &mut Query, by: u32, depth: u32) {
    query.for_each_expr_mut(&mut |expr| raise(expr, by, depth));
    for rte in &mut query.rtable {
        match &mut rte.kind {
            RteKind::Subquery(inner) => raise_query(inner, by, depth + 1),
            RteKind::Cte { levels_up, .. } if *levels_up >= depth => *levels_up += by,
            _ => {}
        }
    }
    for cte in &mut query.ctes {
        raise_query(&mut cte.query, by, depth + 1);
    }
}

impl Expr {
    /// Replaces the Vars of the query level that the expression is in, including those in subqueries.
    pub fn replace_vars(&mut self, replace: &mut dyn FnMut(&Var) -> Option<Expr>) {
        replace_in(self, 0, replace);
    }

    /// Adjusts an expression that moves into a query `by` levels deeper.
    pub fn deepen(&mut self, by: u32) {
        raise(self, by, 0);
    }
}

fn from_item(item: &mut FromItem, visit: &mut dyn FnMut(&mut Expr)) {
    if let FromItem::Join(join) = item {
        let JoinExpr { left, right, quals, .. } = &mut **join;
        from_item(left, visit);
        from_item(right, visit);
        quals.iter_mut().for_each(visit);
    }
}

fn rte_exprs(kind: &mut RteKind, visit: &mut dyn FnMut(&mut Expr)) {
    match kind {
        RteKind::Relation {
            tablesample: Some(sample),
            ..
        } => {
            sample.args.iter_mut().for_each(&mut *visit);
            sample.repeatable.iter_mut().for_each(visit);
        }
        RteKind::Function { functions, .. } => functions.iter_mut().for_each(|function| visit(&mut function.expr)),
        RteKind::TableFunc(function) => {
            function.ns_uris.iter_mut().for_each(&mut *visit);
            function.doc.iter_mut().for_each(&mut *visit);
            function.row.iter_mut().for_each(&mut *visit);
            function.column_exprs.iter_mut().flatten().for_each(&mut *visit);
            function.column_defaults.iter_mut().flatten().for_each(&mut *visit);
            function.column_values.iter_mut().flatten().for_each(&mut *visit);
            function.passing.iter_mut().for_each(visit);
        }
        RteKind::Values { rows, .. } => rows.iter_mut().flatten().for_each(visit),
        RteKind::Join { alias_vars, .. } => alias_vars.iter_mut().for_each(visit),
        RteKind::Relation { .. }
        | RteKind::Subquery(_)
        | RteKind::Cte { .. }
        | RteKind::NamedTuplestore { .. }
        | RteKind::Result => {}
    }
}
