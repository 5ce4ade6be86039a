//! What DDL does to stream tables: gone with what they need, or made anew for what has changed.

use crate::commands::{drop, fallback, replace};
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::Row;
use crate::edge::spi::{self, Values};
use crate::runtime::load::{self, is_bound};
use crate::runtime::locks;
use crate::runtime::session::{self, Busy, PendingChange};
use crate::runtime::stream_table::StreamTable;
use crate::schema::{statements, triggers};
use crate::subscribe::{feed, firing};

/// An event trigger fired.
pub fn fired(event: &str) -> Result<()> {
    if session::has_guests() {
        return Err(SqlError::new(
            "55006",
            "functions that the query of a stream table calls must not run DDL",
        )
        .hint("Declare the functions that do as VOLATILE; the query of a stream table cannot call these."));
    }
    if event == "extension" {
        session::void();
        return feed::end_if_gone();
    }
    // An app makes its tables before its stream tables, and what follows takes longer than making a table.
    if session::is_busy() || spi::catalog("SELECT 1 FROM pgtrickle.stream_table LIMIT 1", &[])?.is_empty() {
        return Ok(());
    }
    let _busy = Busy::start();
    match event {
        "roles" => roles()?,
        "sql_drop" => dropped()?,
        "ddl_command_end" => changed()?,
        _ => {}
    }
    if !session::is_active() {
        firing::forget();
    }
    Ok(())
}

fn dropped() -> Result<()> {
    drop::sweep()?;
    let triggers = spi::catalog(
        "SELECT 1 FROM pg_event_trigger_dropped_objects() d JOIN pgtrickle.stream_table t \
         ON t.relid = to_regclass(format('%I.%I', d.address_names[1], d.address_names[2])) \
         WHERE d.classid = 'pg_trigger'::regclass LIMIT 1",
        &[],
    )?;
    follow_triggers(&triggers)?;
    // A child of a source: its rows are gone from what the query reads. A policy: there may be more of them.
    let rows = spi::catalog(
        concat!(
            "WITH gone AS (DELETE FROM pgtrickle.source s USING pg_event_trigger_dropped_objects() d \
         WHERE s.inherited AND d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.objid = s.relid RETURNING s.id) \
         SELECT t.id FROM pgtrickle.stream_table t WHERE t.id IN (SELECT id FROM gone UNION ALL \
         SELECT s.id FROM pgtrickle.source s JOIN pg_event_trigger_dropped_objects() d \
         ON d.classid = 'pg_policy'::regclass AND s.relid = to_regclass(format('%I.%I', d.address_names[1], d.address_names[2]))) AND ",
            is_bound!(),
            " ORDER BY 1"
        ),
        &[],
    )?;
    renew(spi::column(rows)?)
}

/// Follows dependencies from what the command changed to definition views. Rows can change without a trigger: a table
/// gets a child or a policy, a generated column another expression, an enum other labels, a function another body. What
/// the scripts of an extension do is reported command by command.
fn changed() -> Result<()> {
    refuse_own_parts()?;
    refuse_other_views()?;
    follow_owners()?;
    let triggers = spi::catalog(
        concat!(
            "SELECT t.id FROM pg_event_trigger_ddl_commands() c JOIN pg_trigger g ON g.oid = c.objid \
             JOIN pgtrickle.stream_table t ON t.relid = g.tgrelid WHERE c.classid = 'pg_trigger'::regclass AND ",
            is_bound!(),
        ),
        &[],
    )?;
    for id in spi::column::<i32>(triggers.clone())? {
        let table = load::load(id)?;
        if table.windows_on_read && table.triggers != 0 {
            return Err(feed::unstored("make a trigger on", &table.name));
        }
    }
    follow_triggers(&triggers)?;
    // The planner expects 1,000 rows of the function, and 10 of `unnest`. It takes memory for ten times as many before it reads
    // the first, which was a megabyte for each command.
    let rows = spi::catalog(
        concat!(
            "WITH RECURSIVE command AS (SELECT c.classid, c.objid FROM pg_event_trigger_ddl_commands() c \
         WHERE c.objid IS NOT NULL AND c.command_tag NOT IN \
         ('COMMENT', 'CREATE INDEX', 'CREATE TRIGGER', 'CREATE SEQUENCE', 'CREATE SCHEMA', 'CREATE STATISTICS', \
         'ALTER EXTENSION')), changed(classid, objid) AS (\
         SELECT * FROM unnest(ARRAY(SELECT classid FROM command), ARRAY(SELECT objid FROM command)) \
         UNION SELECT n.classid, n.objid FROM changed c CROSS JOIN LATERAL ( \
         SELECT d.classid, d.objid FROM pg_depend d WHERE d.refclassid = c.classid AND d.refobjid = c.objid \
         AND d.classid <> 'pg_trigger'::regclass \
         UNION ALL SELECT 'pg_class'::regclass, r.ev_class FROM pg_rewrite r \
         WHERE c.classid = 'pg_rewrite'::regclass AND r.oid = c.objid \
         UNION ALL SELECT 'pg_class'::regclass, a.adrelid FROM pg_attrdef a \
         WHERE c.classid = 'pg_attrdef'::regclass AND a.oid = c.objid \
         UNION ALL SELECT 'pg_class'::regclass, p.polrelid FROM pg_policy p \
         WHERE c.classid = 'pg_policy'::regclass AND p.oid = c.objid \
         UNION ALL SELECT 'pg_class'::regclass, i.inhparent FROM pg_inherits i \
         WHERE c.classid = 'pg_class'::regclass AND i.inhrelid = c.objid) n) \
         SELECT t.id FROM pgtrickle.stream_table t WHERE ",
            is_bound!(),
            " AND (EXISTS (SELECT FROM changed c \
         WHERE c.classid = 'pg_class'::regclass AND c.objid = t.definition) \
         OR EXISTS (SELECT FROM pg_event_trigger_ddl_commands() c JOIN pgtrickle.source s ON s.relid = c.objid \
         WHERE s.id = t.id AND c.classid = 'pg_class'::regclass AND s.inherited AND c.command_tag = 'ALTER TABLE'))"
        ),
        &[],
    )?;
    renew(spi::column(rows)?)
}

