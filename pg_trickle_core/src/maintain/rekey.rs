//! Rekey: find the keys that the change touches, run the query again for these keys only, and patch their stored rows.
//!
//! It reads only the new state and the stored rows, so the order and the number of changes to the sources do not
//! matter. The restriction to the touched keys is inside the query, next to the tables, where an index can serve it.
//! Wanted and stored rows pair by a key of the result if it has one, else copy by copy by their image. Rows whose image
//! is unchanged are left alone.

use super::full_refresh::{merge, write};
use super::netting::{Patch, patch};
use super::nulls::searches;
use super::stage::Maintenance;
use crate::plan::{Change, Program, Returns, Source, Statement, Way};
use crate::sql::statement::{and, column, image, names, op, record};

/// The CTE in which a recomputing query finds the touched keys. Its columns are `k1`, `k2`, ...
pub const TOUCHED: &str = "__pgt_touched";

/// True if a change touches anything, for a key without columns.
pub const IS_TOUCHED: &str = "EXISTS (SELECT FROM __pgt_touched)";

/// A column of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    /// The storage column.
    pub name: String,
    /// Its equality operator, as SQL.
    pub equals: String,
    /// True if it can hold a NULL.
    pub nullable: bool,
    /// A B-tree can be on it; otherwise only a hash index.
    pub ordered: bool,
}

/// Which keys a change touches.
pub trait TouchedKeys {
    /// SELECTs of the keys; none if the change touches nothing. They may give too many keys, never too few.
    fn selects(&self, changes: &[Change]) -> Vec<String>;
}

/// The maintenance of a stage by Rekey.
pub struct Rekey {
    /// Qualified, quoted name of the storage table.
    pub table: String,
    /// The stored columns that are written.
    pub columns: Vec<String>,
    /// The key, whose columns are among the stored ones. A key without columns is the same for all rows.
    pub key: Vec<KeyColumn>,
    /// Finds the keys that a change touches.
    pub touched: Box<dyn TouchedKeys>,
    /// The query, restricted to the touched keys: SELECTs, each for one combination of NULLs.
    pub rows: Vec<String>,
    /// Stored columns that identify a row, if there are any.
    pub row_key: Option<Vec<KeyColumn>>,
}

/// The name of the `n`-th column of the touched keys, counted from 0.
#[must_use]
pub fn key_column(n: usize) -> String {
    format!("k{}", n + 1)
}

/// The condition that two rows have the same key.
fn pairs(key: &[KeyColumn], a: &str, b: &str) -> String {
    if key.iter().any(|key| key.nullable) {
        let names: Vec<String> = key.iter().map(|key| key.name.clone()).collect();
        return if key.iter().all(|key| key.ordered) {
            op(&record(a, &names), "=", &record(b, &names))
        } else {
            // Records may be sorted to be joined. Equal keys with different images pair with nothing: one row is deleted and
            // the other one inserted.
            op(&image(a, &names), "=", &image(b, &names))
        };
    }
    let equal = |key: &KeyColumn| format!("({} {} {})", column(a, &key.name), key.equals, column(b, &key.name));
    and(&key.iter().map(equal).collect::<Vec<_>>())
}

impl Maintenance for Rekey {
    fn way(&self) -> Way {
        Way::Rekey
    }

    fn program(&self, changes: &[Change]) -> Program {
        Program::Run(self.statements(changes))
    }

    fn cost(&self, _source: &Source, _sources: &[Source]) -> &'static str {
        if self.key.is_empty() {
            "all rows: they are one partition"
        } else {
            "the touched keys"
        }
    }

    /// Rows without a key are written again rather than paired by image, which takes longer.
    fn replace(&self, rows: &str, fill: &str) -> Vec<String> {
        match &self.row_key {
            Some(key) => vec![merge(&self.table, rows, &self.columns, &pairs(key, "d", "t"))],
            None => vec![format!("DELETE FROM {}", self.table), fill.to_owned()],
        }
    }
}

