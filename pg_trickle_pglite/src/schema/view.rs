//! The view that users see: replaced where its columns allow it, otherwise recreated with its grants and comments.

use super::{statements, storage};
use crate::edge::error::{Result, SqlError};
use crate::edge::spi::{self, Values};
use crate::runtime::load::Compiled;
use crate::runtime::stream_table::StreamTable;

/// Makes the view show what a definition compiles to. `bound`: the definition already belongs to the view.
pub fn show(before: &StreamTable, definition: &str, compiled: &Compiled, bound: bool) -> Result<()> {
    let select = &compiled.view;
    if fits(before, definition)? {
        storage::run(&statements::user_view(&before.name, select, true), before.role)?;
    } else if bound {
        return Err(SqlError::internal("the columns of a definition changed under it"));
    } else {
        remake(before, select)?;
    }
    if !bound {
        storage::bind(definition, &before.name)?;
    }
    Ok(())
}

/// Whether the view can be replaced: its columns must stay, though others may follow.
fn fits(before: &StreamTable, definition: &str) -> Result<bool> {
    let different = spi::catalog(
        "SELECT 1 FROM pg_attribute o LEFT JOIN pg_attribute n ON n.attrelid = $2::regclass AND n.attnum = o.attnum \
         WHERE o.attrelid = $1::oid AND o.attnum > 0 AND (n.attname, n.atttypid, n.atttypmod, n.attcollation) \
         IS DISTINCT FROM (o.attname, o.atttypid, o.atttypmod, o.attcollation)",
        &[Some(&before.relid.to_string()), Some(definition)],
    )?;
    Ok(different.is_empty())
}

fn remake(before: &StreamTable, select: &str) -> Result<()> {
    let restore = spi::catalog(
        "SELECT format('GRANT %s ON TABLE %s TO %s%s', a.privilege_type, $2, CASE a.grantee WHEN 0 THEN 'PUBLIC' \
         ELSE quote_ident(pg_get_userbyid(a.grantee)) END, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) \
         FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1::oid AND a.grantee <> c.relowner \
         UNION ALL SELECT format('COMMENT ON VIEW %s IS %L', $2, d.description) FROM pg_description d \
         WHERE d.classoid = 'pg_class'::regclass AND d.objoid = $1::oid AND d.objsubid = 0 \
         UNION ALL SELECT pg_get_triggerdef(g.oid) FROM pg_trigger g WHERE g.tgrelid = $1::oid AND NOT g.tgisinternal \
         AND g.tgfoid <> 'pgtrickle.maintain()'::regprocedure",
        &[Some(&before.relid.to_string()), Some(&before.name)],
    )?;
    let key = before.id.to_string();
    let below = spi::catalog(
        "DELETE FROM pg_depend d USING pgtrickle.stage g WHERE g.id = $1::int AND d.classid = 'pg_class'::regclass \
         AND d.objid = g.storage AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $2::oid AND d.deptype = 'i' \
         RETURNING g.storage::text",
        &[Some(&key), Some(&before.relid.to_string())],
    )?;
    spi::users_text(&statements::drop_view(&before.name, false)).map_err(|mut error| {
        if error.sqlstate == "2BP01" {
            error.message = "the new query has other columns, and other objects depend on the old ones".to_owned();
            error.hint = Some(
                "Keep names, types and order of the columns and add new ones at the end, or drop what depends on them."
                    .to_owned(),
            );
        }
        error.context = None;
        error
    })?;
    storage::run(&statements::user_view(&before.name, select, false), before.role)?;
    for statement in statements::refuse_writes(&before.name) {
        spi::catalog(&statement, &[])?;
    }
    for row in restore {
        spi::catalog(&Values::of(row).text()?, &[])?;
    }
    for row in below {
        storage::bind(&Values::of(row).text()?, &before.name)?;
    }
    spi::catalog(
        "UPDATE pgtrickle.stream_table SET relid = $2::regclass WHERE id = $1::int",
        &[Some(&key), Some(&before.name)],
    )?;
    Ok(())
}
