//! `shim/shim.h` in Rust, with a safe function for each of its calls.

mod error;
mod guard;
pub mod memory;
mod rows;
mod run;
mod steps;

pub use error::{PgErrorData, RawError};
#[cfg(target_family = "wasm")]
pub use guard::Exhausted;
pub use guard::{Cause, caught, guarded, panic_at, quietly};
pub use rows::{Called, Event, Operation, RawEvent, Rows, Store, add_value, append};
#[cfg(not(target_family = "wasm"))]
pub use run::has_one_snapshot;
pub use run::{Commits, Delta, Outcome, Plan, Run, is_in_transaction, query};
pub use steps::{Steps, give_back_plans, plan_bytes};

use crate::edge::error::{Result, SqlError};
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;

/// An object identifier of PostgreSQL.
pub type Oid = u32;

/// `Datum`: the shim sees to it that it is as wide as a pointer.
pub type Datum = usize;

pub use pg_trickle_core::answers::Row;

/// `PgtSetting`: a setting and its value.
#[repr(C)]
pub struct Setting<'a> {
    name: *const c_char,
    value: *const c_char,
    strings: PhantomData<&'a CStr>,
}

// SAFETY: it points to strings that nobody changes.
unsafe impl Sync for Setting<'_> {}

impl<'a> Setting<'a> {
    /// A setting and its value.
    #[must_use]
    pub const fn new(name: &'a CStr, value: &'a CStr) -> Self {
        Self {
            name: name.as_ptr(),
            value: value.as_ptr(),
            strings: PhantomData,
        }
    }
}

/// `PgtText`.
#[repr(C)]
struct RawText {
    text: *const c_char,
    rows: *mut Rows,
    plan: *mut c_void,
    compare: i32,
    differs: i32,
    size: usize,
    cost: f64,
}

impl RawText {
    fn new(text: &CStr) -> Self {
        Self {
            text: text.as_ptr(),
            rows: ptr::null_mut(),
            plan: ptr::null_mut(),
            compare: 0,
            differs: 0,
            size: 0,
            cost: 0.0,
        }
    }
}

const PGT_RUN: c_int = 0;
const PGT_PARSE: c_int = 1;
const PGT_CONST: c_int = 2;
const PGT_NOTICE: c_int = 3;
const PGT_APPEND: c_int = 4;
const PGT_COMPARE: c_int = 5;
const PGT_MAINTAIN: c_int = 6;
const PGT_NESTED: c_int = 7;
#[cfg(not(target_family = "wasm"))]
const PGT_FUNCTION: c_int = 8;

/// `PGT_MAX_ARGS`.
const MAX_ARGS: usize = 12;

unsafe extern "C" {
    /// PostgreSQL's own; raises nothing.
    fn GetUserId() -> Oid;
    /// PostgreSQL's own; raises nothing that the function does not raise.
    fn OidFunctionCall1Coll(function: Oid, collation: Oid, argument: Datum) -> Datum;
    fn pgt_call(
        what: c_int,
        argument: *mut c_void,
        role: Oid,
        settings: *const Setting,
        nsettings: c_int,
        error: *mut RawError,
    ) -> c_int;
}

/// The current user.
#[must_use]
pub fn current_user() -> Oid {
    // SAFETY: reads a variable.
    unsafe { GetUserId() }
}

/// `pg_my_temp_schema`, which raises nothing.
const MY_TEMP_SCHEMA: Oid = 2854;

/// Has the session had temporary objects?
#[must_use]
pub fn has_temporaries() -> bool {
    // SAFETY: a function without arguments: it does not look at the one that it gets.
    unsafe { OidFunctionCall1Coll(MY_TEMP_SCHEMA, 0, 0) != 0 }
}

/// Makes a call as a role (0 for the current user) under some settings.
fn call<T: ?Sized>(what: c_int, argument: &mut T, role: Oid, settings: &[Setting]) -> Result<()> {
    let mut error = RawError::empty();
    // SAFETY: every caller passes the struct that `what` stands for, and keeps what it points to alive.
    let failed = unsafe {
        pgt_call(
            what,
            ptr::from_mut(argument).cast(),
            role,
            settings.as_ptr(),
            count(settings.len())?,
            &raw mut error,
        )
    };
    if failed == 0 { Ok(()) } else { Err(error.take()) }
}

/// Takes notice of what other sessions have changed in the catalogs.
#[cfg(not(target_family = "wasm"))]
pub fn accept_changes() -> Result<()> {
    unsafe extern "C" {
        fn AcceptInvalidationMessages();
    }
    let mut error = RawError::empty();
    // SAFETY: what it calls has no parameters, and may raise errors there.
    let failed = unsafe {
        pgt_call(
            PGT_FUNCTION,
            AcceptInvalidationMessages as *mut c_void,
            0,
            ptr::null(),
            0,
            &raw mut error,
        )
    };
    if failed == 0 { Ok(()) } else { Err(error.take()) }
}

