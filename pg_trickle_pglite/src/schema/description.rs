//! The row of a stream table in our catalog: its parts, its columns, its key, and what it reads.

use super::sources;
use crate::edge::error::Result;
use crate::edge::ffi::Oid;
use crate::edge::spi;
use crate::runtime::load::{self, Compiled};
use crate::runtime::locks;
use crate::runtime::rights;
use crate::runtime::session;
use pg_trickle_core::explain::visible_key;
use pg_trickle_core::json::Json;

/// The array that a parameter holds as JSON.
macro_rules! texts {
    ($parameter:literal) => {
        concat!("ARRAY(SELECT jsonb_array_elements_text(", $parameter, "::jsonb))")
    };
}

/// A new stream table.
pub struct New<'a> {
    /// Its id.
    pub id: i32,
    /// The qualified name of the user's view.
    pub name: &'a str,
    /// The qualified name of the definition view.
    pub definition: &'a str,
    /// The query as the user wrote it.
    pub query: &'a str,
    /// It is filled now and maintained from now on.
    pub active: bool,
    /// What the functions of the query see.
    pub search_path: &'a str,
    /// Why it is maintained by a full refresh, whatever operators there are for its query.
    pub fallback: Option<&'a str>,
}

/// Records a stream table, without the stages below the top.
pub fn insert(new: &New, compiled: &Compiled) -> Result<()> {
    let [columns, key] = visible(compiled)?;
    spi::catalog(
        concat!(
            "INSERT INTO pgtrickle.stream_table (id, columns, key, layout, relid, definition, storage, query, status, \
             search_path, fallback) VALUES ($1::int, ",
            texts!("$2"),
            ", ",
            texts!("$3"),
            ", $4, $5::regclass, $6::regclass, $7::regclass, $8, $9, $10, $11)"
        ),
        &[
            Some(&new.id.to_string()),
            Some(&columns),
            Some(&key),
            Some(&compiled.layout()),
            Some(new.name),
            Some(new.definition),
            Some(&compiled.top()?.storage),
            Some(new.query),
            Some(if new.active { "ACTIVE" } else { "UNPOPULATED" }),
            Some(new.search_path),
            new.fallback,
        ],
    )?;
    Ok(())
}

/// Records what the compiler found, replacing what it found before: columns, key, layout, sources.
pub fn update(id: i32, compiled: &Compiled) -> Result<()> {
    let id_text = id.to_string();
    let [columns, key] = visible(compiled)?;
    spi::catalog(
        concat!(
            "UPDATE pgtrickle.stream_table SET columns = ",
            texts!("$2"),
            ", key = ",
            texts!("$3"),
            ", layout = $4 WHERE id = $1::int"
        ),
        &[Some(&id_text), Some(&columns), Some(&key), Some(&compiled.layout())],
    )?;
    let before = spi::catalog(
        "DELETE FROM pgtrickle.source WHERE id = $1::int RETURNING relid::oid",
        &[Some(&id_text)],
    )?;
    record_sources(id, compiled, &spi::column::<Oid>(before)?)
}

/// Records the tables that are read, including the storage of stages below the top, in place of those `before`.
pub fn record_sources(id: i32, compiled: &Compiled, before: &[Oid]) -> Result<()> {
    let top = compiled.top()?;
    let own = load::own_storage(compiled)?;
    let mut relids: Vec<Oid> = compiled.sources().iter().map(|source| source.relid).collect();
    let new: Vec<Oid> = relids.iter().copied().filter(|relid| !before.contains(relid)).collect();
    rights::may_follow(id, &new)?;
    // No stage of its own reads the top one, and no trigger reports that the clock has moved.
    let clock = compiled.stages.first().filter(|stage| stage.is_clock());
    let unreported = [Some(top.relid), clock.map(|clock| clock.relid)];
    let below = own.iter().filter(|(known, _)| !unreported.contains(&Some(*known)));
    relids.extend(below.map(|(_, relid)| *relid));
    sources::record(id, &relids)
}

/// The columns that users see, and the key among them, as JSON.
fn visible(compiled: &Compiled) -> Result<[String; 2]> {
    let columns = Json::texts(compiled.columns.iter().map(|column| &column.name));
    let key = Json::texts(visible_key(compiled.top()?, &compiled.columns));
    Ok([columns.write(), key.write()])
}

/// Makes all sessions, including this one, load these stream tables again.
pub fn announce(ids: &[i32]) -> Result<()> {
    locks::take_catalog()?;
    ids.iter().for_each(|id| session::forget(*id));
    spi::catalog(load::ANNOUNCE, &[])?;
    Ok(())
}
