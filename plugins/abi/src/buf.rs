//! Bytes that pass from one side to the other: [`Buf`].
#![expect(
    unsafe_code,
    reason = "memory that crosses a library's edge is a pointer, a length and who frees it"
)]

use std::ops::Deref;
use std::slice;
use std::sync::atomic::{AtomicI64, Ordering};

/// Bytes that are freed by the side that allocated them, on whichever side they are dropped.
#[derive(Debug)]
#[repr(C)]
pub struct Buf {
    ptr: *mut u8,
    len: usize,
    capacity: usize,
    free: Option<unsafe extern "C" fn(ptr: *mut u8, len: usize, capacity: usize)>,
}

/// Buffers of this copy of the crate that were made and not freed. Each library has a copy of its own.
static OUTSTANDING: AtomicI64 = AtomicI64::new(0);

/// How many buffers that were made here have not been freed. Empty buffers hold no memory and are not counted.
pub fn outstanding() -> i64 {
    OUTSTANDING.load(Ordering::Relaxed)
}

impl Buf {
    /// No bytes.
    #[must_use]
    pub const fn empty() -> Self {
        Self { ptr: std::ptr::null_mut(), len: 0, capacity: 0, free: None }
    }
}

impl From<Vec<u8>> for Buf {
    fn from(mut bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            return Self::empty();
        }
        OUTSTANDING.fetch_add(1, Ordering::Relaxed);
        let (ptr, len, capacity) = (bytes.as_mut_ptr(), bytes.len(), bytes.capacity());
        std::mem::forget(bytes);
        Self { ptr, len, capacity, free: Some(free) }
    }
}

impl Deref for Buf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        if self.ptr.is_null() {
            return &[];
        }
        // SAFETY: made from a vector (or by foreign code under the same contract) and freed only by `drop`.
        unsafe { slice::from_raw_parts(self.ptr, self.len) }
    }
}

impl Drop for Buf {
    fn drop(&mut self) {
        if let Some(free) = self.free {
            // SAFETY: the allocating side's own function, called once, with the values that this side wrote.
            unsafe { free(self.ptr, self.len, self.capacity) };
        }
    }
}

// SAFETY: the bytes are owned, and an allocator takes memory back from any thread.
unsafe impl Send for Buf {}
// SAFETY: shared access only reads.
unsafe impl Sync for Buf {}

/// Frees a buffer that [`Buf::from`] of this copy of the crate allocated.
unsafe extern "C" fn free(ptr: *mut u8, len: usize, capacity: usize) {
    OUTSTANDING.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: these are the parts of a vector of this copy of the crate, and a buffer is dropped once.
    drop(unsafe { Vec::from_raw_parts(ptr, len, capacity) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_freed_by_its_maker_once() {
        let before = outstanding();
        let bufs: Vec<Buf> = (0..10_u8).map(|n| Buf::from(vec![n; usize::from(n) * 1000])).collect();
        assert_eq!(outstanding() - before, 9, "an empty one holds nothing");
        assert!(bufs.iter().zip(0..).all(|(buf, n)| buf.iter().all(|&byte| byte == n)));
        drop(bufs);
        assert_eq!(outstanding(), before);
        assert_eq!(&*Buf::empty(), b"");
    }
}
