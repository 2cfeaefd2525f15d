//! Steps that return data or configure the page: pictures, PDFs, HTML, cookies, viewport.

use serde::{Deserialize, Serialize};

use crate::shorthand::Shorthand;

/// Evaluate an expression in the page. Short: the expression.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluate {
    /// A JavaScript expression; a promise is awaited. Its value must be JSON.
    pub script: String,
    /// The name of the value in the job's data.
    #[serde(default = "Evaluate::default_name")]
    pub name: String,
}

impl Evaluate {
    fn default_name() -> String {
        "evaluate".to_owned()
    }
}

impl Shorthand for Evaluate {
    const EXPECTING: &'static str = "a JavaScript expression, or {\"script\": ..., \"name\": ...}";

    fn from_short(text: &str) -> Result<Self, String> {
        Ok(Self { script: text.to_owned(), name: Self::default_name() })
    }
}

/// Take a picture. Short: `page` or `full`; any other text is the CSS selector of an element.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Screenshot {
    /// The area of the picture.
    #[serde(default)]
    pub of: Capture,
    /// PNG or JPEG.
    #[serde(default)]
    pub format: ImageFormat,
    /// JPEG quality, 0 to 100; 80 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<u8>,
}

/// The area of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// The viewport.
    #[default]
    Page,
    /// The whole page, cut at 16 384 pixels, the longest picture that Chromium can make.
    Full,
    /// The element that matches this CSS selector.
    Element(String),
}

/// The format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageFormat {
    /// Lossless.
    #[default]
    Png,
    /// Smaller files, lossy.
    #[serde(alias = "jpg")]
    Jpeg,
}

impl Shorthand for Screenshot {
    const EXPECTING: &'static str = "\"page\", \"full\", a CSS selector, or {\"of\": ..., \"format\": ...}";

    fn from_short(text: &str) -> Result<Self, String> {
        let of = match text {
            "page" => Capture::Page,
            "full" => Capture::Full,
            selector => Capture::Element(selector.to_owned()),
        };
        Ok(Self { of, ..Self::default() })
    }
}

/// Print the page as PDF. Lengths are in inches, as in the DevTools protocol; A4 by default.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pdf {
    /// Use landscape orientation.
    pub landscape: bool,
    /// Print background colours and pictures.
    pub background: bool,
    /// Paper width in inches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    /// Paper height in inches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<f64>,
    /// Margin on all sides in inches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
}

impl Pdf {
    /// Width and height of the paper in inches.
    #[must_use]
    pub fn paper(&self) -> (f64, f64) {
        const A4: (f64, f64) = (8.27, 11.69);
        (self.width.unwrap_or(A4.0), self.height.unwrap_or(A4.1))
    }
}

/// Save the page's HTML in the job's data. Short: the name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Content {
    /// The name of the HTML in the job's data.
    pub name: String,
}

impl Default for Content {
    fn default() -> Self {
        Self { name: "content".to_owned() }
    }
}

impl Shorthand for Content {
    const EXPECTING: &'static str = "a name, or {\"name\": ...}";

    fn from_short(text: &str) -> Result<Self, String> {
        Ok(Self { name: text.to_owned() })
    }
}

/// Save the context's cookies in the job's data. Short: the name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct GetCookies {
    /// The name of the list of cookies in the job's data.
    pub name: String,
}

impl Default for GetCookies {
    fn default() -> Self {
        Self { name: "cookies".to_owned() }
    }
}

impl Shorthand for GetCookies {
    const EXPECTING: &'static str = "a name, or {\"name\": ...}";

    fn from_short(text: &str) -> Result<Self, String> {
        Ok(Self { name: text.to_owned() })
    }
}

/// A cookie to set, or a cookie that the browser reported.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Cookie {
    /// The cookie's name.
    pub name: String,
    /// The cookie's value.
    pub value: String,
    /// The URL that sets host, path and scheme, instead of `domain` and `path`. Without URL and domain: the page's URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The hosts that receive the cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The paths that receive the cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// When the cookie expires, in seconds of the Unix epoch; at the end of the session by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<f64>,
    /// The cookie is hidden from scripts.
    #[serde(default)]
    pub http_only: bool,
    /// The cookie is sent over TLS only.
    #[serde(default)]
    pub secure: bool,
    /// Whether the cookie is sent with requests from other sites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_site: Option<SameSite>,
}

impl Cookie {
    /// Whether the cookie has neither a URL nor a domain, so that it belongs to the open page.
    #[must_use]
    pub const fn is_homeless(&self) -> bool {
        self.url.is_none() && self.domain.is_none()
    }
}

/// Whether a cookie is sent with requests from other sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SameSite {
    /// Never.
    Strict,
    /// With top-level navigations.
    Lax,
    /// Always.
    None,
}

/// The size of the viewport in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Viewport {
    /// Width, 1 to 10 000.
    pub width: u32,
    /// Height, 1 to 10 000.
    pub height: u32,
    /// Device pixels in a CSS pixel.
    #[serde(default = "Viewport::default_scale")]
    pub scale: f64,
}

impl Viewport {
    const fn default_scale() -> f64 {
        1.0
    }
}
