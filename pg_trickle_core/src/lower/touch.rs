//! Which rows of a spine a change touches.
//!
//! For each occurrence of a table a SELECT gives the keys of the spine's rows that meet its changed rows: the spine,
//! the changed rows in the table's place, the tables between the two, and those conditions that mention nothing else. It
//! may give more than what really changes, never less. Where a table between the two lost rows in the same statement,
//! these are tried too.
//!
//! Cost: the rows that are found, each by an index on the compared columns. Source: reasoning over the query's conditions; the
//! semi-joins that push changed rows down are those of magic sets, Bancilhon et al., 1986.

use std::ops::Range;

use super::builder::Builder;
use super::from_items::{
    inner_conditions, mentions_only, preserved, relid_of, rels, rte, shift, strictly_compared, with_outputs,
};
use super::linear::conjuncts;
use super::simplify::has_sublink;
use super::stop::{Stop, reason};
use crate::catalog::Catalog;
use crate::plan::Oid;
use crate::query::{
    Bool, BoolOp, Expr, FromItem, JoinKind, NullTest, ParamKind, Query, RteKind, SubLink, SubLinkKind, Target, Var,
};
use crate::sql::statement::{and, column};
use crate::stage::rekey::{KeyColumn, Occurrence, Side, key_column};

/// Most tables between a changed one and the spine for which all combinations of lost rows are tried.
const MAX_BETWEEN: usize = 3;

/// A query and its spine.
pub struct Spine<'a> {
    /// The query.
    pub query: &'a Query,
    /// The tables of the spine.
    pub scans: &'a [i32],
    /// Their keys.
    pub keys: &'a [Expr],
    /// Which of the keys belong to which table.
    pub parts: &'a [Range<usize>],
    /// The keys as stored.
    pub key: &'a [KeyColumn],
    /// The storage table.
    pub table: String,
}

/// The tables on the way from the spine to a changed table.
#[derive(Clone)]
struct Way {
    /// Holds the range table; its FROM and WHERE are not used.
    query: Query,
    /// What stands in FROM: the spine first.
    from: Vec<i32>,
    /// All conditions that hold for rows that meet.
    conditions: Vec<Expr>,
    /// Tables of `from` that are not of the spine.
    between: Vec<i32>,
}

/// All occurrences of tables, with what a change of them touches.
pub fn occurrences(spine: &Spine, builder: &Builder) -> Result<Vec<Occurrence>, Stop> {
    let mut found = Vec::new();
    let mut conditions = conjuncts(spine.query.quals.as_ref());
    for item in &spine.query.from {
        inner_conditions(item, &mut conditions);
    }
    // What is said about a table that can be NULL does not hold for its rows.
    conditions.retain(|condition| mentions_only(condition, spine.scans));
    let way = Way {
        query: spine.query.clone(),
        from: spine.scans.to_vec(),
        conditions,
        between: Vec::new(),
    };
    for (scan, part) in spine.scans.iter().zip(spine.parts) {
        let Some(relid) = relid_of(spine.query, *scan) else {
            continue;
        };
        found.push(Occurrence {
            needs: vec![(relid, Side::New)],
            sql: select(spine, &way, &[(*scan, relid, Side::New)], builder)?,
        });
        let old = if spine.scans.len() == 1 {
            select(spine, &way, &[(*scan, relid, Side::Old)], builder)?
        } else {
            stored(spine, *scan, relid, part.clone(), builder)?
        };
        found.push(Occurrence {
            needs: vec![(relid, Side::Old)],
            sql: old,
        });
    }
    let mut walk = Walk {
        spine,
        builder,
        found: &mut found,
    };
    for item in &spine.query.from {
        walk.outer(item, &way, false)?;
    }
    let exprs = walk.exprs(spine.query);
    for (expr, positive) in exprs {
        walk.sublinks(&expr, &way, positive)?;
    }
    Ok(found)
}

