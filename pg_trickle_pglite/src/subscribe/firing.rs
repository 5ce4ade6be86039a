//! Fires the triggers that users made on stream tables: AFTER .. FOR EACH STATEMENT, once maintenance has changed rows.
//!
//! Nobody writes to a stream table, so PostgreSQL would never fire them. A statement of ours on the view that writes no
//! row does. PostgreSQL then evaluates WHEN, orders the triggers, and calls their functions as it always does.

use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::Steps;
use crate::runtime::load;
use crate::runtime::session::{self, NotedRow};
use crate::runtime::stream_table::StreamTable;
use crate::schema::statements::{self, Write};
use pg_trickle_core::sorted::Map;
use std::cell::Cell;

/// How often triggers may fire inside each other. PostgreSQL itself would go on until the stack is full.
const TOO_DEEP: u32 = 20;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Counts the firings inside each other.
struct Depth;

impl Depth {
    fn enter(name: &str) -> Result<Self> {
        let depth = DEPTH.get();
        if depth == TOO_DEEP {
            return Err(SqlError::new(
                "54001",
                format!("the triggers of stream table {name} do not end: what they write fires them again"),
            )
            .hint("Let them write to tables that the stream table does not read, or only as long as there is work.")
            .about(name));
        }
        DEPTH.set(depth + 1);
        Ok(Self)
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Fires the triggers of the stream tables that maintenance has changed. Call it when they are all up to date.
pub fn fire() -> Result<()> {
    let noted = session::take_noted();
    if noted.is_empty() {
        return Ok(());
    }
    for (id, changed) in net(noted).iter() {
        // A trigger that has fired before may have dropped it.
        let Some(table) = load::find(*id)? else { continue };
        for write in [Write::Insert, Write::Update, Write::Delete] {
            if changed[write as usize] && table.triggers & write.trigger_type() != 0 {
                fire_one(&table, write)?;
            }
        }
    }
    Ok(())
}

/// Forgets what has changed: DDL fires no triggers.
pub fn forget() {
    drop(session::take_noted());
}

fn fire_one(table: &StreamTable, write: Write) -> Result<()> {
    let _depth = Depth::enter(&table.name)?;
    let Some(top) = table.stages.last() else { return Ok(()) };
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let text = statements::write_nothing(&table.name, &columns, write);
    let steps = Steps::new([(text.as_str(), false)].into_iter());
    let _allowed = session::Allowed::write(table.relid);
    top.fire(&steps)
}

/// What has happened to the rows of each stream table, by [`Write`]. As for subscribers, rows that are removed and added
/// again have not changed, and a row that has a key and comes back with other values is updated.
fn net(mut noted: Vec<NotedRow>) -> Map<i32, [bool; 3]> {
    // By stream table, key and row.
    noted.sort_unstable();
    let mut changed: Map<i32, [bool; 3]> = Map::new();
    for of_key in noted.chunk_by(|a, b| (a.id, &a.key) == (b.id, &b.key)) {
        // Whether rows were removed and added.
        let mut sides = [false; 2];
        for of_row in of_key.chunk_by(|a, b| a.row == b.row) {
            let weight: i64 = of_row.iter().map(|row| row.weight).sum();
            if weight != 0 {
                sides[usize::from(weight > 0)] = true;
            }
        }
        // Rows without a key have nothing in common.
        let writes: &[Write] = match (sides, of_key[0].key.is_empty()) {
            ([false, false], _) => continue,
            ([true, true], true) => &[Write::Insert, Write::Delete],
            ([true, true], false) => &[Write::Update],
            ([true, false], _) => &[Write::Delete],
            ([false, true], _) => &[Write::Insert],
        };
        for write in writes {
            changed.or_default(of_key[0].id)[*write as usize] = true;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(row: &str, key: &str, weight: i64) -> NotedRow {
        NotedRow {
            id: 1,
            row: row.to_owned(),
            key: key.to_owned(),
            weight,
        }
    }

    #[test]
    fn only_net_changes_count() {
        let of = |rows: Vec<NotedRow>| net(rows).get(&1).copied().unwrap_or_default();
        assert_eq!(of(vec![noted("(1,a)", "1", -1), noted("(1,a)", "1", 1)]), [false; 3]);
        let updated = vec![noted("(1,a)", "1", -1), noted("(1,b)", "1", 1)];
        assert_eq!(of(updated), [false, true, false]);
        let moved = vec![noted("(1,a)", "1", -1), noted("(2,a)", "2", 1)];
        assert_eq!(of(moved), [true, false, true]);
        let without_key = vec![noted("(1,a)", "", -1), noted("(1,b)", "", 1)];
        assert_eq!(of(without_key), [true, false, true]);
        let fewer_copies = vec![noted("(1)", "", -1), noted("(1)", "", -1), noted("(1)", "", 1)];
        assert_eq!(of(fewer_copies), [false, false, true]);
    }
}
