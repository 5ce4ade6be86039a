//! The allocator: PostgreSQL's `malloc`. The default one of this target grows memory behind the host's back.
//!
//! When there is no memory left, the failed allocation panics, and the panic becomes an SQL error like any other. A
//! block kept in reserve makes room for it.

use std::alloc::{GlobalAlloc, Layout, set_alloc_error_hook};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
}

/// What `malloc` aligns to, at least.
const ALIGNMENT: usize = 8;

/// Enough for a panic on its way out.
const RESERVE: usize = 64 * 1024;

thread_local! {
    static RESERVED: Cell<*mut c_void> = const { Cell::new(ptr::null_mut()) };
    static EXHAUSTED: Cell<bool> = const { Cell::new(false) };
}

/// Allocates the reserve, unless it exists.
pub fn prepare() {
    if RESERVED.get().is_null() {
        // SAFETY: any size may be asked of malloc; NULL only means that there will be no reserve.
        RESERVED.set(unsafe { malloc(RESERVE) });
        set_alloc_error_hook(exhausted);
    }
}

fn exhausted(layout: Layout) {
    // SAFETY: the block came from malloc, and is forgotten here; free takes NULL.
    unsafe { free(RESERVED.replace(ptr::null_mut())) };
    EXHAUSTED.set(true);
    panic!("no memory for {} bytes", layout.size());
}

/// Whether a failed allocation caused the last panic. Resets the answer.
pub fn was_exhausted() -> bool {
    EXHAUSTED.replace(false)
}

/// `malloc`, with room before the block where a type wants more alignment than it gives.
pub struct HostMalloc;

// SAFETY: blocks come from malloc and are freed once by the matching call. For alignments above malloc's, the block is
// larger by the alignment, and the word before the returned address holds the address that malloc gave.
unsafe impl GlobalAlloc for HostMalloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= ALIGNMENT {
            // SAFETY: any size may be asked of malloc.
            return unsafe { malloc(layout.size()) }.cast();
        }
        let room = layout.align() + size_of::<usize>();
        // SAFETY: as above; the addresses computed stay inside the block.
        unsafe {
            let block: *mut u8 = malloc(layout.size() + room).cast();
            if block.is_null() {
                return block;
            }
            let first = block.add(size_of::<usize>());
            let aligned = first.add(first.align_offset(layout.align()));
            aligned.cast::<*mut u8>().sub(1).write(block);
            aligned
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is one of `alloc`, with this layout.
        unsafe {
            if layout.align() <= ALIGNMENT {
                free(block.cast());
            } else {
                free(block.cast::<*mut u8>().sub(1).read().cast());
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block is one of `alloc`, with this layout; the caller promises a valid new size.
        unsafe {
            if layout.align() <= ALIGNMENT {
                return realloc(block.cast(), size).cast();
            }
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(block, size.min(layout.size()));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}
