//! Safe functions over the table that Plimsoll passed to the library.
#![expect(unsafe_code, reason = "the only calls out of the library")]

use plimsoll_plugin_abi::{Buf, Host, Text};

use crate::answer::Answer;

/// Plimsoll's table. It stays valid for ever, so copies are free.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostRef(&'static Host);

impl HostRef {
    /// Takes the argument of `create`; `None` for a table that is too small for our version.
    ///
    /// # Safety
    /// `host` points to a table that stays valid for ever.
    pub(crate) unsafe fn new(host: *const Host) -> Option<Self> {
        // SAFETY: by this function's contract. The size is the table's first field in every version.
        let host = unsafe { host.as_ref() }?;
        (host.size >= Host::SIZE).then_some(Self(host))
    }

    /// The most detailed level that is wanted.
    pub(crate) const fn max_level(self) -> u32 {
        self.0.max_level
    }

    /// Whether an `OPEN` that was not answered with `OK` is followed by a `CLOSE_CONTEXT`: since version 1.1.
    pub(crate) const fn closes_what_did_not_open(self) -> bool {
        self.0.abi_minor >= 1
    }

    /// Answers a call.
    pub(crate) fn complete(self, call: u64, answer: Answer) {
        let Answer { status, head, body } = answer;
        // SAFETY: the table's own function with the table's own context.
        unsafe { (self.0.complete)(self.0.context, call, status, Buf::from(head), Buf::from(body)) };
    }

    /// Passes a log line on.
    pub(crate) fn log(self, level: u32, target: &str, message: &str) {
        // SAFETY: as above; the texts outlive the call.
        unsafe { (self.0.log)(self.0.context, level, Text::new(target), Text::new(message)) };
    }

    /// Adds to a counter.
    pub(crate) fn count(self, name: &str, delta: u64) {
        // SAFETY: as above.
        unsafe { (self.0.count)(self.0.context, Text::new(name), delta) };
    }
}