/// Rows whose spine row went, by what is stored.
fn stored(spine: &Spine, scan: i32, relid: Oid, part: Range<usize>, builder: &Builder) -> Result<String, Stop> {
    let columns: Vec<String> = spine.key.iter().map(|key| column("s", &key.name)).collect();
    let mut conditions = Vec::new();
    for n in part {
        let Expr::Var(var) = &spine.keys[n] else {
            return reason("a key that is no column");
        };
        debug_assert_eq!(var.varno, scan, "a key of this table");
        let relation = builder.relation(relid)?;
        let Some(name) = relation.column(var.attno).map(|column| column.name.clone()) else {
            return reason("a key column that is gone");
        };
        conditions.push(format!(
            "({} {} {})",
            column("s", &spine.key[n].name),
            spine.key[n].equals,
            column("o", &name)
        ));
    }
    Ok(format!(
        "SELECT {} FROM __pgt_old_{relid} AS o, {} AS s WHERE {}",
        columns.join(", "),
        spine.table,
        and(&conditions)
    ))
}

struct Walk<'a, 'b> {
    spine: &'a Spine<'a>,
    builder: &'a Builder<'a>,
    found: &'b mut Vec<Occurrence>,
}

impl Walk<'_, '_> {
    /// The expressions of a query in which subqueries can stand, and whether only their truth counts.
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
        // All others: a subquery can stand in the arguments of a function in FROM, and in LIMIT, too.
        let conditions = exprs.len();
        query.for_each_expr(&mut |expr| {
            if !exprs[..conditions].iter().any(|(condition, _)| condition == expr) {
                exprs.push((expr.clone(), false));
            }
        });
        exprs
    }

    /// Tables on the nullable sides of outer joins, and subqueries in FROM.
    fn outer(&mut self, item: &FromItem, way: &Way, nullable: bool) -> Result<(), Stop> {
        let join = match item {
            FromItem::Rel(varno) => return self.reached(*varno, way, nullable),
            FromItem::Join(join) => join,
        };
        // Which sides the condition decides about: the other rows of a side are there anyway. A row of a FULL JOIN is
        // there whatever it meets.
        let (left_meets, right_meets) = match join.kind {
            JoinKind::Inner => (nullable, nullable),
            JoinKind::Left => (false, true),
            JoinKind::Right => (true, false),
            JoinKind::Full => (false, false),
        };
        let mut certain = way.from.clone();
        preserved(&way.query, &join.left, &mut certain);
        preserved(&way.query, &join.right, &mut certain);
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
            let mut way = way.clone();
            if meets {
                way.conditions.extend(quals.iter().cloned());
                // What stands between: the tables of the other side that are not of the spine.
                self.between(other, &mut way);
                for qual in conjuncts(join.quals.as_ref()) {
                    for table in strictly_compared(&qual, self.builder)? {
                        if !way.from.contains(&table) && rels(other).contains(&table) {
                            self.reach(other, table, &mut way);
                            if way.from.contains(&table) {
                                way.conditions.push(qual.clone());
                            }
                        }
                    }
                }
            }
            self.outer(side, &way, side_nullable || join.kind == JoinKind::Full)?;
        }
        Ok(())
    }

    fn between(&self, item: &FromItem, way: &mut Way) {
        match item {
            FromItem::Rel(varno) => {
                if relid_of(&way.query, *varno).is_some() && !way.from.contains(varno) {
                    way.from.push(*varno);
                    way.between.push(*varno);
                }
            }
            FromItem::Join(join) => {
                // Preserved sides are there whatever the others do.
                if matches!(join.kind, JoinKind::Inner | JoinKind::Left) {
                    self.between(&join.left, way);
                }
                if matches!(join.kind, JoinKind::Inner | JoinKind::Right) {
                    self.between(&join.right, way);
                }
            }
        }
    }

    /// Adds a table that can be NULL in `item`, with what stands before it. For conditions that no NULL satisfies.
    fn reach(&self, item: &FromItem, table: i32, way: &mut Way) {
        let FromItem::Join(join) = item else {
            return self.between(item, way);
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
            self.between(other, way);
            let mut certain = way.from.clone();
            preserved(&way.query, side, &mut certain);
            let mut quals = conjuncts(join.quals.as_ref());
            quals.retain(|qual| mentions_only(qual, &certain));
            way.conditions.extend(quals);
        }
        self.reach(side, table, way);
    }

    fn reached(&mut self, varno: i32, way: &Way, nullable: bool) -> Result<(), Stop> {
        let Some(entry) = rte(&way.query, varno) else {
            return Ok(());
        };
        match &entry.kind {
            RteKind::Relation { .. } if nullable && !self.spine.scans.contains(&varno) => self.changed(varno, way),
            RteKind::Subquery(query) => {
                let query = (**query).clone();
                self.nested(&query, way, Some(varno), &[])
            }
            _ => Ok(()),
        }
    }

    /// A table of `way`, or one that is about to be: what its changed rows meet.
    fn changed(&mut self, varno: i32, way: &Way) -> Result<(), Stop> {
        let Some(relid) = relid_of(&way.query, varno) else {
            return Ok(());
        };
        let between: Vec<(i32, Oid)> = way
            .between
            .iter()
            .filter(|other| **other != varno)
            .filter_map(|other| Some((*other, relid_of(&way.query, *other)?)))
            .collect();
        let mut way = way.clone();
        if between.len() > MAX_BETWEEN {
            // Too many ways to have lost rows: do without the tables in between, and without their conditions.
            way.from.retain(|other| self.spine.scans.contains(other));
        }
        if !way.from.contains(&varno) {
            way.from.push(varno);
        }
        let tried = if between.len() > MAX_BETWEEN {
            &[][..]
        } else {
            &between[..]
        };
        self.found.push(Occurrence {
            needs: vec![(relid, Side::New)],
            sql: select(self.spine, &way, &[(varno, relid, Side::New)], self.builder)?,
        });
        for lost in 0..1_usize << tried.len() {
            let mut replaced = vec![(varno, relid, Side::Old)];
            for (bit, (other, relid)) in tried.iter().enumerate() {
                if lost & (1 << bit) != 0 {
                    replaced.push((*other, *relid, Side::Old));
                }
            }
            let mut needs: Vec<(Oid, Side)> = replaced.iter().map(|(_, relid, side)| (*relid, *side)).collect();
            needs.dedup();
            self.found.push(Occurrence {
                needs,
                sql: select(self.spine, &way, &replaced, self.builder)?,
            });
        }
        Ok(())
    }

    /// Subqueries in an expression.
    fn sublinks(&mut self, expr: &Expr, way: &Way, positive: bool) -> Result<(), Stop> {
        if let Expr::SubLink(sublink) = expr {
            for tests in tests(sublink, positive) {
                self.nested(&sublink.query, way, None, &tests)?;
            }
            if let Some(test) = &sublink.test {
                return self.sublinks(test, way, false);
            }
            return Ok(());
        }
        let passes = positive && matches!(expr, Expr::Bool(boolean) if boolean.op != BoolOp::Not);
        let mut children = Vec::new();
        expr.for_each_child(&mut |child| children.push(child.clone()));
        for child in children {
            self.sublinks(&child, way, passes)?;
        }
        Ok(())
    }

    /// A subquery: its tables join the way, and its conditions, as far as they are those of a join.
    fn nested(&mut self, query: &Query, way: &Way, varno: Option<i32>, tests: &[Expr]) -> Result<(), Stop> {
        if query.set_operations.is_some() || !query.ctes.is_empty() {
            return reason("correlated set operation");
        }
        let mut way = way.clone();
        let offset = i32::try_from(way.query.rtable.len()).unwrap_or(i32::MAX);
        let mut query = query.clone();
        // The test is of the level around; the subquery's columns in it are of this one.
        let outputs: Vec<Expr> = query.targets.iter().map(|target| target.expr.clone()).collect();
        let linear = super::only_linear(&query).is_ok();
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
        way.query.rtable.append(&mut query.rtable);
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
            if let Some(varno) = varno {
                // What is said about the subquery's columns is said about what they show.
                for condition in &mut way.conditions {
                    condition.replace_vars(&mut |var| {
                        let column = usize::try_from(var.attno).ok()?.checked_sub(1)?;
                        (var.varno == varno).then(|| outputs.get(column).cloned())?
                    });
                }
            }
        }
        let around = way.clone();
        let mut spine = Vec::new();
        for item in &items {
            preserved(&way.query, item, &mut spine);
        }
        let mut certain = way.from.clone();
        certain.extend(&spine);
        conditions.retain(|condition| mentions_only(condition, &certain));
        way.conditions.extend(conditions);
        way.from.extend(&spine);
        way.between.extend(&spine);
        for varno in &spine {
            self.changed(*varno, &way)?;
        }
        for item in &items {
            self.outer(item, &way, false)?;
        }
        // An aggregate has a row also where it finds none: what is computed beside it does not need its tables.
        let has_row = super::is_grouped(&query) && (query.group.is_empty() || !query.grouping_sets.is_empty());
        for (expr, is_condition) in exprs {
            self.sublinks(&expr, &way, false)?;
            if has_row && !is_condition {
                self.sublinks(&expr, &around, false)?;
            }
        }
        Ok(())
    }
}

