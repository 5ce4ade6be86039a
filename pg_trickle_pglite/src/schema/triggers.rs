//! Keeps the triggers of sources up to date: on every table that a stream table reads, on the parents and children of such
//! a table, on the storage of a stream table with subscribers or with triggers of users or whose changes are kept, and
//! nowhere else.

use super::statements;
use crate::edge::error::Result;
use crate::edge::ffi::{self, Oid};
use crate::edge::spi::{self, Values};
use crate::runtime::load::{is_kept, is_users};
use crate::runtime::locks;
use crate::runtime::subscribers;
use pg_trickle_core::sorted::Map;

/// Drops triggers that a session left behind: its subscribers are gone.
pub fn tidy() -> Result<()> {
    let left = spi::catalog(
        concat!(
            "SELECT 1 FROM pg_trigger g WHERE g.tgname = '__pgt_before' \
         AND NOT EXISTS (SELECT FROM pgtrickle.source s WHERE s.relid = g.tgrelid) \
         AND NOT EXISTS (SELECT FROM pgtrickle.stream_table t WHERE t.storage = g.tgrelid AND ",
            is_kept!(),
            ") LIMIT 1"
        ),
        &[],
    )?;
    if left.is_empty() { Ok(()) } else { sync() }
}

/// Creates missing triggers and drops unneeded ones.
pub fn sync() -> Result<()> {
    // Otherwise it could drop what a stream table needs that another session is making.
    locks::take_catalog()?;
    // Matched here: a join of these would take longer to plan than everything else that a new stream table needs.
    let rows = spi::catalog(
        concat!(
            "SELECT s.relid::oid, false, NOT bool_and(s.inherited) FROM pgtrickle.source s \
         JOIN pgtrickle.stream_table t ON t.id = s.id WHERE t.status = 'ACTIVE' GROUP BY 1 UNION ALL \
         SELECT t.storage::oid, false, true FROM pgtrickle.stream_table t WHERE t.id = ANY ($1::int[]) OR ",
            is_kept!(),
            " UNION ALL \
         SELECT (SELECT t.storage FROM pgtrickle.stream_table t WHERE t.relid = g.tgrelid AND t.status = 'ACTIVE'), false, true \
         FROM pg_trigger g WHERE ",
            is_users!(),
            " UNION ALL \
         SELECT tgrelid, true, bool_or(tgname = '__pgt_insert') FROM pg_trigger \
         WHERE tgfoid = 'pgtrickle.maintain()'::regprocedure AND tgname IN ('__pgt_before', '__pgt_insert', \
         '__pgt_update', '__pgt_delete', '__pgt_truncate', '__pgt_after') GROUP BY 1"
        ),
        &[Some(subscribers::followed().as_deref().unwrap_or("{}"))],
    )?;
    // What each table should have, and what it has.
    let mut tables: Map<Oid, [Option<Fired>; 2]> = Map::new();
    for row in rows {
        let mut values = Values::of(row);
        // The trigger of a user on something else.
        let Some(relid) = values.optional_number()? else {
            continue;
        };
        let pair = tables.or_default(relid);
        let is_present = values.boolean()?;
        let fired = if values.boolean()? {
            Fired::WithRows
        } else {
            Fired::Blind
        };
        pair[usize::from(is_present)] = Some(fired);
    }
    for (relid, [wanted, present]) in tables.iter() {
        if wanted == present {
            continue;
        }
        let Some(row) = spi::catalog(
            "SELECT (pg_identify_object('pg_class'::regclass, oid, 0)).identity, relnamespace = 'pgtrickle'::regnamespace \
             FROM pg_class WHERE oid = $1::oid",
            &[Some(&relid.to_string())],
        )?
        .pop() else {
            continue;
        };
        let mut values = Values::of(row);
        let (table, is_storage) = (values.text()?, values.boolean()?);
        let mut texts = Vec::new();
        if wanted.is_none() && is_storage {
            drop_from_storage(&table)?;
            continue;
        }
        if present.is_some() {
            texts.extend(statements::drop_triggers(&table));
        }
        match wanted {
            Some(Fired::WithRows) => texts.extend(statements::source_triggers(&table)),
            Some(Fired::Blind) => texts.extend(statements::child_triggers(&table)),
            None => {}
        }
        for text in &texts {
            spi::catalog(text, &[])?;
        }
        if wanted.is_some() && !is_storage {
            // A running statement would not fire them. This fails if there is one; no statement uses storage directly.
            spi::catalog(&statements::enable_trigger(&table), &[]).map_err(|error| {
                error.hint("Do it while no statement uses the table and no cursor over it is open.")
            })?;
        }
    }
    Ok(())
}

/// Storage that is not read any more changes no more, so its triggers may stay until they can be dropped.
fn drop_from_storage(table: &str) -> Result<()> {
    let dropped = ffi::nested(|| {
        statements::drop_triggers(table)
            .into_iter()
            .try_for_each(|text| spi::catalog(&text, &[]).map(|_| ()))
    });
    match dropped {
        Err(error) if error.is_in_use() => Ok(()),
        result => result,
    }
}

/// What the triggers of a table receive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fired {
    /// The rows that changed: stream tables read the table itself.
    WithRows,
    /// No rows: stream tables read a parent or a child of it.
    Blind,
}
