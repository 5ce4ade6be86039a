//! `shim/shim.h` in Rust, with a safe function beside each of its functions. With alloc.rs and lib.rs the only place of
//! `unsafe`.

mod program;

pub use program::{Delta, Outcome, Run, Steps};

use crate::error::{Result, SqlError};
use crate::names::c_string;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

/// An object identifier of PostgreSQL.
pub type Oid = u32;

/// A pointer to an `ErrorData`, kept only to give it back.
#[derive(Clone, Copy, Debug)]
pub struct PgErrorData(*mut c_void);

impl Default for PgErrorData {
    fn default() -> Self {
        Self(ptr::null_mut())
    }
}

/// `PgtError`.
#[repr(C)]
pub struct RawError {
    pg: *mut c_void,
    sqlstate: [c_char; 8],
    message: *const c_char,
    detail: *const c_char,
    hint: *const c_char,
    context: *const c_char,
    query: *const c_char,
    position: i32,
}

/// `PgtSetting`: a setting and its value.
#[repr(C)]
pub struct Setting {
    name: *const c_char,
    value: *const c_char,
}

// SAFETY: points to constants only.
unsafe impl Sync for Setting {}

impl Setting {
    /// For tables of constants.
    #[must_use]
    pub const fn new(name: &'static CStr, value: &'static CStr) -> Self {
        Self {
            name: name.as_ptr(),
            value: value.as_ptr(),
        }
    }
}

#[repr(C)]
struct RawText {
    text: *const c_char,
    args: *const *const c_char,
    settings: *const Setting,
    nargs: i32,
    nsettings: i32,
    role: Oid,
    statements: i32,
    rows: *mut Rows,
    keep: i32,
    plan: *mut c_void,
}

#[repr(C)]
struct RawAppend {
    relid: Oid,
    from: *mut c_void,
    into: *mut c_void,
}

/// `PgtEvent`.
#[repr(C)]
pub struct RawEvent {
    added: *mut c_void,
    removed: *mut c_void,
    nadded: i32,
    nremoved: i32,
    relid: Oid,
    operation: i32,
    before: i32,
    kind: i32,
    is_virtual: i32,
}

#[repr(C)]
struct RawCompare {
    relid: Oid,
    added: *mut c_void,
    removed: *mut c_void,
    columns: *const i16,
    ncolumns: i32,
    same: i32,
}

const PGT_QUERY: c_int = 0;
const PGT_CONST: c_int = 1;
const PGT_PARSE: c_int = 2;
const PGT_NOTICE: c_int = 3;
const PGT_RUN: c_int = 4;
const PGT_APPEND: c_int = 5;
const PGT_COMPARE: c_int = 6;

unsafe extern "C" {
    fn pgt_call(what: c_int, argument: *mut c_void, error: *mut RawError) -> c_int;
    fn pgt_copy(text: *const c_char, length: usize) -> *mut c_char;
    /// PostgreSQL's own; raises nothing.
    fn tuplestore_end(rows: *mut c_void);
}

/// Gives bytes to a function of JavaScript's, which has a place in the table of functions.
pub fn hand_over(function: usize, bytes: &[u8]) {
    let place = function as *const ();
    // SAFETY: the plugin registers a function of this type, once; it copies the bytes and throws nothing.
    let function: extern "C" fn(*const u8, usize) -> c_int = unsafe { std::mem::transmute(place) };
    function(bytes.as_ptr(), bytes.len());
}

/// The values of a result, as text.
pub type Row = Vec<Option<String>>;

/// Where `pgt_rs_value` puts what it is given.
#[derive(Default)]
pub struct Rows {
    rows: Vec<Row>,
}

