//! The fleet's loop: wait for one event, pass it to the policy, carry out the actions that the policy returns.

mod publish;
mod wake;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use self::wake::Wake;
use super::browsers::{BrowserNotice, Browsers, Pending};
use super::open_jobs::OpenJobs;
use super::store_tasks::{self, JobEnd, Recorded};
use super::{FleetConfig, FleetReport, Stop, Surroundings};
use crate::id::{BrowserId, JobSeq, SlotId};
use crate::outcome::{FailureClass, Fault, Outcome, Stage};
use crate::policy::dispatch::{Action, AttemptEnd, Dispatch, DispatchConfig, Event};
use crate::port::{Blindfold, BrowserEnd, CloseError, Observer, Store, StoreError};
use crate::runtime::attempt::{self, AttemptOrder, AttemptReport};
use crate::runtime::clock::Clock;
use crate::runtime::monitor::{self, Sight};
use crate::runtime::permit::{Permit, SlotNote, SlotNotes};
use crate::runtime::snapshot::Snapshot;
use crate::runtime::supervisor::{Supervisor, Task, TaskFailure};
use crate::step::PageUrl;
use crate::time::Moment;
use crate::units::Bytes;

/// The minimum interval between two published states.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);

/// The state that the loop owns.
pub(super) struct Turn {
    config: FleetConfig,
    clock: Clock,
    supervisor: Supervisor,
    store: Arc<dyn Store>,
    dispatch: Dispatch,
    jobs: OpenJobs,
    browsers: Browsers,
    attempts: HashMap<SlotId, Attempt>,
    attempts_made: u64,
    notes: Arc<SlotNotes>,
    notices: FuturesUnordered<BoxFuture<'static, Notice>>,
    /// Cancels every running attempt.
    cancel: CancellationToken,
    publish: watch::Sender<Snapshot>,
    observer: Arc<dyn Observer>,
    sights: mpsc::Receiver<Sight>,
    /// The memory of all browsers together at the last measurement.
    memory: Option<Bytes>,
    /// `None` after the store has failed to write a record.
    records: Option<mpsc::Sender<JobEnd>>,
    recorder: Task<Recorded>,
    unfinished: Unfinished,
    released: u64,
    restarts: u64,
    browsers_up: u64,
    browsers_left: Vec<String>,
    launch_error: Option<String>,
    store_error: Option<StoreError>,
}

/// What happens to unfinished jobs after a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unfinished {
    /// They are recorded as cancelled.
    Recorded,
    /// They are released to the store.
    Released,
}

/// An attempt that has a task.
struct Attempt {
    /// Dropped when the context is verified gone. The task does not own the permit, so a lost task frees no slot.
    permit: Permit,
    job: JobSeq,
    browser: BrowserId,
    admitted: Moment,
    evict: CancellationToken,
}

/// A message from a task of the fleet.
enum Notice {
    Attempt(SlotId, Result<AttemptReport, TaskFailure>),
    Browser(BrowserNotice),
}

impl Turn {
    pub(super) fn new(
        config: FleetConfig,
        surroundings: Surroundings,
        clock: Clock,
        supervisor: Supervisor,
        publish: watch::Sender<Snapshot>,
    ) -> Self {
        let Surroundings { name, driver, store, probe, observer } = surroundings;
        let (records, recorder) = store_tasks::recorder(Arc::clone(&store), &supervisor);
        Self {
            dispatch: Dispatch::new(config.dispatch.clone(), config.seed),
            jobs: OpenJobs::of(name),
            browsers: Browsers::new(driver, supervisor.child(), config.launch_timeout),
            sights: monitor::watch(probe, clock, &supervisor),
            memory: None,
            observer,
            config,
            clock,
            supervisor,
            store,
            attempts: HashMap::new(),
            attempts_made: 0,
            notes: Arc::default(),
            notices: FuturesUnordered::new(),
            cancel: CancellationToken::new(),
            publish,
            records: Some(records),
            recorder,
            unfinished: Unfinished::Recorded,
            released: 0,
            restarts: 0,
            browsers_up: 0,
            browsers_left: Vec::new(),
            launch_error: None,
            store_error: None,
        }
    }

