//! [`ContextCost`]: the resources that the contexts of a driver use on this machine.
//!
//! Measured on 2 cores with a small page in each context. Headless shell: 100 contexts in one browser took 1.7 GB of PSS and
//! 1,186 threads, and its main process has 79 descriptors without contexts and 4 more with each. A Chromium started by
//! chromedriver took 66 (headless shell) to 118 threads (full Chromium) and up to 149 descriptors; a Firefox took 486 to
//! 518 MiB of PSS, 218 threads in 12 processes, and 123 descriptors.

use plimsoll_core::policy::FootprintConfig;
use plimsoll_core::units::Bytes;
use plimsoll_host::readings::Need;

/// The memory of a context without a local browser; the text and tree of a page were measured well below this value.
const LIGHT_CONTEXT: Bytes = Bytes::mib(4);
/// The memory of a headless shell with one page.
const OWN_CHROMIUM: Bytes = Bytes::mib(250);
/// The memory of a Firefox ESR with one page.
const OWN_FIREFOX: Bytes = Bytes::mib(486);

/// The resources that a driver's contexts use on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextCost {
    /// The contexts share browsers that run here.
    SharedBrowser,
    /// Each context has its own Chromium.
    OwnChromium,
    /// Each context has its own Firefox.
    OwnFirefox,
    /// The contexts run on another machine, or without a browser.
    Light,
}

impl ContextCost {
    /// The memory that a context is expected to take until contexts have been measured; `None` where the setting
    /// `memory.context` decides.
    #[must_use]
    pub const fn prior(self) -> Option<Bytes> {
        match self {
            Self::SharedBrowser => None,
            Self::OwnChromium => Some(OWN_CHROMIUM),
            Self::OwnFirefox => Some(OWN_FIREFOX),
            Self::Light => Some(LIGHT_CONTEXT),
        }
    }

    /// The need of one context among many, when `per_browser` contexts share a browser.
    pub(super) fn need(self, per_browser: u32) -> Need {
        let FootprintConfig { blank, browser, .. } = FootprintConfig::default();
        match self {
            Self::SharedBrowser => Need {
                memory: blank + Bytes(browser.0 / u64::from(per_browser.max(1))),
                threads: 12,
                descriptors: 4,
                browser_descriptors: 79,
            },
            Self::OwnChromium => Need { memory: OWN_CHROMIUM, threads: 118, ..Need::default() },
            Self::OwnFirefox => Need { memory: OWN_FIREFOX, threads: 218, ..Need::default() },
            Self::Light => Need { memory: LIGHT_CONTEXT, ..Need::default() },
        }
    }

    /// The need of the first context together with its browser; `None` when no browser runs here. A headless shell with one
    /// context has 29 threads of its own, but it needs 80 to start: with fewer it ends, or its page does.
    pub(super) fn first(self) -> Option<Need> {
        let FootprintConfig { blank, browser, .. } = FootprintConfig::default();
        let first =
            |memory, threads, descriptors| Need { memory, threads, descriptors, browser_descriptors: 0 };
        match self {
            Self::SharedBrowser => Some(first(blank + browser, 80, 83)),
            Self::OwnChromium => Some(first(OWN_CHROMIUM, 118, 149)),
            Self::OwnFirefox => Some(first(OWN_FIREFOX, 218, 123)),
            Self::Light => None,
        }
    }

    /// Descriptors of this process that a browser of these contexts takes: both pipes, its standard error, its pidfd and
    /// their copies, and the pidfd of its network service. Measured over pipes: 17 without browsers, 77 with ten before the
    /// last of these was added. Driver processes take no more.
    pub(super) const fn our_descriptors(self) -> u64 {
        match self {
            Self::Light => 0,
            _ => 7,
        }
    }
}
