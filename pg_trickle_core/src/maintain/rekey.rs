//! Rekey: find the keys that the change touches, run the query again for these keys only, and patch their stored rows.
//!
//! It reads only the new state and the stored rows, so the order and the number of changes to the sources do not
//! matter. The restriction to the touched keys is inside the query, next to the tables, where an index can serve it.
//! Wanted and stored rows pair by a key of the result if it has one, else copy by copy. Rows that have not changed are
//! left alone.

use super::bounded::{FEW, size_within, verdict};
use super::full_refresh::write;
use super::key::{KeyColumn, pairs};
use super::netting::{Patch, patch, stored};
use super::nulls::searches;
use super::stage::{Maintenance, Reach};
use super::storage::Written;
use crate::plan::{Change, Program, Returns, Source, Statement, Way};
use crate::sql::statement::{and, column, differs, names, op};

/// The CTE in which a recomputing query finds the touched keys. Its columns are `k1`, `k2`, ...
pub const TOUCHED: &str = "__pgt_touched";

/// The CTE of the same keys before it is known that few rows are stored for them.
const TOUCHED_KEYS: &str = "__pgt_keys";

/// True if a change touches anything, for a key without columns.
pub const IS_TOUCHED: &str = "EXISTS (SELECT FROM __pgt_touched)";

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
    pub row: Written,
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

    fn reach(&self, changes: &[Change]) -> Option<Reach> {
        let touched = self.touched(changes)?;
        // A planner without a database does not ask how many there are.
        let rows = if cfg!(feature = "changes") {
            let stored = self.stored_arms(TOUCHED, "").join(" UNION ALL ");
            format!("WITH {TOUCHED} AS MATERIALIZED ({touched}) {stored}")
        } else {
            touched
        };
        Some(Reach::Stored(rows))
    }

    fn needs_fresh_plans(&self, advised: bool, _changes: &[Change]) -> bool {
        advised
    }

    fn row_key(&self) -> Option<&[KeyColumn]> {
        self.row_key.as_deref()
    }

    fn runs_as_update(&self, _change: &Change) -> bool {
        true
    }

    /// A key has many rows, such as those of a partition.
    fn rewrites_most(&self) -> bool {
        let is_key = |row_key: &Vec<KeyColumn>| {
            row_key
                .iter()
                .map(|key| &key.name)
                .eq(self.key.iter().map(|key| &key.name))
        };
        self.row_key.as_ref().is_some_and(|row_key| !is_key(row_key))
    }
}

impl Rekey {
    /// A SELECT of the keys that changes touch, each once, if they touch any.
    fn touched(&self, changes: &[Change]) -> Option<String> {
        let touched = self.touched.selects(changes);
        if touched.is_empty() {
            return None;
        }
        let touched = touched.join(" UNION ALL ");
        Some(if self.key.is_empty() {
            format!("SELECT FROM ({touched}) AS t LIMIT 1")
        } else {
            let keys: Vec<String> = (0..self.key.len()).map(key_column).collect();
            format!("SELECT DISTINCT * FROM ({touched}) AS t({})", keys.join(", "))
        })
    }

    /// The statement for a set of changes, if they touch any key.
    fn statements(&self, changes: &[Change]) -> Vec<Statement> {
        let touched = self.touched(changes);
        touched.iter().map(|touched| self.of_keys(touched)).collect()
    }

    /// The statement for the keys of a SELECT. The text for few rows forgets the keys if more rows are stored for them, and
    /// says so.
    #[must_use]
    pub fn of_keys(&self, touched: &str) -> Statement {
        let (mut rest, mut patch) = match &self.row_key {
            Some(row_key) => (String::new(), self.paired(row_key)),
            None => {
                let Patch { with, insert } = self.netted();
                (format!(", {with}"), insert)
            }
        };
        let bulk = format!("WITH {TOUCHED} AS MATERIALIZED ({touched}){rest} {patch}");
        let limit = FEW + 1;
        let is_few = size_within(&FEW.to_string());
        patch.push_str(" RETURNING 1");
        rest.push_str(&format!(", written AS ({patch}) {}", verdict(&is_few, "0")));
        Statement {
            sql: format!(
                "WITH {TOUCHED_KEYS} AS MATERIALIZED ({touched}), \
                 __pgt_size AS MATERIALIZED (SELECT pg_catalog.count(*) AS n FROM (SELECT FROM ({stored}) AS s LIMIT {limit}) AS s), \
                 {TOUCHED} AS MATERIALIZED (SELECT * FROM {TOUCHED_KEYS} AS k WHERE {is_few}){rest}",
                stored = self.stored_arms(TOUCHED_KEYS, "").join(" UNION ALL "),
            ),
            bulk: Some(bulk),
            returns: Returns::Verdict,
        }
    }

    /// The wanted rows, as a FROM item `q`.
    fn wanted(&self) -> String {
        format!("({}) AS q({})", self.rows.join(" UNION ALL "), names(&self.row.columns))
    }

    fn listed(&self, alias: &str) -> Vec<String> {
        self.row.columns.iter().map(|name| column(alias, name)).collect()
    }

    /// Wanted and stored rows pair by the row key; pairs that differ are updated in place.
    fn paired(&self, row_key: &[KeyColumn]) -> String {
        let stored = format!("{}, s.ctid AS __pgt_rid", self.listed("s").join(", "));
        format!(
            "MERGE INTO {table} AS t USING (SELECT q.*, s.__pgt_rid FROM (SELECT q.*, TRUE AS __pgt_wanted FROM {wanted}) AS q \
             FULL JOIN ({stored}) AS s ON {pairs} \
             WHERE q.__pgt_wanted IS NULL OR s.__pgt_rid IS NULL OR {differs}) AS d ON {found} \
             WHEN MATCHED AND d.__pgt_wanted IS NULL THEN DELETE WHEN MATCHED THEN {write}",
            table = self.table,
            wanted = self.wanted(),
            stored = self.stored_arms(TOUCHED, &stored).join(" UNION ALL "),
            pairs = pairs(row_key, "q", "s"),
            differs = differs("q", "s", &self.row.columns),
            found = op("t.ctid", "=", "d.__pgt_rid"),
            write = write(&self.row.columns),
        )
    }

    /// Wanted and stored rows cancel copy by copy; the rest are deleted and inserted.
    fn netted(&self) -> Patch {
        let stored = self.stored_arms(TOUCHED, &stored(&self.row));
        patch(&self.table, &self.row, &self.wanted(), &stored.join(" UNION ALL "))
    }

    /// SELECTs of the rows stored for the keys in a CTE.
    fn stored_arms(&self, touched: &str, list: &str) -> Vec<String> {
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
                    (String::new(), format!("EXISTS (SELECT FROM {touched})"))
                } else {
                    (format!("{touched} AS k, "), and(&conditions))
                };
                format!("SELECT {list} FROM {from}{} AS s WHERE {found}", self.table)
            })
            .collect()
    }
}
