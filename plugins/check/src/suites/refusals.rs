//! A driver refuses what it does not declare, without side effects.

use plimsoll_core::capability::Capability;
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::OpenRequest;
use plimsoll_core::step::Step;
use serde_json::{Value, json};

use crate::case::cases;
use crate::rig::Rig;
use crate::tab::{Tab, job};

cases![what_is_not_declared_is_refused];

async fn what_is_not_declared_is_refused(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    for &capability in Capability::ALL.iter().filter(|capability| !rig.capabilities.contains(**capability)) {
        let Some(mut keys) = example(capability) else { continue };
        keys["url"] = json!(rig.site.url("/nested"));
        let job = job(keys);
        assert!(job.needs().contains(capability), "{capability}");
        let fault = if job.setup.is_plain() {
            // The opening is included, because the driver may lack a capability for it.
            let steps = job.start.map(Step::Goto).into_iter().chain(job.steps);
            refusal(&mut tab, steps).await
        } else {
            let request = OpenRequest { setup: job.setup, first: job.start };
            rig.admit(request).await.err()
        };
        let fault = fault.unwrap_or_else(|| panic!("{capability} was not refused"));
        let expected = (FailureClass::Unsupported, Recurrence::Persistent);
        assert_eq!((fault.class, fault.recurrence), expected, "{capability}: {fault}");
    }
    assert_eq!(tab.go("/nested").await.expect("it is none the worse for it").url, rig.site.url("/nested"));
}

/// The first fault of these steps.
async fn refusal(tab: &mut Tab<'_>, steps: impl Iterator<Item = Step>) -> Option<Fault> {
    for step in steps {
        if let Err(fault) = tab.raw(&step).await {
            return Some(fault);
        }
    }
    None
}

/// Keys of a job that needs this capability. No job asks for a status or a world, so these have no example.
fn example(capability: Capability) -> Option<Value> {
    let viewport = |scale| json!({"width": 600, "height": 400, "scale": scale});
    Some(match capability {
        Capability::Click => json!({"steps": [{"click": "h1"}]}),
        Capability::Fill => json!({"steps": [{"fill": {"selector": "h1", "text": "x"}}]}),
        Capability::Type => json!({"steps": [{"type": {"selector": "h1", "text": "x"}}]}),
        Capability::Press => json!({"steps": [{"press": "Enter"}]}),
        Capability::Select => json!({"steps": [{"select": {"selector": "h1", "value": "x"}}]}),
        Capability::Check => json!({"steps": [{"check": "h1"}]}),
        Capability::Hover => json!({"steps": [{"hover": "h1"}]}),
        Capability::Drag => json!({"steps": [{"drag": {"from": "h1", "by": [1, 1]}}]}),
        Capability::Scroll => json!({"steps": [{"scroll": "bottom"}]}),
        Capability::Upload => json!({"steps": [{"upload": {"selector": "h1", "files": []}}]}),
        Capability::WaitFor => json!({"steps": [{"wait_for": {"text": "Fleet"}}]}),
        Capability::Expect => json!({"steps": [{"expect": {"text": "Fleet"}}]}),
        Capability::Visibility => json!({"steps": [{"wait_for": "h1"}]}),
        Capability::Functions => json!({"steps": [{"wait_for": {"function": "true"}}]}),
        Capability::Locators => json!({"extract": {"title": "text=Fleet"}}),
        Capability::Idle => json!({"wait_until": "idle"}),
        Capability::Evaluate => json!({"steps": [{"evaluate": "1"}]}),
        Capability::Extract => json!({"extract": {"title": "title"}}),
        Capability::Content => json!({"steps": [{"content": {}}]}),
        Capability::Screenshot => json!({"screenshot": "page"}),
        Capability::FullScreenshot => json!({"screenshot": "full"}),
        Capability::ElementScreenshot => json!({"screenshot": "h1"}),
        Capability::Jpeg => json!({"screenshot": {"format": "jpeg"}}),
        Capability::Pdf => json!({"pdf": {}}),
        Capability::GetCookies => json!({"steps": [{"get_cookies": {}}]}),
        Capability::SetCookies => json!({"steps": [{"set_cookies": [{"name": "a", "value": "b"}]}]}),
        Capability::SetViewport => json!({"steps": [{"set_viewport": viewport(1)}]}),
        Capability::Viewport => json!({"viewport": viewport(1)}),
        Capability::PixelRatio => json!({"steps": [{"set_viewport": viewport(2)}]}),
        Capability::Headers => json!({"headers": {"X-Berth": "7"}}),
        Capability::Cookies => json!({"cookies": [{"name": "a", "value": "b"}]}),
        Capability::Proxy => json!({"proxy": "http://127.0.0.1:9"}),
        Capability::FaultPages => json!({"steps": [{"goto": "chrome://crash"}]}),
        Capability::OwnWorld | Capability::Statuses => return None,
    })
}
