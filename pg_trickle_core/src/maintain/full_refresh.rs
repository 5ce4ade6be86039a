//! A full refresh: run the query again, compare its result with the stored rows as bags, and patch the difference.
//!
//! It is right for every query, and costs what the query costs. Rows are compared by their image (the bytes of their
//! values), so the stored rows end up showing exactly what the query shows.

use super::netting::{Patch, patch};
use super::storage::Identity;
use crate::plan::{Returns, Statement};
use crate::sql::statement::{assignments, column, image, names, op, record};

/// The statement that makes `table` hold the rows of `query`, whose columns are `columns`, in order.
#[must_use]
pub fn statement(table: &str, query: &str, columns: &[String], identity: &Identity) -> Statement {
    let sql = match identity {
        Identity::Hash(_) | Identity::None => patch_bag(table, query, columns),
        Identity::Key(key) => patch_keyed(table, query, columns, key),
        Identity::Single => patch_keyed(table, query, columns, &[]),
    };
    Statement {
        sql,
        bulk: None,
        returns: Returns::Patched,
    }
}

/// Wanted and stored rows cancel copy by copy; the rest are inserted and deleted.
fn patch_bag(table: &str, query: &str, columns: &[String]) -> String {
    let mut stored: Vec<String> = columns.iter().map(|name| column("s", name)).collect();
    stored.extend(["s.ctid".to_owned(), "-1".to_owned(), image("s", columns)]);
    let Patch { with, insert } = patch(
        table,
        columns,
        &format!("({}) AS q", fresh_query(query, columns)),
        &format!("SELECT {} FROM {table} AS s", stored.join(", ")),
    );
    format!(
        "WITH {with}, added AS ({insert} RETURNING 1) \
         SELECT (SELECT pg_catalog.count(*) FROM added), (SELECT pg_catalog.count(*) FROM removed), 0::pg_catalog.int8"
    )
}

/// Wanted and stored rows pair by key, where record comparison treats NULLs as equal. Pairs that differ are updated in
/// place.
fn patch_keyed(table: &str, query: &str, columns: &[String], key: &[String]) -> String {
    let pairs = if key.is_empty() {
        "TRUE".to_owned()
    } else {
        op(&record("d", key), "=", &record("t", key))
    };
    let count = |action: &str| {
        format!(
            "pg_catalog.count(*) FILTER (WHERE {})",
            op("m.action", "=", &format!("'{action}'"))
        )
    };
    format!(
        "WITH m AS ({} RETURNING merge_action() AS action) SELECT {}, {}, {} FROM m",
        merge(table, query, columns, &pairs),
        count("INSERT"),
        count("DELETE"),
        count("UPDATE"),
    )
}

/// The MERGE that makes `table AS t` hold the rows of `query`, named `d`. `OFFSET 0` keeps the planner from evaluating
/// the select list twice: for the comparison and for the write.
pub fn merge(table: &str, query: &str, columns: &[String], pairs: &str) -> String {
    format!(
        "MERGE INTO {table} AS t USING ({} OFFSET 0) AS d ON {pairs} \
         WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN MATCHED AND {} THEN {}",
        fresh_query(query, columns),
        op(&image("t", columns), "<>", &image("d", columns)),
        write(columns),
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
