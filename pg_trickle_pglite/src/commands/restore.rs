//! `restore_stream_tables`: makes stream tables that came with a dump whole again.
//!
//! A dump carries views, storage, triggers and the rows of our catalog, but not what binds these to each other. Until then
//! a change of a source fails, so that nothing goes stale unseen.

use super::find::{self, Target};
use super::{drop, fallback, must_be_idle, replace};
use crate::edge::error::Result;
use crate::edge::spi::{self, Values};
use crate::runtime::load::{self, is_bound};
use crate::runtime::locks;
use crate::runtime::session::{self, Busy};
use crate::runtime::stream_table::StreamTable;
use crate::schema::storage;
use crate::subscribe::firing;

/// Binds the parts to each other, compiles the queries on this server, and runs them again.
pub fn run() -> Result<()> {
    must_be_idle("restore stream tables")?;
    let _busy = Busy::start();
    locks::take_catalog()?;
    drop::sweep()?;
    let rows = spi::catalog(
        concat!(
            "SELECT t.id, t.relid::oid, t.definition::text, t.relid::text FROM pgtrickle.stream_table t WHERE NOT ",
            is_bound!()
        ),
        &[],
    )?;
    let mut found = Vec::new();
    for row in rows {
        let mut values = Values::of(row);
        let id: i32 = values.number()?;
        if let Target::StreamTable(table) = find::by_relid(values.number()?)? {
            find::must_own(&table)?;
        }
        let (definition, view) = (values.text()?, values.text()?);
        storage::bind(&definition, &view)?;
        let stages = spi::catalog(
            "SELECT storage::text FROM pgtrickle.stage WHERE id = $1::int",
            &[Some(&id.to_string())],
        )?;
        for stage in stages {
            storage::bind(&Values::of(stage).text()?, &view)?;
        }
        locks::take(std::iter::once(id))?;
        session::forget(id);
        found.push(id);
    }
    let mut tables = found.into_iter().map(load::load).collect::<Result<Vec<_>>>()?;
    tables.sort_by_key(|table| (table.depth, table.id));
    for table in tables {
        fallback::attempt(|reason| renew(&table, reason))?;
    }
    firing::forget();
    Ok(())
}

fn renew(table: &StreamTable, reason: Option<&str>) -> Result<()> {
    let table = replace::refit(table, reason)?;
    if table.populated {
        fallback::rebuild(&table)?;
    }
    reason.map_or(Ok(()), |reason| fallback::announce(&table.name, reason))
}
