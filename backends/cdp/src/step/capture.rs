//! Screenshots and PDFs of a page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chromiumoxide_cdp::cdp::browser_protocol::page::{
    CaptureScreenshotFormat, CaptureScreenshotParams, GetLayoutMetricsParams, PrintToPdfParams, Viewport,
};
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::perform::{Area, Clip, Encoding, PageDriver, drawable};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Pdf;

use crate::page::Page;

/// Takes a screenshot.
pub(super) async fn screenshot(
    driver: &impl PageDriver,
    page: &Page,
    area: Area<'_>,
    encoding: Encoding,
    budget: Budget,
) -> Result<Vec<u8>, Fault> {
    let clip = match area {
        Area::Viewport => None,
        Area::Page => {
            let metrics = page.call(GetLayoutMetricsParams::default(), budget.left()).await?;
            let size = metrics.css_content_size;
            Some(Clip { x: 0.0, y: 0.0, width: size.width, height: size.height, scale: 1.0 })
        }
        Area::Element { place, .. } => Some(place),
    };
    let clip = match clip {
        None => None,
        Some(clip) => {
            let Clip { x, y, width, height, scale } = drawable(driver, clip, budget).await?;
            Some(Viewport { x, y, width, height, scale })
        }
    };
    let (format, quality) = match encoding {
        Encoding::Png => (CaptureScreenshotFormat::Png, None),
        Encoding::Jpeg(quality) => (CaptureScreenshotFormat::Jpeg, Some(quality.into())),
    };
    let params = CaptureScreenshotParams {
        format: Some(format),
        quality,
        capture_beyond_viewport: Some(clip.is_some()),
        clip,
        ..CaptureScreenshotParams::default()
    };
    decode(page.call(params, budget.left()).await?.data.as_ref())
}

/// Prints the page.
pub(super) async fn print(page: &Page, step: &Pdf, budget: Budget) -> Result<Vec<u8>, Fault> {
    let (width, height) = step.paper();
    let params = PrintToPdfParams {
        landscape: Some(step.landscape),
        print_background: Some(step.background),
        paper_width: Some(width),
        paper_height: Some(height),
        margin_top: step.margin,
        margin_bottom: step.margin,
        margin_left: step.margin,
        margin_right: step.margin,
        ..PrintToPdfParams::default()
    };
    decode(page.call(params, budget.left()).await?.data.as_ref())
}

fn decode(base64: &str) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(base64).map_err(|why| {
        Fault::persistent(FailureClass::Internal, format!("the browser's picture is not base64: {why}"))
    })
}
