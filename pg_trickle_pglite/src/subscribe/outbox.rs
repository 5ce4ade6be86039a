//! Records for JavaScript, held until their transaction has committed.
//!
//! A record is three texts, each followed by a zero byte: a letter and the number of a stream table, then
//!
//! - `+` `-`: a row that was added or removed, as PostgreSQL writes a row, and the text of its key, empty if it has none;
//! - `S`: a description of the stream table as JSON, and the subscriber it is for, empty for all. An `s` for each row
//!   follows, then an `E`. It is the state at this point of the transaction;
//! - `L`: this subscriber lost its state: a rollback took it, or memory ran out;
//! - `X`: this subscriber stopped following;
//! - `R`: this subscriber's role may no longer read the stream table;
//! - `D`: the stream table was dropped;
//! - `A`, of stream table 0: records of a transaction were lost, so every subscriber needs a new state.

use crate::edge::error::{Result, SqlError};
use crate::edge::ffi;
#[cfg(target_family = "wasm")]
use crate::edge::spi;
use std::cell::RefCell;

#[derive(Default)]
struct Outbox {
    /// The function of the plugin, 0 before it has registered one.
    function: usize,
    /// A name that the plugin chose for itself.
    channel: String,
    /// Records of the transaction.
    bytes: Vec<u8>,
    /// Where in `bytes` the states for one subscriber start.
    states: Vec<(usize, i32, String)>,
    /// The records that tell of lost states.
    lost: Vec<u8>,
    /// The length of `bytes` when each open subtransaction began.
    marks: Vec<usize>,
}

thread_local! {
    static OUTBOX: RefCell<Outbox> = RefCell::default();
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

/// Adds the record that starts a state, for one subscriber or for all.
pub fn begin_state(id: i32, description: &str, subscriber: &str) {
    with(|outbox| {
        if !subscriber.is_empty() {
            outbox.states.push((outbox.bytes.len(), id, subscriber.to_owned()));
        }
        append(&mut outbox.bytes, 'S', id, [description, subscriber]);
    });
}

/// Sends records to this function from now on, and names the channel on which the plugin passes them on. The first call in
/// a session counts, which the plugin makes when it opens the database.
#[cfg(target_family = "wasm")]
pub fn listen(function: &str, channel: &str) -> Result<()> {
    if with(|outbox| outbox.function != 0) {
        return Ok(());
    }
    let function = spi::number(function)?;
    if !ffi::is_function(function) {
        return Err(SqlError::new("22003", format!("there is no function {function}"))
            .hint("Only the plugin calls this, when it opens the database."));
    }
    with(|outbox| {
        outbox.function = function;
        channel.clone_into(&mut outbox.channel);
    });
    Ok(())
}

/// The channel on which the plugin passes records on.
pub fn channel() -> String {
    with(|outbox| outbox.channel.clone())
}

const SUBSCRIBE: &str = if cfg!(target_family = "wasm") {
    "Open the database with the plugin: PGlite.create({ extensions: { trickle } })."
} else {
    "Subscriptions are for PGlite. On a server, create a trigger on the stream table, AFTER .. FOR EACH STATEMENT, that calls \
     pg_notify."
};

/// Fails if nobody receives the records.
pub fn must_be_open() -> Result<()> {
    if with(|outbox| outbox.function != 0) {
        return Ok(());
    }
    Err(SqlError::new("55000", "nobody receives the changes of stream tables in this session").hint(SUBSCRIBE))
}

/// A subtransaction begins.
pub fn start_subtransaction() {
    with(|outbox| outbox.marks.push(outbox.bytes.len()));
}

/// A subtransaction commits.
pub fn commit_subtransaction() {
    with(|outbox| outbox.marks.pop());
}

/// A subtransaction aborts: its records go.
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
    let function = with(|outbox| {
        outbox.bytes.clear();
        outbox.states.clear();
        outbox.lost.clear();
        outbox.marks.clear();
        outbox.function
    });
    if function != 0 {
        ffi::hand_over(function, b"A0\0\0\0");
    }
}

/// The transaction has ended. If it committed, its records go to JavaScript.
pub fn finish(committed: bool) {
    let (function, bytes) = with(|outbox| {
        if !committed {
            outbox.rewind(0);
        }
        outbox.states.clear();
        outbox.marks.clear();
        let mut bytes = std::mem::take(&mut outbox.bytes);
        bytes.append(&mut outbox.lost);
        (outbox.function, bytes)
    });
    if function != 0 && !bytes.is_empty() {
        ffi::hand_over(function, &bytes);
    }
}
