//! The rows that subscribers receive, as users see them: all rows to begin with, then each change.

use super::{kept, outbox};
use crate::edge::error::{Result, SqlError};
use crate::edge::ffi::{self, Delta, Event, Oid, Operation, Steps};
use crate::edge::spi;
use crate::runtime::session::{self, Busy, NotedRow};
use crate::runtime::stream_table::StreamTable;
use crate::runtime::{load, rights, subscribers};
use crate::schema::triggers;
use pg_trickle_core::sorted::Map;
use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::rc::Rc;

/// The name of the changed rows in [`StreamTable::change_rows`].
const ROWS: &CStr = c"__pgt_change_rows";

/// The statements that return changed rows as text, and as documents where they are kept, with the stream table they were
/// made for.
type Kept = (Rc<StreamTable>, Rc<(Steps, Option<Steps>)>);

thread_local! {
    /// By stream table.
    static STEPS: RefCell<Map<i32, Kept>> = const { RefCell::new(Map::new()) };
    /// The table of all stream tables, when the last subscriber came.
    static CATALOG: Cell<Option<Oid>> = const { Cell::new(None) };
}

/// Cleans up after the subscribers of an earlier session.
pub fn tidy() -> Result<()> {
    let _busy = Busy::start();
    triggers::tidy()
}

/// Starts to follow a stream table, which the current user may read, for a subscriber, with its current rows.
pub fn open(id: i32, subscriber: &str) -> Result<()> {
    outbox::must_be_open()?;
    CATALOG.set(catalog()?);
    subscribers::add(id, subscriber, ffi::current_user());
    follow()?;
    state(&*load::load(id)?, subscriber)
}

/// Stops following for a subscriber. Nobody else can guess its name.
pub fn close(subscriber: &str) -> Result<()> {
    let Some(id) = subscribers::remove(subscriber) else {
        return Ok(());
    };
    outbox::record('X', id, ["", subscriber]);
    if !subscribers::follow(id) {
        forget_steps(id);
    }
    follow()
}

/// Tells the subscribers whose role may no longer read a stream table that they have ended. The plugin then closes them,
/// unless the transaction that took the privilege away rolls back.
fn dismiss(table: &StreamTable) -> Result<()> {
    let mut roles: Map<Oid, bool> = Map::new();
    for (subscriber, role) in subscribers::of(table.id) {
        let may_read = match roles.get(&role) {
            Some(known) => *known,
            None => rights::may_read(role, table.relid)?,
        };
        roles.insert(role, may_read);
        if !may_read {
            outbox::record('R', table.id, ["", &subscriber]);
        }
    }
    Ok(())
}

fn follow() -> Result<()> {
    session::forget_tables();
    let _busy = Busy::start();
    triggers::sync()
}

/// Records the rows that a statement returns, each with its key, for subscribers and for users' triggers.
fn run(table: &StreamTable, letter: char, steps: &Steps, deltas: &[Delta], keep: bool) -> Result<()> {
    let Some(top) = table.stages.last() else {
        return Ok(());
    };
    let id = table.id;
    let is_noted = letter != 's' && table.triggers != 0;
    let is_followed = subscribers::follow(id);
    if !is_noted && !is_followed {
        return Ok(());
    }
    top.each(steps, deltas, keep, move |row| {
        let [row, key] = [0, 1].map(|n| row.get(n).and_then(Option::as_deref).unwrap_or_default());
        if is_noted {
            session::note(NotedRow {
                id,
                row: row.to_owned(),
                key: key.to_owned(),
                weight: if letter == '-' { -1 } else { 1 },
            });
        }
        if is_followed {
            outbox::record(letter, id, [row, key]);
        }
    })
}

/// Passes on all rows that are stored, in the form in which this query passes on changed ones.
pub fn all_rows(table: &StreamTable, change_rows: &str) -> Steps {
    let text = format!(
        "WITH {} AS (SELECT * FROM {}) SELECT * FROM ({change_rows}) AS q(r, k)",
        ROWS.to_string_lossy(),
        table.storage_name(),
    );
    Steps::new([(text.as_str(), false)].into_iter())
}

