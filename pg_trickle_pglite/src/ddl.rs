//! What DDL does to stream tables: gone with what they need, or made anew for what has changed.

use crate::commands::replace;
use crate::error::Result;
use crate::session::{self, Busy, Pending};
use crate::spi::{self, Values};
use crate::{flush, push, sql, stages, triggers};

/// An event trigger fired.
pub fn fired(event: &str) -> Result<()> {
    if session::is_busy() {
        return Ok(());
    }
    let _busy = Busy::start();
    match event {
        "sql_drop" => dropped(),
        "ddl_command_end" => changed(),
        _ => Ok(()),
    }
}

fn dropped() -> Result<()> {
    let rows = spi::catalog(
        "SELECT t.id FROM pg_event_trigger_dropped_objects() d JOIN pgtrickle.stream_table t ON t.relid = d.objid \
         WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0",
        &[],
    )?;
    let gone = rows
        .into_iter()
        .map(|row| Values::of(row).number())
        .collect::<Result<Vec<i32>>>()?;
    if !gone.is_empty() {
        clean(&gone)?;
    }
    // A child of a source: its rows are gone from what the query reads.
    let rows = spi::catalog(
        "WITH gone AS (DELETE FROM pgtrickle.source s USING pg_event_trigger_dropped_objects() d \
         WHERE s.inherited AND d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.objid = s.relid RETURNING s.id) \
         SELECT DISTINCT id FROM gone ORDER BY 1",
        &[],
    )?;
    renew(rows.into_iter().map(|row| Values::of(row).number()))
}

/// Removes what is left of stream tables whose view is gone.
fn clean(gone: &[i32]) -> Result<()> {
    for id in gone {
        let key = id.to_string();
        let storage = spi::catalog_value(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pgtrickle.stream_table t JOIN pg_class c ON c.oid = t.storage \
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.id = $1::int",
            &[Some(&key)],
        )?;
        spi::catalog("DELETE FROM pgtrickle.stage WHERE id = $1::int", &[Some(&key)])?;
        spi::catalog("DELETE FROM pgtrickle.source WHERE id = $1::int", &[Some(&key)])?;
        spi::catalog("DELETE FROM pgtrickle.stream_table WHERE id = $1::int", &[Some(&key)])?;
        session::forget(*id);
        push::dropped(*id);
        if let Some(storage) = storage {
            spi::catalog(&sql::drop_storage(&storage), &[])?;
        }
    }
    triggers::sync()?;
    spi::catalog(stages::ANNOUNCE, &[])?;
    Ok(())
}

/// Follows dependencies from what the command changed to definition views. Rows can change without a trigger: a table
/// gets a child, a generated column another expression, an enum other labels, a function another body.
fn changed() -> Result<()> {
    follow_owners()?;
    let rows = spi::catalog(
        "WITH RECURSIVE changed(classid, objid) AS (SELECT c.classid, c.objid FROM pg_event_trigger_ddl_commands() c \
         WHERE EXISTS (SELECT FROM pgtrickle.stream_table) AND c.objid IS NOT NULL AND c.command_tag NOT IN \
         ('COMMENT', 'CREATE INDEX', 'CREATE TRIGGER', 'CREATE SEQUENCE', 'CREATE SCHEMA', 'CREATE STATISTICS') \
         UNION SELECT n.classid, n.objid FROM changed c CROSS JOIN LATERAL ( \
         SELECT d.classid, d.objid FROM pg_depend d WHERE d.refclassid = c.classid AND d.refobjid = c.objid \
         AND d.classid <> 'pg_trigger'::regclass \
         UNION ALL SELECT 'pg_class'::regclass, r.ev_class FROM pg_rewrite r \
         WHERE c.classid = 'pg_rewrite'::regclass AND r.oid = c.objid \
         UNION ALL SELECT 'pg_class'::regclass, a.adrelid FROM pg_attrdef a \
         WHERE c.classid = 'pg_attrdef'::regclass AND a.oid = c.objid \
         UNION ALL SELECT 'pg_class'::regclass, i.inhparent FROM pg_inherits i \
         WHERE c.classid = 'pg_class'::regclass AND i.inhrelid = c.objid) n) \
         SELECT t.id FROM changed c JOIN pgtrickle.stream_table t ON t.definition = c.objid \
         WHERE c.classid = 'pg_class'::regclass \
         UNION SELECT s.id FROM pg_event_trigger_ddl_commands() c JOIN pgtrickle.source s ON s.relid = c.objid \
         WHERE c.classid = 'pg_class'::regclass AND s.inherited AND c.command_tag = 'ALTER TABLE'",
        &[],
    )?;
    renew(rows.into_iter().map(|row| Values::of(row).number()))
}

/// Storage and definition belong to the owner of the view that users see.
fn follow_owners() -> Result<()> {
    let rows = spi::catalog(
        "SELECT format('%I.%I', pn.nspname, p.relname), pg_get_userbyid(v.relowner) \
         FROM pg_event_trigger_ddl_commands() c JOIN pgtrickle.stream_table t ON t.relid = c.objid \
         JOIN pg_class v ON v.oid = t.relid JOIN pg_class p ON p.oid IN (t.storage, t.definition) \
         JOIN pg_namespace pn ON pn.oid = p.relnamespace \
         WHERE c.classid = 'pg_class'::regclass AND p.relowner <> v.relowner",
        &[],
    )?;
    for row in rows {
        let mut values = Values::of(row);
        let (part, owner) = (values.text()?, values.text()?);
        spi::catalog(&sql::give(&part, &owner), &[])?;
    }
    Ok(())
}

/// Compiles these stream tables again, and runs their queries again.
fn renew(ids: impl Iterator<Item = Result<i32>>) -> Result<()> {
    let mut affected = Vec::new();
    for id in ids {
        let id = id?;
        session::forget(id);
        affected.push(stages::load(id)?);
    }
    affected.sort_by_key(|stage| (stage.depth, stage.id));
    for stage in affected {
        let stage = replace::refit(&stage)?;
        if !stage.populated {
            continue;
        }
        if session::is_active() {
            for part in &stage.stages {
                if let Some(relid) = part.first_source() {
                    session::push(Pending::opaque(relid));
                }
            }
        } else {
            flush::rebuild(&stage)?;
        }
    }
    Ok(())
}
