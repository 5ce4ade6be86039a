//! A full refresh: run the query again, compare its result with the stored rows as bags, and patch the difference.
//!
//! It is right for every query, and costs what the query costs and a comparison of each row. Rows are compared by the
//! bytes of their values, so the stored rows end up showing exactly what the query shows.

use super::key::{KeyColumn, pairs};
use super::netting::{Patch, patch, stored};
use super::storage::Written;
use crate::plan::{Returns, Statement};
use crate::sql::statement::{assignments, column, differs, names, op};

/// What a storage table holds. The statements that write all of it are made when they are needed: for wide rows they are
/// several times as long.
pub enum Contents {
    /// The rows of a query.
    Query {
        /// The query.
        query: String,
        /// The columns that it fills, in order.
        row: Written,
        /// What pairs its rows with stored ones.
        key: Option<Vec<KeyColumn>>,
    },
    /// One row, which this statement inserts.
    Single(String),
}

impl Contents {
    /// Fills the empty table, with the rows of `filled` in place of those of the query, if there are others.
    #[must_use]
    pub fn fill(&self, table: &str, filled: Option<String>) -> String {
        match self {
            Contents::Query { query, row, .. } => {
                format!(
                    "INSERT INTO {table}{} {}",
                    row.target(),
                    filled.as_ref().unwrap_or(query)
                )
            }
            Contents::Single(insert) => insert.clone(),
        }
    }

    /// Makes the table hold this, whatever it holds. May return how many rows that took.
    #[must_use]
    pub fn refresh(&self, table: &str, counted: bool) -> Statement {
        match self {
            Contents::Query { query, row, key } => statement(table, query, row, key.as_deref(), counted),
            Contents::Single(insert) => Statement {
                sql: format!("{insert} WHERE NOT EXISTS (SELECT FROM {table})"),
                bulk: None,
                returns: Returns::Nothing,
            },
        }
    }
}

/// The statement that makes `table` hold the rows of `query`, whose columns are those of `row`, in order. `key`
/// identifies a row, if anything does; a key without columns says that there is only one. If the patched rows are
/// `counted`, the statement returns their number.
#[must_use]
pub fn statement(table: &str, query: &str, row: &Written, key: Option<&[KeyColumn]>, counted: bool) -> Statement {
    Statement {
        sql: match key {
            None => patch_bag(table, query, row, counted),
            Some(key) => patch_keyed(table, query, row, key, counted),
        },
        bulk: None,
        returns: if counted { Returns::Patched } else { Returns::Nothing },
    }
}

/// Wanted and stored rows cancel copy by copy; the rest are inserted and deleted.
fn patch_bag(table: &str, query: &str, row: &Written, counted: bool) -> String {
    let Patch { with, insert } = patch(
        table,
        row,
        &format!("({}) AS q", fresh_query(query, &row.columns)),
        &format!("SELECT {} FROM {table} AS s", stored(row)),
    );
    if !counted {
        return format!("WITH {with} {insert}");
    }
    format!(
        "WITH {with}, added AS ({insert} RETURNING 1) \
         SELECT (SELECT pg_catalog.count(*) FROM added), (SELECT pg_catalog.count(*) FROM removed), 0::pg_catalog.int8"
    )
}

/// Wanted and stored rows pair by key. Pairs that differ are updated in place. `OFFSET 0` keeps the planner from
/// evaluating the select list twice: for the comparison and for the write.
fn patch_keyed(table: &str, query: &str, row: &Written, key: &[KeyColumn], counted: bool) -> String {
    let Written { columns, uncounted, .. } = row;
    let mut fresh = format!("({} OFFSET 0)", fresh_query(query, columns));
    let mut is_update = op("m.action", "=", "'UPDATE'");
    let mut counts = "merge_action() AS action".to_owned();
    if counted && !uncounted.is_empty() {
        let seen: Vec<String> = columns
            .iter()
            .filter(|name| !uncounted.contains(name))
            .cloned()
            .collect();
        fresh = format!(
            "(SELECT q.*, EXISTS (SELECT FROM {table} AS o WHERE {} AND NOT {}) AS __pgt_same FROM {fresh} AS q)",
            pairs(key, "q", "o"),
            differs("o", "q", &seen),
        );
        counts.push_str(", d.__pgt_same AS same");
        is_update.push_str(" AND NOT m.same");
    }
    let merge = format!(
        "MERGE INTO {table} AS t USING {fresh} AS d ON {} \
         WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN MATCHED AND {} THEN {}",
        pairs(key, "d", "t"),
        differs("t", "d", columns),
        write(columns),
    );
    if !counted {
        return merge;
    }
    let count = |action: &str| format!("pg_catalog.count(*) FILTER (WHERE {action})");
    format!(
        "WITH m AS ({merge} RETURNING {counts}) SELECT {}, {}, {} FROM m",
        count(&op("m.action", "=", "'INSERT'")),
        count(&op("m.action", "=", "'DELETE'")),
        count(&is_update),
    )
}

/// The actions with which a MERGE writes the row `d`.
pub fn write(columns: &[String]) -> String {
    let value = |name: &String| (name.clone(), column("d", name));
    let set: Vec<(String, String)> = columns.iter().map(value).collect();
    let values: Vec<String> = columns.iter().map(|name| column("d", name)).collect();
    format!(
        "UPDATE SET {} WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})",
        assignments(&set),
        names(columns),
        values.join(", "),
    )
}

/// The query, with the column names of the storage.
fn fresh_query(query: &str, columns: &[String]) -> String {
    if columns.is_empty() {
        return query.to_owned();
    }
    let column_names = columns;
    format!("SELECT * FROM ({query}) AS q({})", names(column_names))
}
