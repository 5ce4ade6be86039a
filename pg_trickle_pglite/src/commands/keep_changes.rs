//! `keep_changes`: from when on, and for how long, the changes of a stream table are kept.

use super::{fallback, find, must_be_idle};
use crate::edge::error::{Result, SqlError};
use crate::edge::spi;
use crate::runtime::load;
use crate::runtime::session::Busy;
use crate::schema::{description, triggers};
use crate::subscribe::{feed, kept};

/// Starts a feed, changes how much it keeps, or ends it. Returns the number after which it goes on, nothing at its end.
pub fn run(name: &str, retain: Option<&str>, max_age: Option<&str>) -> Result<String> {
    must_be_idle("start or end a feed")?;
    let found = find::stream_table(name)?;
    find::must_own(&found)?;
    check(retain, max_age).map_err(|error| error.about(&found.name))?;
    fallback::fit(found.id)?;
    let _busy = Busy::start();
    let table = load::load(found.id)?;
    let was_kept = table.change_documents.is_some();
    let is_kept = retain != Some("0");
    if is_kept && table.windows_on_read {
        return Err(feed::unstored("keep the changes of", &table.name));
    }
    let id = found.id.to_string();
    if is_kept {
        // After all numbers that there were, so that a reader of one feed cannot take another for it.
        spi::catalog(
            "INSERT INTO pgtrickle.feed AS f (id, retain, max_age, start, gone, trimmed, last) \
             SELECT $1::int, $2::bigint, $3::interval, m.last, m.last, m.last, m.last \
             FROM (SELECT coalesce(max(last), 0) FROM pgtrickle.feed) AS m(last) ON CONFLICT (id) DO UPDATE \
             SET retain = excluded.retain, max_age = excluded.max_age, \
             start = CASE WHEN f.retain = 0 THEN excluded.last ELSE f.start END, \
             last = CASE WHEN f.retain = 0 THEN excluded.last ELSE f.last END, \
             gone = CASE WHEN f.retain = 0 THEN excluded.last ELSE greatest(f.gone, f.last - excluded.retain) END",
            &[Some(&id), retain, max_age],
        )?;
    } else {
        spi::catalog(
            "UPDATE pgtrickle.feed SET retain = 0, gone = last WHERE id = $1::int",
            &[Some(&id)],
        )?;
    }
    spi::catalog(
        "DELETE FROM pgtrickle.change c USING pgtrickle.feed f WHERE f.id = $1::int AND c.id = f.id AND c.seq <= f.gone",
        &[Some(&id)],
    )?;
    let last = spi::catalog_value(
        "UPDATE pgtrickle.feed SET trimmed = gone WHERE id = $1::int RETURNING last",
        &[Some(&id)],
    )?;
    if was_kept != is_kept {
        kept::start(found.id);
        feed::forget_steps(found.id);
        description::announce(&[found.id])?;
        triggers::sync()?;
    }
    Ok(last.filter(|_| is_kept).unwrap_or_default())
}

fn check(retain: Option<&str>, max_age: Option<&str>) -> Result<()> {
    if retain.is_some_and(|count| count.starts_with('-')) {
        return Err(SqlError::new("22023", "the number of changes to retain is negative")
            .hint("Give the number of changes that are kept, NULL for all, or 0 to end the feed."));
    }
    if max_age.is_some() {
        let is_positive = spi::catalog_value("SELECT $1::interval > '0'", &[max_age])?;
        if is_positive.as_deref() != Some("t") {
            return Err(
                SqlError::new("22023", "the age up to which changes are kept is not positive")
                    .hint("Give an interval, such as '7 days', or NULL for any age."),
            );
        }
    }
    Ok(())
}
