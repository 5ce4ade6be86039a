//! The values of one row, read from the first to the last. `None` is a value that is not what it should be.

use super::Row;
use std::str::FromStr;

/// The values of a row that have not been read.
pub struct Values(std::vec::IntoIter<Option<String>>);

impl Values {
    /// Of this row.
    #[must_use]
    pub fn of(row: Row) -> Self {
        Self(row.into_iter())
    }

    /// The next value, unless it is NULL.
    pub fn text(&mut self) -> Option<String> {
        self.0.next().flatten()
    }

    /// The next value, a name that PostgreSQL quotes if necessary.
    pub fn identifier(&mut self) -> Option<String> {
        let name = self.text()?;
        let quoted = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Some(match quoted {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => name,
        })
    }

    /// The next value, as a number.
    pub fn number<T: FromStr>(&mut self) -> Option<T> {
        self.text()?.parse().ok()
    }

    /// The next value, as a boolean.
    pub fn boolean(&mut self) -> Option<bool> {
        Some(self.text()? == "t")
    }

    /// The next value, as one character; a space if it is empty.
    pub fn character(&mut self) -> Option<char> {
        Some(self.text()?.chars().next().unwrap_or(' '))
    }

    /// The next value, numbers separated by spaces.
    pub fn numbers<T: FromStr>(&mut self) -> Option<Vec<T>> {
        let text = self.text()?;
        text.split_whitespace().map(|word| word.parse().ok()).collect()
    }
}
