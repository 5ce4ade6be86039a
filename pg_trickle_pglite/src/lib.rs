//! The PGlite backend of pg_trickle: what the shim calls. Panics stop here and become SQL errors.
//!
//! Nothing here nor below may be called while the session's state is borrowed, when it can call PostgreSQL: any query
//! can fire a trigger, which comes back through these entry points.

// Only where the allocator is ours; a panic is the one way out of a failed allocation.
#![cfg_attr(target_family = "wasm", feature(alloc_error_hook, asm_experimental_arch))]
#![deny(unsafe_code)]
#![warn(missing_docs)]
// The module is built without: `{:?}` would print nothing (ci/build-wasm.sh).
#![cfg_attr(not(test), deny(clippy::use_debug))]

// The rooms, lowest first: each uses those before it (tests/layers.rs).
mod text;

mod edge;

mod runtime;

mod schema;

mod subscribe;

mod commands;

mod events;

use edge::error::SqlError;
use edge::ffi::{self, Called, RawError, RawEvent, Rows, Work, guarded, quietly};
use runtime::{memory, session};
use schema::storage;
use std::ffi::{c_char, c_int, c_void};

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: ffi::memory::Counted<edge::alloc::HostMalloc> = ffi::memory::Counted(edge::alloc::HostMalloc);

/// A trigger or an event trigger fired.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_fired(event: *const RawEvent, error: *mut RawError) -> c_int {
    // SAFETY: the event is alive and unchanged until C's call returns; the error is C's own.
    unsafe {
        guarded(error, || {
            memory::relieve();
            session::check()?;
            match Called::new(&*event)? {
                Called::Trigger(event) => events::statement::fired(&event),
                Called::EventTrigger(event) => events::ddl::fired(&event),
                Called::Otherwise => Err(SqlError::new(
                    "39P01",
                    "this function is for the triggers of stream tables only",
                )
                .hint("pg_trickle creates the triggers that it needs.")),
            }
        })
    }
}

/// A call of an SQL function: the name of the command and its arguments.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_command(
    args: *const *const c_char,
    nargs: c_int,
    result: *mut *const c_char,
    error: *mut RawError,
) -> c_int {
    // SAFETY: C passes that many strings, and the addresses of a pointer and an error of its own.
    unsafe {
        guarded(error, || {
            memory::relieve();
            session::check()?;
            *result = ffi::answer(&commands::run(&ffi::arguments(args, nargs))?);
            Ok(())
        })
    }
}

/// The storage table on which CREATE INDEX on a relation creates its index; left unchanged if that is the relation itself.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_index(relid: u32, table: *mut *const c_char, error: *mut RawError) -> c_int {
    // SAFETY: C passes the addresses of a pointer and an error of its own.
    unsafe {
        guarded(error, || {
            if relid != 0
                && !session::is_busy()
                && let Some(name) = storage::index_target(relid)?
            {
                *table = ffi::answer(&name);
            }
            Ok(())
        })
    }
}

/// CREATE TRIGGER on a relation: refused on a stream table where no trigger of that kind can fire. `timing` is BEFORE,
/// INSTEAD OF or neither, as in `pg_trigger.tgtype`; `rows`: for each row, or with transition tables.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_trigger(relid: u32, timing: c_int, rows: c_int, error: *mut RawError) -> c_int {
    // SAFETY: C passes the address of an error of its own.
    unsafe {
        guarded(error, || {
            if relid == 0 || session::is_busy() {
                return Ok(());
            }
            storage::check_trigger(relid, timing != 0, rows != 0)
        })
    }
}

/// A float8 as the text of a numeric.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_exact(number: f64, result: *mut *const c_char, error: *mut RawError) -> c_int {
    // SAFETY: C passes the addresses of a pointer and an error of its own.
    unsafe {
        guarded(error, || {
            *result = ffi::answer(&text::exact::exact(number));
            Ok(())
        })
    }
}

/// A value of a result; the first column begins a row.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_value(rows: *mut Rows, column: c_int, text: *const c_char, error: *mut RawError) -> c_int {
    // SAFETY: C gives back the pointer of the call that is going on, a string or NULL, and an error of its own.
    unsafe { guarded(error, || ffi::add_value(rows, column, text)) }
}

/// What was asked for inside a subtransaction.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_nested(work: *mut Work, error: *mut RawError) -> c_int {
    // SAFETY: C gives back the pointer of the call that is going on, and the address of an error of its own.
    unsafe { guarded(error, || (*work)()) }
}

const XACT_COMMIT: c_int = 0;
const XACT_ABORT: c_int = 2;
const XACT_PREPARE: c_int = 4;
const XACT_PRE_COMMIT: c_int = 5;
const XACT_PRE_PREPARE: c_int = 7;

/// A transaction commits or aborts, or is prepared for that. It can still fail before it commits, but not afterwards.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_transaction(event: c_int, error: *mut RawError) -> c_int {
    use events::transaction;
    match event {
        // SAFETY: C passes the address of an error of its own.
        XACT_PRE_COMMIT | XACT_PRE_PREPARE => return unsafe { guarded(error, transaction::about_to_commit) },
        XACT_COMMIT | XACT_ABORT | XACT_PREPARE => quietly(
            || transaction::ended(event != XACT_ABORT),
            |_| transaction::end_was_lost(),
        ),
        _ => {}
    }
    0
}

/// A subtransaction starts, commits or aborts.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_subtransaction(event: c_int, _own: u32, _parent: u32, _unused: *const c_void) {
    quietly(|| events::transaction::subtransaction(event), session::damage);
}

/// Roles or their memberships have changed.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_roles(_unused: ffi::Datum, _cache: c_int, _hash: u32) {
    quietly(session::void, |_| session::void());
}

/// A relation has changed, or all may have.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_relcache(_unused: ffi::Datum, relid: u32) {
    quietly(|| session::relation_changed(relid), |_| session::void());
}
