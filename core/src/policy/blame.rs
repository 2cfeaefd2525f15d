//! Blame: maps the end of an attempt to one verdict for each breaker that it passed.
//!
//! The nearest part that explains a failure gets the failure; parts that plainly worked get a success; the others get
//! nothing. So a dead proxy opens no browser's breaker, and a host that answers nothing but errors stops only its own
//! jobs. `F` failed, `T` timed out, `S` worked, `·` does not count:
//!
//! | end of the attempt | browser | proxy | host | global | fuse |
//! |---|---|---|---|---|---|
//! | success | S | S | S | S | S |
//! | `navigation`, transient | S | · | F | S | · |
//! | `navigation`, persistent (no such host) | S | · | · | S | · |
//! | `http_status`, transient (5xx, 429) | S | S | F | S | · |
//! | `http_status`, persistent (404) | S | S | S | S | S |
//! | `script`, `assertion` | S | S | S | S | S |
//! | `timeout` at create | T | · | · | · | T |
//! | `timeout` opening the url | · | · | T | · | · |
//! | `page_crash` | F | · | · | · | F |
//! | `browser_crash` at create | F | · | · | · | F |
//! | `proxy` | · | F | · | · | · |
//! | `internal` | · | · | · | F | F |
//! | everything else, and a cancelled attempt | · | · | · | · | · |
//!
//! Two events outside of attempts count as well ([`admission`](crate::policy::admission)): the start of a browser is one
//! success or one failure of the machine ([`Part::Global`]), and the death of a browser is one failure of [`Part::Fuse`].
//!
//! Three rows need a reason. A timeout in a later step is the job's own (a selector that never came), and a busy page is
//! not a hung browser: health checks find those, and replace them. A page's crash may be caused by the page or by the browser;
//! it counts against the browser, which is cheap to replace, and not against the host, which has answered. A browser that dies
//! under twenty attempts has died *once*: its attempts count nowhere. Otherwise one death would count twenty times, and two of
//! them would open the last fuse.

use crate::outcome::{Failure, FailureClass, Recurrence, Stage};
use crate::policy::window::Verdict;

/// The kinds of things that have breakers, from the nearest to the farthest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// One browser process.
    Browser,
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
    #[cfg(test)]
    pub(crate) const ALL: [Self; 5] = [Self::Browser, Self::Proxy, Self::Host, Self::Global, Self::Fuse];
}

/// How an attempt ended, as far as breakers are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// Every step was carried out.
    Succeeded,
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

impl From<&Failure> for AttemptOutcome {
    fn from(failure: &Failure) -> Self {
        Self::Failed {
            stage: failure.stage,
            class: failure.fault.class,
            recurrence: failure.fault.recurrence,
        }
    }
}

impl AttemptOutcome {
    /// The verdict for the breaker of `part`.
    #[must_use]
    pub fn verdict(self, part: Part) -> Verdict {
        match self {
            Self::Succeeded => Verdict::Success,
            Self::Failed { stage, class, recurrence } => failed(part, stage, class, recurrence),
            Self::Dropped => Verdict::Ignored,
        }
    }
}

fn failed(part: Part, stage: Stage, class: FailureClass, recurrence: Recurrence) -> Verdict {
    use FailureClass as C;
    use Part::{Browser, Fuse, Global, Host, Proxy};
    use Verdict::{Failure, Ignored, Success, TimedOut};

    match (class, stage, part) {
        (C::Navigation, _, Browser | Global) => Success,
        (C::Navigation, _, Host) if recurrence == Recurrence::Transient => Failure,

        (C::HttpStatus, _, Host) if recurrence == Recurrence::Transient => Failure,
        (C::HttpStatus, _, Fuse) if recurrence == Recurrence::Transient => Ignored,
        (C::HttpStatus | C::Script | C::Assertion, _, _) => Success,

        (C::Timeout, Stage::Create, Browser | Fuse) => TimedOut,
        (C::Timeout, Stage::Step(0), Host) => TimedOut,

        (C::PageCrash, _, Browser | Fuse) => Failure,
        (C::BrowserCrash, Stage::Create, Browser | Fuse) => Failure,

        (C::Proxy, _, Proxy) => Failure,
        (C::Internal, _, Global | Fuse) => Failure,
        _ => Ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdicts in the order of the table's columns, in its letters.
    fn row(stage: Stage, class: FailureClass, recurrence: Recurrence) -> String {
        letters(AttemptOutcome::Failed { stage, class, recurrence })
    }

    fn letters(outcome: AttemptOutcome) -> String {
        let letter = |part| match outcome.verdict(part) {
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
        use Stage::{Create, Step};
        for (class, recurrence, stage, expected) in [
            (C::Navigation, Transient, Step(0), "S·FS·"),
            (C::Navigation, Persistent, Step(0), "S··S·"),
            (C::HttpStatus, Transient, Step(0), "SSFS·"),
            (C::HttpStatus, Persistent, Step(0), "SSSSS"),
            (C::Assertion, Persistent, Step(2), "SSSSS"),
            (C::Timeout, Transient, Create, "T···T"),
            (C::Timeout, Transient, Step(0), "··T··"),
            (C::Timeout, Transient, Step(3), "·····"),
            (C::PageCrash, Transient, Step(1), "F···F"),
            (C::BrowserCrash, Transient, Create, "F···F"),
            (C::BrowserCrash, Transient, Step(1), "·····"),
            (C::Proxy, Transient, Step(0), "·F···"),
            (C::Unsupported, Persistent, Step(1), "·····"),
            (C::Overload, Transient, Create, "·····"),
            (C::Internal, Persistent, Step(1), "···FF"),
        ] {
            assert_eq!(row(stage, class, recurrence), expected, "{class} at {stage}, {recurrence:?}");
        }
        assert_eq!(
            (letters(AttemptOutcome::Succeeded), letters(AttemptOutcome::Dropped)),
            ("SSSSS".into(), "·····".into())
        );
    }
}