fn owned(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the shim gives NULL or a string that ends in a zero byte.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

impl RawError {
    fn empty() -> Self {
        Self {
            pg: ptr::null_mut(),
            sqlstate: [0; 8],
            message: ptr::null(),
            detail: ptr::null(),
            hint: ptr::null(),
            context: ptr::null(),
            query: ptr::null(),
            position: 0,
        }
    }

    fn take(&self) -> Box<SqlError> {
        Box::new(SqlError {
            pg: PgErrorData(self.pg),
            sqlstate: owned(self.sqlstate.as_ptr()).unwrap_or_default(),
            message: owned(self.message).unwrap_or_else(|| "out of memory".to_owned()),
            detail: owned(self.detail),
            hint: owned(self.hint),
            context: owned(self.context),
            query: owned(self.query),
            position: self.position,
        })
    }

    /// Writes an error where C finds it, in memory of PostgreSQL.
    pub fn give(&mut self, error: &SqlError) {
        let optional = |text: &Option<String>| text.as_deref().map_or(ptr::null(), copy);
        self.pg = error.pg.0;
        for (to, from) in self.sqlstate.iter_mut().zip(error.sqlstate.bytes().take(5)) {
            *to = c_char::from_ne_bytes([from]);
        }
        self.message = copy(&error.message);
        self.detail = optional(&error.detail);
        self.hint = optional(&error.hint);
        self.context = optional(&error.context);
        self.query = optional(&error.query);
        self.position = error.position;
    }
}

/// A copy in memory of PostgreSQL, NULL when there is none left.
pub fn copy(text: &str) -> *const c_char {
    // SAFETY: address and length are those of a string; the shim copies before it returns.
    unsafe { pgt_copy(text.as_ptr().cast(), text.len()) }
}

fn count(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

fn call<T>(what: c_int, argument: &mut T) -> Result<()> {
    let mut error = RawError::empty();
    // SAFETY: every caller passes the struct that `what` stands for, and keeps what it points to alive.
    let failed = unsafe { pgt_call(what, ptr::from_mut(argument).cast(), &raw mut error) };
    if failed == 0 { Ok(()) } else { Err(error.take()) }
}

fn text_call(
    what: c_int,
    text: &str,
    args: &[Option<&str>],
    settings: &[Setting],
    role: Oid,
    kept: Option<&mut Plan>,
) -> Result<(i32, Vec<Row>)> {
    let text = c_string(text);
    let args: Vec<Option<CString>> = args.iter().map(|arg| arg.map(c_string)).collect();
    let pointers: Vec<*const c_char> = args
        .iter()
        .map(|arg| arg.as_ref().map_or(ptr::null(), |arg| arg.as_ptr()))
        .collect();
    let mut rows = Rows::default();
    let mut raw = RawText {
        text: text.as_ptr(),
        args: pointers.as_ptr(),
        settings: settings.as_ptr(),
        nargs: count(pointers.len()),
        nsettings: count(settings.len()),
        role,
        statements: 0,
        rows: &raw mut rows,
        keep: i32::from(kept.is_some()),
        plan: kept.as_ref().map_or(ptr::null_mut(), |plan| plan.0),
    };
    let result = call(what, &mut raw);
    if let Some(plan) = kept {
        // Also where the query failed: a plan that was kept before lives on.
        plan.0 = raw.plan;
    }
    result?;
    Ok((raw.statements, rows.rows))
}

/// A plan that lives as long as the session.
#[derive(Clone, Copy, Debug)]
pub struct Plan(*mut c_void);

impl Default for Plan {
    fn default() -> Self {
        Self(ptr::null_mut())
    }
}

/// Runs one statement with text parameters, as `role` (0 for the current user). A plan is kept for the next time: for the
/// same text with the same number of parameters.
pub fn query(
    text: &str,
    args: &[Option<&str>],
    settings: &[Setting],
    role: Oid,
    plan: Option<&mut Plan>,
) -> Result<Vec<Row>> {
    Ok(text_call(PGT_QUERY, text, args, settings, role, plan)?.1)
}

/// The value of a `CONST` node, written by its type's output function.
pub fn const_text(node: &str, settings: &[Setting]) -> Result<String> {
    let (_, mut rows) = text_call(PGT_CONST, node, &[], settings, 0, None)?;
    rows.pop()
        .and_then(|mut row| row.pop().flatten())
        .ok_or_else(|| SqlError::internal("a constant has no text"))
}

/// How many statements a text holds; `None` where one of them is not a plain query.
pub fn parse(text: &str) -> Result<Option<usize>> {
    let (statements, _) = text_call(PGT_PARSE, text, &[], &[], 0, None)?;
    Ok(usize::try_from(statements).ok())
}

/// Raises a NOTICE.
pub fn notice(message: &str, hint: Option<&str>) -> Result<()> {
    let args: Vec<Option<&str>> = hint.into_iter().map(Some).collect();
    text_call(PGT_NOTICE, message, &args, &[], 0, None).map(|_| ())
}

/// Rows in a tuplestore of PostgreSQL.
#[derive(Clone, Copy, Debug)]
pub struct Store(*mut c_void);

impl Store {
    /// Frees a store that [`append`] made.
    pub fn free(self) {
        // SAFETY: the callers own the store and forget it.
        unsafe { tuplestore_end(self.0) }
    }
}

/// Appends the rows of `from`, of the table `relid`, to `into` or to a new store that lives as long as the transaction.
pub fn append(relid: Oid, from: Store, into: Option<Store>) -> Result<Store> {
    let mut raw = RawAppend {
        relid,
        from: from.0,
        into: into.map_or(ptr::null_mut(), |store| store.0),
    };
    call(PGT_APPEND, &mut raw)?;
    Ok(Store(raw.into))
}

/// A call of the maintenance trigger.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    raw: &'a RawEvent,
}

/// The statement that fires a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Insert,
    Delete,
    Update,
    Truncate,
}

