//! The port of the step engine: what a driver must be able to do in a page.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::outcome::Fault;
use crate::page::keys::Chord;
use crate::page::{EvaluateError, PageError, Verdict};
use crate::port;
use crate::runtime::budget::Budget;
use crate::step::{Cookie, Goto, MouseButton, Pdf, Viewport};

/// The primitives of a driver in one page.
///
/// Every primitive ends within the deadline or the budget it is given. Input that was on its way when its document was
/// replaced counts as delivered (see [`delivered`](crate::page::delivered)).
pub trait PageDriver: Send + Sync {
    /// Opens a page and waits until it has loaded as far as `goto` asks.
    fn navigate(
        &mut self,
        goto: &Goto,
        budget: Budget,
    ) -> impl Future<Output = Result<port::Page, Fault>> + Send;

    /// Runs a script of [`page`](crate::page) once, and returns what it reports.
    fn look<T: DeserializeOwned + Send>(
        &self,
        script: &str,
        deadline: Duration,
    ) -> impl Future<Output = Result<Verdict<T>, PageError>> + Send;

    /// Evaluates an expression of the job in the page's own world and awaits its promise. A value that is a function
    /// is called.
    fn evaluate(
        &self,
        expression: &str,
        budget: Budget,
    ) -> impl Future<Output = Result<Value, EvaluateError>> + Send;

    /// Evaluates like [`evaluate`](Self::evaluate), and returns whether JavaScript's `if` takes the value for true.
    fn is_truthy(
        &self,
        expression: &str,
        budget: Budget,
    ) -> impl Future<Output = Result<bool, EvaluateError>> + Send;

    /// Moves the pointer to a point.
    fn hover(&self, at: Point, budget: Budget) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Moves the pointer to a point and clicks `count` times.
    fn click(
        &self,
        at: Point,
        button: MouseButton,
        count: u8,
        budget: Budget,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Presses chords one after the other: the modifiers in order, then the key; all are released in reverse.
    fn press(&self, chords: &[Chord], budget: Budget) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Inserts text at the caret as an input method does: without key events, but with trusted input events.
    fn insert_text(&self, text: &str, budget: Budget) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Takes a picture and returns the encoded image. An area that is longer than the browser can draw is cut.
    fn screenshot(
        &self,
        area: Area<'_>,
        encoding: Encoding,
        budget: Budget,
    ) -> impl Future<Output = Result<Vec<u8>, Fault>> + Send;

    /// Prints the page and returns the PDF.
    fn print(&self, step: &Pdf, budget: Budget) -> impl Future<Output = Result<Vec<u8>, Fault>> + Send;

    /// Every cookie of the context that the browser reports.
    fn cookies(&self, budget: Budget) -> impl Future<Output = Result<Vec<Cookie>, Fault>> + Send;

    /// Sets cookies in the context. `here` is the URL for a cookie that names neither a URL nor a domain.
    fn set_cookies(
        &self,
        cookies: &[Cookie],
        here: Option<&str>,
        budget: Budget,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Replaces the files of a file input, the first match of `selector`. There is at least one file, and each path is
    /// absolute.
    fn set_files(
        &self,
        selector: &str,
        files: &[&str],
        budget: Budget,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Gives the page a viewport of this size, until it is given another.
    fn set_viewport(
        &self,
        viewport: &Viewport,
        budget: Budget,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// A point of the viewport in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A rectangle of the page in CSS pixels, as the DevTools protocol writes it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// From the page's left.
    pub x: f64,
    /// From the page's top.
    pub y: f64,
    /// To the right of `x`.
    pub width: f64,
    /// Down from `y`.
    pub height: f64,
    /// Pixels of the picture to a CSS pixel, beside the page's own ratio.
    pub scale: f64,
}

/// What a picture shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Area<'a> {
    /// The viewport.
    Viewport,
    /// The whole page.
    Page,
    /// An element.
    Element {
        /// The first match of this is meant.
        selector: &'a str,
        /// Where it lies.
        place: Clip,
    },
}

/// How a picture is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Lossless.
    Png,
    /// Lossy, with this quality from 0 to 100.
    Jpeg(u8),
}
