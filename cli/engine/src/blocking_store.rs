//! [`BlockingStore`]: a store whose methods wait for a disk, and [`OnThreads`], which makes it a [`Store`].
//!
//! ```text
//!   fleet ──await──► OnThreads ──► a thread of tokio's blocking pool ──► the store's method ──► disk
//! ```
//!
//! Every call runs on its own thread, so a disk that does not respond blocks no browser's pipe, no timer and no signal.
//! At most `KEEPING` artifacts are written at once; further calls wait, so that a slow disk does not occupy every
//! thread of the pool. A panic in a call is returned as an error of the store.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use plimsoll_core::id::{JobId, Ticket};
use plimsoll_core::job::Job;
use plimsoll_core::port::{Artifact, JobRecord, Store, StoreError};
use plimsoll_core::runtime::supervisor::Supervisor;
use tokio::sync::Semaphore;

/// The most artifacts that are written at once.
const KEEPING: usize = 8;

/// A store whose methods may block. Each method has the meaning of the method of [`Store`] with the same name.
pub trait BlockingStore: Send + Sync + 'static {
    /// The next job with its ticket.
    ///
    /// # Errors
    /// As [`Store::next`].
    fn next(&self) -> Result<Option<(Ticket, Job)>, StoreError>;

    /// The value of a secret. A store has none unless it says otherwise.
    ///
    /// # Errors
    /// As [`Store::secret`].
    fn secret(&self, name: &str) -> Result<String, StoreError> {
        let source = io::Error::new(io::ErrorKind::NotFound, "this store has no secrets");
        Err(StoreError { doing: format!("looking up the secret `{name}`"), source })
    }

    /// Keeps an artifact.
    ///
    /// # Errors
    /// As [`Store::keep`].
    fn keep(&self, ticket: Ticket, job: &JobId, artifact: &Artifact) -> Result<String, StoreError>;

    /// Records how a job ended.
    ///
    /// # Errors
    /// As [`Store::record`].
    fn record(&self, ticket: Ticket, record: &JobRecord) -> Result<(), StoreError>;

    /// Takes a job back.
    ///
    /// # Errors
    /// As [`Store::release`].
    fn release(&self, ticket: Ticket) -> Result<(), StoreError>;
}

/// Runs each call of a [`BlockingStore`] on a thread that may block.
#[derive(Debug)]
pub struct OnThreads<S> {
    store: Arc<S>,
    supervisor: Supervisor,
    keeping: Semaphore,
}

impl<S: BlockingStore> OnThreads<S> {
    /// Wraps a store; its calls run as tasks of `supervisor`.
    #[must_use]
    pub fn new(store: Arc<S>, supervisor: &Supervisor) -> Self {
        Self { store, supervisor: supervisor.clone(), keeping: Semaphore::new(KEEPING) }
    }

    async fn call<T: Send + 'static>(
        &self,
        doing: &'static str,
        call: impl FnOnce(&S) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(&self.store);
        let called = self.supervisor.spawn_blocking(doing, move || call(&store));
        called.await.unwrap_or_else(|lost| {
            Err(StoreError { doing: doing.to_owned(), source: io::Error::other(lost) })
        })
    }
}

#[async_trait]
impl<S: BlockingStore> Store for OnThreads<S> {
    async fn next(&self) -> Result<Option<(Ticket, Job)>, StoreError> {
        self.call("reading jobs", S::next).await
    }

    async fn secret(&self, name: &str) -> Result<String, StoreError> {
        let name = name.to_owned();
        self.call("looking up a secret", move |store| store.secret(&name)).await
    }

    async fn keep(&self, ticket: Ticket, job: &JobId, artifact: Artifact) -> Result<String, StoreError> {
        // The semaphore is never closed; an error would only mean that nothing bounds this call.
        let _turn = self.keeping.acquire().await;
        let job = job.clone();
        self.call("keeping an artifact", move |store| store.keep(ticket, &job, &artifact)).await
    }

    async fn record(&self, ticket: Ticket, record: JobRecord) -> Result<(), StoreError> {
        self.call("writing results", move |store| store.record(ticket, &record)).await
    }

    async fn release(&self, ticket: Ticket) -> Result<(), StoreError> {
        self.call("giving a job back", move |store| store.release(ticket)).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use futures_util::future::{FutureExt, LocalBoxFuture};
    use plimsoll_core::port::ArtifactKind;

    use super::*;
    use crate::trial::{job, record};

    /// Each call waits until the test lets the disk respond.
    struct StandingDisk(Mutex<Receiver<()>>);

    impl StandingDisk {
        fn wait(&self) -> Result<(), StoreError> {
            // The deadline ends a test that would hang; the assertion there has failed by then.
            let moved = self.0.lock().expect("no panics here").recv_timeout(Duration::from_secs(20));
            moved.map_err(|why| StoreError { doing: "waiting".into(), source: io::Error::other(why) })
        }
    }

    impl BlockingStore for StandingDisk {
        fn next(&self) -> Result<Option<(Ticket, Job)>, StoreError> {
            self.wait().map(|()| None)
        }

        fn keep(&self, _: Ticket, _: &JobId, _: &Artifact) -> Result<String, StoreError> {
            self.wait().map(|()| String::new())
        }

        fn record(&self, _: Ticket, _: &JobRecord) -> Result<(), StoreError> {
            self.wait()
        }

        fn release(&self, _: Ticket) -> Result<(), StoreError> {
            self.wait()
        }
    }

    /// Artifacts and result lines were once written on the only worker thread: a disk that did not respond blocked
    /// timers and the pipes of browsers.
    #[tokio::test]
    async fn a_disk_that_stands_still_stops_no_timer() {
        let (move_on, moved) = channel();
        let disk = Arc::new(StandingDisk(Mutex::new(moved)));
        let store = OnThreads::new(disk, &Supervisor::root());
        let artifact = Artifact { kind: ArtifactKind::Png, bytes: Vec::new() };
        let job = job("http://a/");
        let calls: [LocalBoxFuture<'_, Result<(), StoreError>>; 4] = [
            async { store.next().await.map(drop) }.boxed_local(),
            async { store.keep(Ticket(0), &job.id, artifact).await.map(drop) }.boxed_local(),
            store.record(Ticket(0), record(&job)).boxed_local(),
            store.release(Ticket(0)).boxed_local(),
        ];
        for mut call in calls {
            tokio::select! {
                biased;
                ended = &mut call => panic!("the timer waited for the disk: {ended:?}"),
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
            move_on.send(()).expect("the call waits");
            call.await.expect("the disk moves");
        }
    }

    #[tokio::test]
    async fn many_artifacts_on_a_slow_disk_leave_threads_for_others() {
        let (move_on, moved) = channel();
        let store = OnThreads::new(Arc::new(StandingDisk(Mutex::new(moved))), &Supervisor::root());
        let keep = |_| {
            let artifact = Artifact { kind: ArtifactKind::Png, bytes: Vec::new() };
            let (store, job) = (&store, job("http://a/"));
            async move { store.keep(Ticket(0), &job.id, artifact).await }
        };
        let mut all = futures_util::future::join_all((0..600).map(keep));
        tokio::select! {
            biased;
            _ = &mut all => panic!("the disk stands still"),
            read = Supervisor::root().spawn_blocking("the machine's reading", || ()) => read.expect("a thread"),
        }
        (0..600).for_each(|_| move_on.send(()).expect("the calls wait"));
        assert!(all.await.iter().all(Result::is_ok));
    }
}