    /// Runs until every job has ended and every browser is gone.
    pub(super) async fn run(
        mut self,
        mut stop: watch::Receiver<Option<Stop>>,
        mut rules: watch::Receiver<DispatchConfig>,
    ) -> FleetReport {
        let mut feed = Some(store_tasks::feed(Arc::clone(&self.store), &self.supervisor));
        let mut grace_over = None;
        while feed.is_some() || !self.dispatch.is_idle() {
            match self.wake(&mut feed, &mut stop, &mut rules, grace_over).await {
                Wake::Job(Some(Ok((ticket, job)))) => {
                    let host = job.first_page().and_then(PageUrl::site).map(Arc::from);
                    let proxy = job.setup.proxy.as_ref().map(|proxy| Arc::from(proxy.site()));
                    let job = self.jobs.add(ticket, job);
                    self.tell(Event::Submitted { job, host, proxy });
                }
                Wake::Job(Some(Err(broken))) => {
                    feed = None;
                    self.store_error = Some(broken);
                }
                Wake::Job(None) => feed = None,
                Wake::Notes(notes) => self.note(notes),
                Wake::Notice(notice) => self.notice(notice),
                Wake::Sight(Some(sight)) => self.sight(sight),
                Wake::Sight(None) => {
                    tracing::error!("the machine cannot be read any more; admission goes on as if blind");
                    self.sights = monitor::watch(Box::new(Blindfold), self.clock, &self.supervisor);
                }
                Wake::Stop(Stop::Drain(grace)) => {
                    self.unfinished = Unfinished::Released;
                    // The jobs that are already in the channel are submitted, cancelled and so released.
                    if let Some(feed) = &mut feed {
                        feed.close();
                    }
                    grace_over = Some(self.clock.now() + grace);
                    self.tell(Event::Stop);
                }
                Wake::Stop(Stop::After(grace)) => {
                    grace_over = Some(self.clock.now() + grace);
                    self.tell(Event::Stop);
                }
                Wake::Stop(Stop::Now) | Wake::GraceOver => {
                    grace_over = None;
                    self.tell(Event::Stop);
                    self.cancel.cancel();
                }
                Wake::Rules(rules) => self.tell(Event::Configured(rules)),
                Wake::Time => self.tell(Event::Tick),
            }
            self.act().await;
            if self.records.is_none() && !self.cancel.is_cancelled() {
                // Results can no longer be stored, so the work stops.
                feed = None;
                self.tell(Event::Stop);
                self.cancel.cancel();
                self.act().await;
            }
            self.publish();
        }
        self.finish().await
    }

    fn tell(&mut self, event: Event) {
        self.dispatch.handle(self.clock.now(), event);
    }

    fn note(&mut self, notes: Vec<SlotNote>) {
        for note in notes {
            match note {
                SlotNote::Opened(slot) => {
                    if let Some(attempt) = self.attempts.get(&slot) {
                        self.observer.opened(self.clock.now().since(attempt.admitted));
                    }
                    self.tell(Event::Opened(slot));
                }
                SlotNote::Freed(slot) => self.tell(Event::Freed(slot)),
            }
        }
    }

