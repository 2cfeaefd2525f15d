//! A launch as a task of its own.

use std::future::Future;
use std::sync::Arc;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::Browser;
use plimsoll_core::runtime::supervisor::{Supervisor, TaskFailure};

/// Runs `work` as a task of `supervisor`. A caller that stops waiting does not interrupt it; a browser that is launched
/// after its caller has left is dropped, which closes it.
///
/// # Errors
/// The fault of `work`, or a fault when its task panicked or was cancelled.
pub async fn launch<B: Browser + 'static>(
    supervisor: &Supervisor,
    work: impl Future<Output = Result<B, Fault>> + Send + 'static,
) -> Result<Arc<dyn Browser>, Fault> {
    match supervisor.spawn("launch browser", work).await {
        Ok(launched) => launched.map(|browser| Arc::new(browser) as Arc<dyn Browser>),
        Err(TaskFailure::Cancelled) => {
            Err(Fault::transient(FailureClass::BrowserCrash, "the launch was cancelled"))
        }
        Err(panicked @ TaskFailure::Panicked(_)) => {
            Err(Fault::transient(FailureClass::Internal, format!("the launch failed: {panicked}")))
        }
    }
}
