//! Which rows of the preserved tables a change affects.
//!
//! For each occurrence of a table, a SELECT finds the keys of the preserved rows that meet its changed rows. Its FROM
//! holds the preserved tables, the changed rows in place of their table, and the tables in between; its WHERE holds the
//! conditions that mention nothing else. It may find too many rows, never too few. If a table in between lost rows in
//! the same statement, the deleted rows are tried in its place, too.
//!
//! Cost: the rows found, given an index on the compared columns. Source: our own reasoning about the query's
//! conditions. The semi-joins that push changed rows down are those of magic sets, Bancilhon et al., 1986.

use super::join_path::{JoinPath, PreservedTables, Transition, select, stored};
use crate::facts::fallback::{Fallback, reason};
use crate::facts::from_items::{
    inner_conditions, mentions_only, preserved, rels, shift, strictly_compared, with_outputs,
};
use crate::facts::linear_block::conjuncts;
use crate::facts::shape::{has_sublink, is_grouped, only_linear};
use crate::maintain::rekey::TouchedKeys;
use crate::plan::{Change, Oid};
use crate::query::{BoolOp, Expr, FromItem, JoinKind, Query, RteKind, SubLink, SubLinkKind, Target, Var, varno};
use crate::stages::graph::StageGraph;

/// A SELECT of the keys of preserved rows.
struct Occurrence {
    /// The transition tables that it reads. It runs if all of them have rows.
    needs: Vec<(Oid, Transition)>,
    /// The SELECT.
    sql: String,
}

/// The SELECTs for all occurrences of tables.
pub struct Occurrences(Vec<Occurrence>);

impl TouchedKeys for Occurrences {
    fn selects(&self, changes: &[Change]) -> Vec<String> {
        let is_there = |(relid, transition): &(Oid, Transition)| {
            changes.iter().any(|change| {
                change.relid == *relid
                    && match transition {
                        Transition::New => change.new,
                        Transition::Old => change.old,
                    }
            })
        };
        self.0
            .iter()
            .filter(|occurrence| occurrence.needs.iter().all(is_there))
            .map(|occurrence| occurrence.sql.clone())
            .collect()
    }
}

/// The most tables between a changed table and the preserved ones for which all combinations of deleted rows are tried.
const MAX_BETWEEN: usize = 3;

/// All occurrences of tables, each with the preserved rows that a change to it affects.
pub fn occurrences(tables: &PreservedTables, graph: &StageGraph) -> Result<Occurrences, Fallback> {
    let mut found = Vec::new();
    let mut conditions = conjuncts(tables.query.quals.as_ref());
    for item in &tables.query.from {
        inner_conditions(item, &mut conditions);
    }
    // A result row satisfies a condition on a nullable table with NULLs, too, so the table's own rows need not satisfy
    // it.
    conditions.retain(|condition| mentions_only(condition, tables.scans));
    let path = JoinPath {
        query: tables.query.clone(),
        from: tables.scans.to_vec(),
        conditions,
        between: Vec::new(),
    };
    for (scan, part) in tables.scans.iter().zip(tables.parts) {
        let Some(relid) = tables.query.table(*scan) else {
            continue;
        };
        found.push(Occurrence {
            needs: vec![(relid, Transition::New)],
            sql: select(tables, &path, &[(*scan, relid, Transition::New)], graph)?,
        });
        let old = if tables.scans.len() == 1 {
            select(tables, &path, &[(*scan, relid, Transition::Old)], graph)?
        } else {
            stored(tables, *scan, relid, part.clone(), graph)?
        };
        found.push(Occurrence {
            needs: vec![(relid, Transition::Old)],
            sql: old,
        });
    }
    let mut walk = Walk {
        preserved: tables,
        graph,
        found: &mut found,
    };
    for item in &tables.query.from {
        walk.outer(item, &path, false)?;
    }
    let exprs = walk.exprs(tables.query);
    for (expr, positive) in exprs {
        walk.sublinks(&expr, &path, positive)?;
    }
    Ok(Occurrences(found))
}

struct Walk<'a, 'b> {
    preserved: &'a PreservedTables<'a>,
    graph: &'a StageGraph<'a>,
    found: &'b mut Vec<Occurrence>,
}

