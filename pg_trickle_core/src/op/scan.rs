//! Scan: the rows of a stored table.
//!
//! Δ(t) = NEW − OLD: the new transition table with weight +1 and the old one with weight −1. A transition table has the
//! columns of its table under the same names, so every expression over the scan reads the same text whether the scan
//! stands for the table or for its change: only the FROM item differs.
//!
//! A transition table can hold intermediate versions of a row (a cascading foreign key that refers to its own table, a
//! row trigger that updates its row again). Weights cancel them; where rows are netted by key instead, the new rows are
//! looked up in the table by the keys of the transition table.
//!
//! State: none. Cost: the change.

use super::{Op, Operator};
use crate::plan::Oid;
use crate::sql::ident::quote_ident;
use crate::sql::statement::column;

/// One occurrence of a table in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The table; 0 for VALUES and functions.
    pub relid: Oid,
    /// Qualified, quoted name, with `ONLY` where the query says so.
    pub table: String,
    /// The alias under which expressions of this block know it.
    pub alias: String,
    /// Column aliases in parentheses, where the columns have no names of their own: VALUES and functions.
    pub columns: String,
    /// The primary key: columns and the equality operator of each. Empty where there is none.
    pub key: Vec<(String, String)>,
}

/// Which rows of a scan a term reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The table as it is after the statement.
    Now,
    /// The rows the statement brought.
    New,
    /// The rows the statement brought, as they are now.
    Renewed,
    /// The rows the statement took.
    Old,
}

impl Side {
    /// The weight that a row of this side carries.
    #[must_use]
    pub fn weight(self) -> i8 {
        match self {
            Side::Now | Side::New | Side::Renewed => 1,
            Side::Old => -1,
        }
    }
}

impl Scan {
    /// The FROM item that reads one side of this occurrence.
    #[must_use]
    pub fn item(&self, side: Side) -> String {
        match side {
            Side::Now | Side::Renewed => format!("{} AS {}{}", self.table, self.alias, self.columns),
            Side::New => format!("__pgt_new_{} AS {}", self.relid, self.alias),
            Side::Old => format!("__pgt_old_{} AS {}", self.relid, self.alias),
        }
    }

    /// What restricts one side further: a FROM item and conditions.
    #[must_use]
    pub fn restriction(&self, side: Side) -> Option<(String, Vec<String>)> {
        if side != Side::Renewed || self.key.is_empty() {
            return None;
        }
        let changed = format!("{}_n", self.alias);
        let names: Vec<String> = self.key.iter().map(|(name, _)| quote_ident(name)).collect();
        let item = format!(
            "(SELECT DISTINCT {} FROM __pgt_new_{}) AS {changed}",
            names.join(", "),
            self.relid
        );
        let conditions = self
            .key
            .iter()
            .map(|(name, equals)| format!("({} {equals} {})", column(&self.alias, name), column(&changed, name)))
            .collect();
        Some((item, conditions))
    }
}

impl Operator for Scan {
    fn describe(&self) -> String {
        format!("scan {} AS {}", self.table, self.alias)
    }

    fn inputs(&self) -> Vec<&Op> {
        Vec::new()
    }
}
