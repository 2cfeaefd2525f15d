//! Blame: which parts of the fleet an attempt's end speaks for, and what it says of each.
//!
//! The nearest part that explains a failure takes the blame; parts that plainly worked get the credit; the rest hear
//! nothing. So a dead proxy opens no browser's breaker, and a host that answers nothing but errors stops only its own
//! jobs. `F` failed, `T` timed out, `S` worked, `·` says nothing:
//!
//! | end of the attempt | browser | endpoint | proxy | host | global | fuse |
//! |---|---|---|---|---|---|---|
//! | success | S | S | S | S | S | S |
//! | success, but creation took over 15 s | S | slow | S | S | S | S |
//! | `navigation`, transient | S | S | · | F | S | · |
//! | `navigation`, persistent (no such host) | S | S | · | · | S | · |
//! | `http_status`, transient (5xx, 429) | S | S | S | F | S | · |
//! | `http_status`, persistent (404) | S | S | S | S | S | S |
//! | `script`, `assertion` | S | S | S | S | S | S |
//! | `timeout` at launch | · | T | · | · | T | T |
//! | `timeout` at create | T | T | · | · | · | T |
//! | `timeout` opening the url | · | · | · | T | · | · |
//! | `timeout` at close | T | · | · | · | · | · |
//! | `page_crash` | F | · | · | · | · | F |
//! | `browser_crash` at launch | F | F | · | · | F | F |
//! | `browser_crash` at create | F | F | · | · | · | F |
//! | `proxy` | · | · | F | · | · | · |
//! | `overload`, except in the queue | · | F | · | · | · | · |
//! | `internal` | · | · | · | · | F | F |
//! | everything else, and a cancelled attempt | · | · | · | · | · | · |
//!
//! Three rows need a reason. A timeout in a later step is the job's own (a selector that never came), and a busy page is
//! not a hung browser: health checks find those, and they replace the browser without asking a breaker. A page's crash may be the page's doing or the browser's; it is told to the
//! browser, which is cheap to replace, and not to the host, which has answered. A browser that dies under twenty attempts has died *once*: its victims say
//! nothing, and its death is recorded as one failure of the [`Part::Fuse`]. Otherwise one death would be worth twenty and two of them would blow the fuse.

use std::time::Duration;

use crate::outcome::{Failure, FailureClass, Recurrence, Stage};
use crate::policy::window::Verdict;

/// A creation that takes longer than this makes its endpoint slow, even if it succeeds.
pub const SLOW_CREATION: Duration = Duration::from_secs(15);

/// The kinds of things that have breakers, from the nearest to the farthest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// One browser process.
    Browser,
    /// What makes browsers: a WebDriver endpoint, or this machine.
    Endpoint,
    /// A proxy.
    Proxy,
    /// The site the job visits.
    Host,
    /// The machine and this program: processes that cannot be started, faults of our own.
    Global,
    /// The incident's counter over the whole fleet: the last fuse.
    Fuse,
}

impl Part {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 6] =
        [Self::Browser, Self::Endpoint, Self::Proxy, Self::Host, Self::Global, Self::Fuse];
}

/// How an attempt ended, as far as blame is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It did what it was to do; its context took this long to create.
    Succeeded {
        /// From the command to the context's existence.
        creation: Duration,
    },
    /// It failed.
    Failed {
        /// Where.
        stage: Stage,
        /// How.
        class: FailureClass,
        /// Whether it would fail so again.
        recurrence: Recurrence,
    },
    /// It was cancelled, or never began.
    Dropped,
}

impl From<&Failure> for News {
    fn from(failure: &Failure) -> Self {
        Self::Failed {
            stage: failure.stage,
            class: failure.fault.class,
            recurrence: failure.fault.recurrence,
        }
    }
}

impl News {
    /// What it says of `part`.
    #[must_use]
    pub fn verdict(self, part: Part) -> Verdict {
        match self {
            Self::Succeeded { creation } if creation > SLOW_CREATION && part == Part::Endpoint => {
                Verdict::Slow
            }
            Self::Succeeded { .. } => Verdict::Success,
            Self::Failed { stage, class, recurrence } => failed(part, stage, class, recurrence),
            Self::Dropped => Verdict::Ignored,
        }
    }
}

