//! Records for JavaScript, kept until their transaction has committed.
//!
//! A record is three texts, each with a zero byte after it: a letter and the number of a stream table, then
//!
//! - `+` `-`: a row that came or went, as PostgreSQL writes a row, and the text of its key, empty where it has none;
//! - `S`: a description of the stream table as JSON, and the subscriber it is for, empty for all; an `s` with each of its
//!   rows follows, then `E`. It is the state at this point of the transaction;
//! - `L`: an `S` for this subscriber was lost with a transaction or a part of one that was rolled back;
//! - `X`: this subscriber follows no longer;
//! - `D`: the stream table was dropped.

use crate::edge::error::{Result, SqlError};
use crate::edge::ffi;
use crate::edge::spi;
use crate::runtime::subscribers;
use std::cell::{Cell, RefCell};

#[derive(Default)]
struct Outbox {
    /// JavaScript's function, 0 before there is one.
    function: usize,
    /// A name that the plugin gave itself.
    channel: String,
    /// Records of the transaction.
    bytes: Vec<u8>,
    /// Where in these the states for one subscriber stand.
    states: Vec<(usize, i32, String)>,
    /// Records of those that a rollback took.
    lost: Vec<u8>,
    /// How many bytes and states there were when each open subtransaction began.
    marks: Vec<usize>,
}

thread_local! {
    static OUTBOX: RefCell<Outbox> = RefCell::default();
    /// The records of a transaction were lost: every subscriber needs a new state.
    static ALL_LOST: Cell<bool> = const { Cell::new(false) };
}

fn with<T>(body: impl FnOnce(&mut Outbox) -> T) -> T {
    OUTBOX.with(|outbox| body(&mut outbox.borrow_mut()))
}

fn append(to: &mut Vec<u8>, letter: char, id: i32, texts: [&str; 2]) {
    to.extend_from_slice(format!("{letter}{id}").as_bytes());
    for text in texts {
        to.push(0);
        to.extend_from_slice(text.as_bytes());
    }
    to.push(0);
}

/// Adds a record.
pub fn record(letter: char, id: i32, texts: [&str; 2]) {
    with(|outbox| append(&mut outbox.bytes, letter, id, texts));
}

/// Adds the record that begins a state, for one subscriber or for all.
pub fn begin_state(id: i32, description: &str, subscriber: &str) {
    with(|outbox| {
        if !subscriber.is_empty() {
            outbox.states.push((outbox.bytes.len(), id, subscriber.to_owned()));
        }
        append(&mut outbox.bytes, 'S', id, [description, subscriber]);
    });
}

/// From now on records go to this function. Once in a session: a wrong number would end it. Answers with the channel on
/// which the plugin passes them on.
pub fn listen(function: &str, channel: &str) -> Result<String> {
    let function = spi::number(function)?;
    Ok(with(|outbox| {
        if outbox.function == 0 {
            outbox.function = function;
            channel.clone_into(&mut outbox.channel);
        }
        outbox.channel.clone()
    }))
}

/// Fails where nobody takes the records.
pub fn must_be_open() -> Result<()> {
    if with(|outbox| outbox.function != 0) {
        return Ok(());
    }
    Err(
        SqlError::new("55000", "nobody takes the changes of stream tables in this session")
            .hint("Open the database with the plugin: PGlite.create({ extensions: { trickle } })."),
    )
}

/// A subtransaction begins.
pub fn start_subtransaction() {
    with(|outbox| outbox.marks.push(outbox.bytes.len()));
}

/// A subtransaction commits.
pub fn commit_subtransaction() {
    with(|outbox| outbox.marks.pop());
}

/// A subtransaction aborts, and takes its records along.
pub fn abort_subtransaction() {
    with(|outbox| {
        let mark = outbox.marks.pop().unwrap_or_default();
        outbox.rewind(mark);
    });
}

impl Outbox {
    fn rewind(&mut self, mark: usize) {
        self.bytes.truncate(mark);
        while let Some((_, id, subscriber)) = self.states.pop_if(|(at, ..)| *at >= mark) {
            append(&mut self.lost, 'L', id, ["", &subscriber]);
        }
    }
}

/// The records of a transaction were lost. Needs no memory.
pub fn lose_all() {
    ALL_LOST.set(true);
}

/// The transaction has ended: what it gave goes to JavaScript, if it has committed.
pub fn finish(committed: bool) {
    let (function, mut bytes) = with(|outbox| {
        if !committed {
            outbox.rewind(0);
        }
        outbox.states.clear();
        outbox.marks.clear();
        let mut bytes = std::mem::take(&mut outbox.bytes);
        bytes.append(&mut outbox.lost);
        (outbox.function, bytes)
    });
    if ALL_LOST.get() {
        subscribers::for_each(|id, subscriber| append(&mut bytes, 'L', id, ["", subscriber]));
    }
    if function != 0 && !bytes.is_empty() {
        ffi::hand_over(function, &bytes);
    }
    ALL_LOST.set(false);
}
