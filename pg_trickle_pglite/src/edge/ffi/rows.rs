//! Rows of PostgreSQL: results as text, transition tables, and the calls of triggers that bring these.

use super::{Oid, PGT_APPEND, PGT_COMPARE, Row, call, count, text};
use crate::edge::error::{Result, SqlError};
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

unsafe extern "C" {
    /// PostgreSQL's own; raises nothing.
    fn tuplestore_end(rows: *mut c_void);
    /// PostgreSQL's own; raises nothing.
    fn tuplestore_tuple_count(rows: *mut c_void) -> i64;
}

/// Where `pgt_rs_value` puts what it is given.
#[derive(Default)]
pub struct Rows {
    rows: Vec<Row>,
    /// Takes each row when the next one begins.
    receiver: Option<Box<dyn FnMut(Row)>>,
}

impl Rows {
    /// Rows that are passed on one by one.
    pub(super) fn passed_to(receiver: impl FnMut(Row) + 'static) -> Self {
        Self {
            rows: Vec::new(),
            receiver: Some(Box::new(receiver)),
        }
    }

    /// All rows; the last one, where the others were passed on.
    pub(super) fn take(self) -> Vec<Row> {
        self.rows
    }

    /// The value of a result that has one.
    pub(super) fn only_value(mut self) -> Option<String> {
        self.rows.pop()?.pop()?
    }

    /// Passes on the row that is complete.
    pub(super) fn pass(&mut self) {
        if let Some(receiver) = &mut self.receiver {
            self.rows.drain(..).for_each(receiver);
        }
    }
}

/// Adds a value to the result that C reads; the first column begins a row.
///
/// # Safety
/// `rows` is the pointer that a call gave to C, and the call is still going on; `value` is NULL or ends in a zero byte.
pub unsafe fn add_value(rows: *mut Rows, column: c_int, value: *const c_char) -> Result<()> {
    // SAFETY: as the caller promises; nothing else refers to it during the call.
    let (rows, value) = unsafe { (&mut *rows, text(value)) };
    if column == 1 {
        rows.pass();
        rows.rows.push(Row::new());
    }
    let row = rows.rows.last_mut();
    row.ok_or_else(|| SqlError::internal("a value without a row"))?
        .push(value);
    Ok(())
}

/// Rows in a tuplestore of PostgreSQL.
#[derive(Clone, Copy, Debug)]
pub struct Store(pub(super) *mut c_void);

impl Store {
    /// For a program that also reads the rows of another kind of change. Only [`super::Run`] knows it.
    pub const EMPTY: Self = Self(ptr::null_mut());

    /// Frees a store that [`append`] made.
    pub fn free(self) {
        // SAFETY: the callers own the store and forget it.
        unsafe { tuplestore_end(self.0) }
    }
}

/// Appends rows to a store, or to a new one that lives as long as the transaction.
pub fn append(from: Store, into: Option<Store>) -> Result<Store> {
    let mut stores = [from.0, into.map_or(ptr::null_mut(), |store| store.0)];
    call(PGT_APPEND, &mut stores, 0, &[])?;
    Ok(Store(stores[1]))
}

/// `PgtEvent`.
#[repr(C)]
pub struct RawEvent {
    added: *mut c_void,
    removed: *mut c_void,
    columns: *mut c_void,
    trigger: *const c_char,
    ddl: *const c_char,
    relid: Oid,
    relkind: i32,
    fired: i32,
}

#[repr(C)]
struct RawCompare {
    event: *const RawEvent,
    columns: *const i16,
    ncolumns: i32,
    same: i32,
}

/// What a call of a trigger function is.
pub enum Called<'a> {
    /// A trigger of a table or view.
    Trigger(Event<'a>),
    /// An event trigger, with its event.
    EventTrigger(String),
    /// Anything else.
    Otherwise,
}

/// A call of the maintenance trigger.
pub struct Event<'a> {
    raw: &'a RawEvent,
    added: Option<(Store, usize)>,
    removed: Option<(Store, usize)>,
}

