//! Polls a page: check, pause, check again, until the verdict is final or the time is up. Pure.
//!
//! A failed check does not end the wait if another check can help: the document was replaced, or the page was too busy
//! to answer.

use std::ops::ControlFlow;
use std::time::Duration;

use super::condition::Condition;
use super::error::PageError;
use super::script::Verdict;
use crate::outcome::{FailureClass, Fault};

/// The timeout of one check. A browser does not always answer for a document that was replaced during the check, so a
/// later answer counts as lost.
pub const LOOK: Duration = Duration::from_secs(2);

/// The first pauses between checks. They are short because most elements appear within a tenth of a second.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(100),
    Duration::from_millis(100),
];

/// Later pauses are a tenth of the time already waited, within these bounds. A check costs the browser about a
/// millisecond of CPU, so hundreds of contexts that wait for minutes would otherwise keep all cores busy.
const LATER: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

/// Why a wait ended without success.
#[derive(Debug)]
pub enum Unmet {
    /// The time is up. The text is what the last check waited for, if the page ever answered.
    Late(Option<String>),
    /// The condition can never hold; the text is the reason.
    Refused(String),
    /// Another failure.
    Fault(Fault),
}

/// The state of a wait between two checks.
#[derive(Debug, Default)]
pub struct Polling {
    pauses: usize,
    waited: Duration,
    missing: Option<String>,
    looks: Looks,
}

/// How often a page that answers is asked.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Looks {
    #[default]
    UntilLate,
    Once,
}

impl Polling {
    /// A wait that ends with the first answer of a page. A check that the page did not answer is repeated.
    #[must_use]
    pub fn once() -> Self {
        Self { looks: Looks::Once, ..Self::default() }
    }

    /// Decides after a check, when `left` of the wait's time remains: the wait ends, or is repeated after a pause.
    pub fn next<T>(
        &mut self,
        look: Result<Verdict<T>, PageError>,
        left: Duration,
    ) -> ControlFlow<Result<T, Unmet>, Duration> {
        match look {
            Ok(Verdict::Ready(value)) => return ControlFlow::Break(Ok(value)),
            Ok(Verdict::Refused(why)) => return ControlFlow::Break(Err(Unmet::Refused(why))),
            Err(PageError::Fault(fault)) => return ControlFlow::Break(Err(Unmet::Fault(fault))),
            Ok(Verdict::Waiting(what)) if self.looks == Looks::Once => {
                return ControlFlow::Break(Err(Unmet::Late(Some(what))));
            }
            Ok(Verdict::Waiting(what)) => self.missing = Some(what),
            Err(PageError::Moved | PageError::Silent(_)) => {}
        }
        if left.is_zero() {
            return ControlFlow::Break(Err(Unmet::Late(self.missing.take())));
        }
        let later = (self.waited / 10).clamp(LATER[0], LATER[1]);
        let pause = PAUSES.get(self.pauses).copied().unwrap_or(later);
        self.pauses += 1;
        self.waited += pause;
        ControlFlow::Continue(pause.min(left))
    }
}

impl Unmet {
    /// The fault of an action whose element did not become ready within `whole`.
    #[must_use]
    pub fn action(self, selector: &str, whole: Duration) -> Fault {
        match self {
            Self::Late(what) => {
                let what = what.unwrap_or_else(|| "to answer; the page is busy or keeps changing".to_owned());
                let message = format!("waiting for `{selector}` {what} (gave up after {whole:?})");
                Fault::transient(FailureClass::Timeout, message)
            }
            Self::Refused(why) => Fault::persistent(FailureClass::Script, format!("`{selector}`: {why}")),
            Self::Fault(fault) => fault,
        }
    }

    /// The fault of a `wait_for` whose condition did not hold in time. A retry may succeed.
    #[must_use]
    pub fn wait(self, condition: Condition<'_>, whole: Duration) -> Fault {
        self.condition(condition, whole, |found| {
            let message = format!("waiting for {condition}: {found} (gave up after {whole:?})");
            Fault::transient(FailureClass::Timeout, message)
        })
    }

    /// The fault of an `expect` whose condition did not hold in time: a failed assertion. A retry would fail again.
    #[must_use]
    pub fn expectation(self, condition: Condition<'_>, whole: Duration) -> Fault {
        self.condition(condition, whole, |found| {
            let message = format!("expected {condition}, but {found} (after {whole:?})");
            Fault::persistent(FailureClass::Assertion, message)
        })
    }

    /// The fault of a script that does not wait for anything.
    #[must_use]
    pub fn look(self, whole: Duration) -> Fault {
        match self {
            Self::Late(_) => {
                Fault::transient(FailureClass::Timeout, format!("the page did not answer within {whole:?}"))
            }
            Self::Refused(why) => Fault::persistent(FailureClass::Script, why),
            Self::Fault(fault) => fault,
        }
    }

    /// If the page never answered, both `wait_for` and `expect` report a timeout.
    fn condition(self, condition: Condition<'_>, whole: Duration, late: impl FnOnce(&str) -> Fault) -> Fault {
        match self {
            Self::Late(Some(found)) => late(&found),
            Self::Late(None) => {
                let message = format!("waiting for {condition}: the page did not answer within {whole:?}");
                Fault::transient(FailureClass::Timeout, message)
            }
            Self::Refused(why) => Fault::persistent(FailureClass::Script, why),
            Self::Fault(fault) => fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_the_last_thing_missing_is_reported() {
        let (mut polling, mut left, mut looks) = (Polling::default(), Duration::from_secs(10), 0);
        let end = loop {
            looks += 1;
            let look = match looks {
                3 => Err(PageError::Moved),
                n => Ok(Verdict::<()>::Waiting(format!("look {n}"))),
            };
            match polling.next(look, left) {
                ControlFlow::Break(end) => break end,
                ControlFlow::Continue(pause) => left -= pause,
            }
        };
        let Err(Unmet::Late(Some(missing))) = end else { panic!("{end:?}") };
        assert_eq!(missing, format!("look {looks}"));
        assert!((25..=35).contains(&looks), "ten seconds are not spent asking: {looks}");
    }

    #[test]
    fn a_wait_of_minutes_checks_once_a_second() {
        let mut polling = Polling::default();
        let mut check = || match polling.next(Ok(Verdict::<()>::Waiting("it".into())), Duration::MAX) {
            ControlFlow::Continue(pause) => pause,
            ControlFlow::Break(end) => panic!("{end:?}"),
        };
        let pauses: Vec<_> = (0..200).map(|_| check()).collect();
        assert!(pauses.is_sorted(), "{pauses:?}");
        assert_eq!(pauses.last(), Some(&Duration::from_secs(1)));
    }

    #[test]
    fn a_fault_or_a_refusal_ends_the_wait_at_once() {
        let (mut polling, left) = (Polling::default(), Duration::from_secs(10));
        let refused = polling.next(Ok(Verdict::<()>::Refused("no".into())), left);
        assert!(matches!(refused, ControlFlow::Break(Err(Unmet::Refused(why))) if why == "no"));
        let fault = || Fault::transient(FailureClass::PageCrash, "gone");
        let failed = polling.next::<()>(Err(PageError::Fault(fault())), left);
        assert!(matches!(failed, ControlFlow::Break(Err(Unmet::Fault(found))) if found == fault()));
    }
}
