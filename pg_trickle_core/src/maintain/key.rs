//! Columns that identify stored rows, and how two rows pair by them.

use crate::sql::statement::{and, column, image, op, record};

/// A column of a key.
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
    /// There are arrays of it: it is no array itself.
    pub wrapped: bool,
}

/// The condition that two values of a key are the same. In arrays, NULLs are equal to each other, and unlike records
/// these can be hashed: a join of two tables by records sorts them, which takes several times as long.
#[must_use]
pub fn same(equals: &str, nullable: bool, a: &str, b: &str) -> String {
    if nullable {
        op(&format!("ARRAY[{a}]"), "=", &format!("ARRAY[{b}]"))
    } else {
        format!("({a} {equals} {b})")
    }
}

/// The condition that two rows have the same key.
#[must_use]
pub fn pairs(key: &[KeyColumn], a: &str, b: &str) -> String {
    if key.iter().any(|key| key.nullable && !key.wrapped) {
        let names: Vec<String> = key.iter().map(|key| key.name.clone()).collect();
        return if key.iter().all(|key| key.ordered) {
            op(&record(a, &names), "=", &record(b, &names))
        } else {
            // Records may be sorted to be joined. Equal keys with different images pair with nothing: one row is deleted and
            // the other one inserted.
            op(&image(a, &names), "=", &image(b, &names))
        };
    }
    let equal = |key: &KeyColumn| same(&key.equals, key.nullable, &column(a, &key.name), &column(b, &key.name));
    and(&key.iter().map(equal).collect::<Vec<_>>())
}
