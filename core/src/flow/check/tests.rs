//! What the check accepts and refuses, with the place of each mistake.

use serde_json::{Value, json};

use super::*;

fn checked(steps: Value, procedures: Value) -> Result<Vec<String>, String> {
    let steps: Vec<Statement> = serde_json::from_value(steps).expect("steps");
    let mut procedures: Procedures = serde_json::from_value(procedures).expect("lists of steps");
    check(&steps, &mut procedures).map_err(|why| why.to_string())?;
    Ok(procedures.into_keys().collect())
}

#[test]
fn a_name_must_be_one_that_some_step_before_can_put_into_the_data() {
    let (put, wanted) = (json!({"evaluate": {"script": "1", "name": "x"}}), json!({"press": "{{data.x}}"}));
    let good = |steps: Value| assert_eq!(checked(steps.clone(), json!({})), Ok(vec![]), "{steps}");
    let bad = |steps: Value, place: &str| {
        let said = checked(steps, json!({})).expect_err("a mistake");
        assert!(said.starts_with(&format!("{place}: no step before puts `x`")), "{said}");
    };
    good(json!([put, wanted]));
    bad(json!([wanted, put]), "steps[0]");
    good(json!([{"if": "#a", "then": [put]}, wanted]));
    bad(json!([{"if": "#a", "then": [put], "else": [wanted]}]), "steps[0].else[0]");
    bad(json!([{"if": {"text": "{{data.x}}"}, "then": [put]}]), "steps[0].if");
    good(json!([{"repeat": [wanted, put], "times": 2}]));
    good(json!([{"repeat": [put], "until": {"function": "{{data.x}} > 3"}}]));
    good(json!([{"repeat": [put], "while": {"function": "{{data.x}} > 3"}}]));
    good(json!([{"try": [put], "catch": [wanted]}]));
    bad(json!([{"try": [wanted], "catch": [put]}]), "steps[0].try[0]");
    bad(json!([{"for_each": "{{data.x}}", "do": [put]}]), "steps[0].for_each");
    good(json!([{"append": {"x": "h1"}}, {"extract": {"y": "#{{data.x}}"}}]));
    bad(json!([{"goto": "http://a/{{data.x}}"}]), "steps[0]");
}

#[test]
fn placeholders_stand_only_where_they_have_a_meaning() {
    let said = |steps: Value| checked(steps, json!({})).expect_err("a mistake");
    let class = json!({"press": "{{error.class}}"});
    assert!(
        said(json!([class])).starts_with("steps[0]: `{{error.class}}` has a value in the steps of a `catch`")
    );
    assert!(said(json!([{"try": [class], "catch": []}])).starts_with("steps[0].try[0]"));
    let caught = json!([{"try": [{"click": "a"}], "catch": [{"if": "#a", "then": [class]}]}]);
    assert_eq!(checked(caught, json!({})), Ok(vec![]));
    let unknown = json!([{"try": [{"click": "a"}], "catch": [{"press": "{{error.kind}}"}]}]);
    assert!(said(unknown).contains("`error.class` and `error.message`"));
    let files = json!([{"evaluate": "1"}, {"upload": {"selector": "i", "files": ["{{data.evaluate}}"]}}]);
    assert!(said(files).contains("steps[1]: `{{data.evaluate}}` cannot stand here"));
}

#[test]
fn procedures_are_checked_where_they_are_used() {
    let wants = json!({"a": [{"press": "{{data.x}}"}], "b": [{"evaluate": {"script": "1", "name": "x"}}, {"use": "a"}]});
    assert_eq!(checked(json!([{"use": "b"}, {"use": "a"}]), wants.clone()), Ok(vec!["a".into(), "b".into()]));
    let said = checked(json!([{"use": "a"}]), wants.clone()).expect_err("no x");
    assert!(said.starts_with("steps[0].use: no step before puts `x`"), "{said}");
    assert_eq!(checked(json!([{"click": "a"}]), wants), Ok(vec![]), "those that are not used are left out");
    let said = |procedures: Value| checked(json!([{"use": "a"}]), procedures).expect_err("a mistake");
    assert_eq!(said(json!({})), "steps[0].use: there is no procedure `a`; the job has no `procedures`");
    assert!(said(json!({"b": [{"click": "a"}]})).ends_with("the job has `b`"));
    let round = said(json!({"a": [{"if": "#x", "then": [{"use": "b"}]}], "b": [{"use": "a"}]}));
    assert!(round.starts_with("procedures.b[0].use: the procedure `a` uses itself"), "{round}");
    assert!(said(json!({"a": []})).starts_with("procedures.a: the procedure has no steps"));
    assert!(said(json!({"a b": [{"click": "a"}]})).starts_with("procedures: the name of a procedure has"));
    let unused = checked(json!([{"click": "a"}]), json!({"a": [{"use": "a"}]}));
    assert!(unused.is_err_and(|said| said.contains("uses itself")));
}

#[test]
fn depth_is_bounded_through_lists_and_procedures() {
    let nested = |depth: usize| {
        (1..depth).fold(json!({"click": "a"}), |inner, _| json!({"repeat": [inner], "times": 2}))
    };
    assert!(checked(json!([nested(MOST_DEPTH)]), json!({})).is_ok());
    let said = checked(json!([nested(MOST_DEPTH + 1)]), json!({})).expect_err("too deep");
    assert!(said.contains("more than 16 lists deep"), "{said}");
    let half = json!({"half": [nested(MOST_DEPTH / 2)]});
    assert!(checked(json!([{"use": "half"}]), half.clone()).is_ok());
    let used =
        (0..MOST_DEPTH / 2).fold(json!({"use": "half"}), |inner, _| json!({"repeat": [inner], "times": 2}));
    assert!(checked(json!([used]), half).is_err_and(|said| said.contains("lists deep")));
    let chain: serde_json::Map<_, _> =
        (0..5_000).map(|n| (format!("p{n}"), json!([{"use": format!("p{}", n + 1)}]))).collect();
    assert!(checked(json!([{"use": "p0"}]), Value::Object(chain)).is_err());
    // Procedures that use each other twice are summed up once.
    let twice: serde_json::Map<_, _> = (0..14)
        .map(|n| (format!("p{n}"), json!([{"use": format!("p{}", n + 1)}, {"use": format!("p{}", n + 1)}])))
        .chain([("p14".to_owned(), json!([{"click": "a"}]))])
        .collect();
    assert!(checked(json!([{"use": "p0"}]), Value::Object(twice)).is_ok());
}
