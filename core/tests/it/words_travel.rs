//! Values that are sent to another process or library arrive unchanged.

use std::fmt::Debug;
use std::time::Duration;

use plimsoll_core::capability::{Capabilities, Capability};
use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::{FailureClass, Fault, Stage};
use plimsoll_core::policy::Trim;
use plimsoll_core::port::call::{DriverMade, Launch, Open, OutputHead, Perform, Performed};
use plimsoll_core::port::{
    Artifact, ArtifactKind, BrowserEnd, CloseError, Incidents, OpenRequest, Page, StepOutput,
};
use plimsoll_core::step::{Cookie, Pdf, Scroll, ScrollTarget, Step, Viewport, WaitFor, WaitTarget};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Every step in every documented form.
const STEPS: &[&str] = &[
    r#"{"goto":"http://a/b?c#d"}"#,
    r#"{"goto":{"url":"https://a/","wait_until":"networkidle"}}"#,
    r#"{"goto":"about:blank"}"#,
    r#"{"goto":"chrome://crash"}"#,
    r##"{"wait_for":"#a"}"##,
    r##"{"wait_for":{"selector":"#a","state":"hidden","timeout":"1m 30s"}}"##,
    r#"{"wait_for":{"text":"Thank you"}}"#,
    r#"{"wait_for":{"url":"*/done"}}"#,
    r#"{"wait_for":{"load":"dom"}}"#,
    r#"{"wait_for":{"function":"window.ready","timeout":"250ms"}}"#,
    r##"{"click":"#a"}"##,
    r##"{"click":{"selector":"#a","button":"right","count":2,"timeout":"3s"}}"##,
    r##"{"fill":{"selector":"#a","text":"Ada \u0000 \ud83d\ude00"}}"##,
    r##"{"type":{"selector":"#a","text":"x","delay":"20ms"}}"##,
    r#"{"press":"Control+A"}"#,
    r##"{"press":{"key":"Enter","selector":"#a"}}"##,
    r##"{"select":{"selector":"#a","value":"1"}}"##,
    r##"{"select":{"selector":"#a","values":["1","2"]}}"##,
    r##"{"check":"#a"}"##,
    r##"{"uncheck":{"selector":"#a","timeout":"1s"}}"##,
    r##"{"hover":"#a"}"##,
    r##"{"drag":{"from":"#a","to":"#b"}}"##,
    r##"{"drag":{"from":"#a","by":[0.1,-500],"timeout":"3s"}}"##,
    r#"{"scroll":"top"}"#,
    r#"{"scroll":"bottom"}"#,
    r##"{"scroll":"#a"}"##,
    r#"{"scroll":{"to":{"by":[0.1,-500]}}}"#,
    r##"{"upload":{"selector":"#a","files":["a.txt","/b/ü.pdf"]}}"##,
    r#"{"evaluate":"1+1"}"#,
    r#"{"evaluate":{"script":"f()","name":"sum"}}"#,
    r#"{"extract":{"a":"h1","b":{"text":"h1"},"c":{"html":"h1"},"d":{"selector":"a","attribute":"href"}}}"#,
    r#"{"extract":{"a":{"all":"li"},"b":{"all":"li","take":"html"},"c":{"all":"a","attribute":"src"}}}"#,
    r#"{"extract":{"a":{"all":".card","fields":{"n":"h2","m":{"all":".x","fields":{"y":"z"}}}}}}"#,
    r#"{"screenshot":"page"}"#,
    r#"{"screenshot":"full"}"#,
    r##"{"screenshot":"#a"}"##,
    r#"{"screenshot":{"of":{"element":"full"},"format":"jpg","quality":0}}"#,
    r#"{"pdf":{}}"#,
    r#"{"pdf":{"landscape":true,"background":true,"width":8.3,"height":11.7,"margin":0.4}}"#,
    r#"{"content":"html"}"#,
    r#"{"content":{}}"#,
    r#"{"get_cookies":"c"}"#,
    r#"{"get_cookies":{}}"#,
    r#"{"set_cookies":[{"name":"a","value":"b"}]}"#,
    r#"{"set_cookies":[{"name":"a","value":"b","domain":"x","path":"/","expires":1.5e9,"http_only":true,"secure":true,"same_site":"lax"}]}"#,
    r#"{"set_viewport":{"width":800,"height":600}}"#,
    r#"{"set_viewport":{"width":1,"height":1,"scale":2.625}}"#,
    r#"{"expect":{"text":"t"}}"#,
    r#"{"expect":{"title":"t","timeout":"0s"}}"#,
    r#"{"expect":{"url":"u"}}"#,
    r##"{"expect":{"selector":"#a"}}"##,
    r##"{"expect":{"selector":"#a","state":"detached"}}"##,
    r##"{"expect":{"selector":"#a","text":"t"}}"##,
    r##"{"expect":{"selector":"#a","count":0}}"##,
    r#"{"expect":{"function":"f()"}}"#,
];

