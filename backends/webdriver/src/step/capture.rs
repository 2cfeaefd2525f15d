//! Pictures and PDFs of a page.
//!
//! Chromium takes them by the DevTools protocol, as its other driver does; Firefox by WebDriver, which knows PNG alone, so
//! that what is to be a JPEG is made one here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat as Kind};
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::Act;
use plimsoll_core::port::{Artifact, ArtifactKind};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{Capture, ImageFormat, Pdf, Screenshot};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::probe;
use crate::session::LOOK;
use crate::settings::Family;
use crate::tab::Tab;

/// The longest side of a picture that Chromium can draw, in device pixels; Firefox's are cut to it too.
const LONGEST_SIDE: f64 = 16_384.0;
/// JPEG quality unless the step says otherwise.
const QUALITY: u8 = 80;
/// A4 in inches.
const A4: (f64, f64) = (8.27, 11.69);
/// Centimetres of an inch: WebDriver's unit.
const INCH: f64 = 2.54;

/// A part of the page in CSS pixels.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Clip {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    scale: f64,
}

/// Takes a picture.
pub(super) async fn screenshot(tab: &Tab, step: &Screenshot, budget: Budget) -> Result<Artifact, Fault> {
    let quality = step.quality.unwrap_or(QUALITY).min(100);
    match (tab.family(), step.format) {
        (Family::Chromium, format) => chromium(tab, &step.of, format, quality, budget).await,
        (Family::Firefox, ImageFormat::Png) => firefox(tab, &step.of, budget).await,
        (Family::Firefox, ImageFormat::Jpeg) => {
            let png = firefox(tab, &step.of, budget).await?;
            // Milliseconds of this core's time for a window, a tenth of a second for a long page.
            to_jpeg(&png.bytes, quality)
        }
    }
}

async fn chromium(
    tab: &Tab,
    of: &Capture,
    format: ImageFormat,
    quality: u8,
    budget: Budget,
) -> Result<Artifact, Fault> {
    let clip = match of {
        Capture::Page => None,
        Capture::Full => {
            let metrics: Value =
                tab.session().devtools("Page.getLayoutMetrics", json!({}), budget.left()).await?;
            let size = &metrics["cssContentSize"];
            let side = |name: &str| size[name].as_f64().unwrap_or_default();
            let whole = Clip { x: 0.0, y: 0.0, width: side("width"), height: side("height"), scale: 1.0 };
            Some(drawable(tab, whole, budget).await?)
        }
        Capture::Element(selector) => {
            let place = probe::act(tab, selector, Act::PLACE, Value::Null, budget).await?;
            Some(drawable(tab, place, budget).await?)
        }
    };
    let mut params = json!({ "captureBeyondViewport": clip.is_some() });
    let kind = match format {
        ImageFormat::Png => ArtifactKind::Png,
        ImageFormat::Jpeg => {
            params["format"] = json!("jpeg");
            params["quality"] = json!(quality);
            ArtifactKind::Jpeg
        }
    };
    if let Some(clip) = clip {
        params["clip"] = json!(clip);
    }
    #[derive(Deserialize)]
    struct Picture {
        data: String,
    }
    let picture: Picture = tab.session().devtools("Page.captureScreenshot", params, budget.left()).await?;
    artifact(kind, &picture.data)
}

/// A clip cut to what Chromium can draw.
async fn drawable(tab: &Tab, clip: Clip, budget: Budget) -> Result<Clip, Fault> {
    let scale: Option<f64> =
        tab.session().run("return devicePixelRatio;", &json!([]), LOOK, budget.left()).await?;
    let longest = LONGEST_SIDE / scale.unwrap_or(1.0).max(f64::MIN_POSITIVE);
    Ok(Clip { width: clip.width.min(longest), height: clip.height.min(longest), ..clip })
}

async fn firefox(tab: &Tab, of: &Capture, budget: Budget) -> Result<Artifact, Fault> {
    let session = tab.session();
    let picture: String = match of {
        Capture::Page => session.get("screenshot", budget.left()).await?,
        Capture::Full => session.get("moz/screenshot/full", budget.left()).await?,
        Capture::Element(selector) => {
            probe::act::<Value>(tab, selector, Act::PLACE, Value::Null, budget).await?;
            let id = super::upload::element(tab, selector, budget).await?;
            session.get(&format!("element/{id}/screenshot"), budget.left()).await?
        }
    };
    let picture = artifact(ArtifactKind::Png, &picture)?;
    cut(picture)
}

/// Cuts a picture that is longer than the other browser's may be.
fn cut(png: Artifact) -> Result<Artifact, Fault> {
    let longest = LONGEST_SIDE as u32;
    let side =
        |at: usize| png.bytes.get(at..at + 4).map(|side| side.iter().fold(0, |n, b| n << 8 | u32::from(*b)));
    // Its width and height stand at the same place in every PNG.
    let (Some(width), Some(height)) = (side(16), side(20)) else { return Ok(png) };
    if width <= longest && height <= longest {
        return Ok(png);
    }
    let cut = decoded(&png.bytes)?.crop_imm(0, 0, width.min(longest), height.min(longest));
    let mut bytes = std::io::Cursor::new(Vec::new());
    cut.write_to(&mut bytes, Kind::Png).map_err(|why| broken(&why))?;
    Ok(Artifact { kind: ArtifactKind::Png, bytes: bytes.into_inner() })
}

fn to_jpeg(png: &[u8], quality: u8) -> Result<Artifact, Fault> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality.max(1));
    decoded(png)?.to_rgb8().write_with_encoder(encoder).map_err(|why| broken(&why))?;
    Ok(Artifact { kind: ArtifactKind::Jpeg, bytes })
}

fn decoded(png: &[u8]) -> Result<DynamicImage, Fault> {
    image::load_from_memory_with_format(png, Kind::Png).map_err(|why| broken(&why))
}

fn broken(why: &dyn std::fmt::Display) -> Fault {
    Fault::persistent(FailureClass::Internal, format!("the browser's picture cannot be worked on: {why}"))
}

/// Prints the page as PDF.
pub(super) async fn pdf(tab: &Tab, step: &Pdf, budget: Budget) -> Result<Artifact, Fault> {
    let mut body = json!({
        "orientation": if step.landscape { "landscape" } else { "portrait" },
        "background": step.background,
        "page": { "width": step.width.unwrap_or(A4.0) * INCH, "height": step.height.unwrap_or(A4.1) * INCH },
        "shrinkToFit": false,
    });
    if let Some(margin) = step.margin {
        let margin = margin * INCH;
        body["margin"] = json!({ "top": margin, "bottom": margin, "left": margin, "right": margin });
    }
    let printed: String = tab.session().post("print", &body, budget.left()).await?;
    artifact(ArtifactKind::Pdf, &printed)
}

fn artifact(kind: ArtifactKind, base64: &str) -> Result<Artifact, Fault> {
    let bytes = STANDARD.decode(base64).map_err(|why| {
        Fault::persistent(FailureClass::Internal, format!("the browser's picture is not base64: {why}"))
    })?;
    Ok(Artifact { kind, bytes })
}
