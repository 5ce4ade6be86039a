//! `PgtError`: errors on their way in and out.

use super::{c_string, text};
use crate::edge::error::SqlError;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;

/// A pointer to an `ErrorData`, kept only to give it back.
#[derive(Clone, Copy, Debug)]
pub struct PgErrorData(*mut c_void);

impl PgErrorData {
    /// Whether PostgreSQL raised the error.
    pub fn is_some(self) -> bool {
        !self.0.is_null()
    }
}

impl Default for PgErrorData {
    fn default() -> Self {
        Self(ptr::null_mut())
    }
}

/// `PgtError`.
#[repr(C)]
pub struct RawError {
    pg: *mut c_void,
    sqlstate: i32,
    position: i32,
    message: *const c_char,
    detail: *const c_char,
    hint: *const c_char,
    context: *const c_char,
    query: *const c_char,
}

const OUT_OF_MEMORY: &str = "53200";

/// What to do about it, for PostgreSQL's own error too.
const MORE_MEMORY: &CStr = if cfg!(target_family = "wasm") {
    c"Drop stream tables and close subscriptions that are not needed, or give PGlite more memory."
} else {
    c"Drop stream tables that are not needed, or give the server more memory."
};

thread_local! {
    /// The strings of the error that was reported last: C copies them before it calls again.
    static GIVEN: RefCell<Vec<CString>> = const { RefCell::new(Vec::new()) };
}

impl RawError {
    /// No error.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            pg: ptr::null_mut(),
            sqlstate: 0,
            position: 0,
            message: ptr::null(),
            detail: ptr::null(),
            hint: ptr::null(),
            context: ptr::null(),
            query: ptr::null(),
        }
    }

    /// A copy of the error that C has caught.
    #[must_use]
    pub fn take(&self) -> Box<SqlError> {
        #[cfg(target_family = "wasm")]
        if self.sqlstate == packed(OUT_OF_MEMORY) {
            crate::edge::alloc::release();
        }
        // SAFETY: the shim sets each string to NULL or to one that ends in a zero byte.
        let owned = |string| unsafe { text(string) };
        let mut error = SqlError::new(
            &unpacked(self.sqlstate),
            // C leaves it out where it could not even copy the error.
            owned(self.message).unwrap_or_else(|| "out of memory".to_owned()),
        );
        error.pg = PgErrorData(self.pg);
        error.detail = owned(self.detail);
        error.hint = owned(self.hint);
        error.context = owned(self.context);
        error.query = owned(self.query);
        error.position = self.position;
        error
    }

    /// Writes an error where C finds it.
    pub fn give(&mut self, error: &SqlError) {
        let mut strings = Vec::new();
        let mut optional = |text: Option<&str>| {
            text.map_or(ptr::null(), |text| {
                strings.push(c_string(text));
                strings.last().map_or(ptr::null(), |string| string.as_ptr())
            })
        };
        *self = Self {
            pg: error.pg.0,
            sqlstate: packed(&error.sqlstate),
            position: error.position,
            message: optional(Some(&error.message)),
            detail: optional(error.detail.as_deref()),
            hint: optional(error.hint.as_deref()),
            context: optional(error.context.as_deref()),
            query: optional(error.query.as_deref()),
        };
        let replaced = GIVEN.replace(strings);
        drop(replaced);
        if self.hint.is_null() && self.sqlstate == packed(OUT_OF_MEMORY) {
            self.hint = MORE_MEMORY.as_ptr();
        }
    }

    /// Writes the error that needs no memory.
    pub fn give_out_of_memory(&mut self) {
        *self = Self::empty();
        self.sqlstate = packed(OUT_OF_MEMORY);
        self.message = c"out of memory".as_ptr();
        self.hint = MORE_MEMORY.as_ptr();
    }
}

impl SqlError {
    /// There is no memory left.
    #[must_use]
    pub fn out_of_memory() -> Box<Self> {
        Self::new(OUT_OF_MEMORY, "out of memory")
    }
}

/// `MAKE_SQLSTATE`: six bits for each character, the first one lowest.
fn packed(sqlstate: &str) -> i32 {
    let bits = |byte: u8| (i32::from(byte) - i32::from(b'0')) & 0x3f;
    let places = sqlstate.bytes().take(5).zip((0..).step_by(6));
    places.fold(0, |code, (byte, place)| code | bits(byte) << place)
}

/// `unpack_sql_state`.
fn unpacked(code: i32) -> String {
    let character = |place: i32| char::from(b'0' + ((code >> (6 * place)) & 0x3f) as u8);
    (0..5).map(character).collect()
}

#[cfg(test)]
mod tests {
    use super::{packed, unpacked};

    #[test]
    fn codes_are_packed_as_postgres_does() {
        // From utils/errcodes.h: ERRCODE_OUT_OF_MEMORY and ERRCODE_INTERNAL_ERROR.
        assert_eq!(packed("53200"), 5 + (3 << 6) + (2 << 12));
        assert_eq!(packed("XX000"), (i32::from(b'X') - 48) * 65);
        for code in ["00000", "42P01", "XX000", "0A000", "ZZZZZ"] {
            assert_eq!(unpacked(packed(code)), code);
        }
    }
}
