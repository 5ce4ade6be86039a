//! The edge to PostgreSQL: safe functions for its calls, its errors, its catalogs. `unsafe` stays in `ffi`, in `alloc`, and
//! in the entry points of `lib.rs`.

#[cfg(target_family = "wasm")]
#[allow(unsafe_code)]
pub mod alloc;
pub mod catalog;
pub mod error;
#[allow(unsafe_code)]
pub mod ffi;
pub mod settings;
pub mod spi;
