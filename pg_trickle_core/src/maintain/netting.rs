//! Netting a Z-set: inserted and deleted rows with the same image cancel, copy by copy.

use crate::sql::statement::{and, column, image, names, op};

/// The column that holds a row's weight, 1 or −1.
pub const WEIGHT: &str = "__pgt_w";
/// The column that holds a row's image.
pub const IMAGE: &str = "__pgt_image";

/// Which of the rows that remain after netting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The inserted ones.
    Plus,
    /// The deleted ones.
    Minus,
}

/// A SELECT from `rows`, a FROM item named `d` that has the columns [`WEIGHT`] and [`IMAGE`]. It adds the net weight of
/// each row's image, and numbers the rows of one image and weight. [`is_left`] reads both columns.
#[must_use]
pub fn netted(rows: &str) -> String {
    format!(
        "SELECT d.*, pg_catalog.sum(d.{WEIGHT}) OVER (PARTITION BY d.{IMAGE}) AS __pgt_net, \
         pg_catalog.row_number() OVER (PARTITION BY d.{IMAGE}, d.{WEIGHT}) AS __pgt_n FROM {rows}"
    )
}

/// Whether a row of a [`netted`] Z-set remains. Of the rows with one image, as many remain as their net weight says.
#[must_use]
pub fn is_left(alias: &str, sign: Sign) -> String {
    let weight = format!("{alias}.{WEIGHT}");
    let number = format!("{alias}.__pgt_n");
    let net = format!("{alias}.__pgt_net");
    match sign {
        Sign::Plus => and(&[op(&weight, ">", "0"), op(&number, "<=", &net)]),
        Sign::Minus => {
            let missing = format!("(OPERATOR(pg_catalog.-) {net})");
            and(&[op(&weight, "<", "0"), op(&number, "<=", &missing)])
        }
    }
}

/// SQL that makes a table hold the wanted rows in place of the stored ones: CTEs, and an INSERT to follow them.
pub struct Patch {
    /// The CTEs `n`, which nets wanted and stored rows, and `removed`, which deletes the stored rows that remain.
    pub with: String,
    /// Inserts the wanted rows that remain.
    pub insert: String,
}

/// The patch for the given columns of a table. `wanted` is a FROM item named `q`. `stored` is a SELECT of these
/// columns, the row's `ctid`, its weight −1 and its image.
#[must_use]
pub fn patch(table: &str, columns: &[String], wanted: &str, stored: &str) -> Patch {
    let mut selected: Vec<String> = columns.iter().map(|name| column("q", name)).collect();
    selected.push("NULL::pg_catalog.tid AS __pgt_rid".to_owned());
    selected.push(format!("1 AS {WEIGHT}"));
    selected.push(format!("{} AS {IMAGE}", image("q", columns)));
    let values: Vec<String> = columns.iter().map(|name| column("n", name)).collect();
    let target = if columns.is_empty() {
        String::new()
    } else {
        format!(" ({})", names(columns))
    };
    Patch {
        with: format!(
            "n AS MATERIALIZED ({netted}), \
             removed AS (DELETE FROM {table} AS t USING n WHERE {found} AND {is_gone} RETURNING 1)",
            netted = netted(&format!(
                "(SELECT {} FROM {wanted} UNION ALL {stored}) AS d",
                selected.join(", ")
            )),
            found = op("t.ctid", "=", "n.__pgt_rid"),
            is_gone = is_left("n", Sign::Minus),
        ),
        insert: format!(
            "INSERT INTO {table}{target} SELECT {} FROM n WHERE {}",
            values.join(", "),
            is_left("n", Sign::Plus)
        ),
    }
}
