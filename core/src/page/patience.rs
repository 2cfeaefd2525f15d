//! Waiting for what a page reports: look, pause, look again, until it is ready, refused for good, or time is up. Pure.
//!
//! What goes wrong in between is forgiven where asking again can help: the document was replaced, or the page was
//! too busy to answer.

use std::time::Duration;

use crate::outcome::{FailureClass, Fault};
use crate::page::{Condition, Verdict};

/// Pauses between two looks, the last one repeated: quick at first, since most things are there within a tenth
/// of a second, and then easy on the browser's CPU.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(100),
    Duration::from_millis(100),
    Duration::from_millis(250),
];

/// What came of one look.
#[derive(Debug)]
pub enum Look<T> {
    /// The page said this.
    Said(Verdict<T>),
    /// It said nothing, and may when it is asked again.
    Nothing,
    /// Asking again cannot help.
    Fault(Fault),
}

/// What follows from a look.
#[derive(Debug)]
pub enum Next<T> {
    /// The wait is over.
    End(Result<T, Unmet>),
    /// Look again after this pause.
    Again(Duration),
}

/// Why a wait ended without success.
#[derive(Debug)]
pub enum Unmet {
    /// Time was up; what was missing last, if the page ever said.
    Late(Option<String>),
    /// It can never be; why.
    Refused(String),
    /// Something else failed.
    Fault(Fault),
}

/// What a wait knows between two looks.
#[derive(Debug, Default)]
pub struct Patience {
    pauses: usize,
    missing: Option<String>,
}

impl Patience {
    /// How the wait goes on after a look, when so much of its time is `left`.
    pub fn weigh<T>(&mut self, look: Look<T>, left: Duration) -> Next<T> {
        match look {
            Look::Said(Verdict::Ready(value)) => return Next::End(Ok(value)),
            Look::Said(Verdict::Refused(why)) => return Next::End(Err(Unmet::Refused(why))),
            Look::Fault(fault) => return Next::End(Err(Unmet::Fault(fault))),
            Look::Said(Verdict::Waiting(what)) => self.missing = Some(what),
            Look::Nothing => {}
        }
        if left.is_zero() {
            return Next::End(Err(Unmet::Late(self.missing.take())));
        }
        let pause = PAUSES.get(self.pauses).or(PAUSES.last()).copied().unwrap_or_default();
        self.pauses += 1;
        Next::Again(pause.min(left))
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

    /// The fault of a `wait_for` whose condition did not come to hold: it is late, and may hold another time.
    #[must_use]
    pub fn wait(self, condition: Condition<'_>, whole: Duration) -> Fault {
        self.condition(condition, whole, |found| {
            let message = format!("waiting for {condition}: {found} (gave up after {whole:?})");
            Fault::transient(FailureClass::Timeout, message)
        })
    }

    /// The fault of an `expect` whose condition did not come to hold: a failed assertion, which would fail again.
    #[must_use]
    pub fn expectation(self, condition: Condition<'_>, whole: Duration) -> Fault {
        self.condition(condition, whole, |found| {
            let message = format!("expected {condition}, but {found} (after {whole:?})");
            Fault::persistent(FailureClass::Assertion, message)
        })
    }

    /// The fault of something that needs no waiting for.
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

    /// A page that never said anything found nothing: that is a timeout, whoever asked.
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
    fn pauses_grow_and_the_last_thing_missing_is_told() {
        let (mut patience, mut left, mut looks) = (Patience::default(), Duration::from_secs(10), 0);
        let end = loop {
            looks += 1;
            let look = match looks {
                3 => Look::Nothing,
                n => Look::Said(Verdict::<()>::Waiting(format!("look {n}"))),
            };
            match patience.weigh(look, left) {
                Next::End(end) => break end,
                Next::Again(pause) => left -= pause,
            }
        };
        let Err(Unmet::Late(Some(missing))) = end else { panic!("{end:?}") };
        assert_eq!(missing, format!("look {looks}"));
        assert!((40..=50).contains(&looks), "ten seconds are not spent asking: {looks}");
    }

    #[test]
    fn a_fault_or_a_refusal_ends_the_wait_at_once() {
        let (mut patience, left) = (Patience::default(), Duration::from_secs(10));
        let refused = patience.weigh(Look::Said(Verdict::<()>::Refused("no".into())), left);
        assert!(matches!(refused, Next::End(Err(Unmet::Refused(why))) if why == "no"));
        let fault = || Fault::transient(FailureClass::PageCrash, "gone");
        let failed = patience.weigh::<()>(Look::Fault(fault()), left);
        assert!(matches!(failed, Next::End(Err(Unmet::Fault(found))) if found == fault()));
    }
}
