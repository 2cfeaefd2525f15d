//! The size of the viewport.

use chromiumoxide_cdp::cdp::browser_protocol::emulation::SetDeviceMetricsOverrideParams;
use plimsoll_core::outcome::Fault;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Viewport;

use crate::page::Page;

/// Gives the page a viewport of this size, until it is given another.
pub(crate) async fn set(page: &Page, viewport: &Viewport, budget: Budget) -> Result<(), Fault> {
    let Viewport { width, height, scale } = *viewport;
    let metrics = SetDeviceMetricsOverrideParams::new(i64::from(width), i64::from(height), scale, false);
    page.call(metrics, budget.left()).await?;
    Ok(())
}
