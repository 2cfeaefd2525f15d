//! The port of the step engine: the operations that a driver must provide in a page.

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

/// The operations of a driver in one page.
///
/// Every operation ends within its deadline or budget. Input that was being sent while its document was replaced counts
/// as delivered (see [`delivered`](crate::page::delivered)).
pub trait PageDriver: Send + Sync {
    /// Opens a page and waits until it reaches the load state of `goto`.
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

    /// Evaluates an expression of the job in the page's own JavaScript world and awaits its promise. If the value is a
    /// function, the function is called.
    fn evaluate(
        &self,
        expression: &str,
        budget: Budget,
    ) -> impl Future<Output = Result<Value, EvaluateError>> + Send;

    /// Evaluates like [`evaluate`](Self::evaluate), and returns whether the value is truthy in JavaScript.
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

    /// Moves the pointer to the first point of `path`, presses the main button, moves through the other points, and
    /// releases the button at the last one. The path has at least two points, and all are in the viewport.
    fn drag(
        &self,
        path: &[Point],
        kind: DragKind,
        budget: Budget,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Presses chords one after another: the modifiers in order, then the key; then all are released in reverse order.
    fn press(&self, chords: &[Chord], budget: Budget) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Inserts text at the caret like an input method: without key events, but with trusted input events.
    fn insert_text(&self, text: &str, budget: Budget) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Takes a picture and returns the encoded image. An area longer than the browser can draw is cut.
    fn screenshot(
        &self,
        area: Area<'_>,
        encoding: Encoding,
        budget: Budget,
    ) -> impl Future<Output = Result<Vec<u8>, Fault>> + Send;

    /// Prints the page and returns the PDF.
    fn print(&self, step: &Pdf, budget: Budget) -> impl Future<Output = Result<Vec<u8>, Fault>> + Send;

    /// Returns every cookie of the context that the browser reports.
    fn cookies(&self, budget: Budget) -> impl Future<Output = Result<Vec<Cookie>, Fault>> + Send;

    /// Sets cookies in the context. `here` is the URL for cookies with neither a URL nor a domain.
    fn set_cookies(
        &self,
        cookies: &[Cookie],
        here: Option<&str>,
        budget: Budget,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Replaces the files of the file input that is the first match of `selector`. There is at least one file, and
    /// every path is absolute.
    fn set_files(
        &self,
        selector: &str,
        files: &[&str],
        budget: Budget,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Sets the size of the page's viewport until it is set again.
    fn set_viewport(
        &self,
        viewport: &Viewport,
        budget: Budget,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// A point in the viewport, in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Point {
    /// Distance from the left edge.
    pub x: f64,
    /// Distance from the top edge.
    pub y: f64,
}

/// What begins when the pointer moves with its button pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DragKind {
    /// The page itself follows the pointer.
    Pointer,
    /// The browser drags the element, which is `draggable`, a link or a picture, and the page gets events of HTML's drag
    /// and drop.
    Draggable,
}

/// A rectangle of the page in CSS pixels, in the form of the DevTools protocol.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// Distance from the page's left edge.
    pub x: f64,
    /// Distance from the page's top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Picture pixels in a CSS pixel, in addition to the page's own ratio.
    pub scale: f64,
}

/// The area of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Area<'a> {
    /// The viewport.
    Viewport,
    /// The whole page.
    Page,
    /// An element.
    Element {
        /// The selector whose first match is the element.
        selector: &'a str,
        /// The element's rectangle in the page.
        place: Clip,
    },
}

/// The encoding of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Lossless.
    Png,
    /// Lossy, with this quality from 0 to 100.
    Jpeg(u8),
}
