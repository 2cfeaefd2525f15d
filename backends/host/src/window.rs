//! The size of a page's window.

/// The size of a page's window in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// The width.
    pub width: u32,
    /// The height.
    pub height: u32,
}

impl Default for WindowSize {
    /// 1280 x 720, for which pages use their desktop layout. Measured with Chromium: 2 % more of the browser's CPU than
    /// 800 x 600, and 8 % more than 320 x 240.
    fn default() -> Self {
        Self { width: 1280, height: 720 }
    }
}
