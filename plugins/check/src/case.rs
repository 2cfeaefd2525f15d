//! A case: a behaviour that every driver has, or declares as unsupported.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;

use crate::rig::Rig;
use crate::uses::{self, Uses};
use crate::verdict::{self, Verdict};

/// A behaviour that every driver has, or declares as unsupported.
pub struct Case {
    /// A sentence that is true of the driver, with `_` between its words.
    pub name: &'static str,
    pub(crate) run: for<'a> fn(&'a Rig) -> Pin<Box<dyn Future<Output = ()> + 'a>>,
}

/// The cases of a suite, by the names of their functions.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(crate) const CASES: &[crate::case::Case] =
            &[$(crate::case::Case { name: stringify!($name), run: |rig| Box::pin($name(rig)) }),*];
    };
}
pub(crate) use cases;

impl Case {
    /// Runs the case and returns its verdict, with the capabilities that the case used.
    pub(crate) async fn judge(&self, rig: &Rig, within: Duration) -> (Verdict, Uses) {
        let case = AssertUnwindSafe(timeout(within, (self.run)(rig))).catch_unwind();
        let (ended, uses) = uses::recorded(case).await;
        let verdict = match ended {
            Ok(Ok(())) => Verdict::Passed,
            Ok(Err(_)) => Verdict::Failed { why: format!("it did not end within {within:?}") },
            Err(panic) => verdict::of_panic(panic),
        };
        (verdict, uses)
    }
}
