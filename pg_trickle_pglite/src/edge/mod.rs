//! The edge to PostgreSQL: its functions as safe ones, its errors, its catalogs. `unsafe` is here, in `ffi` and `alloc`,
//! and in the entry points of `lib.rs`.

#[cfg(target_family = "wasm")]
#[allow(unsafe_code)]
pub mod alloc;
pub mod catalog;
pub mod error;
#[allow(unsafe_code)]
pub mod ffi;
pub mod settings;
pub mod spi;
