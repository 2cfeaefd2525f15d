//! Errors of a call to a page, the same for every driver.
//!
//! A script of ours fails in one of three ways, which steps handle differently ([`PageError`]). An expression of the
//! job can also fail by itself ([`EvaluateError`]).

use crate::outcome::{FailureClass, Fault};

/// Why a page did not answer.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The document was replaced during the call. The call may be repeated on the next document.
    #[error("the page navigated away in the middle of the step")]
    Moved,
    /// No answer arrived before the deadline. The call may be repeated.
    #[error("{}", .0.message)]
    Silent(Fault),
    /// Repeating the call cannot help.
    #[error("{}", .0.message)]
    Fault(Fault),
}

/// Why an expression of the job returned no value.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The expression is not valid JavaScript, so evaluating it again is pointless.
    #[error("{0}")]
    Syntax(String),
    /// The expression threw an exception, or its promise was rejected.
    #[error("{0}")]
    Threw(String),
    /// The value cannot be written as JSON; the text is the reason.
    #[error("the value cannot be brought back as JSON: {0}")]
    NotJson(String),
    /// The page did not answer.
    #[error(transparent)]
    Page(#[from] PageError),
}

/// The result of an input event. An event whose document was replaced before the acknowledgement counts as delivered.
///
/// # Errors
/// Every other failure, as a fault.
pub fn delivered<T>(reply: Result<T, impl Into<PageError>>) -> Result<(), Fault> {
    match reply.map_err(Into::into) {
        Ok(_) | Err(PageError::Moved) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl From<PageError> for Fault {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Moved => Self::transient(FailureClass::Script, error.to_string()),
            PageError::Silent(fault) | PageError::Fault(fault) => fault,
        }
    }
}

impl From<EvaluateError> for PageError {
    fn from(error: EvaluateError) -> Self {
        match error {
            EvaluateError::Page(error) => error,
            error => Self::Fault(Fault::persistent(FailureClass::Script, error.to_string())),
        }
    }
}

impl From<EvaluateError> for Fault {
    fn from(error: EvaluateError) -> Self {
        PageError::from(error).into()
    }
}