/// The statement that fires a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Insert,
    Delete,
    Update,
    Truncate,
}

// The bits of TriggerEvent in commands/trigger.h.
const OPERATION: i32 = 0x3;
const ROW: i32 = 0x4;
const BEFORE: i32 = 0x8;
const INSTEAD: i32 = 0x10;

impl<'a> Called<'a> {
    /// Wraps what C gave.
    ///
    /// # Safety
    /// `raw` and what it points to must stay alive and unchanged for `'a`.
    pub unsafe fn new(raw: &'a RawEvent) -> Result<Self> {
        // SAFETY: NULL or a string of C's.
        if let Some(event) = unsafe { text(raw.ddl) } {
            return Ok(Self::EventTrigger(event));
        }
        if raw.relid == 0 || raw.fired & ROW != 0 && raw.fired & INSTEAD != INSTEAD {
            return Ok(Self::Otherwise);
        }
        Ok(Self::Trigger(Event {
            added: rows(raw.added)?,
            removed: rows(raw.removed)?,
            raw,
        }))
    }
}

impl Event<'_> {
    /// The name of the trigger.
    #[must_use]
    pub fn trigger(&self) -> String {
        // SAFETY: C gives the name of every trigger, for as long as it runs.
        unsafe { text(self.raw.trigger) }.unwrap_or_default()
    }

    /// The table.
    #[must_use]
    pub fn relid(&self) -> Oid {
        self.raw.relid
    }

    /// The statement.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self.raw.fired & OPERATION {
            0 => Operation::Insert,
            1 => Operation::Delete,
            2 => Operation::Update,
            _ => Operation::Truncate,
        }
    }

    /// Fired before the statement.
    #[must_use]
    pub fn is_before(&self) -> bool {
        self.raw.fired & (BEFORE | INSTEAD) == BEFORE
    }

    /// Fired by a write to a view.
    #[must_use]
    pub fn is_view(&self) -> bool {
        self.raw.relkind == i32::from(b'v')
    }

    /// Fired by a write to a partitioned table.
    #[must_use]
    pub fn is_partitioned(&self) -> bool {
        self.raw.relkind == i32::from(b'p')
    }

    /// The new versions of rows, and how many.
    #[must_use]
    pub fn added(&self) -> Option<(Store, usize)> {
        self.added
    }

    /// The old versions of rows, and how many.
    #[must_use]
    pub fn removed(&self) -> Option<(Store, usize)> {
        self.removed
    }

    /// The trigger has no transition tables, as on the children of a source.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.raw.added.is_null() && self.raw.removed.is_null()
    }

    /// Whether the UPDATE may have changed one of these columns. Compares the rows: the list of columns that PostgreSQL gives
    /// a trigger covers only one of the statement's updates, and nothing that other triggers change.
    pub fn updates(&self, columns: &[i16]) -> Result<bool> {
        let counts = (self.added.map(|(_, rows)| rows), self.removed.map(|(_, rows)| rows));
        if columns.iter().any(|column| *column <= 0) || counts.0.is_none() || counts.0 != counts.1 {
            return Ok(true);
        }
        let mut raw = RawCompare {
            event: self.raw,
            columns: columns.as_ptr(),
            ncolumns: count(columns.len())?,
            same: 1,
        };
        call(PGT_COMPARE, &mut raw, 0, &[])?;
        Ok(raw.same == 0)
    }
}

fn rows(store: *mut c_void) -> Result<Option<(Store, usize)>> {
    if store.is_null() {
        return Ok(None);
    }
    // SAFETY: a store of the trigger that is being called.
    let rows = unsafe { tuplestore_tuple_count(store) };
    let rows = usize::try_from(rows).map_err(|_| SqlError::internal(format_args!("a change of {rows} rows")))?;
    Ok((rows > 0).then_some((Store(store), rows)))
}
