//! Compares a real browser's own list of contexts with the permits that are held for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::target::GetBrowserContextsParams;
use futures_util::future::join_all;
use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::port::{Browser, OpenRequest};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::browser::find;
use plimsoll_host::identity::Identity;
use plimsoll_host::machine::Machine;
use plimsoll_host::profile::{ProfileRoot, default_base};
use plimsoll_host::spawn::Spawner;
use tokio::time::timeout;

use crate::handle::BrowserHandle;
use crate::launch::launch;
use crate::origin::Origin;
use crate::settings::CdpSettings;

const AMPLE: Duration = Duration::from_secs(30);
/// The number of concurrent openings.
const OPENINGS: u32 = 60;

/// The permits that are held now, and their maximum since the last query.
#[derive(Default)]
struct Permits {
    held: AtomicUsize,
    most: AtomicUsize,
}

impl Permits {
    fn take(&self) {
        self.most.fetch_max(self.held.fetch_add(1, SeqCst) + 1, SeqCst);
    }

    fn give_back(&self) {
        self.held.fetch_sub(1, SeqCst);
    }
}

fn origin(supervisor: &Supervisor) -> Origin {
    let identity = Identity::for_browsers().expect("a user for browsers");
    let profiles = Arc::new(ProfileRoot::open(&default_base(), &identity).expect("a place for profiles"));
    let machine = Machine { spawner: Spawner::start().expect("a thread is left"), identity, profiles };
    let binary = find(None).expect("a browser is installed");
    let settings = CdpSettings::default();
    Origin { binary, settings, machine, supervisor: supervisor.clone(), clock: Clock::start() }
}

async fn contexts(handle: &BrowserHandle) -> usize {
    let listed = handle.root.call(GetBrowserContextsParams::default(), AMPLE).await;
    listed.expect("the browser answers").browser_context_ids.len()
}

/// Opens a context, cut off at `moment`, and returns the permit when the context is verified gone. Returns whether the
/// context was opened in time.
async fn open(browser: &dyn Browser, permits: &Permits, moment: Duration) -> bool {
    permits.take();
    let request = OpenRequest { setup: Setup::default(), first: None };
    let mut opening = browser.open(request, AMPLE);
    let ready = timeout(moment, opening.ready()).await;
    let came = matches!(ready, Ok(Ok(_)));
    let gone = match ready {
        Ok(Ok(context)) => context.close().await,
        Ok(Err(_)) | Err(_) => opening.abandon().await,
    };
    gone.expect("verified gone");
    permits.give_back();
    came
}

#[tokio::test]
async fn creations_that_run_out_of_time_never_leave_more_contexts_than_permits() {
    let (supervisor, permits) = (Supervisor::root(), Permits::default());
    let browser = launch(&origin(&supervisor), BrowserId(0), AMPLE).await.expect("the browser starts");
    let (mut came, mut seen, clock) = (0, 0, Clock::start());
    assert!(
        join_all((0..OPENINGS).map(|_| open(&browser, &permits, AMPLE))).await.into_iter().all(|came| came)
    );
    // The time that all of them take when none is cut off: on any machine some then come in time and some do not.
    let took = clock.now().elapsed();
    for whole in [took / 4, took, took * 2] {
        let openings = join_all((0..OPENINGS).map(|n| open(&browser, &permits, whole * n / OPENINGS)));
        let watching = async {
            loop {
                permits.most.store(permits.held.load(SeqCst), SeqCst);
                let there = contexts(&browser.handle).await;
                let most = permits.most.load(SeqCst);
                assert!(there <= most, "{there} contexts for {most} permits");
                seen = seen.max(there);
            }
        };
        came += tokio::select! {
            all = openings => all.into_iter().filter(|came| *came).count(),
            () = watching => 0,
        };
        assert_eq!(contexts(&browser.handle).await, 0, "what was abandoned is gone when the call returns");
    }
    assert!(came > 0 && came < 3 * OPENINGS as usize && seen > 1, "{came} came, {seen} seen at once");
    browser.close().await.expect("gone");
}
