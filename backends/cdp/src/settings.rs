//! How browsers are started.

use plimsoll_host::executable::NamedPath;
use plimsoll_host::sandbox::Sandbox;
use plimsoll_host::window::WindowSize;

/// How browsers are started.
#[derive(Debug, Clone, Default)]
pub struct CdpSettings {
    /// The browser to start; without it the machine is searched for a browser.
    pub executable: Option<NamedPath>,
    /// Whether renderers are confined.
    pub sandbox: Sandbox,
    /// The size of a page's window, for jobs without a viewport of their own.
    pub window: WindowSize,
    /// Arguments added to the browser's command line, after the driver's own.
    pub extra_args: Vec<String>,
}