impl Walk<'_, '_> {
    /// The expressions of a query that can hold subqueries, and whether only their truth counts.
    fn exprs(&self, query: &Query) -> Vec<(Expr, bool)> {
        fn joins(item: &FromItem, exprs: &mut Vec<(Expr, bool)>) {
            if let FromItem::Join(join) = item {
                exprs.extend(join.quals.iter().cloned().map(|quals| (quals, true)));
                joins(&join.left, exprs);
                joins(&join.right, exprs);
            }
        }
        let mut exprs: Vec<(Expr, bool)> = query.quals.iter().cloned().map(|quals| (quals, true)).collect();
        for item in &query.from {
            joins(item, &mut exprs);
        }
        // All other expressions: function arguments in FROM and LIMIT can hold subqueries, too.
        let conditions = exprs.len();
        query.for_each_expr(&mut |expr| {
            if !exprs[..conditions].iter().any(|(condition, _)| condition == expr) {
                exprs.push((expr.clone(), false));
            }
        });
        exprs
    }

    /// Visits tables on the nullable sides of outer joins, and subqueries in FROM.
    fn outer(&mut self, item: &FromItem, path: &JoinPath, nullable: bool) -> Result<(), Fallback> {
        let join = match item {
            FromItem::Rel(varno) => return self.reached(*varno, path, nullable),
            FromItem::Join(join) => join,
        };
        // For which side the condition decides which of its rows matter. A row on a preserved side is there whatever it
        // meets, and so is every row of a FULL JOIN.
        let (left_meets, right_meets) = match join.kind {
            JoinKind::Inner => (nullable, nullable),
            JoinKind::Left => (false, true),
            JoinKind::Right => (true, false),
            JoinKind::Full => (false, false),
        };
        let mut certain = path.from.clone();
        preserved(&path.query, &join.left, &mut certain);
        preserved(&path.query, &join.right, &mut certain);
        let mut quals = conjuncts(join.quals.as_ref());
        quals.retain(|qual| mentions_only(qual, &certain));
        let sides = [
            (
                &join.left,
                &join.right,
                left_meets,
                nullable || join.kind == JoinKind::Right,
            ),
            (
                &join.right,
                &join.left,
                right_meets,
                nullable || join.kind == JoinKind::Left,
            ),
        ];
        for (side, other, meets, side_nullable) in sides {
            let mut path = path.clone();
            if meets {
                path.conditions.extend(quals.iter().cloned());
                // The tables in between: those that the other side preserves.
                self.between(other, &mut path);
                for qual in conjuncts(join.quals.as_ref()) {
                    for table in strictly_compared(&qual, self.graph)? {
                        if !path.from.contains(&table) && rels(other).contains(&table) {
                            self.reach(other, table, &mut path);
                            if path.from.contains(&table) {
                                path.conditions.push(qual.clone());
                            }
                        }
                    }
                }
            }
            self.outer(side, &path, side_nullable || join.kind == JoinKind::Full)?;
        }
        Ok(())
    }

    fn between(&self, item: &FromItem, path: &mut JoinPath) {
        match item {
            FromItem::Rel(varno) => {
                if path.query.table(*varno).is_some() && !path.from.contains(varno) {
                    path.from.push(*varno);
                    path.between.push(*varno);
                }
            }
            FromItem::Join(join) => {
                // Rows on a preserved side are there whatever the other side holds.
                if matches!(join.kind, JoinKind::Inner | JoinKind::Left) {
                    self.between(&join.left, path);
                }
                if matches!(join.kind, JoinKind::Inner | JoinKind::Right) {
                    self.between(&join.right, path);
                }
            }
        }
    }

