//! The only module that spawns tasks.
//!
//! A [`Supervisor`] is a node in a tree. When it is cancelled, the tasks of the node and of its children end.
//! [`Supervisor::stop`] returns when the tasks of the node itself *have* ended; the tasks of a child are awaited by the
//! child's own `stop`. The end of a task is always reported: the holder of its [`Task`] receives the result, and a
//! panic is also logged with the task's name and counted, even if the handle was dropped.
//!
//! ```text
//!   Supervisor "run"
//!    ├─ Supervisor "browser 3" ── reader, writer
//!    └─ attempt 17 ── panics ──► logged, counted, Err(TaskFailure::Panicked) to its owner
//! ```
//!
//! Cancellation is not a failure: a task that is cancelled before it finishes returns [`TaskFailure::Cancelled`] and is
//! not counted as a panic.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A node of the task tree. It spawns, cancels and awaits the tasks below it.
#[derive(Debug, Clone)]
pub struct Supervisor {
    cancel: CancellationToken,
    tasks: TaskTracker,
    panics: Arc<AtomicU64>,
}

/// Why a task gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskFailure {
    /// The task panicked; the text is the panic's message.
    #[error("task panicked: {0}")]
    Panicked(String),
    /// The task was cancelled before it finished.
    #[error("task cancelled")]
    Cancelled,
}

impl Supervisor {
    /// The root of a task tree.
    #[must_use]
    pub fn root() -> Self {
        Self { cancel: CancellationToken::new(), tasks: TaskTracker::new(), panics: Arc::default() }
    }

    /// A subtree. It is cancelled with its parent and can also be stopped alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            cancel: self.cancel.child_token(),
            tasks: TaskTracker::new(),
            panics: Arc::clone(&self.panics),
        }
    }

    /// Spawns `work` as a task that ends, at its next await, when this subtree is cancelled.
    ///
    /// Dropping the returned handle does *not* end the task: the supervisor owns the task.
    ///
    /// # Panics
    /// If it is called outside a tokio runtime.
    pub fn spawn<T, F>(&self, name: &'static str, work: F) -> Task<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let cancel = self.cancel.clone();
        self.launch(name, async move {
            cancel.run_until_cancelled_owned(work).await.ok_or(TaskFailure::Cancelled)
        })
    }

    /// Spawns `work` as a task that watches [`Supervisor::cancelled`] and ends by itself, for work that must clean up
    /// before it ends.
    pub fn spawn_graceful<T, F>(&self, name: &'static str, work: F) -> Task<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        self.launch(name, async move { Ok(work.await) })
    }

    /// Runs blocking work (file deletion, large reads) on tokio's bounded blocking pool. It cannot be
    /// cancelled, so [`Supervisor::stop`] waits for it.
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn spawn_blocking<T, F>(&self, name: &'static str, work: F) -> Task<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let blocking = tokio::task::spawn_blocking(move || std::panic::catch_unwind(AssertUnwindSafe(work)));
        self.launch(name, async move {
            match blocking.await {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(payload)) => std::panic::resume_unwind(payload),
                Err(_) => Err(TaskFailure::Cancelled),
            }
        })
    }

    /// Completes when this subtree is cancelled.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// Whether this subtree has been cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Asks every task below this node to end; returns at once.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Cancels this subtree and waits until every task spawned on *this node* has ended and its destructors have run.
    /// The caller must set a timeout: a graceful task decides itself when it ends.
    pub async fn stop(&self) {
        self.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The number of tasks in the whole tree that have panicked.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    fn launch<T, F>(&self, name: &'static str, work: F) -> Task<T>
    where
        F: Future<Output = Result<T, TaskFailure>> + Send + 'static,
        T: Send + 'static,
    {
        let panics = Arc::clone(&self.panics);
        let supervised = async move {
            AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|payload| {
                panics.fetch_add(1, Ordering::Relaxed);
                let message = panic_message(payload.as_ref());
                tracing::error!(task = name, panic = %message, "task panicked");
                Err(TaskFailure::Panicked(message))
            })
        };
        Task(tokio::task::spawn(self.tasks.track_future(supervised)))
    }
}

/// The result of a spawned task. Its owner awaits it.
#[derive(Debug)]
#[must_use = "a task's end is worth knowing; drop the handle explicitly if it is not"]
pub struct Task<T>(JoinHandle<Result<T, TaskFailure>>);

impl<T> Future for Task<T> {
    type Output = Result<T, TaskFailure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|joined| joined.unwrap_or(Err(TaskFailure::Cancelled)))
    }
}

/// The message of a panic, if it is text.
fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_reaches_its_owner_and_is_counted_while_siblings_go_on() {
        let root = Supervisor::root();
        let sibling = root.child().spawn("sibling", async { 7 });
        let failing = root.spawn("failing", async { panic!("boom {}", 1) });
        let failure: Result<(), _> = failing.await;
        assert_eq!(failure, Err(TaskFailure::Panicked("boom 1".into())));
        assert_eq!(sibling.await, Ok(7));
        assert_eq!(root.panics(), 1);
    }

    #[tokio::test]
    async fn a_panic_is_counted_even_when_nobody_holds_the_handle() {
        let root = Supervisor::root();
        drop(root.spawn("orphan", async { panic!("unseen") }));
        root.tasks.close();
        root.tasks.wait().await;
        assert_eq!(root.panics(), 1);
    }

    #[tokio::test]
    async fn cancelling_a_parent_ends_its_children_and_is_not_a_panic() {
        let root = Supervisor::root();
        let child = root.child();
        let task = child.spawn("forever", std::future::pending::<()>());
        root.cancel();
        assert_eq!(task.await, Err(TaskFailure::Cancelled));
        child.stop().await;
        assert_eq!(root.panics(), 0);
    }

    #[tokio::test]
    async fn stop_waits_for_a_graceful_task_to_tidy_up() {
        let root = Supervisor::root();
        let (tidied, mut seen) = tokio::sync::watch::channel(false);
        let node = root.clone();
        drop(root.spawn_graceful("tidy", async move {
            node.cancelled().await;
            tidied.send_replace(true);
        }));
        root.stop().await;
        assert!(*seen.borrow_and_update());
    }

    #[tokio::test]
    async fn blocking_work_that_panics_is_a_panic_of_its_task() {
        let root = Supervisor::root();
        let task: Task<()> = root.spawn_blocking("delete", || panic!("disk on fire"));
        assert_eq!(task.await, Err(TaskFailure::Panicked("disk on fire".into())));
    }
}
