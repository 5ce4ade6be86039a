//! Queries, as safe functions. Catalog queries run as the bootstrap superuser with a fixed `search_path`: what a
//! stream table is does not depend on who asks.

use super::error::{Result, SqlError};
use super::ffi::{self, Oid, Plan, Row};
use super::settings;
use pg_trickle_core::answers::values;
use pg_trickle_core::sorted::Map;
use std::cell::RefCell;

/// The role that every database has, and that owns the catalog.
pub const SUPERUSER: Oid = 10;

/// An upper limit for the number of kept plans. There are fewer texts with parameters.
const MAX_KEPT: usize = 100;

thread_local! {
    /// Compiling asks the same questions about many objects, and planning one takes longer than answering it.
    static KEPT: RefCell<Map<String, Plan>> = const { RefCell::new(Map::new()) };
}

/// A query of the catalog, or DDL on our own objects.
pub fn catalog(text: &str, args: &[Option<&str>]) -> Result<Vec<Row>> {
    // Texts with parameters are constants; others are often written for one use.
    if args.is_empty() {
        return ffi::query(text, args, &settings::CATALOG, SUPERUSER, None);
    }
    let key = text.to_owned();
    // Its place is made before the plan, which would be lost if there were no memory for one.
    let known = KEPT.with_borrow_mut(|kept| match kept.get(&key) {
        None if kept.values().count() >= MAX_KEPT => None,
        None => {
            kept.insert(key.clone(), Plan::default());
            Some(Plan::default())
        }
        known => known.copied(),
    });
    let Some(mut plan) = known else {
        return ffi::query(text, args, &settings::CATALOG, SUPERUSER, None);
    };
    let rows = ffi::query(text, args, &settings::CATALOG, SUPERUSER, Some(&mut plan));
    KEPT.with_borrow_mut(|kept| {
        if let Some(kept) = kept.get_mut(&key) {
            *kept = plan;
        }
    });
    rows
}

/// What makes PostgreSQL give back memory. Until a checkpoint, of which PGlite makes none, it keeps a list of the files to
/// delete of what was dropped. The others are rolled back: a publication of all tables concerns all relations and their
/// columns; a rewritten catalog empties the cache of its rows. That of statistics notes for each column of each table that
/// was ever planned that there are none, and keeps this when the table is dropped.
const FORGETTING: [&str; 3] = [
    "CHECKPOINT",
    "CREATE PUBLICATION __pgt_all FOR ALL TABLES",
    "CLUSTER pg_statistic USING pg_statistic_relid_att_inh_index",
];

/// Lets PostgreSQL forget what it has seen of relations, which it keeps for as long as the session lasts. Where there is no
/// memory for it nothing is lost.
pub fn empty_relation_cache() {
    for text in FORGETTING {
        let rolled_back: Result<()> = ffi::nested(|| {
            ffi::query(text, &[], &settings::FLUSHING, SUPERUSER, None)?;
            Err(SqlError::internal("this is not to last"))
        });
        drop(rolled_back);
    }
}

/// The one value of the one row, or NULL.
pub fn catalog_value(text: &str, args: &[Option<&str>]) -> Result<Option<String>> {
    Ok(catalog(text, args)?
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next().flatten()))
}

/// The one value of the one row as a number, if there is one.
pub fn catalog_number<T: std::str::FromStr>(text: &str, args: &[Option<&str>]) -> Result<Option<T>> {
    catalog_value(text, args)?.as_deref().map(number).transpose()
}

/// The qualified, quoted name of a relation, if it exists.
pub fn name_of(relid: Oid) -> Result<Option<String>> {
    catalog_value(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid",
        &[Some(&relid.to_string())],
    )
}

/// A number that PostgreSQL wrote. One that does not fit is an error: anything else would be the wrong column or table.
pub fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse()
        .map_err(|_| SqlError::internal(format_args!("{text} is not a number in range")))
}

/// A statement as the current user, with the user's `search_path`.
pub fn as_user(text: &str, args: &[Option<&str>]) -> Result<Vec<Row>> {
    ffi::query(text, args, &settings::USER, 0, None)
}

/// A statement with the user's text, under all of the user's settings.
pub fn users_text(text: &str) -> Result<()> {
    ffi::query(text, &[], settings::USERS_TEXT, 0, None)?;
    Ok(())
}

/// Reads the values of a row one by one.
pub struct Values(values::Values);

fn expected<T>(value: Option<T>) -> Result<T> {
    value.ok_or_else(|| SqlError::internal("a catalog query returned another value than expected"))
}

impl Values {
    /// Of this row.
    #[must_use]
    pub fn of(row: Row) -> Self {
        Self(values::Values::of(row))
    }

    /// The next value, which may be NULL.
    pub fn optional(&mut self) -> Option<String> {
        self.0.text()
    }

    /// The next value.
    pub fn text(&mut self) -> Result<String> {
        expected(self.0.text())
    }

    /// The next value, as a number.
    pub fn number<T: std::str::FromStr>(&mut self) -> Result<T> {
        expected(self.0.number())
    }

    /// The next value, as a number, unless it is NULL.
    pub fn optional_number<T: std::str::FromStr>(&mut self) -> Result<Option<T>> {
        self.optional().as_deref().map(number).transpose()
    }

    /// The next value, as a boolean.
    pub fn boolean(&mut self) -> Result<bool> {
        expected(self.0.boolean())
    }
}

/// The first value of each row.
pub fn column<T: std::str::FromStr>(rows: Vec<Row>) -> Result<Vec<T>> {
    rows.into_iter().map(|row| Values::of(row).number()).collect()
}