    fn sight(&mut self, Sight { reading, browsers }: Sight) {
        self.tell(Event::Read(Box::new(reading)));
        if let Some(bytes) = browsers {
            self.memory = Some(bytes);
            self.tell(Event::Measured(bytes));
        }
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Attempt(slot, report) => self.attempt_ended(slot, report),
            Notice::Browser(BrowserNotice::Launched(id, browser)) => {
                self.browsers_up += 1;
                let watching = self.browsers.launched(id, browser);
                self.expect_browser(watching);
                self.tell(Event::Launched(id));
            }
            Notice::Browser(BrowserNotice::LaunchFailed(id, fault)) => {
                tracing::warn!(browser = %id, %fault, "browser could not be started");
                self.launch_error = Some(fault.message.clone());
                self.browsers.gone(id);
                self.tell(Event::LaunchFailed(id, fault));
            }
            Notice::Browser(BrowserNotice::Ended(id, end)) => self.browser_ended(id, &end),
            Notice::Browser(BrowserNotice::Closed(id, closed)) => {
                if let Err(left) = closed {
                    tracing::error!(browser = %id, %left, "browser left behind");
                    self.browsers_left.push(format!("{id}: {left}"));
                }
                self.browsers.gone(id);
                self.tell(Event::BrowserGone(id));
            }
        }
    }

    fn browser_ended(&mut self, id: BrowserId, end: &BrowserEnd) {
        if self.browsers.up(id).is_none() {
            // The fleet itself is closing this browser, so its end needs no event.
            return;
        }
        tracing::warn!(browser = %id, %end, "browser lost; it will be replaced as needed");
        self.restarts += 1;
        self.tell(Event::BrowserEnded(id));
    }

    fn attempt_ended(&mut self, slot: SlotId, report: Result<AttemptReport, TaskFailure>) {
        let Some(Attempt { permit, job, browser, .. }) = self.attempts.remove(&slot) else { return };
        let closed = match report {
            Ok(AttemptReport { end, output, finished, closed }) => {
                self.jobs.attempt_ended(job, finished, output);
                self.tell(Event::Ended(slot, self.browsers.explained(browser, end)));
                closed
            }
            Err(lost) => {
                self.tell(Event::Ended(slot, AttemptEnd::Failed(attempt::lost_task(&lost))));
                Err(CloseError(format!("the attempt's task was lost: {lost}")))
            }
        };
        match closed {
            // The context is verified gone: this frees the slot.
            Ok(()) => drop(permit),
            Err(left) => {
                tracing::warn!(%browser, %left, "a context could not be verified gone; its browser is replaced");
                self.restarts += self.browsers.hold(browser, permit, &left);
                self.tell(Event::BrowserEnded(browser));
            }
        }
    }

    /// Carries out all actions that the policy has decided.
    async fn act(&mut self) {
        while let Some(action) = self.dispatch.next_action() {
            match action {
                Action::Start { slot, job, browser, .. } => self.start(slot, job, browser),
                Action::Evict(slot) => {
                    if let Some(attempt) = self.attempts.get(&slot) {
                        attempt.evict.cancel();
                    }
                }
                Action::Trim(trim) => self.browsers.trim(trim),
                Action::Announce(announcement) => self.observer.announced(self.clock.now(), &announcement),
                Action::Launch(id) => {
                    let launching = self.browsers.launch(id);
                    self.expect_browser(launching);
                }
                Action::Close(id) => {
                    if let Some(closing) = self.browsers.close(id) {
                        self.expect_browser(closing);
                    }
                }
                Action::Settle { job, outcome, attempts } => {
                    let Some((ticket, record, held)) = self.jobs.end(job, outcome, attempts) else {
                        continue;
                    };
                    let end = match (&record.outcome, self.unfinished) {
                        (Outcome::Cancelled, Unfinished::Released) => {
                            self.released += 1;
                            JobEnd::Released(ticket)
                        }
                        _ => JobEnd::Recorded(ticket, Box::new(record), held),
                    };
                    if let Some(records) = &self.records
                        // This waits only when the disk is slower than the browsers; then the fleet must slow down.
                        && records.send(end).await.is_err()
                    {
                        self.records = None;
                    }
                }
            }
        }
    }

    fn start(&mut self, slot: SlotId, seq: JobSeq, browser_id: BrowserId) {
        let permit = Permit::new(slot, &self.notes);
        let (Some((ticket, job)), Some(browser)) =
            (self.jobs.begin(seq, self.clock.now()), self.browsers.up(browser_id))
        else {
            // The browser was lost in this same turn. The attempt fails like any other attempt on it. The attempt has
            // opened nothing, so dropping the permit frees the slot at once.
            drop(permit);
            let gone = Fault::transient(FailureClass::BrowserCrash, "the browser is gone").at(Stage::Create);
            return self.tell(Event::Ended(slot, AttemptEnd::Failed(gone)));
        };
        self.attempts_made += 1;
        let (evict, admitted) = (CancellationToken::new(), self.clock.now());
        let opened = permit.opened_note();
        let attempt = Attempt { permit, job: seq, browser: browser_id, admitted, evict: evict.clone() };
        self.attempts.insert(slot, attempt);
        let order = AttemptOrder {
            ticket,
            budget: job.timeout.unwrap_or(self.config.attempt_timeout),
            admitted,
            job,
            named: BTreeMap::new(),
            driver: self.jobs.driver(),
            browser,
            results: self.jobs.results(),
            store: Arc::clone(&self.store),
            clock: self.clock,
            opened,
            cancel: self.cancel.clone(),
            withdrawn: self.store.begins(ticket),
            evict,
        };
        // An error span, so that log lines name their job at every level.
        let span = tracing::error_span!("attempt", job = %order.job.id);
        let task = self.supervisor.spawn_graceful("attempt", attempt::run(order).instrument(span));
        self.notices.push(async move { Notice::Attempt(slot, task.await) }.boxed());
    }

    fn expect_browser(&self, pending: Pending) {
        self.notices.push(pending.map(Notice::Browser).boxed());
    }

    /// Closes every browser, waits until the last record is written, and returns the report.
    async fn finish(mut self) -> FleetReport {
        let now = self.clock.now();
        self.tell(Event::Finish);
        self.act().await;
        while !self.browsers.is_empty()
            && let Some(notice) = self.notices.next().await
        {
            self.notice(notice);
            self.act().await;
        }
        self.publish.send_replace(self.snapshot(now));
        drop(self.records);
        let recorded = self.recorder.await.unwrap_or_default();
        let jobs = self.dispatch.counts();
        FleetReport {
            jobs,
            attempts: self.attempts_made,
            peaks: self.dispatch.peaks(),
            wall: now.elapsed(),
            browser_restarts: self.restarts,
            breaker_trips: self.dispatch.admission().trips(),
            browsers_left: self.browsers_left,
            panics: self.supervisor.panics(),
            store_error: self.store_error.or(recorded.error),
            released: self.released,
            unrecorded: jobs.ended().saturating_sub(recorded.jobs),
            launch_error: self.launch_error.filter(|_| self.browsers_up == 0),
            counters: BTreeMap::from([(self.jobs.driver().to_string(), self.browsers.counters())]),
        }
    }
}