    /// Adds a table on a nullable side within `item`, and the tables it is joined through. Only valid for conditions
    /// that no NULL satisfies.
    fn reach(&self, item: &FromItem, table: i32, path: &mut JoinPath) {
        let FromItem::Join(join) = item else {
            return self.between(item, path);
        };
        let is_left = rels(&join.left).contains(&table);
        let (side, other) = if is_left {
            (&join.left, &join.right)
        } else {
            (&join.right, &join.left)
        };
        let meets = match join.kind {
            JoinKind::Inner => true,
            JoinKind::Left => !is_left,
            JoinKind::Right => is_left,
            JoinKind::Full => return,
        };
        if meets {
            self.between(other, path);
            let mut certain = path.from.clone();
            preserved(&path.query, side, &mut certain);
            let mut quals = conjuncts(join.quals.as_ref());
            quals.retain(|qual| mentions_only(qual, &certain));
            path.conditions.extend(quals);
        }
        self.reach(side, table, path);
    }

    fn reached(&mut self, varno: i32, path: &JoinPath, nullable: bool) -> Result<(), Fallback> {
        let Some(entry) = path.query.rte(varno) else {
            return Ok(());
        };
        match &entry.kind {
            RteKind::Relation { .. } if nullable && !self.preserved.scans.contains(&varno) => self.changed(varno, path),
            RteKind::Subquery(query) => {
                let query = (**query).clone();
                self.nested(&query, path, Some(varno), &[])
            }
            _ => Ok(()),
        }
    }

    /// Adds the SELECTs for a changed table, which is on the path or about to join it: the preserved rows its changes
    /// meet.
    fn changed(&mut self, varno: i32, path: &JoinPath) -> Result<(), Fallback> {
        let Some(relid) = path.query.table(varno) else {
            return Ok(());
        };
        let between: Vec<(i32, Oid)> = path
            .between
            .iter()
            .filter(|other| **other != varno)
            .filter_map(|other| Some((*other, path.query.table(*other)?)))
            .collect();
        let mut path = path.clone();
        if between.len() > MAX_BETWEEN {
            // Too many combinations of deleted rows: leave out the tables in between, and with them their conditions.
            path.from.retain(|other| self.preserved.scans.contains(other));
        }
        if !path.from.contains(&varno) {
            path.from.push(varno);
        }
        let in_between = if between.len() > MAX_BETWEEN {
            &[][..]
        } else {
            &between[..]
        };
        self.found.push(Occurrence {
            needs: vec![(relid, Transition::New)],
            sql: select(self.preserved, &path, &[(varno, relid, Transition::New)], self.graph)?,
        });
        for lost in 0..1_usize << in_between.len() {
            let mut replaced = vec![(varno, relid, Transition::Old)];
            for (bit, (other, relid)) in in_between.iter().enumerate() {
                if lost & (1 << bit) != 0 {
                    replaced.push((*other, *relid, Transition::Old));
                }
            }
            let mut needs: Vec<(Oid, Transition)> = replaced
                .iter()
                .map(|(_, relid, transition)| (*relid, *transition))
                .collect();
            needs.dedup();
            self.found.push(Occurrence {
                needs,
                sql: select(self.preserved, &path, &replaced, self.graph)?,
            });
        }
        Ok(())
    }

    /// Visits the subqueries in an expression.
    fn sublinks(&mut self, expr: &Expr, path: &JoinPath, positive: bool) -> Result<(), Fallback> {
        if let Expr::SubLink(sublink) = expr {
            for tests in tests(sublink, positive) {
                self.nested(&sublink.query, path, None, &tests)?;
            }
            if let Some(test) = &sublink.test {
                return self.sublinks(test, path, false);
            }
            return Ok(());
        }
        let passes = positive && matches!(expr, Expr::Bool(boolean) if boolean.op != BoolOp::Not);
        let mut children = Vec::new();
        expr.for_each_child(&mut |child| children.push(child.clone()));
        for child in children {
            self.sublinks(&child, path, passes)?;
        }
        Ok(())
    }

    /// Visits a correlated set operation: a change to a branch affects the rows that meet it, whatever becomes of the
    /// branch.
    fn branches(&mut self, query: &Query, path: &JoinPath) -> Result<(), Fallback> {
        if self.exprs(query).iter().any(|(expr, _)| has_sublink(expr)) {
            return reason("subquery in LIMIT of a correlated set operation");
        }
        for rte in &query.rtable {
            if let RteKind::Subquery(branch) = &rte.kind {
                // It has nothing of the set operation's own level.
                let mut branch = (**branch).clone();
                branch.lower_outer();
                self.nested(&branch, path, None, &[])?;
            }
        }
        Ok(())
    }

