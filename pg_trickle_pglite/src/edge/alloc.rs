//! The allocator: PostgreSQL's `malloc`. The default one of this target grows memory behind the host's back.
//!
//! When there is no memory left, the failed allocation panics, and the panic becomes an SQL error like any other. A
//! block kept in reserve makes room for what PostgreSQL does about the error. The panic itself gets its memory from a
//! few bytes that are always there: were it to allocate, and that to fail, it would never end.

use super::ffi::Exhausted;
use std::alloc::{GlobalAlloc, Layout, set_alloc_error_hook};
use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::ptr;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
}

/// What `malloc` aligns to, at least.
const ALIGNMENT: usize = 8;

/// Enough for PostgreSQL to report an error and to roll back.
const RESERVE: usize = 64 * 1024;

thread_local! {
    static RESERVED: Cell<*mut c_void> = const { Cell::new(ptr::null_mut()) };
    /// A failed allocation is on its way out.
    static EXHAUSTED: Cell<bool> = const { Cell::new(false) };
    /// How much of `LAST` is in use.
    static USED: Cell<usize> = const { Cell::new(0) };
    static LAST: Last = const { Last(UnsafeCell::new([0; 128])) };
}

/// Memory for a panic on its way out, which takes less than 100 bytes.
#[repr(align(8))]
struct Last(UnsafeCell<[u8; 128]>);

/// Allocates the reserve, unless it exists.
pub fn prepare() {
    if RESERVED.get().is_null() {
        // SAFETY: any size may be asked of malloc; NULL only means that there will be no reserve.
        RESERVED.set(unsafe { malloc(RESERVE) });
        set_alloc_error_hook(exhausted);
    }
}

/// Gives the reserve back, until the next entry takes it again.
pub fn release() {
    // SAFETY: the block came from malloc, and is forgotten here; free takes NULL.
    unsafe { free(RESERVED.replace(ptr::null_mut())) };
}

fn exhausted(_: Layout) {
    release();
    EXHAUSTED.set(true);
    // Not `panic!`, which allocates what it says.
    std::panic::resume_unwind(Box::new(Exhausted));
}

/// A panic has ended.
pub fn calm() {
    EXHAUSTED.set(false);
}

/// A block of the last memory, if there is one.
fn last(layout: Layout) -> *mut u8 {
    let (start, size) = (USED.get(), layout.size().next_multiple_of(ALIGNMENT));
    if !EXHAUSTED.get() || layout.align() > ALIGNMENT || start + size > size_of::<Last>() {
        return ptr::null_mut();
    }
    USED.set(start + size);
    // SAFETY: the block is inside, and nothing else has it.
    LAST.with(|last| unsafe { last.0.get().cast::<u8>().add(start) })
}

/// Whether a block is of the last memory.
fn is_last(block: *mut u8) -> bool {
    let start = LAST.with(|last| last.0.get().addr());
    (start..start + size_of::<Last>()).contains(&block.addr())
}

/// `malloc`, with room before the block where a type wants more alignment than it gives.
pub struct HostMalloc;

// SAFETY: blocks come from malloc and are freed once by the matching call. For alignments above malloc's, the block is
// larger by the alignment, and the word before the returned address holds the address that malloc gave.
unsafe impl GlobalAlloc for HostMalloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= ALIGNMENT {
            // SAFETY: any size may be asked of malloc.
            let block: *mut u8 = unsafe { malloc(layout.size()) }.cast();
            return if block.is_null() { last(layout) } else { block };
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
            if is_last(block) {
                // A panic frees its memory when it has ended.
                USED.set(0);
            } else if layout.align() <= ALIGNMENT {
                free(block.cast());
            } else {
                free(block.cast::<*mut u8>().sub(1).read().cast());
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block is one of `alloc`, with this layout; the caller promises a valid new size.
        unsafe {
            if layout.align() <= ALIGNMENT && !is_last(block) {
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
