//! Pictures and PDFs of a page.

use serde_json::Value;

use super::look::{act, until};
use super::page_driver::{Area, Clip, Encoding, PageDriver};
use crate::outcome::Fault;
use crate::page::{Act, PIXEL_RATIO};
use crate::port::{Artifact, ArtifactKind};
use crate::runtime::budget::Budget;
use crate::step::{Capture, ImageFormat, Pdf, Screenshot};

/// The longest side of a picture that Chromium can draw, in device pixels. Every driver limits pictures to it.
pub const LONGEST_SIDE: u32 = 16_384;
/// The JPEG quality if the step sets none.
const QUALITY: u8 = 80;

/// Takes a picture.
pub(super) async fn screenshot(
    page: &impl PageDriver,
    step: &Screenshot,
    budget: Budget,
) -> Result<Artifact, Fault> {
    let area = match &step.of {
        Capture::Page => Area::Viewport,
        Capture::Full => Area::Page,
        Capture::Element(selector) => {
            let place = act(page, selector, Act::PLACE, &Value::Null, budget).await?;
            Area::Element { selector, place }
        }
    };
    let (encoding, kind) = match step.format {
        ImageFormat::Png => (Encoding::Png, ArtifactKind::Png),
        ImageFormat::Jpeg => (Encoding::Jpeg(step.quality.unwrap_or(QUALITY).min(100)), ArtifactKind::Jpeg),
    };
    let bytes = page.screenshot(area, encoding, budget).await?;
    Ok(Artifact { kind, bytes })
}

/// Prints the page as PDF.
pub(super) async fn pdf(page: &impl PageDriver, step: &Pdf, budget: Budget) -> Result<Artifact, Fault> {
    Ok(Artifact { kind: ArtifactKind::Pdf, bytes: page.print(step, budget).await? })
}

/// Limits a clip to the size that Chromium can draw.
///
/// # Errors
/// If the page does not return its pixel ratio within the budget.
pub async fn drawable(page: &impl PageDriver, clip: Clip, budget: Budget) -> Result<Clip, Fault> {
    let ratio = until::<f64>(page, PIXEL_RATIO, budget).await.map_err(|unmet| unmet.look(budget.whole()))?;
    let longest = f64::from(LONGEST_SIDE) / ratio.max(f64::MIN_POSITIVE);
    Ok(Clip { width: clip.width.min(longest), height: clip.height.min(longest), ..clip })
}
