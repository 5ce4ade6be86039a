//! Where panics end: no panic crosses a C frame.

use super::RawError;
use crate::edge::error::{Result, SqlError};
use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// What the last panic said, kept by the hook for the error.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
    static IS_READY: Cell<bool> = const { Cell::new(false) };
}

/// Makes room for a panic, and lets it say what it has to say.
fn prepare() {
    #[cfg(target_family = "wasm")]
    crate::edge::alloc::prepare();
    if !IS_READY.replace(true) {
        std::panic::set_hook(Box::new(|info| {
            let text = info.to_string();
            let _ = PANIC.try_with(|panic| panic.try_borrow_mut().map(|mut panic| *panic = text));
        }));
    }
}

fn panic_error() -> Box<SqlError> {
    #[cfg(target_family = "wasm")]
    if crate::edge::alloc::was_exhausted() {
        return SqlError::out_of_memory();
    }
    let said = PANIC.with(|panic| panic.try_borrow_mut().map(|mut panic| std::mem::take(&mut *panic)));
    SqlError::internal(said.unwrap_or_default())
}

/// Runs `body` for C. An error or a panic goes to `error`, and the answer is 1.
///
/// # Safety
/// `error` points to an error of C's own.
pub unsafe fn guarded(error: *mut RawError, body: impl FnOnce() -> Result<()>) -> c_int {
    // SAFETY: as the caller promises.
    let error = unsafe { &mut *error };
    let failed = match catch_unwind(AssertUnwindSafe(|| {
        prepare();
        body()
    })) {
        Ok(Ok(())) => return 0,
        Ok(Err(failure)) => Some(failure),
        Err(_) => None,
    };
    // To write it down takes memory too.
    let written = catch_unwind(AssertUnwindSafe(|| {
        error.give(&failed.unwrap_or_else(panic_error));
    }));
    if written.is_err() {
        error.give_out_of_memory();
    }
    1
}

/// Runs `body` where PostgreSQL takes no error. After a panic `lost` runs in its place, which must need no memory: it notes
/// that something was not seen, so that an error can follow as soon as one can be raised.
pub fn quietly(body: impl FnOnce(), lost: fn()) {
    let seen = catch_unwind(AssertUnwindSafe(|| {
        prepare();
        body();
    }));
    if seen.is_err() {
        lost();
    }
}

#[cfg(test)]
mod tests {
    use super::{RawError, guarded, quietly};
    use crate::edge::error::SqlError;
    use std::cell::Cell;

    thread_local!(static LOST: Cell<bool> = const { Cell::new(false) });

    #[test]
    fn errors_and_panics_are_reported() {
        let report = |body: fn() -> super::Result<()>| {
            let mut error = RawError::empty();
            // SAFETY: the address of a variable.
            let code = unsafe { guarded(&raw mut error, body) };
            (code, error.take())
        };
        assert_eq!(report(|| Ok(())).0, 0);
        let (code, error) = report(|| Err(SqlError::new("42601", "wrong")));
        assert_eq!(
            (code, error.sqlstate.as_str(), error.message.as_str()),
            (1, "42601", "wrong")
        );
        let (code, error) = report(|| panic!("a bug"));
        assert_eq!((code, error.sqlstate.as_str()), (1, "XX000"));
        assert!(error.message.contains("a bug"), "{}", error.message);
    }

    #[test]
    fn nothing_is_lost_unnoticed() {
        quietly(|| (), || LOST.set(true));
        assert!(!LOST.get());
        quietly(|| panic!("not seen"), || LOST.set(true));
        assert!(LOST.get());
    }
}
