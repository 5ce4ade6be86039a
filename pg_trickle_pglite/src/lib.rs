//! The PGlite backend of pg_trickle: what the shim calls. Panics stop here and become SQL errors.
//!
//! Nothing here nor below may be called while the session's state is borrowed, when it can call PostgreSQL: any query
//! can fire a trigger, which comes back through these entry points.

// Only where the allocator is ours; a panic is the one way out of a failed allocation.
#![cfg_attr(target_family = "wasm", feature(alloc_error_hook))]
#![deny(unsafe_code)]
#![warn(missing_docs)]
// The module is built without: `{:?}` would print nothing (ci/build-wasm.sh).
#![cfg_attr(not(test), deny(clippy::use_debug))]

#[cfg(target_family = "wasm")]
#[allow(unsafe_code)]
mod alloc;
mod catalog;
mod commands;
mod ddl;
mod error;
#[allow(unsafe_code)]
mod ffi;
mod flush;
mod json;
mod moved;
mod names;
mod plans;
mod push;
mod session;
mod spi;
mod sql;
mod stages;
mod trigger;
mod triggers;

use error::{Result, SqlError};
use ffi::{Event, RawError, RawEvent, Rows};
use std::any::Any;
use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: alloc::HostMalloc = alloc::HostMalloc;

thread_local! {
    /// What the last panic said and where, kept by the hook for the error.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

fn remember_panics() {
    #[cfg(target_family = "wasm")]
    alloc::prepare();
    thread_local!(static SET: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
    if !SET.replace(true) {
        std::panic::set_hook(Box::new(|info| {
            let text = info.to_string();
            let _ = PANIC.try_with(|panic| panic.try_borrow_mut().map(|mut panic| *panic = text));
        }));
    }
}

fn panic_error(_payload: Box<dyn Any + Send>) -> Box<SqlError> {
    #[cfg(target_family = "wasm")]
    if alloc::was_exhausted() {
        return SqlError::new("53200", "out of memory").hint("Close what is not needed, or give PGlite more memory.");
    }
    let said = PANIC.with(|panic| panic.try_borrow_mut().map(|mut panic| std::mem::take(&mut *panic)));
    SqlError::internal(said.unwrap_or_default())
}

/// Runs `body`; an error or a panic goes to `error`, and the answer is 1.
fn guarded(error: *mut RawError, body: impl FnOnce() -> Result<()>) -> c_int {
    remember_panics();
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(panic_error(payload)));
    match result {
        Ok(()) => 0,
        Err(failure) => {
            // SAFETY: C passes the address of an error of its own.
            #[allow(unsafe_code)]
            unsafe { &mut *error }.give(&failure);
            1
        }
    }
}

/// A call of the maintenance trigger.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_maintain(event: *const RawEvent, error: *mut RawError) -> c_int {
    // SAFETY: the event is alive and unchanged until C's call returns.
    guarded(error, || trigger::fired(&unsafe { Event::new(&*event) }))
}

/// A call of an SQL function: the name of the command and its arguments.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_command(
    args: *const *const c_char,
    nargs: i32,
    result: *mut *const c_char,
    error: *mut RawError,
) -> c_int {
    guarded(error, || {
        // SAFETY: C passes that many strings.
        let args = unsafe { ffi::arguments(args, nargs) };
        if let Some(text) = commands::run(&args)? {
            // SAFETY: C passes the address of a pointer of its own.
            unsafe { *result = ffi::copy(&text) };
        }
        Ok(())
    })
}

/// The storage table of a stream table's view; unchanged for any other view.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_storage(view: u32, storage: *mut u32, error: *mut RawError) -> c_int {
    guarded(error, || {
        if let Some(found) = stages::storage_of(view)? {
            // SAFETY: C passes the address of a variable of its own.
            unsafe { *storage = found };
        }
        Ok(())
    })
}

/// An event trigger fired.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_ddl(event: *const c_char, error: *mut RawError) -> c_int {
    // SAFETY: C passes a string.
    guarded(error, || ddl::fired(&unsafe { ffi::text(event) }))
}

/// A transaction commits or aborts.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_transaction(event: i32, error: *mut RawError) -> c_int {
    guarded(error, || session::transaction(event))
}

/// A subtransaction starts, commits or aborts.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_subtransaction(event: i32, _own: u32, _parent: u32, _unused: *const c_void) {
    let _ = catch_unwind(|| session::subtransaction(event));
}

/// A relation has changed, or all may have.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_relcache(_unused: usize, relid: u32) {
    let _ = catch_unwind(|| session::relation_changed(relid));
}

/// A value of a result; the first column begins a row.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
extern "C" fn pgt_rs_value(rows: *mut Rows, column: i32, text: *const c_char) {
    // SAFETY: C gives back the pointer of the call that is going on, and a string or NULL.
    let _ = catch_unwind(|| unsafe { ffi::add_value(rows, column, text) });
}
