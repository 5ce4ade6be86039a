//! Hands the changes of stream tables that have subscribers to JavaScript, when their transaction has committed.
//!
//! What is handed over are records of three texts, each with a zero byte after it: a letter and the number of a stream
//! table, then
//!
//! - `+` `-`: a row that came or went, as PostgreSQL writes a row, and the text of its key, empty where it has none;
//! - `S`: a description of the stream table as JSON, and who reads it, empty for all; an `s` with each of its rows
//!   follows, then `E`. It is the state at this point of the transaction;
//! - `L`: an `S` for this reader was lost with a transaction or a part of one that was rolled back;
//! - `X`: this reader reads no longer;
//! - `D`: the stream table was dropped.

use crate::error::{Result, SqlError};
use crate::ffi::{self, Delta, Event, Oid, Operation, Steps};
use crate::session::{self, Busy};
use crate::stages::{self, StreamTable};
use crate::{spi, sql, triggers};
use pg_trickle_core::sorted::Map;
use std::cell::RefCell;
use std::ffi::CStr;
use std::rc::Rc;

/// The name of changed rows in [`StreamTable::shown`].
const ROWS: &CStr = c"__pgt_shown";

#[derive(Default)]
struct Push {
    /// JavaScript's function, 0 before there is one.
    function: usize,
    /// A name that the plugin gave itself.
    channel: String,
    /// Stream tables with the names of those that read them.
    readers: Vec<(i32, String)>,
    /// Records of the transaction.
    bytes: Vec<u8>,
    /// Where in these the states for one reader stand.
    states: Vec<(usize, i32, String)>,
    /// Records of those that a rollback took.
    lost: Vec<u8>,
    /// What the next rows are the change of.
    row: Option<(char, i32)>,
}

/// Statements, with what they were made for.
type Kept = (Rc<StreamTable>, Rc<Steps>);

thread_local! {
    static PUSH: RefCell<Push> = RefCell::default();
    /// Those that give changed rows to [`row`].
    static STEPS: RefCell<Map<i32, Kept>> = const { RefCell::new(Map::new()) };
}

fn with<T>(body: impl FnOnce(&mut Push) -> T) -> T {
    PUSH.with(|push| body(&mut push.borrow_mut()))
}

fn record(to: &mut Vec<u8>, letter: char, id: i32, texts: [&str; 2]) {
    to.extend_from_slice(format!("{letter}{id}").as_bytes());
    for text in texts {
        to.push(0);
        to.extend_from_slice(text.as_bytes());
    }
    to.push(0);
}

/// From now on changes go to this function. Once in a session: a wrong number would end it. Answers with the channel on
/// which the plugin passes them on.
pub fn listen(function: &str, channel: &str) -> String {
    with(|push| {
        if push.function == 0 {
            push.function = function.parse().unwrap_or_default();
            channel.clone_into(&mut push.channel);
        }
        push.channel.clone()
    })
}

/// Takes away what subscribers of a session before left behind.
pub fn tidy() -> Result<()> {
    let _busy = Busy::start();
    triggers::tidy()
}

/// Starts to follow a stream table for a reader, with its present rows.
pub fn open(id: &str, reader: &str) -> Result<()> {
    let id = id.parse().unwrap_or_default();
    let ready = with(|push| {
        if !push.readers.iter().any(|(_, name)| name == reader) {
            push.readers.push((id, reader.to_owned()));
        }
        push.function != 0
    });
    if !ready {
        return Err(
            SqlError::new("55000", "nobody takes the changes of stream tables in this session")
                .hint("Open the database with the plugin: PGlite.create({ extensions: { trickle } })."),
        );
    }
    follow()?;
    state(&*stages::load(id)?, reader)
}

/// Follows no stream table for this reader any more.
pub fn close(reader: &str) -> Result<()> {
    let read = with(|push| {
        let Push { readers, bytes, .. } = push;
        let read = readers.iter().find(|(_, name)| name == reader).map(|(id, _)| *id);
        readers.retain(|(_, name)| name != reader);
        if let Some(id) = read {
            record(bytes, 'X', id, ["", reader]);
        }
        read
    });
    if let Some(id) = read.filter(|id| !is_read(*id)) {
        forget_steps(id);
    }
    follow()
}

fn follow() -> Result<()> {
    session::forget_tables();
    let _busy = Busy::start();
    triggers::sync()
}

fn is_read(id: i32) -> bool {
    with(|push| push.readers.iter().any(|(read, _)| *read == id))
}

