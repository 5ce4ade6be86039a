//! From the name that a user writes to the stream table.

use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::{self, Oid};
use crate::edge::spi::{self, Values};
use crate::runtime::{locks, memory, rights};
use crate::text::names;

/// A stream table that is there.
pub struct Found {
    /// Its id in our catalog.
    pub id: i32,
    /// The user's view.
    pub relid: Oid,
    /// Its schema.
    pub schema: String,
    /// Its name alone, not quoted.
    pub bare: String,
    /// Its qualified, quoted name.
    pub name: String,
}

/// What a name stands for.
pub enum Target {
    /// A stream table.
    StreamTable(Found),
    /// Another kind of relation, under this name.
    Other(String),
    /// Nothing.
    Nothing,
}

/// Looks a name up, along the user's `search_path` when it has no schema.
pub fn look_up(name: &str) -> Result<Target> {
    let found = spi::as_user(
        "SELECT pg_catalog.to_regclass($1)::pg_catalog.oid",
        &[Some(&names::parse(name)?.sql())],
    )?
    .pop();
    match found
        .map(|row| Values::of(row).optional_number())
        .transpose()?
        .flatten()
    {
        Some(relid) => match by_relid(relid)? {
            Target::Nothing => Err(locks::not_there(nothing(name))),
            found => Ok(found),
        },
        None => Ok(Target::Nothing),
    }
}

/// What a relation is.
pub fn by_relid(relid: Oid) -> Result<Target> {
    let row = spi::catalog(
        "SELECT format('%I.%I', n.nspname, c.relname), n.nspname, c.relname, t.id FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pgtrickle.stream_table t ON t.relid = c.oid \
         WHERE c.oid = $1::oid",
        &[Some(&relid.to_string())],
    )?
    .pop();
    let Some(row) = row else {
        return Ok(Target::Nothing);
    };
    let mut values = Values::of(row);
    let (name, schema, bare) = (values.text()?, values.text()?, values.text()?);
    Ok(match values.optional_number()? {
        Some(id) => Target::StreamTable(Found {
            id,
            relid,
            schema,
            bare,
            name,
        }),
        None => Target::Other(name),
    })
}

/// The stream table with this id, which the current user may read.
pub fn readable(id: &str) -> Result<Found> {
    let relid = spi::catalog_number(
        "SELECT relid::oid FROM pgtrickle.stream_table WHERE id = $1::int",
        &[Some(id)],
    )?;
    match relid.map(by_relid).transpose()? {
        Some(Target::StreamTable(found)) => must_read(&found).map(|()| found),
        Some(Target::Other(_) | Target::Nothing) | None => {
            Err(SqlError::new("42P01", "the stream table was dropped").hint("Create it again, and then subscribe."))
        }
    }
}

/// The stream table of a name, or an error that says what is wrong with it.
pub fn stream_table(name: &str) -> Result<Found> {
    memory::make_room();
    match look_up(name)? {
        Target::StreamTable(found) => Ok(found),
        Target::Other(other) => Err(SqlError::new("42809", format!("{other} is not a stream table"))
            .hint("SELECT name FROM pgtrickle.stream_tables lists the existing ones.")
            .about(name)),
        Target::Nothing => Err(nothing(name)),
    }
}

fn nothing(name: &str) -> Box<SqlError> {
    SqlError::new("42P01", format!("stream table {name} does not exist"))
        .hint("SELECT schema, name FROM pgtrickle.stream_tables lists the existing ones.")
        .about(name)
}

/// Fails unless the current user may do what the owner may.
pub fn must_own(found: &Found) -> Result<()> {
    allowed(
        found,
        rights::may_change(ffi::current_user(), found.relid)?,
        "must be owner of",
    )
}

/// Fails unless the current user may read it.
pub fn must_read(found: &Found) -> Result<()> {
    allowed(
        found,
        rights::may_read(ffi::current_user(), found.relid)?,
        "permission denied for",
    )
}

fn allowed(found: &Found, is_allowed: bool, refusal: &str) -> Result<()> {
    if is_allowed {
        return Ok(());
    }
    Err(SqlError::new("42501", format!("{refusal} stream table {}", found.name))
        .hint("Ask its owner.")
        .about(&found.name))
}