/// A role has other rights or belongs to others: what policies and views of others let it see may differ, and so may how
/// that is maintained.
fn roles() -> Result<()> {
    let rows = spi::catalog(
        concat!(
            "SELECT t.id FROM pgtrickle.stream_table t WHERE t.id IN (SELECT s.id FROM pgtrickle.source s \
         JOIN pg_class c ON c.oid = s.relid WHERE c.relrowsecurity UNION ALL \
         SELECT t.id FROM pgtrickle.stream_table t JOIN pg_class o ON o.oid = t.definition \
         JOIN pg_rewrite w ON w.ev_class = t.definition JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass \
         AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass JOIN pg_class v ON v.oid = d.refobjid \
         AND v.relkind = 'v' AND v.relowner <> o.relowner) AND ",
            is_bound!(),
            " ORDER BY 1"
        ),
        &[],
    )?;
    let mut affected = Vec::new();
    for row in rows {
        let id = Values::of(row).number()?;
        session::forget(id);
        // One whose owner has lost a privilege keeps its rows: changes of its sources fail.
        if load::load(id)?.denied.is_none() {
            affected.push(id);
        }
    }
    renew(affected)
}

/// What a stream table consists of stays as we made it, and our trigger function serves our triggers alone: what owners put
/// on storage would run in every change of a source, whoever makes it. Indexes run as the owner, and so do triggers AFTER
/// the statement, which PGlite's live queries make: they are not BEFORE (2), INSTEAD OF (64), FOR EACH ROW (1) or deferred.
fn refuse_own_parts() -> Result<()> {
    let row = spi::catalog(
        concat!(
            "WITH touched(tag, relid) AS (SELECT c.command_tag, CASE c.classid WHEN 'pg_class'::regclass THEN c.objid \
         WHEN 'pg_trigger'::regclass THEN (SELECT tgrelid FROM pg_trigger WHERE oid = c.objid \
         AND (tgtype & 67 <> 0 OR tgconstraint <> 0)) \
         WHEN 'pg_rewrite'::regclass THEN (SELECT ev_class FROM pg_rewrite WHERE oid = c.objid) \
         WHEN 'pg_policy'::regclass THEN (SELECT polrelid FROM pg_policy WHERE oid = c.objid) END \
         FROM pg_event_trigger_ddl_commands() c WHERE c.command_tag NOT IN ('COMMENT', 'CREATE INDEX', 'ALTER INDEX')), \
         parts(relid, view) AS (SELECT p.relid, t.relid FROM pgtrickle.stream_table t CROSS JOIN LATERAL ( \
         SELECT t.storage::oid UNION ALL SELECT t.definition::oid UNION ALL \
         SELECT g.storage::oid FROM pgtrickle.stage g WHERE g.id = t.id) AS p(relid) WHERE ",
            is_bound!(),
            ") SELECT format('%I.%I', n.nspname, v.relname), NULL FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace \
         WHERE v.oid IN (SELECT p.view FROM parts p WHERE p.relid IN (SELECT relid FROM touched UNION ALL \
         SELECT k.confrelid FROM touched JOIN pg_constraint k ON k.conrelid = touched.relid AND k.contype = 'f' UNION ALL \
         SELECT i.inhparent FROM touched JOIN pg_inherits i ON i.inhrelid = touched.relid)) \
         UNION ALL SELECT (pg_identify_object('pg_class'::regclass, g.tgrelid, 0)).identity, g.tgname \
         FROM pg_event_trigger_ddl_commands() c JOIN pg_trigger g ON g.oid = c.objid \
         WHERE c.classid = 'pg_trigger'::regclass AND g.tgfoid = 'pgtrickle.maintain()'::regprocedure \
         AND (g.tgname NOT IN ('__pgt_refuse', '__pgt_instead', '__pgt_before', \
         '__pgt_insert', '__pgt_update', '__pgt_delete', '__pgt_truncate', '__pgt_after') OR NOT EXISTS (SELECT FROM pgtrickle.source s WHERE s.relid = g.tgrelid \
         UNION ALL SELECT FROM pgtrickle.stream_table t WHERE t.relid = g.tgrelid OR t.storage = g.tgrelid)) LIMIT 1"
        ),
        &[],
    )?
    .pop();
    let Some(row) = row else { return Ok(()) };
    let mut values = Values::of(row);
    let (name, trigger) = (values.text()?, values.optional());
    Err(match trigger {
        None => SqlError::new(
            "42501",
            format!("cannot change what stream table {name} consists of, nor refer to it"),
        )
        .hint("Change the stream table itself, or what its query reads. It can have indexes, and triggers AFTER the statement.")
        .about(&name),
        Some(trigger) => SqlError::new(
            "42501",
            format!("trigger {trigger} on {name} cannot call pgtrickle.maintain(): it is for the triggers of stream tables only"),
        )
        .hint("pg_trickle creates the triggers that it needs."),
    })
}

