//! The C functions that Plimsoll calls. Each function calls safe code at once and stops panics, which would otherwise
//! end the process.
#![expect(unsafe_code, reason = "the C functions of a library")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use plimsoll_plugin_abi::{Buf, Declaration, Functions, Host, InstancePtr, Text};
use tokio::runtime::Runtime;

use crate::forward;
use crate::host::HostRef;
use crate::instance::Instance;
use crate::start::Make;

/// Threads of a library's runtime: one may be busy while the other one answers.
const THREADS: usize = 2;

/// The target of an instance pointer. The runtime is not part of the state that tasks hold, because a runtime must
/// not be dropped by one of its own threads.
struct Whole {
    runtime: Runtime,
    instance: Arc<Instance>,
}

/// A library's table.
#[doc(hidden)]
#[must_use]
pub const fn declare(
    name: &'static str,
    version: &'static str,
    create: unsafe extern "C" fn(*const Host) -> InstancePtr,
) -> Declaration {
    Declaration::new(
        Text::new(name),
        Text::new(version),
        Text::new(env!("CARGO_PKG_VERSION")),
        Text::new(env!("PLIMSOLL_RUSTC")),
        Functions { create, submit, cancel, destroy },
    )
}

/// Makes an instance with its runtime; null when that fails.
///
/// # Safety
/// `host` points to a table that stays valid for ever.
#[doc(hidden)]
#[must_use]
pub unsafe fn create(host: *const Host, name: &'static str, make: Make) -> InstancePtr {
    // SAFETY: by this function's contract.
    let Some(host) = (unsafe { HostRef::new(host) }) else { return std::ptr::null_mut() };
    let whole = catch_unwind(|| {
        forward::to(host);
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(THREADS).thread_name(name).enable_all().build();
        let whole = runtime.map(|runtime| {
            let instance = Arc::new(Instance::new(host, make, runtime.handle().clone()));
            Box::new(Whole { runtime, instance })
        });
        whole.inspect_err(|error| tracing::error!(%error, "no threads for a runtime"))
    });
    match whole {
        Ok(Ok(whole)) => Box::into_raw(whole).cast(),
        Ok(Err(_)) | Err(_) => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn submit(instance: InstancePtr, call: u64, op: u32, object: u64, payload: Buf) {
    // SAFETY: a pointer that `create` has given and `destroy` has not taken.
    let whole = unsafe { &*instance.cast::<Whole>() };
    // A panic here leaves the call unanswered, and Plimsoll gives up unanswered calls.
    let _panicked = catch_unwind(AssertUnwindSafe(|| whole.instance.submit(call, op, object, payload)));
}

unsafe extern "C" fn cancel(instance: InstancePtr, call: u64) {
    // SAFETY: as in `submit`.
    let whole = unsafe { &*instance.cast::<Whole>() };
    let _panicked = catch_unwind(AssertUnwindSafe(|| whole.instance.cancel(call)));
}

unsafe extern "C" fn destroy(instance: InstancePtr) {
    // SAFETY: as in `submit`, and not used again.
    let whole = unsafe { Box::from_raw(instance.cast::<Whole>()) };
    let _panicked = catch_unwind(AssertUnwindSafe(|| {
        whole.instance.end();
        // Blocked threads are left running; they hold nothing of Plimsoll.
        whole.runtime.shutdown_background();
    }));
}
