//! How a group is read again when the value that decided its result is deleted, and how often that pays.
//!
//! A lookup by an index on group and value reads one row. Any other reads the rows of its group, or its whole table, and a
//! change can make every group look up. So the groups that would have to are found before anything is written. If they
//! hold more than about a quarter of all rows, the whole query runs instead, which reads each row once.

use super::delta::{DELTA, STORED};
use crate::catalog::IndexColumn;
use crate::facts::join_tree;
use crate::facts::linear_block::Flat;
use crate::maintain::bounded::{Bounded, verdict, whole_unless};
use crate::maintain::stage::sizes;
use crate::query::Expr;
use crate::sql::statement::op;
use crate::stages::graph::StageGraph;

/// Groups that are read again may have one row for this many bytes of the largest table: about a quarter of its rows.
const LOOKED_UP_BYTES: usize = 256;
/// The CTE with the aggregated delta.
const GROUPS: &str = "__pgt_groups";
/// The condition that few rows are looked up.
const IS_FEW: &str = "(SELECT l.few FROM __pgt_lookups AS l)";

/// What the lookup of a value reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookups {
    /// One row, by an index; or no value is ever looked up.
    Row,
    /// The rows of the group.
    Group,
    /// The table.
    Table,
}

impl Lookups {
    /// What is read of the rows of a block, where no index is on the group and the value: the group, if all of its key is one
    /// indexed expression or in one index of one table.
    pub fn of(flat: &Flat, keys: &[Expr], graph: &StageGraph) -> Lookups {
        let mut attnos = Vec::new();
        let mut of = None;
        for key in keys {
            match key {
                Expr::Var(var) if *of.get_or_insert(var.varno) == var.varno => attnos.push(var.attno),
                // An index on any expression is taken for the right one.
                Expr::Var(_) => return Lookups::Table,
                _ => attnos.push(0),
            }
        }
        let Some(relation) = flat.table(join_tree::index(of.unwrap_or(1))) else {
            return Lookups::Table;
        };
        let covers = |index: &Vec<IndexColumn>| {
            let mut own = index.iter().take(attnos.len());
            index.len() >= attnos.len() && own.all(|column| attnos.contains(&column.attnum))
        };
        let is_found = if graph.is_stage(relation.oid) {
            attnos.len() <= 1
        } else {
            relation.indexes.iter().any(covers)
        };
        if keys.is_empty() || is_found {
            Lookups::Group
        } else {
            Lookups::Table
        }
    }
}

/// Lets the whole query run in place of many lookups.
pub struct Guard<'a> {
    /// What a lookup reads.
    pub lookups: Lookups,
    /// The storage table.
    pub table: &'a str,
    /// The tables that lookups read.
    pub reads: Vec<&'a str>,
    /// The stored number of rows of a group.
    pub rows: String,
    /// The condition that a stored group is that of a row of the aggregated delta.
    pub on: &'a str,
    /// The condition that it is to be read again.
    pub needed: String,
}

impl Guard<'_> {
    /// The statement that merges the groups of a SELECT, unless too many rows would be looked up for them: then it says that
    /// the whole query is to run. `merge` makes the MERGE from its source. With `bounded`, the delta is few rows or none.
    pub fn statement(&self, groups: &str, bounded: Option<&Bounded>, merge: &dyn Fn(&str) -> String) -> String {
        let few = if self.lookups == Lookups::Table {
            op("pg_catalog.count(*)", "<=", "1")
        } else {
            // A partitioned table has no size of its own.
            format!(
                "(least({sizes}) OPERATOR(pg_catalog.=) 0 OR coalesce(pg_catalog.sum({rows}), 0) OPERATOR(pg_catalog.<=) \
                 (greatest({sizes}) OPERATOR(pg_catalog./) {LOOKED_UP_BYTES}))",
                sizes = sizes(&self.reads),
                rows = self.rows,
            )
        };
        let (with, is_few) = bounded.map_or((String::new(), "TRUE"), |few| {
            (format!("{}, ", few.with), few.is_few.as_str())
        });
        format!(
            "WITH {with}{GROUPS} AS MATERIALIZED ({groups}), __pgt_lookups AS MATERIALIZED (SELECT {few} AS few \
             FROM {GROUPS} AS {DELTA} JOIN {} AS {STORED} ON {} WHERE {}), written AS ({} RETURNING 1) {}",
            self.table,
            self.on,
            self.needed,
            merge(&format!("SELECT {DELTA}.* FROM {GROUPS} AS {DELTA} WHERE {IS_FEW}")),
            verdict(is_few, &whole_unless(IS_FEW)),
        )
    }
}
