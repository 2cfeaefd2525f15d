//! The two tables: [`Declaration`], which a library exports, and [`Host`], which Plimsoll hands to it.
#![expect(unsafe_code, reason = "a C table holds raw pointers, and whoever fills it vouches for them")]

use std::ffi::c_void;
use std::slice;

use crate::{ABI_MAJOR, ABI_MINOR, Buf, MAGIC};

/// Borrowed UTF-8 text.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Text {
    ptr: *const u8,
    len: usize,
}

impl Text {
    /// Borrows `text`, which the reader must not outlive.
    #[must_use]
    pub const fn new(text: &str) -> Self {
        Self { ptr: text.as_ptr(), len: text.len() }
    }

    /// The text; invalid UTF-8 is replaced.
    ///
    /// # Safety
    /// The borrowed text must still be valid.
    #[must_use]
    pub unsafe fn read(self) -> String {
        if self.ptr.is_null() {
            return String::new();
        }
        // SAFETY: made by `new` (or by foreign code under the same contract), and valid by this function's contract.
        let bytes = unsafe { slice::from_raw_parts(self.ptr, self.len) };
        String::from_utf8_lossy(bytes).into_owned()
    }
}

// SAFETY: borrowed, immutable bytes; sharing the text is sharing a `&str`.
unsafe impl Send for Text {}
// SAFETY: as above.
unsafe impl Sync for Text {}

/// A pointer to a driver instance of the library.
pub type InstancePtr = *mut c_void;

/// A library's identity and functions. A static: plain data that can be read before any function of the library has
/// run.
#[derive(Debug)]
#[repr(C)]
pub struct Declaration {
    /// [`MAGIC`], which identifies this table.
    pub magic: [u8; 8],
    /// The size of the table in bytes.
    pub size: u32,
    /// [`ABI_MAJOR`] as the library was built with.
    pub abi_major: u16,
    /// [`ABI_MINOR`] as the library was built with.
    pub abi_minor: u16,
    /// The name of its package.
    pub name: Text,
    /// The version of its package.
    pub version: Text,
    /// The version of the SDK it was built with.
    pub sdk: Text,
    /// The compiler it was built with; for display only.
    pub rustc: Text,
    /// The library's functions.
    pub functions: Functions,
}

/// The functions of a library.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Functions {
    /// Makes an instance that answers to `host`, which stays valid for ever. Null when no runtime could start.
    pub create: unsafe extern "C" fn(host: *const Host) -> InstancePtr,
    /// Begins a call. The caller chooses `call`, which is not in use, and `object`; ownership of `payload` passes to
    /// the library. The answer may come before this returns.
    pub submit: unsafe extern "C" fn(InstancePtr, call: u64, op: u32, object: u64, payload: Buf),
    /// Cancels a call. Has no effect on a call that was answered already.
    pub cancel: unsafe extern "C" fn(InstancePtr, call: u64),
    /// Ends an instance. Its pointer must not be used again.
    pub destroy: unsafe extern "C" fn(InstancePtr),
}

/// What Plimsoll offers a library. It stays valid for ever, and every function may be called from any thread.
#[derive(Debug)]
#[repr(C)]
pub struct Host {
    /// The size of the table in bytes.
    pub size: u32,
    /// [`ABI_MAJOR`] of this Plimsoll.
    pub abi_major: u16,
    /// [`ABI_MINOR`] of this Plimsoll.
    pub abi_minor: u16,
    /// Log lines up to this [`level`](crate::level) are wanted.
    pub max_level: u32,
    /// The first argument of each function below.
    pub context: *const c_void,
    /// Answers a call: once, from any thread. Later answers are counted and ignored.
    pub complete: unsafe extern "C" fn(context: *const c_void, call: u64, status: u32, head: Buf, body: Buf),
    /// Passes a log line on.
    pub log: unsafe extern "C" fn(context: *const c_void, level: u32, target: Text, message: Text),
    /// Adds to a counter.
    pub count: unsafe extern "C" fn(context: *const c_void, name: Text, delta: u64),
}

// SAFETY: by contract the context may be used from any thread.
unsafe impl Send for Host {}
// SAFETY: as above; the table itself never changes.
unsafe impl Sync for Host {}

/// The value of a table's size field.
const fn size_of_table<T>() -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "a table has some dozens of bytes")]
    let size = size_of::<T>() as u32;
    size
}

impl Declaration {
    /// The table of a library built with this version of the ABI.
    #[must_use]
    pub const fn new(name: Text, version: Text, sdk: Text, rustc: Text, functions: Functions) -> Self {
        Self {
            magic: MAGIC,
            size: size_of_table::<Self>(),
            abi_major: ABI_MAJOR,
            abi_minor: ABI_MINOR,
            name,
            version,
            sdk,
            rustc,
            functions,
        }
    }
}

impl Host {
    /// The value of `size` in a table of this version.
    pub const SIZE: u32 = size_of_table::<Self>();
}
