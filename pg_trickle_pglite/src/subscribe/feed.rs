//! The rows that subscribers receive, as users see them: all rows to begin with, then each change.

use super::outbox;
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::{Delta, Event, Operation, Steps};
use crate::edge::spi;
use crate::runtime::session::{self, Busy, NotedRow};
use crate::runtime::stream_table::StreamTable;
use crate::runtime::{load, subscribers};
use crate::schema::triggers;
use pg_trickle_core::sorted::Map;
use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::rc::Rc;

/// The name of the changed rows in [`StreamTable::change_rows`].
const ROWS: &CStr = c"__pgt_change_rows";

/// Statements, with the stream table they were made for.
type Kept = (Rc<StreamTable>, Rc<Steps>);

thread_local! {
    /// The statements that pass changed rows to [`row`].
    static STEPS: RefCell<Map<i32, Kept>> = const { RefCell::new(Map::new()) };
    /// The kind of change and the stream table for which [`row`] is called.
    static CHANGE: Cell<Option<Change>> = const { Cell::new(None) };
}

/// Who learns of the rows that one of our statements passes on.
#[derive(Clone, Copy)]
struct Change {
    letter: char,
    id: i32,
    /// Users' triggers.
    is_noted: bool,
    /// Subscribers.
    is_followed: bool,
}

/// Cleans up after the subscribers of an earlier session.
pub fn tidy() -> Result<()> {
    let _busy = Busy::start();
    triggers::tidy()
}

/// Starts to follow a stream table for a subscriber, with its current rows.
pub fn open(id: &str, subscriber: &str) -> Result<()> {
    let id = spi::number(id)?;
    outbox::must_be_open()?;
    subscribers::add(id, subscriber);
    follow()?;
    state(&*load::load(id)?, subscriber)
}

/// Stops following for a subscriber.
pub fn close(subscriber: &str) -> Result<()> {
    if let Some(id) = subscribers::remove(subscriber) {
        outbox::record('X', id, ["", subscriber]);
        if !subscribers::follow(id) {
            forget_steps(id);
        }
    }
    follow()
}

fn follow() -> Result<()> {
    session::forget_tables();
    let _busy = Busy::start();
    triggers::sync()
}

/// A row that one of our statements passes on.
pub fn row(row: &str, key: &str) -> Result<()> {
    match CHANGE.get() {
        Some(change) => {
            if change.is_noted {
                session::note(NotedRow {
                    id: change.id,
                    row: row.to_owned(),
                    key: key.to_owned(),
                    weight: if change.letter == '-' { -1 } else { 1 },
                });
            }
            if change.is_followed {
                outbox::record(change.letter, change.id, [row, key]);
            }
            Ok(())
        }
        None => Err(SqlError::internal("a row outside of a change")),
    }
}

const fn give(change_rows: &str) -> [&str; 3] {
    [
        "SELECT pg_catalog.count(pgtrickle.command('row', q.r, q.k)) FROM (",
        change_rows,
        ") AS q(r, k)",
    ]
}

fn run(table: &StreamTable, letter: char, steps: &Steps, deltas: &[Delta], keep: bool) -> Result<()> {
    let Some(top) = table.stages.last() else {
        return Ok(());
    };
    CHANGE.set(Some(Change {
        letter,
        id: table.id,
        is_noted: letter != 's' && table.triggers != 0,
        is_followed: subscribers::follow(table.id),
    }));
    let _ended = EndOfChange;
    top.run(steps, deltas, keep).map(|_| ())
}

/// Ends a change, also after an error or a panic.
struct EndOfChange;

impl Drop for EndOfChange {
    fn drop(&mut self) {
        CHANGE.set(None);
    }
}

/// Records what a statement changed in the storage of a stream table.
pub fn change(id: i32, event: &Event) -> Result<()> {
    let table = load::load(id)?;
    if event.operation() == Operation::Truncate {
        return renewed(&table);
    }
    let known = STEPS.with_borrow(|steps| steps.get(&id).cloned());
    let steps = match known {
        Some((of, steps)) if Rc::ptr_eq(&of, &table) => steps,
        Some(_) | None => {
            let text = give(&table.change_rows).concat();
            let steps = Rc::new(Steps::new([(text.as_str(), false)].into_iter()));
            let replaced = STEPS.with_borrow_mut(|kept| kept.insert(id, (Rc::clone(&table), Rc::clone(&steps))));
            drop(replaced);
            steps
        }
    };
    for (letter, rows) in [('-', event.removed()), ('+', event.added())] {
        if let Some((store, _)) = rows {
            let delta = Delta {
                name: ROWS,
                relid: event.relid(),
                store,
                estimate: 1.0,
            };
            run(&table, letter, &steps, &[delta], true)?;
        }
    }
    Ok(())
}

/// Records all rows, for one subscriber or for all.
fn state(table: &StreamTable, subscriber: &str) -> Result<()> {
    // Types as PostgreSQL reports them with a result: the base types of domains.
    let description = spi::catalog_value(
        "SELECT json_build_object('schema', n.nspname, 'name', c.relname, 'key', t.key, 'columns', (SELECT \
         coalesce(json_agg(json_build_array(a.attname, (WITH RECURSIVE base(oid) AS (SELECT a.atttypid UNION ALL \
         SELECT d.typbasetype FROM base b JOIN pg_type d ON d.oid = b.oid WHERE d.typtype = 'd') \
         SELECT b.oid::int8 FROM base b JOIN pg_type y ON y.oid = b.oid WHERE y.typtype <> 'd')) ORDER BY a.attnum), '[]') \
         FROM pg_attribute a WHERE a.attrelid = t.relid AND a.attnum > 0)) \
         FROM pgtrickle.stream_table t JOIN pg_class c ON c.oid = t.relid \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.id = $1::int",
        &[Some(&table.id.to_string())],
    )?;
    outbox::begin_state(table.id, description.as_deref().unwrap_or_default(), subscriber);
    let [select, rows, end] = give(&table.change_rows);
    let name = ROWS.to_string_lossy();
    let text = format!(
        "WITH {name} AS (SELECT * FROM {}) {select}{rows}{end}",
        table.storage_name()
    );
    let steps = Steps::new([(text.as_str(), false)].into_iter());
    run(table, 's', &steps, &[], false)?;
    outbox::record('E', table.id, ["", subscriber]);
    Ok(())
}

/// The rows or columns of a stream table have changed without a change of its storage.
pub fn renewed(table: &StreamTable) -> Result<()> {
    if subscribers::follow(table.id) {
        state(table, "")
    } else {
        Ok(())
    }
}

/// Frees the plans that pass on the changes of a stream table.
fn forget_steps(id: i32) {
    let steps = STEPS.with_borrow_mut(|kept| kept.remove(&id));
    drop(steps);
}

/// A stream table was dropped.
pub fn dropped(id: i32) {
    forget_steps(id);
    if subscribers::follow(id) {
        outbox::record('D', id, [""; 2]);
    }
}