/// The view that users see stays as we made it, but for its name, schema and owner.
fn refuse_other_views() -> Result<()> {
    let name = spi::catalog_value(
        concat!(
            "SELECT format('%I.%I', n.nspname, v.relname) FROM pg_event_trigger_ddl_commands() c \
         LEFT JOIN pg_rewrite w ON c.classid = 'pg_rewrite'::regclass AND w.oid = c.objid \
         JOIN pgtrickle.stream_table t ON t.relid = CASE WHEN c.classid = 'pg_class'::regclass THEN c.objid ELSE w.ev_class END \
         JOIN pg_class v ON v.oid = t.relid JOIN pg_namespace n ON n.oid = v.relnamespace \
         WHERE (c.command_tag IN ('CREATE VIEW', 'CREATE RULE') OR EXISTS (SELECT FROM pg_attribute a JOIN pg_attribute o \
         ON o.attnum = a.attnum WHERE a.attrelid = t.relid AND o.attrelid = t.definition AND o.attname <> a.attname)) AND ",
            is_bound!(),
            " LIMIT 1"
        ),
        &[],
    )?;
    match name {
        None => Ok(()),
        Some(name) => Err(SqlError::new(
            "0A000",
            format!("cannot give {name} another view, another rule or other columns: it is a stream table"),
        )
        .hint("Use pgtrickle.alter_stream_table to give it another query, or make a view over it.")
        .about(&name)),
    }
}

/// Storage and definition belong to the owner of the view that users see.
fn follow_owners() -> Result<()> {
    let rows = spi::catalog(
        "SELECT format('%I.%I', pn.nspname, p.relname), pg_get_userbyid(v.relowner) \
         FROM pg_event_trigger_ddl_commands() c JOIN pgtrickle.stream_table t ON t.relid = c.objid \
         JOIN pg_class v ON v.oid = t.relid JOIN pg_class p ON p.oid IN (t.storage, t.definition) \
         OR p.oid IN (SELECT g.storage FROM pgtrickle.stage g WHERE g.id = t.id) \
         JOIN pg_namespace pn ON pn.oid = p.relnamespace \
         WHERE c.classid = 'pg_class'::regclass AND p.relowner <> v.relowner",
        &[],
    )?;
    for row in rows {
        let mut values = Values::of(row);
        let (part, owner) = (values.text()?, values.text()?);
        spi::catalog(&statements::give(&part, &owner), &[])?;
    }
    Ok(())
}

/// Users made or dropped triggers of stream tables, if there are such rows: the storage is watched for them.
fn follow_triggers(found: &[Row]) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    session::forget_tables();
    triggers::sync()
}

/// Compiles these stream tables again, and runs their queries again.
fn renew(ids: Vec<i32>) -> Result<()> {
    let mut affected = Vec::new();
    for id in ids {
        locks::take_catalog()?;
        locks::take(std::iter::once(id))?;
        session::forget(id);
        affected.push(load::load(id)?);
    }
    affected.sort_by_key(|stage| (stage.depth, stage.id));
    for stage in affected {
        // One below it may have moved its storage too.
        let stage = load::load(stage.id)?;
        match &stage.fallback {
            Some(reason) => renew_one(&stage, Some(reason))?,
            None => fallback::attempt(|reason| renew_one(&stage, reason))?,
        }
    }
    Ok(())
}

fn renew_one(stage: &StreamTable, reason: Option<&str>) -> Result<()> {
    let stage = replace::refit(stage, reason)?;
    if !stage.populated {
        return Ok(());
    }
    if session::is_active() {
        for part in &stage.stages {
            if let Some(relid) = part.first_source() {
                session::push(PendingChange::opaque(relid));
            }
        }
        return Ok(());
    }
    fallback::rebuild(&stage).map(|_| ())
}