/// Under which conditions a row of the subquery can matter for `x op ANY (...)` and its like: alternatives, each a list
/// of conjuncts. Where only truth counts, the test must hold; else a NULL on either side matters too.
fn tests(sublink: &SubLink, positive: bool) -> Vec<Vec<Expr>> {
    let Some(test) = &sublink.test else {
        return vec![Vec::new()];
    };
    let Expr::Op(op) = test else { return vec![Vec::new()] };
    let [left, right] = op.args.as_slice() else {
        return vec![Vec::new()];
    };
    let is_null = |arg: &Expr| {
        Expr::NullTest(Box::new(NullTest {
            arg: arg.clone(),
            negated: false,
            is_row: false,
        }))
    };
    let decisive = match sublink.kind {
        SubLinkKind::Any => test.clone(),
        SubLinkKind::All => Expr::Bool(Bool {
            op: BoolOp::Not,
            args: vec![test.clone()],
        }),
        _ => return vec![Vec::new()],
    };
    if positive && sublink.kind == SubLinkKind::Any {
        return vec![vec![decisive]];
    }
    vec![vec![decisive], vec![is_null(left)], vec![is_null(right)]]
}

/// SELECT of the keys over the spine and what stands between, with some tables replaced by their change.
fn select(spine: &Spine, way: &Way, replaced: &[(i32, Oid, Side)], builder: &Builder) -> Result<String, Stop> {
    let mut query = way.query.clone();
    query.ctes.clear();
    query.group.clear();
    query.grouping_sets.clear();
    query.having = None;
    query.windows.clear();
    query.sort.clear();
    query.distinct.clear();
    query.limit_count = None;
    query.limit_offset = None;
    query.row_marks.clear();
    for (varno, relid, side) in replaced {
        let position = usize::try_from(varno - 1).unwrap_or(usize::MAX);
        let side = match side {
            Side::New => "new",
            Side::Old => "old",
        };
        query.rtable[position].kind = RteKind::NamedTuplestore {
            name: format!("__pgt_{side}_{relid}"),
        };
    }
    query.from = way.from.iter().map(|varno| FromItem::Rel(*varno)).collect();
    let mut usable: Vec<Expr> = Vec::new();
    for condition in &way.conditions {
        if is_usable(condition, way, builder)? {
            usable.push(condition.clone());
        }
    }
    query.quals = match usable.len() {
        0 => None,
        1 => usable.pop(),
        _ => Some(Expr::Bool(Bool {
            op: BoolOp::And,
            args: usable,
        })),
    };
    query.targets = spine
        .keys
        .iter()
        .enumerate()
        .map(|(n, key)| Target {
            expr: key.clone(),
            name: Some(key_column(n)),
            resno: i16::try_from(n + 1).unwrap_or(i16::MAX),
            ressortgroupref: 0,
            junk: false,
        })
        .collect();
    Ok(format!("({})", crate::sql::query::print(&query, builder)?))
}

/// A condition over nothing but columns of the tables on the way that a transition table holds too.
fn is_usable(condition: &Expr, way: &Way, builder: &Builder) -> Result<bool, Stop> {
    if has_sublink(condition) {
        return Ok(false);
    }
    let mut usable = true;
    let mut vars = Vec::new();
    condition.for_each(&mut |node| match node {
        Expr::Var(var) => vars.push(var.clone()),
        Expr::Aggref(_) | Expr::Grouping(_) | Expr::Window(_) => usable = false,
        Expr::Param(param) => usable &= param.kind != ParamKind::Sublink,
        _ => {}
    });
    for var in vars {
        usable &= var.levels_up == 0 && var.attno > 0 && way.from.contains(&var.varno);
        if let Some(relid) = relid_of(&way.query, var.varno) {
            let relation = builder.relation(relid)?;
            usable &= relation
                .column(var.attno)
                .is_some_and(|column| column.generated != Some('v'));
        }
    }
    Ok(usable)
}
