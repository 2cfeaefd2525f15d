//! Why a page gave no answer, as every driver reports it.
//!
//! A look at a page fails in one of three ways that steps treat differently ([`PageError`]). An expression of the job
//! can also fail by itself ([`EvaluateError`]).

use crate::outcome::{FailureClass, Fault};

/// Why a page gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The document was replaced while it was asked. The next document may be asked.
    #[error("the page navigated away in the middle of the step")]
    Moved,
    /// No answer came before the deadline. The page may be asked again.
    #[error("{}", .0.message)]
    Silent(Fault),
    /// Asking again cannot help.
    #[error("{}", .0.message)]
    Fault(Fault),
}

/// Why an expression of the job gave no value.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// It is not JavaScript, so evaluating it again is pointless.
    #[error("{0}")]
    Syntax(String),
    /// It threw, or its promise was rejected.
    #[error("{0}")]
    Threw(String),
    /// Its value cannot be written as JSON; why.
    #[error("the value cannot be brought back as JSON: {0}")]
    NotJson(String),
    /// The page gave no answer.
    #[error(transparent)]
    Page(#[from] PageError),
}

/// The result of an input event. An event whose document went away before the acknowledgement has had its effect.
///
/// # Errors
/// The fault of every other failure.
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