    /// Visits a subquery: its tables join the path, and so do its conditions, as far as they are join conditions.
    fn nested(&mut self, query: &Query, path: &JoinPath, read_as: Option<i32>, tests: &[Expr]) -> Result<(), Fallback> {
        if !query.ctes.is_empty() {
            return reason("WITH in a correlated subquery");
        }
        if query.set_operations.is_some() {
            return self.branches(query, path);
        }
        let mut path = path.clone();
        let offset = varno(path.query.rtable.len())? - 1;
        let mut query = query.clone();
        // The test belongs to the enclosing level, but its parameters are columns of the subquery, which belong to this
        // one.
        let outputs: Vec<Expr> = query.targets.iter().map(|target| target.expr.clone()).collect();
        let linear = only_linear(&query).is_ok();
        query.targets = outputs
            .iter()
            .map(|expr| Target {
                expr: expr.clone(),
                name: None,
                resno: 0,
                ressortgroupref: 0,
                junk: false,
            })
            .collect();
        query.replace_vars(&mut |var| {
            Some(Expr::Var(Var {
                varno: var.varno + offset,
                ..var.clone()
            }))
        });
        query.lower_outer();
        let outputs: Vec<Expr> = query.targets.iter().map(|target| target.expr.clone()).collect();
        let exprs = self.exprs(&query);
        path.query.rtable.append(&mut query.rtable);
        let mut conditions = conjuncts(query.quals.as_ref());
        let mut items = query.from.clone();
        items.iter_mut().for_each(|item| shift(item, offset));
        for item in &items {
            inner_conditions(item, &mut conditions);
        }
        if linear {
            for test in tests {
                conditions.push(with_outputs(test, &outputs));
            }
            if let Some(read_as) = read_as {
                // A condition on a column of the subquery is a condition on the expression behind it.
                for condition in &mut path.conditions {
                    condition.replace_vars(&mut |var| {
                        let column = usize::try_from(var.attno).ok()?.checked_sub(1)?;
                        (var.varno == read_as).then(|| outputs.get(column).cloned())?
                    });
                }
            }
        }
        let around = path.clone();
        let mut inner = Vec::new();
        for item in &items {
            preserved(&path.query, item, &mut inner);
        }
        let mut certain = path.from.clone();
        certain.extend(&inner);
        conditions.retain(|condition| mentions_only(condition, &certain));
        path.conditions.extend(conditions);
        path.from.extend(&inner);
        path.between.extend(&inner);
        for varno in &inner {
            self.changed(*varno, &path)?;
        }
        for item in &items {
            self.outer(item, &path, false)?;
        }
        // An aggregate returns a row even for empty input, so a subquery beside it can matter without any row of its
        // tables.
        let has_row = is_grouped(&query) && (query.group.is_empty() || !query.grouping_sets.is_empty());
        for (expr, is_condition) in exprs {
            self.sublinks(&expr, &path, false)?;
            if has_row && !is_condition {
                self.sublinks(&expr, &around, false)?;
            }
        }
        Ok(())
    }
}

/// The conditions under which a row of the subquery can matter to `x op ANY (...)` or `x op ALL (...)`: alternatives,
/// each a list of conjuncts. Where only truth counts, the test must hold. Elsewhere, a NULL on either side matters,
/// too.
fn tests(sublink: &SubLink, positive: bool) -> Vec<Vec<Expr>> {
    let Some(test) = &sublink.test else {
        return vec![Vec::new()];
    };
    let Expr::Op(op) = test else { return vec![Vec::new()] };
    let [left, right] = op.args.as_slice() else {
        return vec![Vec::new()];
    };
    let decisive = match sublink.kind {
        SubLinkKind::Any => test.clone(),
        SubLinkKind::All => Expr::negated(test.clone()),
        _ => return vec![Vec::new()],
    };
    if positive && sublink.kind == SubLinkKind::Any {
        return vec![vec![decisive]];
    }
    vec![
        vec![decisive],
        vec![Expr::is_null(left.clone())],
        vec![Expr::is_null(right.clone())],
    ]
}
