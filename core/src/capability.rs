//! What a job asks of a driver, and what a driver can do: [`Capability`], [`Capabilities`].
//!
//! Drivers differ: WebDriver cannot set headers in Firefox, a driver without a browser takes no pictures. What a job
//! needs follows from its keys and steps, so a job that its driver cannot carry out is refused before anything runs.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::job::{Job, Setup};
use crate::selector::has_locator;
use crate::step::{
    Capture, ElementState, Expectation, ImageFormat, LoadState, PageUrl, Step, Viewport, WaitTarget,
};

macro_rules! capabilities {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// Something a job may ask of a driver beyond opening a page.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Capability {
            $($(#[doc = $doc])+ #[serde(rename = $word)] $name,)+
        }

        impl Capability {
            /// Every capability, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its name in tables, messages and plugins.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

capabilities! {
    /// The step `click`.
    Click = "click",
    /// The step `fill`.
    Fill = "fill",
    /// The step `type`.
    Type = "type",
    /// The step `press`.
    Press = "press",
    /// The step `select`.
    Select = "select",
    /// The steps `check` and `uncheck`.
    Check = "check",
    /// The step `hover`.
    Hover = "hover",
    /// The step `drag`.
    Drag = "drag",
    /// The step `scroll`.
    Scroll = "scroll",
    /// The step `upload`.
    Upload = "upload",
    /// The step `wait_for`.
    WaitFor = "wait_for",
    /// The step `expect`.
    Expect = "expect",
    /// Conditions on what is visible or hidden.
    Visibility = "visibility",
    /// Conditions that are JavaScript.
    Functions = "functions",
    /// Selectors that are not CSS alone: `text=`, `role=`, ` >> ` and the like.
    Locators = "locators",
    /// The load state `idle`.
    Idle = "idle",
    /// The step `evaluate`.
    Evaluate = "evaluate",
    /// The step `extract`.
    Extract = "extract",
    /// The step `content`.
    Content = "content",
    /// Pictures of the viewport.
    Screenshot = "screenshot",
    /// Pictures of a whole page.
    FullScreenshot = "full_screenshot",
    /// Pictures of an element.
    ElementScreenshot = "element_screenshot",
    /// Pictures as JPEG.
    Jpeg = "jpeg",
    /// The step `pdf`.
    Pdf = "pdf",
    /// The step `get_cookies`.
    GetCookies = "get_cookies",
    /// The step `set_cookies`.
    SetCookies = "set_cookies",
    /// The step `set_viewport`.
    SetViewport = "set_viewport",
    /// A viewport that is set before the first page.
    Viewport = "viewport",
    /// A viewport with a device pixel ratio other than 1.
    PixelRatio = "pixel_ratio",
    /// Headers on every request.
    Headers = "headers",
    /// Cookies that are set before the first page.
    Cookies = "cookies",
    /// A proxy of the context's own.
    Proxy = "proxy",
    /// Chromium's fault pages (`chrome://crash`).
    FaultPages = "fault_pages",
    /// Steps run in a world of their own: what a page replaces does not concern them.
    OwnWorld = "own_world",
    /// The HTTP status of a page is known, so that `http_status` failures are seen.
    Statuses = "statuses",
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of capabilities: what a driver has, or what a job needs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Capabilities(BTreeSet<Capability>);

impl Capabilities {
    /// The set of all capabilities.
    #[must_use]
    pub fn all() -> Self {
        Capability::ALL.iter().copied().collect()
    }

    /// The set without the capabilities given.
    #[must_use]
    pub fn without(mut self, lacking: &[Capability]) -> Self {
        self.0.retain(|capability| !lacking.contains(capability));
        self
    }

    /// Whether the capability is in the set.
    #[must_use]
    pub fn contains(&self, capability: Capability) -> bool {
        self.0.contains(&capability)
    }

    /// The capabilities of `needs` that are not in the set.
    #[must_use]
    pub fn missing(&self, needed: &Self) -> Self {
        needed.iter().filter(|capability| !self.contains(*capability)).collect()
    }

    /// The capabilities, in the order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = Capability> + '_ {
        self.0.iter().copied()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<T: IntoIterator<Item = Capability>>(capabilities: T) -> Self {
        Self(capabilities.into_iter().collect())
    }
}

/// A comma-separated list: `pdf, headers`.
impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Capability::name).collect();
        f.write_str(&names.join(", "))
    }
}

impl Job {
    /// The capabilities that a driver needs to carry the job out.
    #[must_use]
    pub fn needs(&self) -> Capabilities {
        let mut needs = self.setup.needs();
        needs.0.extend(self.start.clone().map(Step::Goto).iter().chain(&self.steps).flat_map(of_step));
        // Selectors inside a `for_each` are joined to that of its element.
        needs.0.extend(self.steps.have_elements().then_some(Capability::Locators));
        needs
    }
}

impl Setup {
    /// The capabilities that a driver needs to set a context up.
    #[must_use]
    pub fn needs(&self) -> Capabilities {
        let Self { viewport, headers, cookies, proxy } = self;
        let mut needs = Capabilities::default();
        needs.0.extend(viewport.iter().map(|_| Capability::Viewport));
        needs.0.extend(viewport.and_then(pixel_ratio));
        needs.0.extend((!headers.is_empty()).then_some(Capability::Headers));
        needs.0.extend((!cookies.is_empty()).then_some(Capability::Cookies));
        needs.0.extend(proxy.iter().map(|_| Capability::Proxy));
        needs
    }
}

impl Step {
    /// The capabilities that a driver needs to carry the step out.
    #[must_use]
    pub fn needs(&self) -> Capabilities {
        of_step(self).into_iter().collect()
    }
}

/// The capabilities that a step needs: its own kind, and those of its parameters.
fn of_step(step: &Step) -> Vec<Capability> {
    let locators = has_locator(step).then_some(Capability::Locators);
    let (step, special) = match step {
        Step::Goto(goto) => return fault_page(&goto.url).into_iter().chain(idle(goto.wait_until)).collect(),
        Step::WaitFor(wait) => (Capability::WaitFor, of_wait(&wait.target)),
        Step::Expect(expect) => (Capability::Expect, of_expectation(&expect.that)),
        Step::Click(_) => (Capability::Click, None),
        Step::Fill(_) => (Capability::Fill, None),
        Step::Type(_) => (Capability::Type, None),
        Step::Press(_) => (Capability::Press, None),
        Step::Select(_) => (Capability::Select, None),
        Step::Check(_) | Step::Uncheck(_) => (Capability::Check, None),
        Step::Hover(_) => (Capability::Hover, None),
        Step::Drag(_) => (Capability::Drag, None),
        Step::Scroll(_) => (Capability::Scroll, None),
        Step::Upload(_) => (Capability::Upload, None),
        Step::Evaluate(_) => (Capability::Evaluate, None),
        Step::Extract(_) => (Capability::Extract, None),
        Step::Content(_) => (Capability::Content, None),
        Step::Pdf(_) => (Capability::Pdf, None),
        Step::GetCookies(_) => (Capability::GetCookies, None),
        Step::SetCookies(_) => (Capability::SetCookies, None),
        Step::SetViewport(viewport) => (Capability::SetViewport, pixel_ratio(*viewport)),
        Step::Screenshot(screenshot) => {
            let jpeg = (screenshot.format == ImageFormat::Jpeg).then_some(Capability::Jpeg);
            (of_capture(&screenshot.of), jpeg)
        }
    };
    std::iter::once(step).chain(special).chain(locators).collect()
}

fn of_capture(capture: &Capture) -> Capability {
    match capture {
        Capture::Page => Capability::Screenshot,
        Capture::Full => Capability::FullScreenshot,
        Capture::Element(_) => Capability::ElementScreenshot,
    }
}

fn of_wait(target: &WaitTarget) -> Option<Capability> {
    match target {
        WaitTarget::Load(state) => idle(*state),
        WaitTarget::Selector(_, state) => visibility(*state),
        WaitTarget::Function(_) => Some(Capability::Functions),
        WaitTarget::Text(_) | WaitTarget::Url(_) => None,
    }
}

fn of_expectation(that: &Expectation) -> Option<Capability> {
    match that {
        Expectation::Element(_, state) => visibility(*state),
        Expectation::Function(_) => Some(Capability::Functions),
        Expectation::Text(_)
        | Expectation::Title(_)
        | Expectation::Url(_)
        | Expectation::ElementText(..)
        | Expectation::Count(..) => None,
    }
}

fn visibility(state: ElementState) -> Option<Capability> {
    matches!(state, ElementState::Visible | ElementState::Hidden).then_some(Capability::Visibility)
}

fn idle(state: LoadState) -> Option<Capability> {
    (state == LoadState::Idle).then_some(Capability::Idle)
}

fn fault_page(url: &PageUrl) -> Option<Capability> {
    url.is_fault_page().then_some(Capability::FaultPages)
}

fn pixel_ratio(viewport: Viewport) -> Option<Capability> {
    ((viewport.scale - 1.0).abs() > f64::EPSILON).then_some(Capability::PixelRatio)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::JobId;
    use crate::job::JobKeys;

    fn needs(json: &str) -> String {
        let keys: JobKeys = serde_json::from_str(json).expect("a job");
        let id = || JobId::try_from("1".to_owned()).expect("a plain id");
        keys.into_job(id).expect("a job that makes sense").needs().to_string()
    }

    #[test]
    fn a_job_needs_what_its_keys_and_steps_say() {
        for (job, needed) in [
            (r#"{"url":"http://a"}"#, ""),
            (r#"{"url":"http://a","wait_until":"idle","extract":{"t":"title"}}"#, "idle, extract"),
            (r#"{"url":"chrome://crash"}"#, "fault_pages"),
            (
                r#"{"url":"http://a","extract":{"a":{"all":"li","fields":{"b":"text=x"}}},"steps":[{"press":{"key":"a","selector":"ul >> li"}}]}"#,
                "press, locators, extract",
            ),
            (r#"{"url":"http://a","screenshot":{"of":"full","format":"jpeg"}}"#, "full_screenshot, jpeg"),
            (
                r##"{"url":"http://a","steps":[{"wait_for":"#x"},{"uncheck":"#y"},{"expect":{"title":"t"}}]}"##,
                "check, wait_for, expect, visibility",
            ),
            (
                r#"{"url":"http://a","headers":{"A":"b"},"viewport":{"width":1,"height":1,"scale":2}}"#,
                "viewport, pixel_ratio, headers",
            ),
            (
                r#"{"url":"http://a","proxy":"http://b:1","cookies":[{"name":"a","value":"b"}]}"#,
                "cookies, proxy",
            ),
            (
                r#"{"url":"http://a","steps":[{"expect":{"function":"1"}},{"set_viewport":{"width":1,"height":1}}]}"#,
                "expect, functions, set_viewport",
            ),
            (
                r##"{"url":"http://a","steps":[{"if":{"not":"#a"},"then":[{"use":"p"}]}],
                "procedures":{"p":[{"try":[{"hover":"#a"}],"catch":[{"append":{"a":"b"}}]}],"unused":[{"pdf":{}}]}}"##,
                "hover, expect, visibility, extract",
            ),
            (
                r#"{"url":"http://a","steps":[{"repeat":[{"for_each":"li","do":[{"press":"a"}]}],"until":{"text":"b"}}]}"#,
                "press, expect, locators, extract",
            ),
        ] {
            assert_eq!(needs(job), needed, "{job}");
        }
    }

    #[test]
    fn what_is_missing_is_told_by_name() {
        let driver = Capabilities::all().without(&[Capability::Pdf, Capability::Click]);
        let needed = [Capability::Pdf, Capability::Extract].into_iter().collect();
        assert_eq!(driver.missing(&needed).to_string(), "pdf");
        assert!(Capabilities::all().missing(&driver).is_empty());
    }

    #[test]
    fn names_are_what_serde_writes_and_reads() {
        for &capability in Capability::ALL {
            let written = serde_json::to_value(capability).expect("plain data");
            assert_eq!(written, capability.name());
            assert_eq!(serde_json::from_value::<Capability>(written).ok(), Some(capability));
        }
    }
}