impl Rekey {
    /// The statement for a set of changes, if they touch any key.
    fn statements(&self, changes: &[Change]) -> Vec<Statement> {
        let touched = self.touched.selects(changes);
        if touched.is_empty() {
            return Vec::new();
        }
        let touched = touched.join(" UNION ALL ");
        let touched = if self.key.is_empty() {
            format!("SELECT FROM ({touched}) AS t LIMIT 1")
        } else {
            let keys: Vec<String> = (0..self.key.len()).map(key_column).collect();
            format!("SELECT DISTINCT * FROM ({touched}) AS t({})", keys.join(", "))
        };
        let head = format!("WITH {TOUCHED} AS MATERIALIZED ({touched})");
        // Insertions only, and many of them: most likely nothing is stored for their keys yet.
        let only_new = changes.iter().all(|change| !change.old);
        let (patch, bulk) = match &self.row_key {
            Some(row_key) => (self.paired(row_key), None),
            None => (self.netted(false), only_new.then(|| self.netted(true))),
        };
        vec![Statement {
            sql: format!("{head}{patch}"),
            bulk: bulk.map(|patch| format!("{head}{patch}")),
            returns: Returns::Nothing,
        }]
    }

    /// The wanted rows, as a FROM item `q`.
    fn wanted(&self) -> String {
        format!("({}) AS q({})", self.rows.join(" UNION ALL "), names(&self.columns))
    }

    fn listed(&self, alias: &str) -> Vec<String> {
        self.columns.iter().map(|name| column(alias, name)).collect()
    }

    /// Wanted and stored rows pair by the row key; pairs that differ are updated in place.
    fn paired(&self, row_key: &[KeyColumn]) -> String {
        let stored = format!("{}, s.ctid AS __pgt_rid", self.listed("s").join(", "));
        format!(
            " MERGE INTO {table} AS t USING (SELECT q.*, s.__pgt_rid FROM (SELECT q.*, TRUE AS __pgt_wanted FROM {wanted}) AS q \
             FULL JOIN ({stored}) AS s ON {pairs} \
             WHERE q.__pgt_wanted IS NULL OR s.__pgt_rid IS NULL OR {differs}) AS d ON {found} \
             WHEN MATCHED AND d.__pgt_wanted IS NULL THEN DELETE WHEN MATCHED THEN {write}",
            table = self.table,
            wanted = self.wanted(),
            stored = self.stored_arms(&stored).join(" UNION ALL "),
            pairs = pairs(row_key, "q", "s"),
            differs = op(&image("q", &self.columns), "<>", &image("s", &self.columns)),
            found = op("t.ctid", "=", "d.__pgt_rid"),
            write = write(&self.columns),
        )
    }

    /// Wanted and stored rows cancel by image, copy by copy; the rest are deleted and inserted. With `skips`, the
    /// statement is longer and nets only if anything is stored for the touched keys.
    fn netted(&self, skips: bool) -> String {
        let listed = self.listed("s").join(", ");
        let stored = self.stored_arms(&format!("{listed}, s.ctid, -1, {}", image("s", &self.columns)));
        let stored = stored.join(" UNION ALL ");
        let wanted = self.wanted();
        if !skips {
            let Patch { with, insert } = patch(&self.table, &self.columns, &wanted, &stored);
            return format!(", {with} {insert}");
        }
        let if_stored = format!("{wanted} WHERE EXISTS (SELECT FROM s)");
        let Patch { with, insert } = patch(&self.table, &self.columns, &if_stored, "TABLE s");
        format!(
            ", s AS MATERIALIZED ({stored}), {with} {insert} \
             UNION ALL SELECT {} FROM {wanted} WHERE NOT EXISTS (SELECT FROM s)",
            self.listed("q").join(", ")
        )
    }

    /// SELECTs of the rows stored for the touched keys.
    fn stored_arms(&self, list: &str) -> Vec<String> {
        let nullable: Vec<bool> = self.key.iter().map(|key| key.nullable).collect();
        searches(&nullable)
            .iter()
            .map(|search| {
                let conditions: Vec<String> = self
                    .key
                    .iter()
                    .zip(search)
                    .enumerate()
                    .map(|(n, (key, how))| {
                        let own = column("s", &key.name);
                        let given = format!("k.{}", key_column(n));
                        how.condition(format!("({own} {} {given})", key.equals), &own, &given)
                    })
                    .collect();
                let (from, found) = if conditions.is_empty() {
                    (String::new(), IS_TOUCHED.to_owned())
                } else {
                    (format!("{TOUCHED} AS k, "), and(&conditions))
                };
                format!("SELECT {list} FROM {from}{} AS s WHERE {found}", self.table)
            })
            .collect()
    }
}