fn failed(part: Part, stage: Stage, class: FailureClass, recurrence: Recurrence) -> Verdict {
    use FailureClass as C;
    use Part::{Browser, Endpoint, Fuse, Global, Host, Proxy};
    use Verdict::{Failure, Ignored, Success, TimedOut};

    match (class, stage, part) {
        (C::Navigation, _, Browser | Endpoint | Global) => Success,
        (C::Navigation, _, Host) if recurrence == Recurrence::Transient => Failure,

        (C::HttpStatus, _, Host) if recurrence == Recurrence::Transient => Failure,
        (C::HttpStatus, _, Fuse) if recurrence == Recurrence::Transient => Ignored,
        (C::HttpStatus | C::Script | C::Assertion, _, _) => Success,

        (C::Timeout, Stage::Launch, Endpoint | Global | Fuse) => TimedOut,
        (C::Timeout, Stage::Create, Browser | Endpoint | Fuse) => TimedOut,
        (C::Timeout, Stage::Step(0), Host) => TimedOut,
        (C::Timeout, Stage::Close, Browser) => TimedOut,

        (C::PageCrash, _, Browser | Fuse) => Failure,
        (C::BrowserCrash, Stage::Launch, Browser | Endpoint | Global | Fuse) => Failure,
        (C::BrowserCrash, Stage::Create, Browser | Endpoint | Fuse) => Failure,

        (C::Proxy, _, Proxy) => Failure,
        (C::Overload, Stage::Launch | Stage::Create | Stage::Step(_) | Stage::Close, Endpoint) => Failure,
        (C::Internal, _, Global | Fuse) => Failure,
        _ => Ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdicts in the order of the table's columns, in its letters.
    fn row(stage: Stage, class: FailureClass, recurrence: Recurrence) -> String {
        letters(News::Failed { stage, class, recurrence })
    }

    fn letters(news: News) -> String {
        let letter = |part| match news.verdict(part) {
            Verdict::Success => 'S',
            Verdict::Slow => 's',
            Verdict::Failure => 'F',
            Verdict::TimedOut => 'T',
            Verdict::Ignored => '·',
        };
        Part::ALL.into_iter().map(letter).collect()
    }

    #[test]
    fn the_table_is_what_the_description_says() {
        use FailureClass as C;
        use Recurrence::{Persistent, Transient};
        use Stage::{Close, Create, Launch, Queue, Step};
        for (class, recurrence, stage, expected) in [
            (C::Navigation, Transient, Step(0), "SS·FS·"),
            (C::Navigation, Persistent, Step(0), "SS··S·"),
            (C::HttpStatus, Transient, Step(0), "SSSFS·"),
            (C::HttpStatus, Persistent, Step(0), "SSSSSS"),
            (C::Assertion, Persistent, Step(2), "SSSSSS"),
            (C::Timeout, Transient, Launch, "·T··TT"),
            (C::Timeout, Transient, Create, "TT···T"),
            (C::Timeout, Transient, Step(0), "···T··"),
            (C::Timeout, Transient, Step(3), "······"),
            (C::Timeout, Transient, Close, "T·····"),
            (C::PageCrash, Transient, Step(1), "F····F"),
            (C::BrowserCrash, Transient, Launch, "FF··FF"),
            (C::BrowserCrash, Transient, Create, "FF···F"),
            (C::BrowserCrash, Transient, Step(1), "······"),
            (C::Proxy, Transient, Step(0), "··F···"),
            (C::Unsupported, Persistent, Step(1), "······"),
            (C::Overload, Transient, Queue, "······"),
            (C::Overload, Transient, Create, "·F····"),
            (C::Internal, Persistent, Step(1), "····FF"),
        ] {
            assert_eq!(row(stage, class, recurrence), expected, "{class} at {stage}, {recurrence:?}");
        }
    }

    #[test]
    fn slowness_speaks_only_for_the_endpoint_and_a_dropped_attempt_for_nobody() {
        assert_eq!(letters(News::Succeeded { creation: SLOW_CREATION }), "SSSSSS");
        assert_eq!(letters(News::Succeeded { creation: SLOW_CREATION + Duration::from_millis(1) }), "SsSSSS");
        assert_eq!(letters(News::Dropped), "······");
    }
}
