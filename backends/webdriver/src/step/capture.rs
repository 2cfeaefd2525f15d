//! Screenshots and PDFs of a page.
//!
//! Chromium creates them over the DevTools protocol. Firefox creates them over WebDriver, which supports only PNG, so
//! JPEGs are converted here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat as Kind};
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::perform::{Area, Clip, Encoding, LONGEST_SIDE, drawable};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Pdf;
use serde::Deserialize;
use serde_json::{Value, json};

use super::element;
use crate::settings::Family;
use crate::tab::Tab;

/// Centimetres in an inch: WebDriver's unit.
const INCH: f64 = 2.54;

/// Takes a screenshot.
pub(super) async fn screenshot(
    tab: &Tab,
    area: Area<'_>,
    encoding: Encoding,
    budget: Budget,
) -> Result<Vec<u8>, Fault> {
    match (tab.family(), encoding) {
        (Family::Chromium, encoding) => chromium(tab, area, encoding, budget).await,
        (Family::Firefox, Encoding::Png) => firefox(tab, area, budget).await,
        // Takes milliseconds of CPU time for a window, and a tenth of a second for a long page.
        (Family::Firefox, Encoding::Jpeg(quality)) => to_jpeg(&firefox(tab, area, budget).await?, quality),
    }
}

async fn chromium(tab: &Tab, area: Area<'_>, encoding: Encoding, budget: Budget) -> Result<Vec<u8>, Fault> {
    let clip = match area {
        Area::Viewport => None,
        Area::Page => {
            let metrics: Value =
                tab.session().devtools("Page.getLayoutMetrics", json!({}), budget.left()).await?;
            let size = &metrics["cssContentSize"];
            let side = |name: &str| size[name].as_f64().unwrap_or_default();
            Some(Clip { x: 0.0, y: 0.0, width: side("width"), height: side("height"), scale: 1.0 })
        }
        Area::Element { place, .. } => Some(place),
    };
    let mut params = json!({ "captureBeyondViewport": clip.is_some() });
    if let Encoding::Jpeg(quality) = encoding {
        params["format"] = json!("jpeg");
        params["quality"] = json!(quality);
    }
    if let Some(clip) = clip {
        params["clip"] = json!(drawable(tab, clip, budget).await?);
    }
    #[derive(Deserialize)]
    struct Picture {
        data: String,
    }
    let picture: Picture = tab.session().devtools("Page.captureScreenshot", params, budget.left()).await?;
    decode(&picture.data)
}

async fn firefox(tab: &Tab, area: Area<'_>, budget: Budget) -> Result<Vec<u8>, Fault> {
    let session = tab.session();
    let picture: String = match area {
        Area::Viewport => session.get("screenshot", budget.left()).await?,
        Area::Page => session.get("moz/screenshot/full", budget.left()).await?,
        Area::Element { selector, .. } => {
            let id = element::find(tab, selector, budget).await?;
            session.get(&format!("element/{id}/screenshot"), budget.left()).await?
        }
    };
    cut(decode(&picture)?)
}

/// Crops a picture that is longer than Chromium can draw.
fn cut(png: Vec<u8>) -> Result<Vec<u8>, Fault> {
    let longest = LONGEST_SIDE;
    let side = |at: usize| png.get(at..at + 4).map(|side| side.iter().fold(0, |n, b| n << 8 | u32::from(*b)));
    // Every PNG has its width and height at the same position.
    let (Some(width), Some(height)) = (side(16), side(20)) else { return Ok(png) };
    if width <= longest && height <= longest {
        return Ok(png);
    }
    let cut = decoded(&png)?.crop_imm(0, 0, width.min(longest), height.min(longest));
    let mut bytes = std::io::Cursor::new(Vec::new());
    cut.write_to(&mut bytes, Kind::Png).map_err(|why| broken(&why))?;
    Ok(bytes.into_inner())
}

fn to_jpeg(png: &[u8], quality: u8) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality.max(1));
    decoded(png)?.to_rgb8().write_with_encoder(encoder).map_err(|why| broken(&why))?;
    Ok(bytes)
}

fn decoded(png: &[u8]) -> Result<DynamicImage, Fault> {
    image::load_from_memory_with_format(png, Kind::Png).map_err(|why| broken(&why))
}

fn broken(why: &dyn std::fmt::Display) -> Fault {
    Fault::persistent(FailureClass::Internal, format!("the browser's picture cannot be worked on: {why}"))
}

/// Prints the page.
pub(super) async fn print(tab: &Tab, step: &Pdf, budget: Budget) -> Result<Vec<u8>, Fault> {
    let (width, height) = step.paper();
    let mut body = json!({
        "orientation": if step.landscape { "landscape" } else { "portrait" },
        "background": step.background,
        "page": { "width": width * INCH, "height": height * INCH },
        "shrinkToFit": false,
    });
    if let Some(margin) = step.margin {
        let margin = margin * INCH;
        body["margin"] = json!({ "top": margin, "bottom": margin, "left": margin, "right": margin });
    }
    let printed: String = tab.session().post("print", &body, budget.left()).await?;
    decode(&printed)
}

fn decode(base64: &str) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(base64).map_err(|why| {
        Fault::persistent(FailureClass::Internal, format!("the browser's picture is not base64: {why}"))
    })
}