/// Notes all rows for users' triggers, as removed or as added: another storage takes the place of the one that is watched. It
/// may have another key, or none.
pub fn note_all(table: &StreamTable, is_added: bool) -> Result<()> {
    let Some(top) = table.stages.last().filter(|_| table.triggers != 0) else {
        return Ok(());
    };
    let (id, weight) = (table.id, if is_added { 1 } else { -1 });
    top.each(&all_rows(table, &table.change_rows), &[], false, move |row| {
        session::note(NotedRow {
            id,
            row: row.first().and_then(Option::clone).unwrap_or_default(),
            key: String::new(),
            weight,
        });
    })
}

/// Records what a statement changed in the storage of a stream table.
pub fn change(id: i32, event: &Event) -> Result<()> {
    let table = load::load(id)?;
    if event.operation() == Operation::Truncate || table.windows_on_read {
        // What subscribers make of it is the difference.
        return renewed(&table);
    }
    let known = STEPS.with_borrow(|steps| steps.get(&id).cloned());
    let steps = match known {
        Some((of, steps)) if Rc::ptr_eq(&of, &table) => steps,
        Some(_) | None => {
            dismiss(&table)?;
            let steps_of = |text: &String| Steps::new([(text.as_str(), false)].into_iter());
            let steps = Rc::new((
                steps_of(&table.change_rows),
                table.change_documents.as_ref().map(steps_of),
            ));
            let replaced = STEPS.with_borrow_mut(|kept| kept.insert(id, (Rc::clone(&table), Rc::clone(&steps))));
            drop(replaced);
            steps
        }
    };
    let (texts, documents) = &*steps;
    for (letter, rows) in [('-', event.removed()), ('+', event.added())] {
        if let Some((store, _)) = rows {
            let delta = Delta {
                name: ROWS,
                relid: event.relid(),
                store,
                estimate: 1.0,
            };
            let deltas = [delta];
            run(&table, letter, texts, &deltas, true)?;
            if let Some(documents) = documents {
                kept::note(&table, letter == '+', documents, &deltas)?;
            }
        }
    }
    Ok(())
}

/// The error for what needs every change as it happens, of a stream table whose windows are computed on read.
pub fn unstored(what: &str, name: &str) -> Box<SqlError> {
    SqlError::new(
        "0A000",
        format!("cannot {what} a stream table whose windows are computed on read"),
    )
    .hint("Alter it with windows => 'stored', or subscribe to it.")
    .about(name)
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
    let steps = all_rows(table, &table.change_rows);
    run(table, 's', &steps, &[], false)?;
    outbox::record('E', table.id, ["", subscriber]);
    Ok(())
}

/// The rows or columns of a stream table have changed without a change of its storage.
pub fn renewed(table: &StreamTable) -> Result<()> {
    if subscribers::follow(table.id) {
        dismiss(table)?;
        state(table, "")
    } else {
        Ok(())
    }
}

/// Frees the plans that pass on the changes of a stream table.
pub fn forget_steps(id: i32) {
    let steps = STEPS.with_borrow_mut(|kept| kept.remove(&id));
    drop(steps);
}

/// Ends all subscriptions where the extension was dropped, which fires none of its event triggers. Another one that takes
/// its place has other stream tables.
pub fn end_if_gone() -> Result<()> {
    kept::may_be_gone();
    if subscribers::followed().is_some() && catalog()? != CATALOG.get() {
        subscribers::all().into_iter().for_each(dropped);
    }
    Ok(())
}

/// The table of all stream tables.
fn catalog() -> Result<Option<Oid>> {
    spi::catalog_number("SELECT to_regclass($1)::oid", &[Some("pgtrickle.stream_table")])
}

/// A stream table was dropped.
pub fn dropped(id: i32) {
    forget_steps(id);
    if subscribers::follow(id) {
        outbox::record('D', id, [""; 2]);
    }
}
