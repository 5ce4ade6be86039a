//! Where panics end: no panic crosses a C frame.

use super::RawError;
use crate::edge::error::{Result, SqlError};
use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// The message of the last panic, kept by the hook for the error.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
    static IS_READY: Cell<bool> = const { Cell::new(false) };
}

/// Reserves memory for a panic, and makes sure that its message is kept.
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

/// Whether a failed allocation caused the panic. Asked once for each, so that the next one is not taken for another.
fn was_exhausted() -> bool {
    #[cfg(target_family = "wasm")]
    return crate::edge::alloc::was_exhausted();
    #[cfg(not(target_family = "wasm"))]
    false
}

fn panic_error(is_exhausted: bool) -> Box<SqlError> {
    if is_exhausted {
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
    let is_exhausted = failed.is_none() && was_exhausted();
    // Reporting it takes memory too.
    let written = catch_unwind(AssertUnwindSafe(|| {
        error.give(&failed.unwrap_or_else(|| panic_error(is_exhausted)));
    }));
    if written.is_err() {
        was_exhausted();
        error.give_out_of_memory();
    }
    1
}

/// Runs `body`, and turns a panic into an error.
pub fn caught<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(panic_error(was_exhausted())))
}

/// Runs `body` where PostgreSQL accepts no error. After a panic it runs `lost`, which must not allocate: it notes that an
/// event was missed, so that an error can follow as soon as one can be raised.
pub fn quietly(body: impl FnOnce(), lost: fn()) {
    let seen = catch_unwind(AssertUnwindSafe(|| {
        prepare();
        body();
    }));
    if seen.is_err() {
        was_exhausted();
        lost();
    }
}

#[cfg(test)]
mod tests {
    use super::{RawError, caught, guarded, quietly};
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
    fn a_panic_can_be_caught_on_its_way() {
        super::prepare();
        assert_eq!(caught(|| Ok(1)).expect("no panic"), 1);
        let error = caught::<()>(|| panic!("a bug")).expect_err("a panic");
        assert_eq!(error.sqlstate, "XX000");
        assert!(error.message.contains("a bug"), "{}", error.message);
    }

    #[test]
    fn a_missed_event_is_noted() {
        quietly(|| (), || LOST.set(true));
        assert!(!LOST.get());
        quietly(|| panic!("missed"), || LOST.set(true));
        assert!(LOST.get());
    }
}
