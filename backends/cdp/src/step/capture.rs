//! Pictures, PDFs and HTML of a page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chromiumoxide_cdp::cdp::browser_protocol::page::{
    CaptureScreenshotFormat, CaptureScreenshotParams, GetLayoutMetricsParams, PrintToPdfParams,
    Viewport as Clip,
};
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::{Act, content as html};
use plimsoll_core::port::{Artifact, ArtifactKind};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{Capture, ImageFormat, Pdf, Screenshot};
use serde_json::Value;

use super::probe;
use crate::evaluate;
use crate::page::Page;

/// The longest side of a picture that Chromium can draw, in device pixels.
const LONGEST_SIDE: f64 = 16_384.0;
/// JPEG quality unless the step says otherwise.
const QUALITY: u8 = 80;
/// A4 in inches.
const A4: (f64, f64) = (8.27, 11.69);

/// Takes a picture.
pub(super) async fn screenshot(page: &Page, step: &Screenshot, budget: Budget) -> Result<Artifact, Fault> {
    let clip = match &step.of {
        Capture::Page => None,
        Capture::Full => Some(whole_page(page, budget).await?),
        Capture::Element(selector) => {
            let place = probe::act(page, selector, Act::PLACE, Value::Null, budget).await?;
            Some(drawable(page, place, budget).await?)
        }
    };
    let (format, kind) = match step.format {
        ImageFormat::Png => (CaptureScreenshotFormat::Png, ArtifactKind::Png),
        ImageFormat::Jpeg => (CaptureScreenshotFormat::Jpeg, ArtifactKind::Jpeg),
    };
    let quality =
        matches!(step.format, ImageFormat::Jpeg).then(|| step.quality.unwrap_or(QUALITY).min(100).into());
    let params = CaptureScreenshotParams {
        format: Some(format),
        quality,
        capture_beyond_viewport: Some(clip.is_some()),
        clip,
        ..CaptureScreenshotParams::default()
    };
    let picture = page.call(params, budget.left()).await?;
    artifact(kind, picture.data.as_ref())
}

/// Prints the page as PDF.
pub(super) async fn pdf(page: &Page, step: &Pdf, budget: Budget) -> Result<Artifact, Fault> {
    let params = PrintToPdfParams {
        landscape: Some(step.landscape),
        print_background: Some(step.background),
        paper_width: Some(step.width.unwrap_or(A4.0)),
        paper_height: Some(step.height.unwrap_or(A4.1)),
        margin_top: step.margin,
        margin_bottom: step.margin,
        margin_left: step.margin,
        margin_right: step.margin,
        ..PrintToPdfParams::default()
    };
    let printed = page.call(params, budget.left()).await?;
    artifact(ArtifactKind::Pdf, printed.data.as_ref())
}

/// The page's HTML as it is now, its doctype included.
pub(super) async fn content(page: &Page, budget: Budget) -> Result<String, Fault> {
    probe::once(page, &html(), budget).await
}

async fn whole_page(page: &Page, budget: Budget) -> Result<Clip, Fault> {
    let size = page.call(GetLayoutMetricsParams::default(), budget.left()).await?.css_content_size;
    drawable(page, Clip { x: 0.0, y: 0.0, width: size.width, height: size.height, scale: 1.0 }, budget).await
}

/// A clip cut to what Chromium can draw.
async fn drawable(page: &Page, clip: Clip, budget: Budget) -> Result<Clip, Fault> {
    let scale: f64 = evaluate::ours(page, "devicePixelRatio", budget.left()).await?;
    let longest = LONGEST_SIDE / scale.max(f64::MIN_POSITIVE);
    Ok(Clip { width: clip.width.min(longest), height: clip.height.min(longest), ..clip })
}

fn artifact(kind: ArtifactKind, base64: &str) -> Result<Artifact, Fault> {
    let bytes = STANDARD.decode(base64).map_err(|why| {
        Fault::persistent(FailureClass::Internal, format!("the browser's picture is not base64: {why}"))
    })?;
    Ok(Artifact { kind, bytes })
}
