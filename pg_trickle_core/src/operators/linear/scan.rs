//! Scan: the rows of a stored table.
//!
//! Δ(t) = NEW − OLD: the new transition table with weight +1, and the old one with weight −1. A transition table has
//! the same column names as its table, so expressions over a scan have the same text whether it stands for the table or
//! for its delta. Only the FROM item differs.
//!
//! A transition table can hold intermediate versions of a row (a cascading foreign key that refers to its own table, a
//! row trigger that updates its row again). Weights cancel them. Where rows are netted by key instead, the keys in the
//! transition table are used to look up the new rows in the table.
//!
//! State: none. Cost: the change.
//!
//! Source: Z-sets, Budiu et al., "DBSP", 2023, section 3.

use crate::plan::{Oid, added, removed};
use crate::sql::ident::quote_ident;
use crate::sql::statement::{and, case, column, image};

/// One occurrence of a table in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The table; 0 for VALUES and functions.
    pub relid: Oid,
    /// Its number in the plan, which names its changes.
    pub delta: u32,
    /// Qualified, quoted name, with `ONLY` if the query says so.
    pub table: String,
    /// The alias that expressions of this block use for it.
    pub alias: String,
    /// Column aliases in parentheses, for items whose columns have no names of their own: VALUES and functions.
    pub columns: String,
    /// The primary key: its columns, each with its equality operator. Empty if there is none.
    pub key: Vec<(String, String)>,
    /// In a block with several scans: the columns that the query mentions.
    pub used: Vec<UsedColumn>,
    /// In a block with outer joins: the system columns that tell the rows of the table apart.
    pub place: Vec<String>,
}

/// A column of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedColumn {
    /// Its name.
    pub name: String,
    /// In a block with outer joins: a NULL of its type and collation, as SQL.
    pub null: String,
}

/// Which rows of a scan a term reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The table as it is after the statement.
    Now,
    /// The inserted rows: the new transition table.
    New,
    /// The inserted rows, looked up in the table by key.
    Renewed,
    /// The deleted rows: the old transition table.
    Old,
    /// Both, each row with its weight in a column [`SIGN`]. What follows is planned and run once for both.
    Changed,
    /// The rows present after the statement but not before, from the CTE [`gained`].
    Gained,
    /// The rows present before the statement but not after, from the CTE [`lost`].
    Lost,
    /// The rows present both before and after the statement.
    Kept,
}

/// The column with the weight of a row of [`Version::Changed`].
pub const SIGN: &str = "__pgt_sign";

/// The name of the CTE with the net insertions of a table, which leave out rows that were inserted and deleted again.
#[must_use]
pub fn gained(delta: u32) -> String {
    format!("__pgt_in_{delta}")
}

/// The name of the CTE with the net deletions of a table.
#[must_use]
pub fn lost(delta: u32) -> String {
    format!("__pgt_out_{delta}")
}

impl Version {
    /// The weight of the rows of this version; of [`Version::Changed`], what that of each row is multiplied with.
    #[must_use]
    pub fn weight(self) -> i8 {
        match self {
            Version::Now | Version::New | Version::Renewed | Version::Changed | Version::Gained | Version::Kept => 1,
            Version::Old | Version::Lost => -1,
        }
    }
}

impl Scan {
    /// The label that `explain` shows.
    #[must_use]
    pub fn label(&self) -> String {
        format!("scan {} AS {}", self.table, self.alias)
    }

    /// The FROM item that reads one version of this occurrence.
    #[must_use]
    pub fn item(&self, version: Version) -> String {
        match version {
            Version::Now | Version::Renewed | Version::Kept => {
                format!("{} AS {}{}", self.table, self.alias, self.columns)
            }
            Version::New => format!("{} AS {}", added(self.delta), self.alias),
            Version::Old => format!("{} AS {}", removed(self.delta), self.alias),
            Version::Changed => {
                let columns = |alias: &str| -> String {
                    let used = self.used.iter();
                    used.map(|used| format!("{}, ", column(alias, &used.name))).collect()
                };
                format!(
                    "(SELECT {}1 AS {SIGN} FROM {} AS n UNION ALL SELECT {}-1 FROM {} AS o) AS {}",
                    columns("n"),
                    added(self.delta),
                    columns("o"),
                    removed(self.delta),
                    self.alias
                )
            }
            Version::Gained => format!("{} AS {}", gained(self.delta), self.alias),
            Version::Lost => format!("{} AS {}", lost(self.delta), self.alias),
        }
    }

    /// Conjuncts over `scans`, of which those about this one alone become one: this scan is its changed rows. PostgreSQL
    /// has no statistics of these, and expects one in 200 to equal a constant (`DEFAULT_NUM_DISTINCT` in its selfuncs.h); where
    /// it cannot see through a condition, it expects half of them.
    #[must_use]
    pub fn told(&self, conditions: &[String], scans: &[Scan]) -> Vec<String> {
        let (mut own, mut all) = (Vec::new(), Vec::new());
        for condition in conditions {
            let list = if self.is_alone(condition, scans) {
                &mut own
            } else {
                &mut all
            };
            list.push(condition.clone());
        }
        if scans.len() < 2 || own.is_empty() {
            return conditions.to_vec();
        }
        all.push(case(&[(and(&own), "TRUE".to_owned())], None));
        all
    }

    /// True if a condition over `scans` is about this one alone.
    fn is_alone(&self, condition: &str, scans: &[Scan]) -> bool {
        let is_read = |scan: &Scan| condition.contains(&format!("{}.", scan.alias));
        is_read(self) && scans.iter().filter(|scan| is_read(scan)).count() == 1 && !condition.contains("SELECT")
    }

    /// What else than the conjuncts of the block over `scans` restricts one version: conditions, and a FROM item if they need
    /// one.
    #[must_use]
    pub fn restriction(
        &self,
        version: Version,
        conjuncts: &[String],
        scans: &[Scan],
    ) -> Option<(Option<String>, Vec<String>)> {
        if self.key.is_empty() {
            return None;
        }
        let changed = format!("{}_n", self.alias);
        if version == Version::Kept {
            let key: Vec<String> = self.key.iter().map(|(name, _)| name.clone()).collect();
            let is_kept = format!(
                "(NOT {} OPERATOR(pg_catalog.=) ANY (SELECT {} FROM {} AS {changed}))",
                image(&self.alias, &key),
                image(&changed, &key),
                gained(self.delta)
            );
            return Some((None, vec![is_kept]));
        }
        if version != Version::Renewed {
            return None;
        }
        let names: Vec<String> = self.key.iter().map(|(name, _)| quote_ident(name)).collect();
        // The last version of a row is among the inserted ones. If none of them meets the conditions, it is not looked up.
        let mut own = conjuncts.to_vec();
        own.retain(|condition| self.is_alone(condition, scans));
        let met = if own.is_empty() {
            String::new()
        } else {
            format!(" AS {} WHERE {}", self.alias, and(&own))
        };
        let item = format!(
            "(SELECT DISTINCT {} FROM {}{met}) AS {changed}",
            names.join(", "),
            added(self.delta)
        );
        let conditions = self
            .key
            .iter()
            .map(|(name, equals)| format!("({} {equals} {})", column(&self.alias, name), column(&changed, name)))
            .collect();
        Some((Some(item), conditions))
    }
}
