//! `drop_stream_table`, and the cleanup after a stream table was dropped in any other way.

use super::{find, must_be_idle};
use crate::edge::error::Result;
use crate::edge::spi::{self, Values};
use crate::runtime::{locks, session};
use crate::schema::{description, statements, triggers};
use crate::subscribe::{feed, kept};

/// Drops the user's view; the event trigger removes the rest, as it does for any other way of dropping it.
pub fn run(name: &str, cascade: bool) -> Result<()> {
    must_be_idle("drop a stream table")?;
    let found = find::stream_table(name)?;
    locks::take_catalog()?;
    locks::take(std::iter::once(found.id))?;
    let dropped = spi::users_text(&statements::drop_view(&found.name, cascade));
    dropped.map_err(|mut error| {
        error.context = None;
        if error.sqlstate == "2BP01" {
            error.hint = Some("Drop what depends on it first, or pass cascade => true.".to_owned());
        }
        error.about(&found.name)
    })
}

/// Removes the remains of stream tables whose view is gone, including those dropped while event triggers were off. In a
/// dump's stream table, CASCADE may have taken the definition and left the view.
pub fn sweep() -> Result<()> {
    loop {
        let rows = spi::catalog(
            "SELECT id FROM pgtrickle.stream_table t WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.relid) \
             OR NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.definition)",
            &[],
        )?;
        let gone: Vec<i32> = spi::column(rows)?;
        if gone.is_empty() {
            return Ok(());
        }
        clean(&gone)?;
    }
}

fn clean(gone: &[i32]) -> Result<()> {
    locks::take_catalog()?;
    locks::take(gone.iter().copied())?;
    for id in gone {
        let key = id.to_string();
        // In a dump's stream table they are not bound to the view.
        let parts = spi::catalog(
            "SELECT format('%s %I.%I', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, n.nspname, c.relname) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN (SELECT $1::int) k(id) ON c.oid IN \
             (SELECT unnest(ARRAY[t.relid, t.storage, t.definition]) FROM pgtrickle.stream_table t WHERE t.id = k.id UNION ALL \
             SELECT g.storage FROM pgtrickle.stage g WHERE g.id = k.id) ORDER BY c.relkind DESC",
            &[Some(&key)],
        )?;
        spi::catalog("DELETE FROM pgtrickle.stage WHERE id = $1::int", &[Some(&key)])?;
        spi::catalog("DELETE FROM pgtrickle.source WHERE id = $1::int", &[Some(&key)])?;
        spi::catalog("DELETE FROM pgtrickle.stream_table WHERE id = $1::int", &[Some(&key)])?;
        kept::dropped(&key)?;
        session::forget(*id);
        feed::dropped(*id);
        for part in parts {
            spi::catalog(&statements::drop(&Values::of(part).text()?), &[])?;
        }
    }
    locks::forget_gone()?;
    triggers::sync()?;
    description::announce(gone)
}
