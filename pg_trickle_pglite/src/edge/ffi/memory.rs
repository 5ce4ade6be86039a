//! How much memory PGlite may use, and how much of it is in use.
//!
//! WebAssembly memory only grows, and neither PGlite nor its allocator tells how much of it is free. What is in use is
//! therefore added up: what the memory contexts of PostgreSQL have, what this module has allocated, and what was in use
//! beside these when the library was loaded (variables, the stack, shared memory).

#[cfg(any(test, target_family = "wasm"))]
use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What the allocator of this module has given away, in bytes.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

/// What a block takes beside its bytes, in `malloc`.
#[cfg(any(test, target_family = "wasm"))]
const OVERHEAD: usize = 8;

/// An allocator that counts.
#[cfg(any(test, target_family = "wasm"))]
pub struct Counted<A>(pub A);

// SAFETY: the calls go to the allocator inside as they are.
#[cfg(any(test, target_family = "wasm"))]
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counted<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        let block = unsafe { self.0.alloc(layout) };
        if !block.is_null() {
            ALLOCATED.fetch_add(layout.size() + OVERHEAD, Relaxed);
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size() + OVERHEAD, Relaxed);
        // SAFETY: as the caller promises.
        unsafe { self.0.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promises.
        let moved = unsafe { self.0.realloc(block, layout, size) };
        if !moved.is_null() {
            ALLOCATED.fetch_add(size, Relaxed);
            ALLOCATED.fetch_sub(layout.size(), Relaxed);
        }
        moved
    }
}

/// What this module has allocated.
#[must_use]
pub fn allocated() -> usize {
    ALLOCATED.load(Relaxed)
}

thread_local! {
    /// What is in use beside contexts and what this module allocates; 0 until it is known.
    static FIXED: Cell<usize> = const { Cell::new(0) };
    /// A lower limit than PGlite's, from who opened the database; 0 if there is none.
    static HOST_LIMIT: Cell<usize> = const { Cell::new(0) };
}

#[cfg(target_family = "wasm")]
mod host {
    use std::ffi::c_void;

    unsafe extern "C" {
        fn malloc(size: usize) -> *mut c_void;
        fn free(block: *mut c_void);
        fn emscripten_get_heap_max() -> usize;
        fn pgt_context_memory() -> usize;
        /// PostgreSQL's own; raises nothing.
        fn MemoryContextMemAllocated(context: *mut c_void, recurse: bool) -> usize;
        static TopMemoryContext: *mut c_void;
        static CacheMemoryContext: *mut c_void;
        static pgt_memory_limit: f64;
        static pgt_plan_memory: f64;
    }

    const PAGE: usize = 65_536;
    /// A block that is likely to come from the end of what is in use, not from a gap.
    const LARGE: usize = 256 * 1024;

    /// The size of the memory, of which the end may never have been used.
    pub fn size() -> usize {
        core::arch::wasm32::memory_size(0) * PAGE
    }

    /// The largest size.
    pub fn max() -> usize {
        // SAFETY: returns a constant.
        unsafe { emscripten_get_heap_max() }
    }

    /// What contexts have.
    pub fn contexts() -> usize {
        // SAFETY: counts, and raises nothing.
        unsafe { pgt_context_memory() }
    }

    /// What all contexts have with what their cache could give to others, and what the cache alone has.
    pub fn taken() -> (usize, usize) {
        // SAFETY: reads two variables, and counts.
        unsafe {
            (
                MemoryContextMemAllocated(TopMemoryContext, true),
                MemoryContextMemAllocated(CacheMemoryContext, false),
            )
        }
    }

    /// The settings, as they are.
    pub fn settings() -> (usize, usize) {
        // SAFETY: reads two variables.
        unsafe { (pgt_memory_limit as usize, pgt_plan_memory as usize) }
    }

    /// Where what has been in use so far ends.
    pub fn top() -> usize {
        // SAFETY: any size may be asked of malloc; free takes what it gave, and NULL.
        unsafe {
            let blocks = [(); 4].map(|()| malloc(LARGE));
            let end = blocks.iter().map(|block| block.addr()).max().unwrap_or(0);
            blocks.into_iter().for_each(|block| free(block));
            if end == 0 { size() } else { end.min(size()) }
        }
    }
}

