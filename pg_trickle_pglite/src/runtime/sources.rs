//! Which stages read a table.

use super::load::{is_kept, is_users};
use super::stream_table::{SourceReader, SourceTable};
use super::{load, locks, session, subscribers};
use crate::edge::catalog::Shared;
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
    locks::see_catalog()?;
    load::watch_catalog()?;
    let key = relid.to_string();
    let rows = spi::catalog(
        concat!(
            "SELECT s.id, false, s.inherited FROM pgtrickle.source s JOIN pgtrickle.stream_table t ON t.id = s.id \
             JOIN pg_class v ON v.oid = t.relid WHERE s.relid = $1::oid AND t.status = 'ACTIVE' \
             UNION ALL SELECT t.id, true, false FROM pgtrickle.stream_table t WHERE t.storage = $1::oid \
             AND (t.id = ANY ($2::int[]) OR EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = t.relid AND ",
            is_users!(),
            ") OR ",
            is_kept!(),
            ") ORDER BY 1"
        ),
        &[Some(&key), Some(subscribers::followed().as_deref().unwrap_or("{}"))],
    )?;
    let relatives: Vec<Oid> = spi::column(spi::catalog(
        "WITH RECURSIVE above(relid) AS (SELECT inhparent FROM pg_inherits WHERE inhrelid = $1::oid UNION \
         SELECT i.inhparent FROM pg_inherits i JOIN above a ON i.inhrelid = a.relid), \
         below(relid) AS (SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::oid UNION \
         SELECT i.inhrelid FROM pg_inherits i JOIN below b ON i.inhparent = b.relid) \
         SELECT relid FROM above UNION SELECT relid FROM below",
        &[Some(&key)],
    )?)?;
    let mut relatives: Set<Oid> = relatives.into_iter().collect();
    if rows
        .iter()
        .any(|row| row.get(2).is_some_and(|inherited| inherited.as_deref() == Some("t")))
    {
        relatives.extend(protected_by(&key)?);
    }
    let _shared = Shared::start();
    let mut readers = Vec::new();
    let mut followed = None;
    for row in rows {
        let mut values = Values::of(row);
        let id = values.number()?;
        if values.boolean()? {
            followed = Some(id);
            continue;
        }
        let table = load::load(id)?;
        table.must_be_allowed()?;
        for stage in &table.stages {
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
        followed,
    });
    session::remember_table(&table);
    Ok(table)
}

/// The same, once nobody else changes what these stages read or store.
pub fn locked_table(relid: Oid) -> Result<Rc<SourceTable>> {
    locks::see_catalog()?;
    loop {
        let table = table(relid)?;
        if !locks::take(table.readers.iter().map(|reader| reader.stage.key.0))? {
            return Ok(table);
        }
    }
}

/// The tables with policies that read this one, also in views and in policies of others: who sees which of their rows
/// changes with its rows.
fn protected_by(relid: &str) -> Result<Vec<Oid>> {
    let rows = spi::catalog(
        "WITH RECURSIVE affected(relid, has_policy) AS (SELECT $1::oid, false UNION \
         SELECT n.relid, n.has_policy FROM affected a CROSS JOIN LATERAL ( \
         SELECT p.polrelid, true FROM pg_depend d JOIN pg_policy p ON p.oid = d.objid \
         WHERE d.classid = 'pg_policy'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.relid \
         UNION ALL SELECT w.ev_class, false FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid \
         WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.relid \
         ) AS n(relid, has_policy)) SELECT DISTINCT relid FROM affected WHERE has_policy AND relid <> $1::oid",
        &[Some(relid)],
    )?;
    spi::column(rows)
}
