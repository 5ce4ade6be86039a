//! Queries, as safe functions. Catalog queries run as the bootstrap superuser with a fixed `search_path`: what a
//! stream table is does not depend on who asks.

use crate::error::{Result, SqlError};
use crate::ffi::{self, Oid, Plan, Row, Setting};
use pg_trickle_core::sorted::Map;
use std::cell::RefCell;

/// The role that every database has, and that owns the catalog.
pub const SUPERUSER: Oid = 10;

const CATALOG_SETTINGS: &[Setting] = &[
    Setting::new(c"search_path", c"pg_catalog, pg_temp"),
    Setting::new(c"client_min_messages", c"warning"),
    Setting::new(c"standard_conforming_strings", c"on"),
    Setting::new(c"row_security", c"off"),
    Setting::new(c"bytea_output", c"hex"),
    Setting::new(c"plan_cache_mode", c"force_generic_plan"),
    Setting::new(c"quote_all_identifiers", c"off"),
    // Catalogs are small, and everything is found by an index: planning takes longer than any plan.
    Setting::new(c"join_collapse_limit", c"1"),
    Setting::new(c"enable_hashjoin", c"off"),
    Setting::new(c"enable_mergejoin", c"off"),
];

/// Most texts whose plans are kept; there are fewer.
const MAX_KEPT: usize = 100;

thread_local! {
    /// Compiling asks the same questions about many objects, and planning one takes longer than answering it.
    static KEPT: RefCell<Map<String, Plan>> = const { RefCell::new(Map::new()) };
}

static USER_SETTINGS: [Setting; 2] = [
    Setting::new(c"client_min_messages", c"warning"),
    Setting::new(c"standard_conforming_strings", c"on"),
];

/// A query of the catalog, or DDL on our own objects.
pub fn catalog(text: &str, args: &[Option<&str>]) -> Result<Vec<Row>> {
    // Texts with parameters are constants of this library, others are often written for the occasion.
    if args.is_empty() {
        return ffi::query(text, args, CATALOG_SETTINGS, SUPERUSER, None);
    }
    let key = text.to_owned();
    let known = KEPT.with_borrow(|kept| match kept.get(&key) {
        None if kept.values().count() >= MAX_KEPT => None,
        known => Some(known.copied().unwrap_or_default()),
    });
    let Some(mut plan) = known else {
        return ffi::query(text, args, CATALOG_SETTINGS, SUPERUSER, None);
    };
    let rows = ffi::query(text, args, CATALOG_SETTINGS, SUPERUSER, Some(&mut plan));
    KEPT.with_borrow_mut(|kept| kept.insert(key, plan));
    rows
}

/// The one value of the one row, or NULL.
pub fn catalog_value(text: &str, args: &[Option<&str>]) -> Result<Option<String>> {
    Ok(catalog(text, args)?
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next().flatten()))
}

/// A statement as the current user, with the user's `search_path`.
pub fn as_user(text: &str, args: &[Option<&str>]) -> Result<Vec<Row>> {
    ffi::query(text, args, &USER_SETTINGS, 0, None)
}

/// A statement with the user's text, under all of the user's settings.
pub fn users_text(text: &str) -> Result<()> {
    ffi::query(text, &[], USER_SETTINGS.split_at(1).0, 0, None)?;
    Ok(())
}

/// Reads the values of a row one by one.
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
    pub fn text(&mut self) -> Result<String> {
        self.optional()
            .ok_or_else(|| SqlError::internal("a catalog query returned a NULL"))
    }

    /// The next value, a name that PostgreSQL quotes where it has to.
    pub fn identifier(&mut self) -> Result<String> {
        let text = self.text()?;
        let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        Ok(quoted.map(|name| name.replace("\"\"", "\"")).unwrap_or(text))
    }

    /// The next value, as a number.
    pub fn number<T: std::str::FromStr>(&mut self) -> Result<T> {
        let text = self.text()?;
        text.parse()
            .map_err(|_| SqlError::internal(format_args!("{text} is no number in range")))
    }

    /// The next value, as a boolean.
    pub fn boolean(&mut self) -> Result<bool> {
        Ok(self.text()? == "t")
    }

    /// The next value, as one character; a blank when it is empty.
    pub fn character(&mut self) -> Result<char> {
        Ok(self.text()?.chars().next().unwrap_or(' '))
    }

    /// The next value, numbers with blanks between.
    pub fn numbers<T: std::str::FromStr>(&mut self) -> Result<Vec<T>> {
        let text = self.text()?;
        text.split_whitespace()
            .map(|number| {
                number
                    .parse()
                    .map_err(|_| SqlError::internal(format_args!("{number} is no number in range")))
            })
            .collect()
    }
}