/// Tests run without PostgreSQL: none of this is known.
#[cfg(not(target_family = "wasm"))]
mod host {
    pub fn size() -> usize {
        0
    }
    pub fn max() -> usize {
        usize::MAX
    }
    pub fn contexts() -> usize {
        0
    }
    pub fn taken() -> (usize, usize) {
        (0, 0)
    }
    pub fn settings() -> (usize, usize) {
        (0, 0)
    }
    pub fn top() -> usize {
        1
    }
}

/// Finds out what is in use beside what is counted. Called before there is much.
pub fn calibrate() {
    if FIXED.get() == 0 {
        FIXED.set(host::top().saturating_sub(host::contexts() + allocated()).max(1));
    }
}

/// Sets a limit for the session.
pub fn set_host_limit(bytes: usize) {
    HOST_LIMIT.set(bytes);
}

/// How much memory may be used, in bytes.
#[must_use]
pub fn limit() -> usize {
    let (setting, _) = host::settings();
    let given = [setting, HOST_LIMIT.get()].into_iter().filter(|limit| *limit > 0);
    given.fold(host::max(), usize::min)
}

/// How much of it plans may take: as the setting says, or an eighth.
#[must_use]
pub fn plan_budget() -> usize {
    match host::settings() {
        (_, 0) => limit() / 8,
        (_, given) => given,
    }
}

/// What is in use: beside what is counted, by contexts, and by this module.
#[must_use]
pub fn parts() -> [usize; 3] {
    calibrate();
    [FIXED.get(), host::contexts(), allocated()]
}

/// How much is in use.
#[must_use]
pub fn used() -> usize {
    parts().into_iter().sum::<usize>().min(host::size())
}

/// How far memory may fill up: to a share of the limit, and so far that some of it stays free.
#[derive(Clone, Copy)]
pub struct Mark {
    /// The share, in percent.
    pub percent: usize,
    /// What stays free, in bytes.
    pub free: usize,
}

impl Mark {
    /// A share of the limit, in percent.
    #[must_use]
    pub const fn share(percent: usize) -> Self {
        Self { percent, free: 0 }
    }

    /// What is free at the mark is more than the rest of the share.
    #[must_use]
    pub fn is_by_free(self) -> bool {
        self.bytes() < limit() / 100 * self.percent
    }

    fn bytes(self) -> usize {
        (limit() / 100 * self.percent).min(limit().saturating_sub(self.free))
    }
}

/// Whether the memory has ever been larger than this.
#[must_use]
pub fn is_grown(mark: Mark) -> bool {
    host::size() > mark.bytes()
}

/// Whether more than this is in use. Costs nothing as long as the memory is smaller.
#[must_use]
pub fn is_above(mark: Mark) -> bool {
    is_grown(mark) && used() > mark.bytes()
}

/// Whether more than this is taken from all that is not PostgreSQL's cache: with what it has free.
#[must_use]
pub fn is_taken(mark: Mark) -> bool {
    is_grown(mark) && {
        calibrate();
        FIXED.get() + host::taken().0 + allocated() > mark.bytes()
    }
}

/// Whether PostgreSQL's cache will soon take more.
#[must_use]
pub fn is_cache_full() -> bool {
    let (all, cache) = host::taken();
    all - host::contexts() < cache / 4
}

#[cfg(test)]
mod tests {
    use super::{Counted, allocated};
    use std::alloc::{GlobalAlloc, Layout, System};

    #[test]
    fn what_is_allocated_is_counted() {
        let layout = Layout::from_size_align(100, 8).expect("a layout");
        let counted = Counted(System);
        let before = allocated();
        // SAFETY: each block is given back once, with its layout.
        unsafe {
            let block = counted.alloc(layout);
            assert_eq!(allocated() - before, 108);
            let block = counted.realloc(block, layout, 50);
            assert_eq!(allocated() - before, 58);
            counted.dealloc(block, Layout::from_size_align(50, 8).expect("a layout"));
        }
        assert_eq!(allocated(), before);
    }
}
