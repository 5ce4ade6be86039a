//! The values of one row, read from the first to the last.

use super::Row;
use crate::error::Error;
use std::str::FromStr;

type Answer<T> = Result<T, Error>;

/// The values of a row, read from the first to the last.
pub struct Values(std::vec::IntoIter<Option<String>>);

impl Values {
    /// Of this row.
    #[must_use]
    pub fn of(row: Row) -> Self {
        Self(row.into_iter())
    }

    /// The next value, which may be NULL.
    pub fn optional(&mut self) -> Option<String> {
        self.0.next().flatten()
    }

    /// The next value.
    ///
    /// # Errors
    ///
    /// [`Error::Catalog`] if it is NULL.
    pub fn text(&mut self) -> Answer<String> {
        self.optional()
            .ok_or_else(|| Error::Catalog("an answer is NULL".to_owned()))
    }

    /// The next value, a name that PostgreSQL quotes if necessary.
    ///
    /// # Errors
    ///
    /// As for [`Values::text`].
    pub fn identifier(&mut self) -> Answer<String> {
        let name = self.text()?;
        let quoted = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        Ok(match quoted {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => name,
        })
    }

    /// The next value, as a number.
    ///
    /// # Errors
    ///
    /// [`Error::Catalog`] if it is none, or does not fit.
    pub fn number<T: FromStr>(&mut self) -> Answer<T> {
        number(&self.text()?)
    }

    /// The next value, as a number, unless it is NULL.
    ///
    /// # Errors
    ///
    /// As for [`Values::number`].
    pub fn optional_number<T: FromStr>(&mut self) -> Answer<Option<T>> {
        self.optional().as_deref().map(number).transpose()
    }

    /// The next value, as a boolean.
    ///
    /// # Errors
    ///
    /// As for [`Values::text`].
    pub fn boolean(&mut self) -> Answer<bool> {
        Ok(self.text()? == "t")
    }

    /// The next value, as one character; a space if it is empty.
    ///
    /// # Errors
    ///
    /// As for [`Values::text`].
    pub fn character(&mut self) -> Answer<char> {
        Ok(self.text()?.chars().next().unwrap_or(' '))
    }

    /// The next value, numbers separated by spaces.
    ///
    /// # Errors
    ///
    /// As for [`Values::number`].
    pub fn numbers<T: FromStr>(&mut self) -> Answer<Vec<T>> {
        self.text()?.split_whitespace().map(number).collect()
    }
}

/// A number that PostgreSQL wrote. One that does not fit is an error: anything else would be the wrong column or table.
///
/// # Errors
///
/// [`Error::Catalog`].
pub fn number<T: FromStr>(text: &str) -> Answer<T> {
    text.parse()
        .map_err(|_| Error::Catalog(format!("{text} is not a number in range")))
}

/// The first value of each row.
///
/// # Errors
///
/// As for [`Values::number`].
pub fn column<T: FromStr>(rows: Vec<Row>) -> Answer<Vec<T>> {
    rows.into_iter().map(|row| Values::of(row).number()).collect()
}
