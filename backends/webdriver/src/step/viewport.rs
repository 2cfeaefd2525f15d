//! The size of the viewport.

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::LOOK;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Viewport;
use serde_json::{Value, json};

use crate::settings::Family;
use crate::tab::Tab;

/// Refuses a viewport that this family has no way to be given.
pub(crate) fn offered(viewport: &Viewport, family: Family) -> Result<(), Fault> {
    match family {
        Family::Firefox if viewport.scale != 1.0 => {
            let scale = viewport.scale;
            let message =
                format!("WebDriver has no way to give Firefox {scale} device pixels to a CSS pixel");
            Err(Fault::persistent(FailureClass::Unsupported, message))
        }
        Family::Firefox | Family::Chromium => Ok(()),
    }
}

/// Gives the page a viewport of this size, until it is given another.
pub(super) async fn set(tab: &Tab, viewport: &Viewport, budget: Budget) -> Result<(), Fault> {
    offered(viewport, tab.family())?;
    let Viewport { width, height, scale } = *viewport;
    match tab.family() {
        Family::Chromium => {
            let metrics =
                json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
            let command = "Emulation.setDeviceMetricsOverride";
            tab.session().devtools::<Value>(command, metrics, budget.left()).await?;
            Ok(())
        }
        Family::Firefox => resize(tab, width, height, budget).await,
    }
}

/// Resizes the window until the page has this size. The size of the window's frame changes when the first page is
/// shown, so it is measured again after each change.
async fn resize(tab: &Tab, width: u32, height: u32, budget: Budget) -> Result<(), Fault> {
    let wanted = [width, height].map(i64::from);
    for _ in 0..3 {
        let script = "return [innerWidth, innerHeight, outerWidth, outerHeight];";
        let sizes: Option<[i64; 4]> = tab.session().run(script, &json!([]), LOOK, budget.left()).await?;
        let Some([inner_width, inner_height, outer_width, outer_height]) = sizes else { continue };
        if [inner_width, inner_height] == wanted {
            return Ok(());
        }
        let rect = json!({
            "width": wanted[0] + outer_width - inner_width,
            "height": wanted[1] + outer_height - inner_height,
        });
        tab.session().post::<Value>("window/rect", &rect, budget.left()).await?;
    }
    let message = format!("the browser's window does not become {width} x {height}");
    Err(Fault::persistent(FailureClass::Unsupported, message))
}
