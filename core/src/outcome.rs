//! How a job ends: [`Outcome`], and the classification of failures, [`FailureClass`].
//!
//! A failure gets its class where it is detected (the driver's port) and keeps it. Retries, breakers and
//! reports use the class; no code reads the message.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a job ended. Each job has exactly one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every step was carried out.
    Succeeded,
    /// The last attempt failed and no other was allowed.
    Failed(Failure),
    /// The submitter cancelled the job, or the run was interrupted.
    Cancelled,
    /// The job waited in the queue beyond its deadline.
    Expired,
    /// The job was never accepted: a queue was full or the fleet was draining.
    Rejected,
}

impl Outcome {
    /// The outcome's name in results and reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
        }
    }

    /// The failure, if the job failed.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        if let Self::Failed(failure) = self { Some(failure) } else { None }
    }
}

/// The kind of a failure. The list is closed and documented; scripts depend on the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "settings", derive(schemars::JsonSchema), schemars(inline))]
pub enum FailureClass {
    /// The page could not be reached: refused, unresolved, TLS, redirect loop, a download instead of a page.
    Navigation,
    /// The server answered with a status the job does not accept.
    HttpStatus,
    /// A deadline passed; the stage says which.
    Timeout,
    /// A script or step failed in the page: an exception, a selector that is not valid.
    Script,
    /// The page's renderer died.
    PageCrash,
    /// The browser died, hung or could not be started.
    BrowserCrash,
    /// An `expect` step did not hold.
    Assertion,
    /// The proxy refused, failed or was missing.
    Proxy,
    /// The driver cannot do what the job asks.
    Unsupported,
    /// The machine or the fleet had no room.
    Overload,
    /// A fault of Plimsoll's own: a panic, a broken invariant.
    Internal,
}

impl FailureClass {
    /// Every class, in the order of declaration.
    pub const ALL: [Self; 11] = [
        Self::Navigation,
        Self::HttpStatus,
        Self::Timeout,
        Self::Script,
        Self::PageCrash,
        Self::BrowserCrash,
        Self::Assertion,
        Self::Proxy,
        Self::Unsupported,
        Self::Overload,
        Self::Internal,
    ];

    /// The class's name in results, reports and settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Navigation => "navigation",
            Self::HttpStatus => "http_status",
            Self::Timeout => "timeout",
            Self::Script => "script",
            Self::PageCrash => "page_crash",
            Self::BrowserCrash => "browser_crash",
            Self::Assertion => "assertion",
            Self::Proxy => "proxy",
            Self::Unsupported => "unsupported",
            Self::Overload => "overload",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The stage at which an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "at", content = "step")]
pub enum Stage {
    /// Waiting for admission.
    Queue,
    /// Starting a browser.
    Launch,
    /// Creating the context.
    Create,
    /// Carrying out the step with this number, from 1; the opening of the job's `url` is step 0.
    Step(usize),
    /// Closing the context.
    Close,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue => f.write_str("queue"),
            Self::Launch => f.write_str("launch"),
            Self::Create => f.write_str("create"),
            Self::Step(0) => f.write_str("opening the url"),
            Self::Step(n) => write!(f, "step {n}"),
            Self::Close => f.write_str("close"),
        }
    }
}

/// Whether a retry of the same attempt can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recurrence {
    /// A retry can succeed: a refused connection, a crash.
    Transient,
    /// A retry will fail too: an unknown host, a bad certificate, a false assertion.
    Persistent,
}

/// A failure as a driver reports it: without the stage, since a driver does not know the job and the step number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{class}: {message}")]
pub struct Fault {
    /// The kind of failure.
    pub class: FailureClass,
    /// Whether a retry can succeed.
    pub recurrence: Recurrence,
    /// What happened, for people; no code depends on it.
    pub message: String,
}

impl Fault {
    /// A fault for which a retry can succeed.
    pub fn transient(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, recurrence: Recurrence::Transient, message: message.into() }
    }

    /// A fault that a retry would meet again.
    pub fn persistent(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, recurrence: Recurrence::Persistent, message: message.into() }
    }

    /// The failure of an attempt that was at `stage`.
    #[must_use]
    pub fn at(self, stage: Stage) -> Failure {
        Failure { stage, path: None, fault: self }
    }

    /// The fault with the beginning of its message, which may contain text of a page, and with the message's length, if
    /// the message is longer than [`LONGEST_MESSAGE`].
    #[must_use]
    pub(crate) fn shortened(mut self) -> Self {
        let length = self.message.len();
        if length > LONGEST_MESSAGE {
            self.message.truncate(self.message.floor_char_boundary(LONGEST_MESSAGE - 64));
            self.message.push_str(&format!("… (cut; {length} bytes)"));
        }
        self
    }
}

/// The maximum length of a failure's message, in bytes.
pub const LONGEST_MESSAGE: usize = 4096;

/// The failure of an attempt: the fault and the stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{class} at {place}: {message}", class = fault.class, place = self.place(), message = fault.message)]
pub struct Failure {
    /// The stage of the attempt.
    pub stage: Stage,
    /// The path to a step in control flow, such as `steps[2].repeat[7].steps[0]`.
    pub path: Option<String>,
    /// The fault.
    pub fault: Fault,
}

impl Failure {
    /// The stage, with the path of the step if there is one.
    #[must_use]
    pub fn place(&self) -> String {
        let stage = self.stage;
        self.path.as_ref().map_or_else(|| stage.to_string(), |path| format!("{stage}, {path}"))
    }
}

/// An error with all its causes, on one line: the format of a [`Fault`]'s message. A cause that the text contains already
/// is not repeated: many errors quote their cause.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.map(ToString::to_string).fold(error.to_string(), |text, cause| {
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Layered {
        #[error("the disk is full")]
        Disk,
        #[error("cannot write a.txt: {0}")]
        Quotes(#[source] Box<Self>),
        #[error("cannot write a.txt")]
        Hides(#[source] Box<Self>),
        #[error(transparent)]
        Passes(Box<Self>),
    }

    #[test]
    fn each_cause_is_written_once_whether_or_not_the_error_quotes_it() {
        let disk = || Box::new(Layered::Disk);
        for error in [
            Layered::Quotes(disk()),
            Layered::Hides(disk()),
            Layered::Passes(Box::new(Layered::Quotes(disk()))),
            Layered::Hides(Box::new(Layered::Passes(disk()))),
        ] {
            assert_eq!(with_causes(&error), "cannot write a.txt: the disk is full", "{error:?}");
        }
    }

    #[test]
    fn a_message_is_cut_at_its_bound_and_says_so() {
        let message = |text: String| Fault::transient(FailureClass::Script, text).shortened().message;
        let longest = "x".repeat(LONGEST_MESSAGE);
        assert_eq!(message(longest.clone()), longest);
        let cut = message("é".repeat(LONGEST_MESSAGE));
        assert!(cut.len() <= LONGEST_MESSAGE && cut.ends_with("é… (cut; 8192 bytes)"), "{cut}");
    }

    #[test]
    fn names_are_what_serde_writes_and_reads() {
        for class in FailureClass::ALL {
            let written = serde_json::to_value(class).expect("a class is plain data");
            assert_eq!(written, class.name());
            assert_eq!(serde_json::from_value::<FailureClass>(written).ok(), Some(class));
        }
    }
}
