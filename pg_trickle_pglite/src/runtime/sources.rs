//! Which stages read a table.

use super::stream_table::{SourceReader, SourceTable};
use super::{load, session, subscribers};
use crate::edge::error::Result;
use crate::edge::ffi::Oid;
use crate::edge::spi::{self, Values};
use pg_trickle_core::sorted::Set;
use std::rc::Rc;

/// The stages that read a table, lowest first.
pub fn table(relid: Oid) -> Result<Rc<SourceTable>> {
    session::freshen();
    if let Some(table) = session::table(relid) {
        return Ok(table);
    }
    load::watch_catalog()?;
    let key = relid.to_string();
    let rows = spi::catalog(
        "SELECT s.id FROM pgtrickle.source s JOIN pgtrickle.stream_table t ON t.id = s.id JOIN pg_class v ON v.oid = t.relid \
         WHERE s.relid = $1::oid AND t.status = 'ACTIVE' ORDER BY 1",
        &[Some(&key)],
    )?;
    let relatives: Set<Oid> = spi::catalog(
        "WITH RECURSIVE above(relid) AS (SELECT inhparent FROM pg_inherits WHERE inhrelid = $1::oid UNION \
         SELECT i.inhparent FROM pg_inherits i JOIN above a ON i.inhrelid = a.relid), \
         below(relid) AS (SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::oid UNION \
         SELECT i.inhrelid FROM pg_inherits i JOIN below b ON i.inhparent = b.relid) \
         SELECT relid FROM above UNION SELECT relid FROM below",
        &[Some(&key)],
    )?
    .into_iter()
    .map(|row| Values::of(row).number())
    .collect::<Result<_>>()?;
    let mut readers = Vec::new();
    for row in rows {
        for stage in &load::load(Values::of(row).number()?)?.stages {
            let own = stage.names(relid);
            let reads_relative = stage.sources.iter().any(|source| relatives.contains(&source.relid));
            if own.is_some() || reads_relative {
                readers.push(SourceReader {
                    stage: Rc::clone(stage),
                    columns: own.map_or_else(Vec::new, |names| names.columns.clone()),
                    sees_all: !reads_relative,
                    physical: own.is_some_and(|names| names.physical),
                });
            }
        }
    }
    readers.sort_by_key(|reader| reader.stage.order());
    let has_virtual = "SELECT 1 FROM pg_attribute WHERE attrelid = $1::oid AND attgenerated = 'v' LIMIT 1";
    let table = Rc::new(SourceTable {
        relid,
        is_virtual: !readers.is_empty() && !spi::catalog(has_virtual, &[Some(&key)])?.is_empty(),
        readers,
        followed: followed(relid)?,
    });
    session::remember_table(&table);
    Ok(table)
}

/// The stream table that has this storage, if it has subscribers.
fn followed(storage: Oid) -> Result<Option<i32>> {
    let Some(ids) = subscribers::followed() else {
        return Ok(None);
    };
    spi::catalog_number(
        "SELECT id FROM pgtrickle.stream_table WHERE storage = $1::oid AND id = ANY ($2::int[])",
        &[Some(&storage.to_string()), Some(&ids)],
    )
}
