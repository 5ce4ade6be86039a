//! Where panics end: no panic crosses a C frame.

use super::RawError;
use crate::edge::error::{Result, SqlError};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a failed allocation panics with.
pub struct Exhausted;

/// Why something did not end as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An allocation failed.
    Memory,
    /// A bug of ours.
    Panic,
}

/// The start of a text, in memory that is there already.
struct Said {
    bytes: [u8; 240],
    length: usize,
}

impl Write for Said {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (place, byte) in self.bytes[self.length..].iter_mut().zip(text.bytes()) {
            *place = byte;
            self.length += 1;
        }
        Ok(())
    }
}

thread_local! {
    /// The message of the last panic, kept by the hook for the error.
    static PANIC: RefCell<Said> = const { RefCell::new(Said { bytes: [0; 240], length: 0 }) };
    static IS_READY: Cell<bool> = const { Cell::new(false) };
    /// A panic where no error can be raised: the next entry raises it.
    static IS_OWED: Cell<bool> = const { Cell::new(false) };
    /// Entries until one panics, for tests; 0 for none.
    static LEFT: Cell<u32> = const { Cell::new(0) };
}

/// Lets one of the next entries from C panic: this one, counted from 1. Returns how many were left until the last one that
/// was asked for.
pub fn panic_at(entry: u32) -> u32 {
    LEFT.replace(entry)
}

/// What every entry does first: reserves memory for a panic, and makes sure that its message is kept.
fn enter() {
    #[cfg(target_family = "wasm")]
    crate::edge::alloc::prepare();
    if !IS_READY.replace(true) {
        std::panic::set_hook(Box::new(|info| {
            let _ = PANIC.try_with(|panic| {
                panic.try_borrow_mut().map(|mut panic| {
                    panic.length = 0;
                    write!(panic, "{info}")
                })
            });
        }));
    }
    let left = LEFT.get();
    if left > 0 {
        LEFT.set(left - 1);
        assert!(left > 1, "asked for");
    }
}

/// What caused a panic, whose end this is.
fn cause(payload: &(dyn Any + Send)) -> Cause {
    #[cfg(target_family = "wasm")]
    crate::edge::alloc::calm();
    if payload.is::<Exhausted>() {
        Cause::Memory
    } else {
        Cause::Panic
    }
}

fn panic_error(cause: Cause) -> Box<SqlError> {
    match cause {
        Cause::Memory => SqlError::out_of_memory(),
        Cause::Panic => PANIC.with(|panic| match panic.try_borrow() {
            Ok(said) => SqlError::internal(String::from_utf8_lossy(&said.bytes[..said.length])),
            Err(_) => SqlError::internal("a panic"),
        }),
    }
}

/// Runs `body` for C. An error or a panic goes to `error`, and the answer is 1.
///
/// # Safety
/// `error` points to an error of C's own.
pub unsafe fn guarded(error: *mut RawError, body: impl FnOnce() -> Result<()>) -> c_int {
    // SAFETY: as the caller promises.
    let error = unsafe { &mut *error };
    let ended = catch_unwind(AssertUnwindSafe(|| {
        enter();
        if IS_OWED.replace(false) {
            return Err(panic_error(Cause::Panic));
        }
        body()
    }));
    let failed = match ended {
        Ok(Ok(())) => return 0,
        Ok(Err(failure)) => Ok(failure),
        Err(payload) => Err(cause(&*payload)),
    };
    // Reporting it takes memory too.
    let written = catch_unwind(AssertUnwindSafe(|| error.give(&failed.unwrap_or_else(panic_error))));
    if let Err(payload) = written {
        cause(&*payload);
        error.give_out_of_memory();
    }
    1
}

/// Runs `body`, and turns a panic into an error.
pub fn caught<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(panic_error(cause(&*payload))))
}

/// Runs `body` where PostgreSQL accepts no error. After a panic it runs `lost`, which must neither allocate nor panic: it
/// notes that an event was missed. The next entry that can raise an error raises the panic; that memory was short is no
/// reason to, where `lost` has made up for it.
pub fn quietly(body: impl FnOnce(), lost: fn(Cause)) {
    let seen = catch_unwind(AssertUnwindSafe(|| {
        enter();
        body();
    }));
    if let Err(payload) = seen {
        let cause = cause(&*payload);
        IS_OWED.set(IS_OWED.get() || cause == Cause::Panic);
        lost(cause);
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, Exhausted, RawError, caught, guarded, quietly};
    use crate::edge::error::SqlError;
    use std::cell::Cell;
    use std::panic::resume_unwind;

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
        super::enter();
        assert_eq!(caught(|| Ok(1)).expect("no panic"), 1);
        let error = caught::<()>(|| panic!("a bug")).expect_err("a panic");
        assert_eq!(error.sqlstate, "XX000");
        assert!(error.message.contains("a bug"), "{}", error.message);
    }

    #[test]
    fn a_missed_event_is_noted() {
        let report = || {
            let mut error = RawError::empty();
            // SAFETY: the address of a variable.
            let code = unsafe { guarded(&raw mut error, || Ok(())) };
            (code, error.take())
        };
        quietly(|| (), |_| LOST.set(true));
        assert!(!LOST.get());
        quietly(|| panic!("missed"), |_| LOST.set(true));
        assert!(LOST.get());
        let (code, error) = report();
        assert_eq!((code, error.sqlstate.as_str()), (1, "XX000"));
        assert!(error.message.contains("missed"), "{}", error.message);
        assert_eq!(report().0, 0, "raised once");
    }

    #[test]
    fn memory_that_was_short_is_no_panic() {
        quietly(
            || resume_unwind(Box::new(Exhausted)),
            |cause| assert_eq!(cause, Cause::Memory),
        );
        let mut error = RawError::empty();
        // SAFETY: the address of a variable.
        assert_eq!(unsafe { guarded(&raw mut error, || Ok(())) }, 0, "nothing is owed");
        // SAFETY: the same.
        let code = unsafe { guarded(&raw mut error, || resume_unwind(Box::new(Exhausted))) };
        let error = error.take();
        assert_eq!((code, error.sqlstate.as_str()), (1, "53200"));
        assert!(error.hint.is_some());
    }

    #[test]
    fn an_entry_panics_when_asked_to() {
        super::panic_at(2);
        let report = || {
            let mut error = RawError::empty();
            // SAFETY: the address of a variable.
            (unsafe { guarded(&raw mut error, || Ok(())) }, error.take().sqlstate)
        };
        assert_eq!(report().0, 0);
        assert_eq!(report(), (1, "XX000".to_owned()));
        assert_eq!(report().0, 0);
    }
}
