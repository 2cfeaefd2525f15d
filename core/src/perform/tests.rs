//! Tests of the step engine with a page that returns prepared answers.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::outcome::FailureClass;
use crate::page::keys::Chord;
use crate::page::{EvaluateError, PageError, Verdict};
use crate::port::Page;
use crate::step::{Cookie, Goto, MouseButton, Pdf, Viewport};

/// The result of one script: a verdict as a page writes it, or `None` for a document that was replaced.
type Answer = Option<Value>;

/// A page with prepared answers; the last answer is repeated. It records the actions on it.
struct ScriptedPage {
    answers: Mutex<VecDeque<Answer>>,
    done: Mutex<Vec<String>>,
}

impl ScriptedPage {
    fn note(&self, what: String) {
        self.done.lock().expect("no panic").push(what);
    }
}

impl PageDriver for ScriptedPage {
    async fn navigate(&mut self, goto: &Goto, _: Budget) -> Result<Page, Fault> {
        Ok(Page { url: goto.url.to_string(), status: Some(200) })
    }

    async fn look<T: DeserializeOwned + Send>(&self, _: &str, _: Duration) -> Result<Verdict<T>, PageError> {
        let mut answers = self.answers.lock().expect("no panic");
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        let verdict = answer.expect("an answer is prepared").ok_or(PageError::Moved)?;
        Ok(serde_json::from_value(verdict).expect("a verdict of this type"))
    }

    async fn evaluate(&self, expression: &str, _: Budget) -> Result<Value, EvaluateError> {
        Ok(expression.into())
    }

    async fn is_truthy(&self, expression: &str, _: Budget) -> Result<bool, EvaluateError> {
        match expression {
            "(" => Err(EvaluateError::Syntax("unexpected end".to_owned())),
            _ => Err(EvaluateError::Threw("not there".to_owned())),
        }
    }

    async fn hover(&self, Point { x, y }: Point, _: Budget) -> Result<(), Fault> {
        self.note(format!("hover {x} {y}"));
        Ok(())
    }

    async fn click(&self, at: Point, _: MouseButton, count: u8, _: Budget) -> Result<(), Fault> {
        self.note(format!("click {} {} x{count}", at.x, at.y));
        Ok(())
    }

    async fn drag(&self, path: &[Point], kind: DragKind, _: Budget) -> Result<(), Fault> {
        let (from, to) = (path[0], path[path.len() - 1]);
        self.note(format!("{kind:?} from {} {} to {} {}", from.x, from.y, to.x, to.y));
        Ok(())
    }

    async fn press(&self, chords: &[Chord], _: Budget) -> Result<(), Fault> {
        let keys: Vec<&str> = chords.iter().map(|chord| chord.key.name).collect();
        self.note(format!("press {}", keys.join(" ")));
        Ok(())
    }

    async fn insert_text(&self, text: &str, _: Budget) -> Result<(), Fault> {
        self.note(format!("insert {text}"));
        Ok(())
    }

    async fn screenshot(&self, _: Area<'_>, _: Encoding, _: Budget) -> Result<Vec<u8>, Fault> {
        Ok(Vec::new())
    }

    async fn print(&self, _: &Pdf, _: Budget) -> Result<Vec<u8>, Fault> {
        Ok(Vec::new())
    }

    async fn cookies(&self, _: Budget) -> Result<Vec<Cookie>, Fault> {
        Ok(Vec::new())
    }

    async fn set_cookies(&self, cookies: &[Cookie], here: Option<&str>, _: Budget) -> Result<(), Fault> {
        self.note(format!("set {} cookies at {here:?}", cookies.len()));
        Ok(())
    }

    async fn set_files(&self, _: &str, files: &[&str], _: Budget) -> Result<(), Fault> {
        self.note(format!("give {} files", files.len()));
        Ok(())
    }

