//! Netting a Z-set: equal rows become one, with the sum of their weights; those whose weights cancel disappear.
//!
//! Rows are grouped by their columns, as [`Written::identity`] says: hashing plain values takes half as long as hashing
//! an image of the row, and less memory than sorting.

use super::storage::Written;
use crate::sql::statement::{column, image, op};

/// The column that holds a row's weight, 1 or −1.
pub const WEIGHT: &str = "__pgt_w";
/// The column that holds the net weight of equal rows, never 0.
pub const NET: &str = "__pgt_net";

/// Which of the rows that remain after netting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The inserted ones.
    Plus,
    /// The deleted ones.
    Minus,
}

/// A SELECT from `rows`, a FROM item named `d` that has these columns and [`WEIGHT`]: each row once, with [`NET`].
/// `more` are further columns.
#[must_use]
pub fn netted(rows: &str, row: &Written, more: &[String]) -> String {
    let weight = format!("pg_catalog.sum(d.{WEIGHT})");
    let mut selected = row.shown("d");
    selected.push(format!("{weight} AS {NET}"));
    selected.extend_from_slice(more);
    let identity = row.identity("d");
    let group = if identity.is_empty() {
        "()".to_owned()
    } else {
        identity.join(", ")
    };
    format!(
        "SELECT {} FROM {rows} GROUP BY {group} HAVING {}",
        selected.join(", "),
        op(&weight, "<>", "0")
    )
}

/// Whether a row of a [`netted`] Z-set was inserted, or deleted.
#[must_use]
pub fn is_left(alias: &str, sign: Sign) -> String {
    let sign = match sign {
        Sign::Plus => ">",
        Sign::Minus => "<",
    };
    op(&format!("{alias}.{NET}"), sign, "0")
}

/// A SELECT of the rows that remain in `netted`, a relation, each as often as its net weight says. Most rows do so once,
/// and calling a function for each of them would take longer than all the rest. The planner expects 10 rows of `unnest`,
/// but 1,000 of `generate_series`, and would plan what reads them for that many.
#[must_use]
pub fn remaining(netted: &str, columns: &[String], sign: Sign) -> String {
    let values: Vec<String> = columns.iter().map(|name| column("n", name)).collect();
    let values = values.join(", ");
    let (times, more) = match sign {
        Sign::Plus => (op(&format!("n.{NET}"), "-", "1"), op(&format!("n.{NET}"), ">", "1")),
        Sign::Minus => (op("-1", "-", &format!("n.{NET}")), op(&format!("n.{NET}"), "<", "-1")),
    };
    format!(
        "SELECT {values} FROM {netted} AS n WHERE {} \
         UNION ALL SELECT {values} FROM {netted} AS n, \
         pg_catalog.unnest(pg_catalog.array_fill(0, ARRAY[{times}::pg_catalog.int4])) WHERE {more}",
        is_left("n", sign),
    )
}

/// SQL that makes a table hold the wanted rows in place of the stored ones: CTEs, and an INSERT to follow them.
pub struct Patch {
    /// The CTEs `n`, which nets wanted and stored rows, and `removed`, which deletes the stored rows that remain.
    pub with: String,
    /// Inserts the wanted rows that remain.
    pub insert: String,
}

/// The select list of the stored rows `s` that a [`patch`] nets.
#[must_use]
pub fn stored(row: &Written) -> String {
    let mut list: Vec<String> = row.columns.iter().map(|name| column("s", name)).collect();
    list.extend(["s.ctid".to_owned(), format!("-1 AS {WEIGHT}")]);
    list.join(", ")
}

/// The patch for the given columns of a table. `wanted` is a FROM item named `q`. `stored` is a SELECT of these
/// columns, the row's `ctid` and its weight −1 ([`stored()`]).
///
/// One `ctid` of equal stored rows is kept: to collect all of them takes as long as all the rest. Where several copies go,
/// these are looked for once more.
#[must_use]
pub fn patch(table: &str, row: &Written, wanted: &str, stored: &str) -> Patch {
    let columns = &row.columns;
    let mut selected: Vec<String> = columns.iter().map(|name| column("q", name)).collect();
    selected.push("NULL::pg_catalog.tid AS __pgt_rid".to_owned());
    selected.push(format!("1 AS {WEIGHT}"));
    let net = format!("n.{NET}");
    Patch {
        with: format!(
            "n AS MATERIALIZED ({netted}), removed AS (DELETE FROM {table} AS t USING \
             (SELECT n.__pgt_rid FROM n WHERE {is_single} UNION ALL SELECT c.ctid \
             FROM (SELECT s.ctid, n.{NET}, pg_catalog.row_number() OVER (PARTITION BY n.__pgt_rid) AS i \
             FROM n, ({stored}) AS s WHERE {is_double} AND {same}) AS c WHERE {is_gone}) AS g(rid) \
             WHERE {found} RETURNING 1)",
            netted = netted(
                &format!("(SELECT {} FROM {wanted} UNION ALL {stored}) AS d", selected.join(", ")),
                row,
                &["pg_catalog.max(d.__pgt_rid) AS __pgt_rid".to_owned()]
            ),
            is_single = op(&net, "=", "-1"),
            is_double = op(&net, "<", "-1"),
            same = op(&image("n", columns), "=", &image("s", columns)),
            is_gone = op("c.i", "<=", &format!("(OPERATOR(pg_catalog.-) c.{NET})")),
            found = op("t.ctid", "=", "g.rid"),
        ),
        insert: format!(
            "INSERT INTO {table}{} {}",
            row.target(),
            remaining("n", columns, Sign::Plus)
        ),
    }
}
