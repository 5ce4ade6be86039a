//! What the tables and columns are called in the statements that fold a delta into groups.

/// The alias of the storage table in fold statements.
pub const STORED: &str = "s";
/// The alias of the aggregated delta in fold statements.
pub const DELTA: &str = "d";
/// The alias of the delta before aggregation.
pub const ROWS: &str = "t";
/// The column that holds the weight of a delta row.
pub const WEIGHT: &str = "w";

/// The name of the `n`-th key in a delta.
#[must_use]
pub fn key_name(n: usize) -> String {
    format!("k{}", n + 1)
}

/// The name of the `n`-th argument in a delta.
#[must_use]
pub fn argument_name(n: usize) -> String {
    format!("x{}", n + 1)
}

/// The name of the `n`-th state's change in an aggregated delta.
#[must_use]
pub fn value_name(n: usize) -> String {
    format!("v{}", n + 1)
}

/// The name of the extremum among the deleted rows in an aggregated delta.
#[must_use]
pub fn removed_name(n: usize) -> String {
    format!("o{}", n + 1)
}
