//! [`Failure`]: why a measurement or a client's turn failed.

use std::error::Error;

/// An error with its full message.
pub(crate) type Failure = Box<dyn Error>;
