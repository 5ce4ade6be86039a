//! `advance`: moves the stream tables that depend on the clock to the present.

use super::{fallback, must_be_idle};
use crate::edge::error::Result;
use crate::edge::spi::{self, Values};
use crate::runtime::load::is_bound;
use crate::runtime::stream_table::StageRunner;
use crate::runtime::{load, locks};
use pg_trickle_core::json::Json;
use std::rc::Rc;

/// Applies what time has changed, and says how many stream tables it has changed, and how many of their rows.
pub fn run() -> Result<String> {
    must_be_idle("advance stream tables")?;
    let rows = spi::catalog(
        concat!(
            "SELECT t.id FROM pgtrickle.stage g JOIN pgtrickle.stream_table t ON t.id = g.id \
             WHERE g.is_clock AND t.status = 'ACTIVE' AND ",
            is_bound!()
        ),
        &[],
    )?;
    let ids: Vec<i32> = spi::column(rows)?;
    let mut due = due(&ids)?;
    // Another session may have advanced one that this one had to wait for.
    while locks::take(due.iter().map(|clock| clock.key.0))? {
        due = self::due(&ids)?;
    }
    let mut changed = [0, 0];
    if !due.is_empty() {
        let before = counters()?;
        fallback::advance(&due)?;
        for (storage, count) in counters()? {
            let was = before
                .iter()
                .find(|(known, _)| *known == storage)
                .map_or(0, |(_, was)| *was);
            if count > was {
                changed[0] += 1;
                changed[1] += count - was;
            }
        }
    }
    let [tables, rows] = changed;
    Ok(Json::Object(vec![
        ("stream_tables", Json::Number(tables)),
        ("rows", Json::Number(rows)),
    ])
    .write())
}

/// The clocks of those of these stream tables that time has changed, lowest first.
fn due(ids: &[i32]) -> Result<Vec<Rc<StageRunner>>> {
    let mut due = Vec::new();
    for id in ids {
        let table = load::load(*id)?;
        if let Some(clock) = table.clock()
            && clock.is_due()?
        {
            due.push(Rc::clone(clock));
        }
    }
    due.sort_by_key(|clock| clock.order());
    Ok(due)
}

/// The rows of each stream table that this transaction has written so far, as PostgreSQL counts them.
fn counters() -> Result<Vec<(i64, i64)>> {
    let rows = spi::catalog(
        "SELECT storage::oid, pg_stat_get_xact_tuples_inserted(storage) + pg_stat_get_xact_tuples_updated(storage) \
         + pg_stat_get_xact_tuples_deleted(storage) FROM pgtrickle.stream_table",
        &[],
    )?;
    rows.into_iter()
        .map(|row| {
            let mut values = Values::of(row);
            Ok((values.number()?, values.number()?))
        })
        .collect()
}
