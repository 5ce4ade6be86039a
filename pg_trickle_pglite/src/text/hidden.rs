//! The names of what a stream table consists of and users do not see.

/// The schema of all of it.
pub const SCHEMA: &str = "pgtrickle";

/// The name that a definition view is made under, in the user's schema.
#[must_use]
pub fn draft(id: i32) -> String {
    format!("__pgt_def_{id}")
}

/// The definition view's qualified name.
#[must_use]
pub fn definition(id: i32) -> String {
    format!("{SCHEMA}.def_{id}")
}

/// The storage table's name, without its schema. Those of stages below have `_1`, `_2`, ... after it.
#[must_use]
pub fn storage(id: i32) -> String {
    format!("st_{id}")
}

/// The qualified name of a storage table.
#[must_use]
pub fn qualified(storage: &str) -> String {
    format!("{SCHEMA}.{storage}")
}