/// The stream tables that have readers, as text of an array.
#[must_use]
pub fn read() -> String {
    let ids: Vec<String> = with(|push| push.readers.iter().map(|(id, _)| id.to_string()).collect());
    sql::array(&ids)
}

/// The stream table with readers that has this storage.
pub fn stream_table_of(storage: Oid) -> Result<Option<i32>> {
    if with(|push| push.readers.is_empty()) {
        return Ok(None);
    }
    let id = spi::catalog_value(
        "SELECT id FROM pgtrickle.stream_table WHERE storage = $1::oid AND id = ANY ($2::int[])",
        &[Some(&storage.to_string()), Some(&read())],
    )?;
    Ok(id.and_then(|id| id.parse().ok()))
}

/// A row that a statement of ours gives.
pub fn row(row: &str, key: &str) -> Result<()> {
    with(|push| match push.row {
        Some((letter, id)) => {
            record(&mut push.bytes, letter, id, [row, key]);
            Ok(())
        }
        None => Err(SqlError::internal("a row of no change")),
    })
}

const fn give(shown: &str) -> [&str; 3] {
    [
        "SELECT pg_catalog.count(pgtrickle.command('row', q.r, q.k)) FROM (",
        shown,
        ") AS q(r, k)",
    ]
}

fn run(table: &StreamTable, letter: char, steps: &Steps, deltas: &[Delta], keep: bool) -> Result<()> {
    let Some(top) = table.stages.last() else {
        return Ok(());
    };
    with(|push| push.row = Some((letter, table.id)));
    let result = top.run(steps, deltas, keep);
    with(|push| push.row = None);
    result.map(|_| ())
}

/// A statement has changed the storage of a stream table.
pub fn change(id: i32, event: &Event) -> Result<()> {
    let table = stages::load(id)?;
    if event.operation() == Operation::Truncate {
        return state(&table, "");
    }
    let known = STEPS.with_borrow(|steps| steps.get(&id).cloned());
    let steps = match known {
        Some((of, steps)) if Rc::ptr_eq(&of, &table) => steps,
        Some(_) | None => {
            let text = give(&table.shown).concat();
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

/// All rows, for one reader or for all.
fn state(table: &StreamTable, reader: &str) -> Result<()> {
    // Types as PostgreSQL gives them with a result: those that domains are over.
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
    with(|push| {
        if !reader.is_empty() {
            push.states.push((push.bytes.len(), table.id, reader.to_owned()));
        }
        let description = description.as_deref().unwrap_or_default();
        record(&mut push.bytes, 'S', table.id, [description, reader]);
    });
    let [select, shown, end] = give(&table.shown);
    let name = ROWS.to_string_lossy();
    let text = format!("WITH {name} AS (SELECT * FROM {}) {select}{shown}{end}", table.storage);
    let steps = Steps::new([(text.as_str(), false)].into_iter());
    run(table, 's', &steps, &[], false)?;
    with(|push| record(&mut push.bytes, 'E', table.id, ["", reader]));
    Ok(())
}

/// A stream table shows other rows, or the same in another way.
pub fn renewed(table: &StreamTable) -> Result<()> {
    if is_read(table.id) { state(table, "") } else { Ok(()) }
}

/// Frees the plans that give the changes of a stream table.
fn forget_steps(id: i32) {
    let steps = STEPS.with_borrow_mut(|kept| kept.remove(&id));
    drop(steps);
}

/// A stream table is gone.
pub fn dropped(id: i32) {
    forget_steps(id);
    if is_read(id) {
        with(|push| record(&mut push.bytes, 'D', id, [""; 2]));
    }
}

/// Where the records of a subtransaction begin.
#[must_use]
pub fn mark() -> usize {
    with(|push| push.bytes.len())
}

/// Forgets the records from there on.
pub fn rewind(mark: usize) {
    with(|push| {
        push.bytes.truncate(mark);
        while let Some((_, id, reader)) = push.states.pop_if(|(at, ..)| *at >= mark) {
            record(&mut push.lost, 'L', id, ["", &reader]);
        }
    });
}

/// The transaction has ended.
pub fn finish(committed: bool) {
    if !committed {
        rewind(0);
    }
    let (function, bytes) = with(|push| {
        push.states.clear();
        push.row = None;
        let mut bytes = std::mem::take(&mut push.bytes);
        bytes.append(&mut push.lost);
        (push.function, bytes)
    });
    if function != 0 && !bytes.is_empty() {
        ffi::hand_over(function, &bytes);
    }
}
