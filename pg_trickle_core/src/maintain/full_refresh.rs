//! Rebuild: run the query again, compare with the stored rows as bags, patch the difference.
//!
//! Always right, whatever the query; the cost is that of the query. Rows are compared by their image (the bytes of
//! their values), so the stored rows end up showing exactly what the query shows.

use super::storage::Identity;
use crate::plan::{Returns, Statement};
use crate::sql::ident::quote_ident;
use crate::sql::statement::{assignments, column, image, names, op, row, row_of};

/// `pgtrickle.row_hash(ROW(...))` over the columns of `alias`, or over bare names.
#[must_use]
pub fn hash(alias: Option<&str>, columns: &[String]) -> String {
    let record = match alias {
        Some(alias) => row_of(alias, columns),
        None => row(&columns.iter().map(|name| quote_ident(name)).collect::<Vec<_>>()),
    };
    format!("pgtrickle.row_hash({record})")
}

/// The statement that makes `table` hold the rows of `query`, whose columns are `columns` in order.
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

/// Copies of one row are numbered on both sides; what has no partner is inserted or deleted.
fn patch_bag(table: &str, query: &str, columns: &[String]) -> String {
    let column_names = columns;
    let wanted = fresh_query(query, columns);
    let list: Vec<String> = column_names.iter().map(|name| column("q", name)).collect();
    let selected = if list.is_empty() {
        String::new()
    } else {
        format!("({}) ", names(column_names))
    };
    format!(
        "WITH q AS MATERIALIZED (SELECT i.*, pg_catalog.row_number() OVER (PARTITION BY i.__pgt_image) AS __pgt_n \
         FROM (SELECT q.*, {image_q} AS __pgt_image FROM ({wanted}) AS q) AS i), \
         s AS MATERIALIZED (SELECT i.*, pg_catalog.row_number() OVER (PARTITION BY i.__pgt_image) AS __pgt_n \
         FROM (SELECT s.ctid AS __pgt_rid, {image_s} AS __pgt_image FROM {table} AS s) AS i), \
         removed AS (DELETE FROM {table} AS t USING (SELECT s.__pgt_rid FROM s LEFT JOIN q \
         ON {same} WHERE q.__pgt_n IS NULL) AS gone WHERE {found} RETURNING 1), \
         added AS (INSERT INTO {table} {selected}SELECT {values} FROM q LEFT JOIN s \
         ON {same} WHERE s.__pgt_n IS NULL RETURNING 1) \
         SELECT (SELECT pg_catalog.count(*) FROM added), (SELECT pg_catalog.count(*) FROM removed), 0::pg_catalog.int8",
        image_q = image("q", columns),
        image_s = image("s", columns),
        same = format_args!(
            "{} AND {}",
            op("q.__pgt_image", "=", "s.__pgt_image"),
            op("q.__pgt_n", "=", "s.__pgt_n")
        ),
        found = op("t.ctid", "=", "gone.__pgt_rid"),
        values = list.join(", "),
    )
}

/// Rows pair by key (NULLs equal, as record comparison has it); pairs that differ are updated in place.
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

/// The MERGE that makes `table AS t` hold the rows of `query`, as `d`. OFFSET keeps the planner from computing what a row
/// shows once for the comparison and again to write it.
pub fn merge(table: &str, query: &str, columns: &[String], pairs: &str) -> String {
    format!(
        "MERGE INTO {table} AS t USING ({} OFFSET 0) AS d ON {pairs} \
         WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN MATCHED AND {} THEN {}",
        fresh_query(query, columns),
        op(&image("t", columns), "<>", &image("d", columns)),
        write(columns),
    )
}

/// How a MERGE writes the row `d`.
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

/// `ROW(alias.a, ...)::record`: compares with NULLs equal, and can be hashed.
#[must_use]
pub fn record(alias: &str, key: &[String]) -> String {
    format!("{}::pg_catalog.record", row_of(alias, key))
}

/// The query with the storage's column names.
fn fresh_query(query: &str, columns: &[String]) -> String {
    if columns.is_empty() {
        return query.to_owned();
    }
    let column_names = columns;
    format!("SELECT * FROM ({query}) AS q({})", names(column_names))
}
