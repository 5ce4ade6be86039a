//! What a stage compares with the clock, for the question whether time alone has changed its rows.

use crate::sql::statement::{and, column, op};

/// A stored value that is compared with a bound, an expression of the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The storage.
    pub table: String,
    /// The column with the value.
    pub column: String,
    /// The number of the bound.
    pub bound: usize,
    /// The operators that bound the values between two bounds from below and from above.
    pub between: [&'static str; 2],
    /// True if rows on the lower side of the bound are not stored.
    pub drops: bool,
}

impl Crossing {
    /// True for a stored row `s` whose value is between two values of the bound, in either order.
    #[must_use]
    pub fn between(&self, one: &str, other: &str) -> String {
        let value = column("s", &self.column);
        let [from, to] = self.between;
        and(&[
            op(&value, from, &format!("LEAST({one}, {other})")),
            op(&value, to, &format!("GREATEST({one}, {other})")),
        ])
    }

    /// True if there is such a row.
    #[must_use]
    pub fn is_crossed(&self, one: &str, other: &str) -> String {
        format!(
            "EXISTS (SELECT FROM {} AS s WHERE {})",
            self.table,
            self.between(one, other)
        )
    }
}
