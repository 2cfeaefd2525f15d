//! Where sessions run.

use std::sync::Arc;

use plimsoll_host::tree::ProcessTree;

use crate::direct::Direct;

/// On this machine, or at the remote end or ends `R`.
#[derive(Debug)]
pub(crate) enum Location<R> {
    /// In a process tree of this driver.
    Local(LocalDriver),
    /// At a remote end.
    Remote(R),
}

/// A driver process of ours and the requests to it.
#[derive(Debug, Clone)]
pub(crate) struct LocalDriver {
    pub(crate) tree: Arc<ProcessTree>,
    pub(crate) direct: Arc<Direct>,
}
