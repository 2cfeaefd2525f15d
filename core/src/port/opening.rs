//! [`PlainOpening`]: the opening of a context that exists only in memory.

use std::future::Future;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::outcome::Fault;
use crate::port::driver::{CloseError, Context, Opening};

/// An [`Opening`] that is one future. If the future fails or is dropped, nothing is left. It suits drivers whose
/// contexts have no process, no connection and no remote end.
pub struct PlainOpening(BoxFuture<'static, Result<Box<dyn Context>, Fault>>);

impl PlainOpening {
    /// An opening that runs `work`. `work` does not start before [`Opening::ready`] is polled.
    #[must_use]
    pub fn of(
        work: impl Future<Output = Result<Box<dyn Context>, Fault>> + Send + 'static,
    ) -> Box<dyn Opening> {
        Box::new(Self(work.boxed()))
    }
}

#[async_trait]
impl Opening for PlainOpening {
    async fn ready(&mut self) -> Result<Box<dyn Context>, Fault> {
        (&mut self.0).await
    }

    async fn abandon(self: Box<Self>) -> Result<(), CloseError> {
        Ok(())
    }
}