impl<'a> Event<'a> {
    /// Wraps what C gave.
    ///
    /// # Safety
    /// `raw` and what it points to must stay alive and unchanged for `'a`.
    pub unsafe fn new(raw: &'a RawEvent) -> Self {
        Self { raw }
    }

    /// The table.
    #[must_use]
    pub fn relid(&self) -> Oid {
        self.raw.relid
    }

    /// The statement.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self.raw.operation {
            0 => Operation::Insert,
            1 => Operation::Delete,
            2 => Operation::Update,
            _ => Operation::Truncate,
        }
    }

    /// Fired before the statement.
    #[must_use]
    pub fn is_before(&self) -> bool {
        self.raw.before != 0
    }

    /// Fired by a write to a view.
    #[must_use]
    pub fn is_view(&self) -> bool {
        self.raw.kind == i32::from(b'v')
    }

    /// Fired by a write to a partitioned table.
    #[must_use]
    pub fn is_partitioned(&self) -> bool {
        self.raw.kind == i32::from(b'p')
    }

    /// The new versions of rows, and how many.
    #[must_use]
    pub fn added(&self) -> Option<(Store, usize)> {
        rows(self.raw.added, self.raw.nadded)
    }

    /// The old versions of rows, and how many.
    #[must_use]
    pub fn removed(&self) -> Option<(Store, usize)> {
        rows(self.raw.removed, self.raw.nremoved)
    }

    /// The trigger has no transition tables, as on the children of a source.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.raw.added.is_null() && self.raw.removed.is_null()
    }

    /// May the UPDATE have changed one of these columns? Goes by the rows: the list of columns that PostgreSQL gives a
    /// trigger is that of one of the statement's updates only, and knows nothing of what other triggers change.
    pub fn updates(&self, columns: &[i16]) -> Result<bool> {
        if self.raw.is_virtual != 0 || columns.iter().any(|column| *column <= 0) {
            return Ok(true);
        }
        let mut raw = RawCompare {
            relid: self.raw.relid,
            added: self.raw.added,
            removed: self.raw.removed,
            columns: columns.as_ptr(),
            ncolumns: count(columns.len()),
            same: i32::from(self.raw.nadded == self.raw.nremoved),
        };
        if raw.same != 0 {
            call(PGT_COMPARE, &mut raw)?;
        }
        Ok(raw.same == 0)
    }
}

fn rows(store: *mut c_void, count: i32) -> Option<(Store, usize)> {
    let count = usize::try_from(count).unwrap_or(0);
    (!store.is_null() && count > 0).then_some((Store(store), count))
}

/// Adds a value to the result that C reads; the first column begins a row.
///
/// # Safety
/// `rows` is the pointer that a text call gave to C, and the call is still going on; `text` is NULL or ends in a zero
/// byte.
pub unsafe fn add_value(rows: *mut Rows, column: i32, text: *const c_char) {
    // SAFETY: as the caller promises; nothing else refers to it during the call.
    let rows = unsafe { &mut (*rows).rows };
    if column == 1 {
        rows.push(Row::new());
    }
    if let Some(row) = rows.last_mut() {
        row.push(owned(text));
    }
}

/// The arguments of a command.
///
/// # Safety
/// `args` points to `nargs` strings or NULLs.
pub unsafe fn arguments(args: *const *const c_char, nargs: i32) -> Vec<Option<String>> {
    let nargs = usize::try_from(nargs).unwrap_or(0);
    if nargs == 0 {
        return Vec::new();
    }
    // SAFETY: as the caller promises.
    let args = unsafe { std::slice::from_raw_parts(args, nargs) };
    args.iter().map(|arg| owned(*arg)).collect()
}

/// A text that C passes.
///
/// # Safety
/// `text` is NULL or ends in a zero byte.
pub unsafe fn text(text: *const c_char) -> String {
    owned(text).unwrap_or_default()
}
