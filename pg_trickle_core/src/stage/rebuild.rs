//! Rebuild: run the query again, compare with the stored rows as bags, patch the difference.
//!
//! Always right, whatever the query; the cost is that of the query. Rows are compared by their image (the bytes of
//! their values), so the stored rows end up showing exactly what the query shows.

use super::storage::Identity;
use crate::plan::{Returns, Statement};
use crate::sql::ident::quote_ident;
use crate::sql::statement::{column, image, names, op, row, row_of};

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
    let wanted = fresh_query(query, columns);
    let pairs = if key.is_empty() {
        "TRUE".to_owned()
    } else {
        op(&record("q", key), "=", &record("s", key))
    };
    let set: Vec<String> = columns
        .iter()
        .map(|c| format!("{} = {}", quote_ident(c), column("d", c)))
        .collect();
    let column_names = columns;
    let values: Vec<String> = column_names.iter().map(|name| column("d", name)).collect();
    let count = |action: &str| {
        format!(
            "pg_catalog.count(*) FILTER (WHERE {})",
            op("m.action", "=", &format!("'{action}'"))
        )
    };
    format!(
        "WITH m AS (MERGE INTO {table} AS t USING (SELECT q.*, s.ctid AS __pgt_rid \
         FROM (SELECT q.*, TRUE AS __pgt_wanted FROM ({wanted}) AS q) AS q FULL JOIN {table} AS s ON {pairs}) AS d \
         ON {found} \
         WHEN MATCHED AND d.__pgt_wanted IS NULL THEN DELETE \
         WHEN MATCHED AND {differs} THEN UPDATE SET {set} \
         WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values}) \
         RETURNING merge_action() AS action) SELECT {inserted}, {deleted}, {updated} FROM m",
        found = op("t.ctid", "=", "d.__pgt_rid"),
        differs = op(&image("t", columns), "<>", &image("d", columns)),
        set = set.join(", "),
        columns = names(column_names),
        values = values.join(", "),
        inserted = count("INSERT"),
        deleted = count("DELETE"),
        updated = count("UPDATE"),
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
