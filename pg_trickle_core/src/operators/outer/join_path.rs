//! The path of joins from the preserved tables to a changed one, and the SELECT of the keys that it leads to.

use std::ops::Range;

use crate::catalog::Catalog;
use crate::facts::fallback::{Fallback, reason};
use crate::facts::shape::has_sublink;
use crate::maintain::key::KeyColumn;
use crate::maintain::rekey::key_column;
use crate::plan::{Oid, added, removed};
use crate::query::{Expr, FromItem, ParamKind, Query, RteKind, Target, attno};
use crate::sql::statement::{and, column};
use crate::stages::graph::StageGraph;

/// A transition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The inserted rows.
    New,
    /// The deleted rows.
    Old,
}

/// A query and its preserved tables.
pub struct PreservedTables<'a> {
    /// The query.
    pub query: &'a Query,
    /// The preserved tables.
    pub scans: &'a [i32],
    /// Their keys.
    pub keys: &'a [Expr],
    /// For each preserved table, the range of its keys.
    pub parts: &'a [Range<usize>],
    /// The keys as stored columns.
    pub key: &'a [KeyColumn],
    /// The storage table.
    pub table: String,
}

/// The path of joins from the preserved tables to a changed one.
#[derive(Clone)]
pub struct JoinPath {
    /// Provides the range table. Its FROM and WHERE are not used.
    pub query: Query,
    /// The tables of the path, the preserved ones first.
    pub from: Vec<i32>,
    /// Conditions that hold whenever rows of these tables meet.
    pub conditions: Vec<Expr>,
    /// The tables of `from` that are not preserved.
    pub between: Vec<i32>,
}

/// The SELECT of the keys over the tables of a path, with transition tables in place of some of them.
pub fn select(
    tables: &PreservedTables,
    path: &JoinPath,
    replaced: &[(i32, Oid, Transition)],
    graph: &StageGraph,
) -> Result<String, Fallback> {
    let mut query = path.query.clone();
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
    for (table, relid, transition) in replaced {
        let position = query.position(*table)?;
        let delta = graph.delta(*relid);
        query.rtable[position].kind = RteKind::NamedTuplestore {
            name: match transition {
                Transition::New => added(delta),
                Transition::Old => removed(delta),
            },
        };
    }
    query.from = path.from.iter().map(|varno| FromItem::Rel(*varno)).collect();
    let mut usable: Vec<Expr> = Vec::new();
    for condition in &path.conditions {
        if is_usable(condition, path, graph)? {
            usable.push(condition.clone());
        }
    }
    query.quals = match usable.len() {
        0 => None,
        1 => usable.pop(),
        _ => Some(Expr::and(usable)),
    };
    query.targets.clear();
    for (n, key) in tables.keys.iter().enumerate() {
        query.targets.push(Target {
            expr: key.clone(),
            name: Some(key_column(n)),
            resno: attno(n)?,
            ressortgroupref: 0,
            junk: false,
        });
    }
    Ok(format!("({})", crate::sql::query::print(&query, graph)?))
}

/// True if a condition only uses columns of tables on the path, and transition tables have these columns, too.
fn is_usable(condition: &Expr, path: &JoinPath, graph: &StageGraph) -> Result<bool, Fallback> {
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
        usable &= var.levels_up == 0 && var.attno > 0 && path.from.contains(&var.varno);
        if let Some(relid) = path.query.table(var.varno) {
            let relation = graph.relation(relid)?;
            usable &= relation
                .column(var.attno)
                .is_some_and(|column| column.generated != Some('v'));
        }
    }
    Ok(usable)
}

/// The keys of stored rows whose row of a preserved table was deleted.
pub fn stored(
    tables: &PreservedTables,
    scan: i32,
    relid: Oid,
    part: Range<usize>,
    graph: &StageGraph,
) -> Result<String, Fallback> {
    let columns: Vec<String> = tables.key.iter().map(|key| column("s", &key.name)).collect();
    let mut conditions = Vec::new();
    for n in part {
        let Expr::Var(var) = &tables.keys[n] else {
            return reason("a key that is not a column");
        };
        debug_assert_eq!(var.varno, scan, "a key of this table");
        let relation = graph.relation(relid)?;
        let Some(name) = relation.column(var.attno).map(|column| column.name.clone()) else {
            return reason("a dropped key column");
        };
        conditions.push(format!(
            "({} {} {})",
            column("s", &tables.key[n].name),
            tables.key[n].equals,
            column("o", &name)
        ));
    }
    Ok(format!(
        "SELECT {} FROM {} AS o, {} AS s WHERE {}",
        columns.join(", "),
        removed(graph.delta(relid)),
        tables.table,
        and(&conditions)
    ))
}