fn travels<T: Serialize + DeserializeOwned + PartialEq + Debug>(sent: &T) {
    let written = serde_json::to_string(sent).expect("plain data");
    let read: T = serde_json::from_str(&written).unwrap_or_else(|why| panic!("{written}: {why}"));
    assert_eq!(&read, sent, "{written}");
}

#[test]
fn every_form_of_every_step_arrives() {
    let steps: Vec<Step> = STEPS
        .iter()
        .map(|form| serde_json::from_str(form).unwrap_or_else(|why| panic!("{form}: {why}")))
        .collect();
    for name in Step::NAMES {
        assert!(steps.iter().any(|step| step.name() == *name), "the table lacks the step `{name}`");
    }
    steps.iter().for_each(travels);
    for step in &steps {
        let written = serde_json::to_vec(&Perform { step, budget: Duration::MAX }).expect("plain data");
        let read: Perform = serde_json::from_slice(&written).expect("as it was written");
        assert_eq!(read, Perform { step: step.clone(), budget: Duration::MAX });
    }
}

#[test]
fn the_other_words_of_a_call_arrive() {
    let cookie: Cookie = serde_json::from_value(json!({"name":"a","value":"b"})).expect("a cookie");
    let setup = Setup {
        viewport: Some(Viewport { width: 1, height: 2, scale: 0.1 }),
        headers: [("A".to_owned(), "b".to_owned())].into(),
        cookies: vec![cookie],
        proxy: serde_json::from_value(json!({"server":"socks5://a:1","bypass":["*.b"]})).expect("a proxy"),
    };
    let first = match serde_json::from_str(r#"{"goto":"http://a/"}"#) {
        Ok(Step::Goto(goto)) => Some(goto),
        other => panic!("{other:?}"),
    };
    for request in [OpenRequest { setup, first }, OpenRequest { setup: Setup::default(), first: None }] {
        travels(&Open { browser: u64::MAX, request, budget: Duration::from_nanos(1) });
    }
    travels(&Launch { id: BrowserId(7), budget: Duration::ZERO });
    for class in FailureClass::ALL {
        travels(&Fault::persistent(class, "why"));
        travels(&Fault::transient(class, ""));
    }
    [Stage::Queue, Stage::Launch, Stage::Create, Stage::Step(0), Stage::Close].iter().for_each(travels);
    [BrowserEnd::Died("x".into()), BrowserEnd::Hung(Duration::from_millis(1))].iter().for_each(travels);
    [Trim::Nothing, Trim::Moderate, Trim::Critical].iter().for_each(travels);
    travels(&CloseError("why".into()));
}

#[test]
fn the_outputs_of_steps_arrive_with_their_bytes_beside() {
    let picture = Artifact { kind: ArtifactKind::Jpeg, bytes: vec![0, 255, 10] };
    let data = json!({"a": [1, 2.5, null, "x", {"b": true}]}).as_object().cloned().expect("a map");
    for output in [
        StepOutput::Done,
        StepOutput::Page(Page { url: "http://a/".into(), status: None }),
        StepOutput::Page(Page { url: "http://a/".into(), status: Some(404) }),
        StepOutput::Data(data),
        StepOutput::Artifact(picture),
    ] {
        let (head, bytes) = output.clone().split();
        let incidents = Incidents { dialogs: 1, popups: 2, downloads: 3 };
        let performed = Performed { output: Ok(head), incidents };
        travels(&performed);
        assert_eq!(performed.output.map(|head: OutputHead| head.join(bytes)), Ok(output));
    }
    travels(&Performed {
        output: Err(Fault::transient(FailureClass::Timeout, "late")),
        incidents: Incidents::default(),
    });
}

#[test]
fn a_capability_that_one_side_does_not_know_is_left_out() {
    let known = Capabilities::from_iter([Capability::Pdf, Capability::Click]);
    let mut made = DriverMade::new("x", &known);
    travels(&made);
    made.capabilities.push("teleport".to_owned());
    assert_eq!(made.known_capabilities(), known);
}

proptest! {
    #[test]
    fn numbers_and_durations_arrive_exactly(seconds in 0..u64::MAX / 2, nanos in 0..1_000_000_000_u32, x in -1e300..1e300_f64, y in any::<f32>()) {
        let timeout = Some(Duration::new(seconds, nanos));
        travels(&Step::WaitFor(WaitFor { target: WaitTarget::Text("t".into()), timeout }));
        let by = ScrollTarget::By(x, f64::from(if y.is_finite() { y } else { 0.0 }));
        travels(&Step::Scroll(Scroll { to: by, timeout: None }));
        travels(&Step::Pdf(Pdf { width: Some(x / 3.0), ..Pdf::default() }));
    }
}
