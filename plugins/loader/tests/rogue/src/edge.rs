//! Makes wrong answers: a table between the SDK and Plimsoll that mishandles the next answer, as a counter with a
//! special name requests.
#![expect(unsafe_code, reason = "a table of C functions in front of another")]

use std::ffi::c_void;
use std::sync::Mutex;
use std::thread;

use plimsoll_plugin::hidden::{create as create_by_sdk, declare, made};
use plimsoll_plugin_abi::{Buf, Declaration, Host, InstancePtr, Text};

use crate::{Rogue, raw};

/// The real table, and what to do with the next answer.
struct Between {
    host: &'static Host,
    next: Mutex<Option<String>>,
    kept: Mutex<Vec<(u64, u32)>>,
    /// Answers are passed on one call at a time, so that a second answer is never overtaken by that of another call.
    turn: Mutex<()>,
}

#[unsafe(no_mangle)]
static PLIMSOLL_PLUGIN: Declaration = declare(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), create);

unsafe extern "C" fn create(host: *const Host) -> InstancePtr {
    // SAFETY: Plimsoll's table, which stays valid for ever.
    let host: &'static Host = unsafe { &*host };
    let between: &'static Between = Box::leak(Box::new(Between {
        host,
        next: Mutex::default(),
        kept: Mutex::default(),
        turn: Mutex::default(),
    }));
    let context = std::ptr::from_ref(between).cast();
    let mine: &'static Host = Box::leak(Box::new(Host { context, complete, log, count, ..*host }));
    // SAFETY: a table that stays valid for ever.
    unsafe { create_by_sdk(mine, env!("CARGO_PKG_NAME"), |start| made(Rogue::new(start))) }
}

/// # Safety
/// `context` is that of the table made in `create`.
unsafe fn between(context: *const c_void) -> &'static Between {
    // SAFETY: by this function's contract.
    unsafe { &*context.cast::<Between>() }
}

impl Between {
    fn pass_on(&self, call: u64, status: u32, head: Buf, body: Buf) {
        // SAFETY: Plimsoll's function with Plimsoll's context.
        unsafe { (self.host.complete)(self.host.context, call, status, head, body) };
    }
}

unsafe extern "C" fn complete(context: *const c_void, call: u64, status: u32, head: Buf, body: Buf) {
    // SAFETY: called by the SDK with the table's context.
    let between = unsafe { between(context) };
    let _turn = between.turn.lock().expect("no panic in here");
    for (call, status) in between.kept.lock().expect("no panic in here").drain(..) {
        between.pass_on(call, status, Buf::empty(), Buf::empty());
    }
    let whim = between.next.lock().expect("no panic in here").take();
    match whim.as_deref() {
        Some("edge.twice") => {
            between.pass_on(call, status, Buf::from(head.to_vec()), Buf::empty());
            between.pass_on(call, status, head, body);
            between.pass_on(u64::MAX, status, Buf::empty(), Buf::empty());
        }
        Some("edge.never") => {}
        Some("edge.later") => between.kept.lock().expect("no panic in here").push((call, status)),
        Some("edge.foreign") => {
            let answer = move || between.pass_on(call, status, head, body);
            drop(thread::spawn(answer));
        }
        Some("edge.raw") => {
            let (head, body) = raw::take();
            between.pass_on(call, status, Buf::from(head), Buf::from(body));
        }
        Some("edge.garbage") => between.pass_on(call, status, Buf::from(vec![0xff; 100]), body),
        Some("edge.strange") => between.pass_on(call, 4711, head, body),
        _ => between.pass_on(call, status, head, body),
    }
}

unsafe extern "C" fn log(context: *const c_void, level: u32, target: Text, message: Text) {
    // SAFETY: as in `complete`.
    let host = unsafe { between(context) }.host;
    // SAFETY: Plimsoll's function with Plimsoll's context.
    unsafe { (host.log)(host.context, level, target, message) };
}

unsafe extern "C" fn count(context: *const c_void, name: Text, delta: u64) {
    // SAFETY: as in `complete`.
    let (between, text) = unsafe { (between(context), name.read()) };
    if text.starts_with("edge.") {
        *between.next.lock().expect("no panic in here") = Some(text);
        return;
    }
    // SAFETY: Plimsoll's function with Plimsoll's context.
    unsafe { (between.host.count)(between.host.context, name, delta) };
}