/// A length, for C.
fn count(length: usize) -> Result<i32> {
    i32::try_from(length).map_err(|_| SqlError::internal(format_args!("{length} is too many")))
}

/// A C string. Neither our texts nor PostgreSQL's have a zero byte; one would end the string.
#[must_use]
pub fn c_string(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}

/// A copy of a string that C passes, unless it is NULL.
///
/// # Safety
/// `text` is NULL or ends in a zero byte.
pub unsafe fn text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// The arguments of a command.
///
/// # Safety
/// `args` points to `nargs` strings or NULLs.
pub unsafe fn arguments(args: *const *const c_char, nargs: c_int) -> Vec<Option<String>> {
    let nargs = usize::try_from(nargs).unwrap_or(0);
    // SAFETY: as the caller promises; C counts them with a loop.
    (0..nargs).map(|n| unsafe { text(*args.add(n)) }).collect()
}

thread_local! {
    static ANSWER: RefCell<CString> = RefCell::default();
}

/// A text that C can read until the next one is given.
pub fn answer(text: &str) -> *const c_char {
    ANSWER.with_borrow_mut(|answer| {
        *answer = c_string(text);
        answer.as_ptr()
    })
}

fn text_call(what: c_int, text: &str, settings: &[Setting]) -> Result<String> {
    let text = c_string(text);
    let mut rows = Rows::default();
    let mut raw = RawText::new(&text);
    raw.rows = &raw mut rows;
    call(what, &mut raw, 0, settings)?;
    rows.only_value()
        .ok_or_else(|| SqlError::internal("a call returned no text"))
}

/// The value of a `CONST` node, written by its type's output function.
pub fn const_text(node: &str, settings: &[Setting]) -> Result<String> {
    text_call(PGT_CONST, node, settings)
}

/// Parses a text without looking at any catalog: a list of statements, as node text.
pub fn parse(text: &str) -> Result<String> {
    text_call(PGT_PARSE, text, &[])
}

/// What runs in a subtransaction, as C passes it back.
pub type Work<'a> = &'a mut dyn FnMut() -> Result<()>;

/// Runs `body` in a subtransaction, so that nothing is left of it when it fails.
pub fn nested<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    let (mut body, mut outcome) = (Some(body), None);
    let mut work = || {
        let result = body.take().map(|body| body());
        let failed = result.as_ref().and_then(|result| result.as_ref().err()).cloned();
        outcome = result;
        failed.map_or(Ok(()), Err)
    };
    let mut work: Work = &mut work;
    let ended = call(PGT_NESTED, &mut work, 0, &[]);
    match (outcome, ended) {
        (Some(Err(error)), _) | (_, Err(error)) => Err(error),
        (Some(done), Ok(())) => done,
        (None, Ok(())) => Err(SqlError::internal("a subtransaction did nothing")),
    }
}

/// Raises a NOTICE.
pub fn notice(message: &str, hint: Option<&str>) -> Result<()> {
    let mut notice = SqlError::new("00000", message);
    notice.hint = hint.map(str::to_owned);
    let mut raw = RawError::empty();
    raw.give(&notice);
    call(PGT_NOTICE, &mut raw, 0, &[])
}

/// There is JavaScript in PGlite alone, so `listen` is not there.
#[cfg(not(target_family = "wasm"))]
pub fn hand_over(_: usize, _: &[u8]) {}

/// Whether the function table has a function under this number. Whether it is one of the right type shows when it is called.
#[cfg(target_family = "wasm")]
#[must_use]
pub fn is_function(number: usize) -> bool {
    let (size, is_null): (usize, u32);
    // SAFETY: reads the size of the table, and compares an entry that is there.
    unsafe {
        core::arch::asm!(
            ".tabletype __indirect_function_table, funcref",
            "table.size __indirect_function_table",
            "local.set {}",
            out(local) size,
        );
        if number >= size {
            return false;
        }
        core::arch::asm!(
            "local.get {}",
            "table.get __indirect_function_table",
            "ref.is_null",
            "local.set {}",
            in(local) number,
            out(local) is_null,
        );
    }
    is_null == 0
}

/// Passes bytes to a JavaScript function in the function table.
#[cfg(target_family = "wasm")]
pub fn hand_over(function: usize, bytes: &[u8]) {
    let place = function as *const ();
    // SAFETY: the plugin registers a function of this type, once; it copies the bytes and throws nothing.
    let function: extern "C" fn(*const u8, usize) -> c_int = unsafe { std::mem::transmute(place) };
    function(bytes.as_ptr(), bytes.len());
}
