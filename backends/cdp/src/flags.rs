//! The command line of one browser: flags that keep it quiet, closed and cheap. Pure.
//!
//! Every flag has one of four reasons: the browser is driven (pipe, headless, own profile); it connects only to the
//! pages of its jobs (no updates, no metrics, no safe-browsing lists); its pages are never treated as background pages;
//! or it costs less.

use std::ffi::OsString;
use std::path::Path;

use plimsoll_host::browser::BrowserKind;
use plimsoll_host::sandbox::Sandbox;
use plimsoll_host::shared_memory::SharedMemory;
use plimsoll_host::window::WindowSize;

/// The flags of every browser, whatever its kind.
const ALWAYS: [&str; 25] = [
    // Driven: the descriptors 3 and 4 are the only way to control the browser.
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-startup-window",
    "--disable-hang-monitor",
    "--disable-prompt-on-repost",
    "--mute-audio",
    "--hide-scrollbars",
    "--password-store=basic",
    // Closed: nothing but the requests of pages leaves the machine.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-quic",
    "--metrics-recording-only",
    "--no-pings",
    // The protocol reports a crash; a crash dump would only fill the disk.
    "--disable-breakpad",
    // Each context counts as a foreground page, although the browser has many windows.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    // Cheap: no process that emulates a GPU, few painting threads, no spare renderer, no page rendered in advance.
    // (`--disable-threaded-compositing` is cheaper still, but screenshots then hang at times.)
    "--disable-gpu",
    "--num-raster-threads=1",
    "--disable-features=SpareRendererForSitePerProcess,Prerender2,MediaRouter,OptimizationHints,Translate",
];

/// The inputs of a command line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommandLine<'a> {
    /// The kind of the binary.
    pub(crate) kind: BrowserKind,
    /// The browser's own profile directory.
    pub(crate) profile: &'a Path,
    /// Whether renderers are confined.
    pub(crate) sandbox: Sandbox,
    /// The size of each page's window.
    pub(crate) window: WindowSize,
    /// Where shared memory is kept.
    pub(crate) shared_memory: SharedMemory,
    /// Arguments from the settings; they come last and therefore override the others.
    pub(crate) extra: &'a [String],
}

impl CommandLine<'_> {
    /// The arguments, without the program's name.
    pub(crate) fn args(&self) -> Vec<OsString> {
        let mut profile = OsString::from("--user-data-dir=");
        profile.push(self.profile);
        let headless = match self.kind {
            BrowserKind::HeadlessShell => "--headless",
            BrowserKind::Chromium | BrowserKind::Chrome => "--headless=new",
        };
        let WindowSize { width, height } = self.window;
        let mut args: Vec<OsString> = ALWAYS.iter().map(OsString::from).collect();
        args.extend([headless.into(), profile, format!("--window-size={width},{height}").into()]);
        if self.shared_memory == SharedMemory::TemporaryDir {
            args.push("--disable-dev-shm-usage".into());
        }
        if self.sandbox == Sandbox::Off {
            args.push("--no-sandbox".into());
        }
        args.extend(self.extra.iter().map(OsString::from));
        args
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(kind: BrowserKind, sandbox: Sandbox, extra: &[String]) -> Vec<OsString> {
        let window = WindowSize { width: 640, height: 480 };
        let shared_memory = SharedMemory::DevShm;
        CommandLine { kind, profile: Path::new("/p"), sandbox, window, shared_memory, extra }.args()
    }

    #[test]
    fn only_a_sandbox_that_is_off_is_off() {
        let has = |args: &[OsString]| args.iter().any(|arg| arg == "--no-sandbox");
        assert!(!has(&args(BrowserKind::HeadlessShell, Sandbox::On, &[])));
        assert!(has(&args(BrowserKind::HeadlessShell, Sandbox::Off, &[])));
    }

    #[test]
    fn a_full_browser_runs_in_its_new_headless_mode_and_extra_arguments_come_last() {
        let args = args(BrowserKind::Chromium, Sandbox::On, &["--lang=fr".to_owned()]);
        for expected in ["--headless=new", "--user-data-dir=/p", "--window-size=640,480"] {
            assert!(args.iter().any(|arg| arg == expected), "{expected} of {args:?}");
        }
        assert_eq!(args.last().map(OsString::as_os_str), Some("--lang=fr".as_ref()));
    }
}
