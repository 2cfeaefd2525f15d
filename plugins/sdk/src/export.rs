//! [`export_driver!`](crate::export_driver) makes a crate a library that Plimsoll can load.

use std::error::Error;

use plimsoll_core::outcome::{FailureClass, Fault, with_causes};
use plimsoll_core::port::Driver;

/// Exports a driver. The argument is its constructor: a function from [`Start`](crate::Start) to
/// `Result<impl Driver, E>`, where `E` is any error or a text. Once in a library.
#[macro_export]
macro_rules! export_driver {
    ($new:expr) => {
        const _: () = {
            // One item that needs no `unsafe` of the author's.
            #[allow(unsafe_code, clippy::allow_attributes, reason = "what a C library exports")]
            unsafe extern "C" fn create(host: *const $crate::hidden::Host) -> $crate::hidden::InstancePtr {
                // SAFETY: called by Plimsoll, with its table.
                unsafe {
                    $crate::hidden::create(host, env!("CARGO_PKG_NAME"), |start| {
                        $crate::hidden::made(($new)(start))
                    })
                }
            }

            #[allow(unsafe_code, clippy::allow_attributes, reason = "the one symbol of a library")]
            #[unsafe(no_mangle)]
            static PLIMSOLL_PLUGIN: $crate::hidden::Declaration =
                $crate::hidden::declare(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), create);
        };
    };
}

/// What the macro uses; not part of the interface.
#[doc(hidden)]
pub mod hidden {
    pub use plimsoll_plugin_abi::{Declaration, Functions, Host, InstancePtr, outstanding};

    pub use super::made;
    pub use crate::edge::{create, declare};
}

/// Converts a constructor's result into the library's answer.
#[doc(hidden)]
pub fn made<D, E>(result: Result<D, E>) -> Result<Box<dyn Driver>, Fault>
where
    D: Driver + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    result.map(|driver| -> Box<dyn Driver> { Box::new(driver) }).map_err(|error| {
        let error = error.into();
        error.downcast::<Fault>().map_or_else(
            |error| Fault::persistent(FailureClass::Unsupported, with_causes(error.as_ref())),
            |fault| *fault,
        )
    })
}
