//! A driver in this process: calls the library's functions, and provides the functions that the library calls.
#![expect(unsafe_code, reason = "the only calls into a library, and the functions that it is given")]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::LONGEST_ARTIFACT;
use plimsoll_plugin_abi::{ABI_MAJOR, ABI_MINOR, Buf, Functions, Host, InstancePtr, Text, status};

use crate::library::Library;
use crate::sink::{Bytes, Reply, Sink};

/// The longest answer, in bytes: the largest artifact ([`LONGEST_ARTIFACT`]) with room for its head. A longer one is freed
/// unread, here and in a child.
pub(crate) const LONGEST_ANSWER: usize = LONGEST_ARTIFACT + (1 << 20);

/// A running instance. Dropping it destroys the instance; the library's code stays.
#[derive(Debug)]
pub(crate) struct Instance {
    functions: Functions,
    ptr: InstancePtr,
}

// SAFETY: the interface promises that an instance may be used from any thread.
unsafe impl Send for Instance {}
// SAFETY: as above, also from several threads at once.
unsafe impl Sync for Instance {}

impl Instance {
    /// Makes an instance that sends to `sink`; `None` when the library could not start its runtime.
    ///
    /// The memory passed to the library is never freed, since its threads may use it: some hundred bytes per instance.
    pub(crate) fn create(library: &Library, sink: Arc<dyn Sink>, max_level: u32) -> Option<Self> {
        let context: *const Arc<dyn Sink> = Box::leak(Box::new(sink));
        let host: &'static Host = Box::leak(Box::new(Host {
            size: Host::SIZE,
            abi_major: ABI_MAJOR,
            abi_minor: ABI_MINOR,
            max_level,
            context: context.cast(),
            complete,
            log,
            count,
        }));
        let functions = library.functions;
        // SAFETY: the library's own function; the table is never freed.
        let ptr = unsafe { (functions.create)(host) };
        (!ptr.is_null()).then_some(Self { functions, ptr })
    }

    /// Begins a call.
    pub(crate) fn submit(&self, call: u64, op: u32, object: u64, payload: Vec<u8>) {
        // SAFETY: the library's own function and instance, which is not destroyed while `self` is borrowed.
        unsafe { (self.functions.submit)(self.ptr, call, op, object, Buf::from(payload)) };
    }

    /// Cancels a call.
    pub(crate) fn cancel(&self, call: u64) {
        // SAFETY: as above.
        unsafe { (self.functions.cancel)(self.ptr, call) };
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: as above, and this is the last use.
        unsafe { (self.functions.destroy)(self.ptr) };
    }
}

/// The sink behind a context.
///
/// # Safety
/// `context` is the pointer that [`Instance::create`] passed to the library.
unsafe fn sink<'a>(context: *const c_void) -> &'a dyn Sink {
    // SAFETY: by this function's contract; it is never freed.
    unsafe { &*context.cast::<Arc<dyn Sink>>() }.as_ref()
}

unsafe extern "C" fn complete(context: *const c_void, call: u64, status: u32, head: Buf, body: Buf) {
    // A panic must not pass into the library; the call then stays unanswered and is given up in time.
    let _panicked = catch_unwind(AssertUnwindSafe(|| {
        let reply = bounded(Reply { status, head: Bytes::Theirs(head), body: Bytes::Theirs(body) });
        // SAFETY: called by the library, with its context.
        unsafe { sink(context) }.complete(call, reply);
    }));
}

/// The answer, or a fault in its place if it is too long.
fn bounded(reply: Reply) -> Reply {
    let bytes = reply.head.len().saturating_add(reply.body.len());
    if bytes <= LONGEST_ANSWER {
        return reply;
    }
    let message = format!("the plugin's answer has {bytes} bytes, and at most {LONGEST_ANSWER} are allowed");
    let fault = Fault::persistent(FailureClass::Internal, message);
    let head = serde_json::to_vec(&fault).unwrap_or_default();
    Reply { status: status::FAULT, head: Bytes::Ours(head), body: Bytes::Ours(Vec::new()) }
}

unsafe extern "C" fn log(context: *const c_void, level: u32, target: Text, message: Text) {
    let _panicked = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: called by the library, with its context and texts that outlive the call.
        unsafe { sink(context).log(level, &target.read(), &message.read()) };
    }));
}

unsafe extern "C" fn count(context: *const c_void, name: Text, delta: u64) {
    let _panicked = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: as in `log`.
        unsafe { sink(context).count(&name.read(), delta) };
    }));
}