    async fn set_viewport(&self, _: &Viewport, _: Budget) -> Result<(), Fault> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn an_expectation_without_time_looks_once_and_again_only_if_the_page_did_not_answer() {
    let now = || json!({"expect": {"selector": "#a", "timeout": "0s"}});
    let waiting = Some(json!({"waiting": "it is hidden"}));
    let ready = Some(json!({"ready": null}));
    assert_eq!(run(now(), [None, None, ready.clone()]).await.0, Ok(StepOutput::Done));
    let (held, _) = run(now(), [None, waiting, ready]).await;
    assert_eq!(held.map_err(|fault| fault.class), Err(FailureClass::Assertion));
    let function = json!({"expect": {"function": "x", "timeout": "0s"}});
    let (held, _) = run(function, []).await;
    assert_eq!(held.map_err(|fault| fault.class), Err(FailureClass::Assertion));
}

/// Performs a step in a page with these answers. Returns the result and the recorded actions.
async fn run(
    step: Value,
    answers: impl IntoIterator<Item = Answer>,
) -> (Result<StepOutput, Fault>, Vec<String>) {
    let mut page =
        ScriptedPage { answers: Mutex::new(answers.into_iter().collect()), done: Mutex::default() };
    let step = serde_json::from_value(step).expect("a step");
    let result = perform(&mut page, &step, Duration::from_secs(10)).await;
    (result, page.done.into_inner().expect("no panic"))
}

fn ready(value: &Value) -> Answer {
    Some(json!({ "ready": value }))
}

fn waiting(what: &str) -> Answer {
    Some(json!({ "waiting": what }))
}

#[tokio::test(start_paused = true)]
async fn an_action_waits_for_its_element_in_the_next_document_too() {
    let answers = [waiting("to be visible"), None, ready(&json!({ "x": 3.0, "y": 4.0 }))];
    let (result, done) = run(json!({ "click": { "selector": "#a", "count": 2 } }), answers).await;
    assert_eq!((result, done), (Ok(StepOutput::Done), vec!["click 3 4 x2".to_owned()]));

    let (result, done) = run(json!({ "click": "#a" }), [waiting("to be enabled"), None]).await;
    let fault = result.expect_err("it never becomes ready");
    assert_eq!((fault.class, done.len()), (FailureClass::Timeout, 0));
    assert_eq!(fault.message, "waiting for `#a` to be enabled (gave up after 10s)");
}

#[tokio::test(start_paused = true)]
async fn a_drag_waits_for_both_ends_and_goes_from_one_to_the_other() {
    let ends = json!({ "from": { "x": 1.0, "y": 2.0 }, "to": { "x": 30.0, "y": 4.0 }, "what": "draggable" });
    let step = json!({ "drag": { "from": "#a", "to": "#b" } });
    let (result, done) = run(step, [waiting("to be visible"), ready(&ends)]).await;
    assert_eq!((result, done), (Ok(StepOutput::Done), vec!["Draggable from 1 2 to 30 4".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn keys_go_out_together_and_characters_without_a_key_between_them() {
    let (result, done) =
        run(json!({ "type": { "selector": "#a", "text": "abßc" } }), [ready(&json!(true))]).await;
    assert_eq!(result, Ok(StepOutput::Done));
    assert_eq!(done, ["press a b", "insert ß", "press c"]);
    let (_, done) = run(json!({ "type": { "selector": "#a", "text": "x" } }), [ready(&json!(false))]).await;
    assert_eq!(done, ["press End", "press x"], "where no script can move the caret, a key does");
    let slow = json!({ "type": { "selector": "#a", "text": "ab", "delay": "1s" } });
    assert_eq!(run(slow, [ready(&json!(true))]).await.1, ["press a", "press b"]);
}

#[tokio::test(start_paused = true)]
async fn a_field_that_loses_its_text_is_filled_three_times() {
    let fill = json!({ "fill": { "selector": "#a", "text": "x" } });
    let lost = || [ready(&json!(true)), waiting("to keep the text")];
    let (result, done) = run(fill.clone(), [lost(), lost(), lost()].into_iter().flatten()).await;
    assert_eq!((result.map_err(|fault| fault.class), done.len()), (Err(FailureClass::Script), 3));
    let (result, done) = run(fill, [ready(&json!(true)), None]).await;
    assert_eq!((result, done.len()), (Ok(StepOutput::Done), 1), "a page that moves on has taken the text");
}

#[tokio::test(start_paused = true)]
async fn a_box_is_clicked_only_when_it_is_not_as_wanted() {
    let (result, done) = run(json!({ "check": "#a" }), [ready(&json!(true))]).await;
    assert_eq!((result, done.len()), (Ok(StepOutput::Done), 0));
    let point = json!({ "x": 1.0, "y": 2.0 });
    let answers =
        [ready(&json!(true)), ready(&point), waiting("to be unticked after the click"), ready(&json!(false))];
    let (result, done) = run(json!({ "uncheck": "#a" }), answers).await;
    assert_eq!((result, done), (Ok(StepOutput::Done), vec!["click 1 2 x1".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_cookie_without_a_host_belongs_to_the_open_page() {
    let cookies = json!({ "set_cookies": [{ "name": "a", "value": "b" }] });
    let (_, done) = run(cookies.clone(), [ready(&json!("http://h/"))]).await;
    assert_eq!(done, ["set 1 cookies at Some(\"http://h/\")"]);
    let (result, done) = run(cookies, [ready(&json!("about:blank"))]).await;
    assert_eq!((result.map_err(|fault| fault.class), done.len()), (Err(FailureClass::Script), 0));
    let elsewhere = json!({ "set_cookies": [{ "name": "a", "value": "b", "domain": "h" }] });
    assert_eq!(run(elsewhere, []).await.1, ["set 1 cookies at None"], "the page is not asked");
}

#[tokio::test(start_paused = true)]
async fn an_expression_that_throws_is_polled_and_text_that_is_no_javascript_is_not() {
    let (result, _) = run(json!({ "wait_for": { "function": "a.b" } }), []).await;
    let fault = result.expect_err("it never holds");
    assert_eq!(fault.class, FailureClass::Timeout);
    assert!(fault.message.contains("it throws not there"), "{fault}");
    let (result, _) = run(json!({ "wait_for": { "function": "(" } }), []).await;
    assert_eq!(result.map_err(|fault| fault.class), Err(FailureClass::Script));
}
