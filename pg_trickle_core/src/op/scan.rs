//! Scan: the rows of a stored table.
//!
//! Δ(t) = NEW − OLD: the new transition table with weight +1 and the old one with weight −1. A transition table has the
//! columns of its table under the same names, so every expression over the scan reads the same text whether the scan
//! stands for the table or for its change: only the FROM item differs.
//!
//! State: none. Cost: the change.

use super::{Op, Operator};
use crate::plan::Oid;

/// One occurrence of a table in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The table.
    pub relid: Oid,
    /// Qualified, quoted name, with `ONLY` where the query says so.
    pub table: String,
    /// The alias under which expressions of this block know it.
    pub alias: String,
}

/// Which rows of a scan a term reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The table as it is after the statement.
    Now,
    /// The rows the statement brought.
    New,
    /// The rows the statement took.
    Old,
}

impl Side {
    /// The weight that a row of this side carries.
    #[must_use]
    pub fn weight(self) -> i8 {
        match self {
            Side::Now | Side::New => 1,
            Side::Old => -1,
        }
    }
}

impl Scan {
    /// The FROM item that reads one side of this occurrence.
    #[must_use]
    pub fn from_item(&self, side: Side) -> String {
        match side {
            Side::Now => format!("{} AS {}", self.table, self.alias),
            Side::New => format!("__pgt_new_{} AS {}", self.relid, self.alias),
            Side::Old => format!("__pgt_old_{} AS {}", self.relid, self.alias),
        }
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
