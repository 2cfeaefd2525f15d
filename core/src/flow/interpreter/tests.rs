//! The forms of control flow by examples, and a recursive model that asks the same.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn steps(json: Value) -> Steps {
    Steps { list: serde_json::from_value(json).expect("steps"), procedures: Procedures::new() }
}

/// What is asked of the page: the purpose and the key of the step.
fn asked(call: Call<'_>, element: Option<&str>) -> String {
    let step = serde_json::to_value(call.plain.step()).expect("plain data");
    let name = match call.purpose {
        Purpose::Judge => step["expect"]["selector"].as_str(),
        Purpose::Count => step["extract"]["for_each"]["all"].as_str(),
        Purpose::Append => {
            step["extract"].as_object().and_then(|fields| fields.keys().next()).map(String::as_str)
        }
        Purpose::Perform => step["press"]["key"].as_str(),
    };
    let place = element.map(|element| format!("{element}/")).unwrap_or_default();
    format!("{:?} {place}{}", call.purpose, name.unwrap_or("?"))
}

/// How the page answers the call with this number.
type Page<'a> = &'a dyn Fn(usize, &str) -> Result<Answer, Fault>;

/// Everything that was asked, and how it ended: the fault and its path.
type Ran = (Vec<String>, Result<(), (Fault, Option<String>)>);

/// Carries the steps out.
fn run(steps: &Steps, page: Page<'_>) -> Ran {
    let mut interpreter = Interpreter::new(steps);
    let mut log = Vec::new();
    loop {
        let answer = match interpreter.next_call() {
            Ok(None) => return (log, Ok(())),
            Ok(Some(call)) => {
                log.push(asked(call, interpreter.element().as_deref()));
                page(log.len() - 1, &log[log.len() - 1])
            }
            Err(fault) => Err(fault),
        };
        match answer {
            Ok(answer) => interpreter.answer(answer),
            Err(fault) => {
                if let Err(fault) = interpreter.failed(fault, Time::Left) {
                    return (log, Err((fault, interpreter.path())));
                }
            }
        }
    }
}

/// A page on which conditions hold from the call `from` on, every list has two elements, and keys named `bad` fail.
fn from(from: usize) -> impl Fn(usize, &str) -> Result<Answer, Fault> {
    move |number, asked| {
        if asked.ends_with("bad") {
            return Err(Fault::transient(FailureClass::Timeout, "late"));
        }
        Ok(match asked.split_once(' ').map(|(purpose, _)| purpose) {
            Some("Judge") => Answer::Judged(number >= from),
            Some("Count") => Answer::Counted { selector: "tr".to_owned(), count: 2 },
            _ => Answer::Done,
        })
    }
}

#[test]
fn each_form_does_what_its_name_says() {
    let procedures: Procedures =
        [("login".to_owned(), steps(json!([{"press": "l"}, {"press": "bad"}])).list)].into();
    let ran = |json: Value, page: Page<'_>| {
        let (log, ended) = run(&Steps { procedures: procedures.clone(), ..steps(json) }, page);
        (log.join(", "), ended.map_err(|(fault, path)| (fault.message, path.unwrap_or_default())))
    };
    let branch = json!([{"if": "#c", "then": [{"press": "a"}], "else": [{"press": "b"}]}]);
    assert_eq!(ran(branch.clone(), &from(0)), ("Judge #c, Perform a".into(), Ok(())));
    assert_eq!(ran(branch, &from(9)), ("Judge #c, Perform b".into(), Ok(())));
    let until = json!([{"repeat": [{"press": "a"}], "until": "#c"}]);
    assert_eq!(ran(until, &from(3)).0, "Perform a, Judge #c, Perform a, Judge #c");
    let repeat = json!([{"repeat": [{"press": "a"}], "while": {"not": "#c"}}, {"append": {"r": "tr"}}]);
    assert_eq!(ran(repeat.clone(), &from(2)).0, "Judge #c, Perform a, Judge #c, Append r");
    assert_eq!(ran(repeat, &from(0)).0, "Judge #c, Append r");
    assert_eq!(ran(json!([{"repeat": [{"press": "a"}], "times": 2}]), &from(0)).0, "Perform a, Perform a");
    let each = json!([{"for_each": "tr", "do": [{"press": "a"}, {"if": "#c", "then": [{"press": "b"}]}]}, {"press": "z"}]);
    assert_eq!(
        ran(each, &from(3)).0,
        "Count tr, Perform tr >> nth=0/a, Judge tr >> nth=0/#c, Perform tr >> nth=1/a, \
         Judge tr >> nth=1/#c, Perform tr >> nth=1/b, Perform z"
    );
    let caught = json!([{"try": [{"press": "a"}, {"press": "bad"}, {"press": "b"}], "catch": [{"press": "c"}]}, {"press": "z"}]);
    assert_eq!(ran(caught, &from(0)), ("Perform a, Perform bad, Perform c, Perform z".into(), Ok(())));
    let used = ran(json!([{"press": "a"}, {"repeat": [{"use": "login"}], "times": 3}]), &from(0));
    assert_eq!(used.1, Err(("late".into(), "steps[1].repeat[0].steps[0].use.login[1]".into())));
}

#[test]
fn a_loop_without_end_is_a_fault_that_says_so_and_can_be_caught() {
    let endless = json!({"repeat": [{"press": "a"}], "until": "#c", "at_most": 3});
    let (log, ended) = run(&steps(json!([endless])), &from(usize::MAX));
    let (fault, path) = ended.expect_err("no end");
    assert_eq!((fault.class, path.as_deref(), log.len()), (FailureClass::Script, Some("steps[0].until"), 6));
    assert!(
        fault.message.contains("took 3 turns") && fault.message.contains("`until` does not hold yet"),
        "{fault}"
    );
    let still = steps(json!([{"repeat": [{"press": "a"}], "while": "#c", "at_most": 3}]));
    let (fault, _) = run(&still, &from(0)).1.expect_err("no end");
    assert!(fault.message.contains("`while` still holds"), "{fault}");
    let caught = steps(json!([{"try": [endless], "catch": [{"press": "z"}]}]));
    let (log, ended) = run(&caught, &from(usize::MAX));
    assert_eq!((log.last().map(String::as_str), ended), (Some("Perform z"), Ok(())));
    let many = steps(json!([{"for_each": "tr", "do": [{"press": "a"}], "at_most": 1}]));
    let (fault, path) = run(&many, &from(0)).1.expect_err("two elements");
    assert!(fault.message.contains("`tr` matches 2 elements, and `at_most` is 1"), "{fault}");
    assert_eq!(path.as_deref(), Some("steps[0].for_each"));
}

#[test]
fn all_loops_together_are_bounded_and_that_is_not_caught() {
    let inner = json!({"repeat": [{"try": [{"press": "bad"}], "catch": []}], "times": 100_000});
    let all = steps(json!([{"try": [{"repeat": [inner], "times": 100_000}], "catch": [{"press": "z"}]}]));
    let (log, ended) = run(&all, &from(0));
    let (fault, path) = ended.expect_err("too much");
    assert!(fault.message.contains("100000 steps") && log.len() < MOST_PERFORMED, "{fault}");
    assert!(path.is_some_and(|path| path.starts_with("steps[0].try[0].repeat[0].steps[0].repeat[")));
}

#[test]
fn what_is_not_the_job_s_own_fault_is_not_caught() {
    let tried = steps(json!([{"try": [{"press": "a"}], "catch": [{"press": "z"}]}]));
    for class in FailureClass::ALL {
        let page = |_: usize, asked: &str| {
            if asked.ends_with('a') { Err(Fault::transient(class, "why")) } else { Ok(Answer::Done) }
        };
        let own = ["navigation", "http_status", "timeout", "script", "assertion"].contains(&class.name());
        let (log, ended) = run(&tried, &page);
        assert_eq!((log.len(), ended.is_ok()), if own { (2, true) } else { (1, false) }, "{class}");
    }
    let mut interpreter = Interpreter::new(&tried);
    assert!(interpreter.next_call().is_ok_and(|call| call.is_some()));
    let late = interpreter.failed(Fault::transient(FailureClass::Timeout, "late"), Time::Over);
    assert!(late.is_err() && interpreter.path().as_deref() == Some("steps[0].try[0]"));
}

#[test]
fn a_handled_fault_is_known_in_its_catch_only() {
    let tried = steps(json!([{"try": [{"press": "a"}], "catch": [
        {"try": [{"press": "b"}], "catch": [{"press": "c"}]}, {"press": "d"}]}, {"press": "e"}]));
    let mut interpreter = Interpreter::new(&tried);
    let mut seen = Vec::new();
    while let Some(call) = interpreter.next_call().expect("no loops") {
        let key = asked(call, None);
        seen.push((key.clone(), interpreter.caught().map(|error| error.message.clone())));
        if key.ends_with('a') || key.ends_with('b') {
            interpreter.failed(Fault::transient(FailureClass::Script, key), Time::Left).expect("a catch");
        } else {
            interpreter.answer(Answer::Done);
        }
    }
    let seen: Vec<_> = seen.iter().map(|(key, error)| (key.as_str(), error.as_deref())).collect();
    let (a, b) = (Some("Perform a"), Some("Perform b"));
    assert_eq!(
        seen,
        [("Perform a", None), ("Perform b", a), ("Perform c", b), ("Perform d", a), ("Perform e", None)]
    );
}

/// A small model: the same control flow by recursion over the JSON of the steps.
struct Model<'a> {
    page: Page<'a>,
    log: Vec<String>,
}

impl Model<'_> {
    fn ask(&mut self, purpose: &str, name: &str, element: Option<&str>) -> Result<Answer, Fault> {
        let place = element.map(|element| format!("{element}/")).unwrap_or_default();
        self.log.push(format!("{purpose} {place}{name}"));
        (self.page)(self.log.len() - 1, &self.log[self.log.len() - 1])
    }

    fn list(&mut self, list: &Value, element: Option<&str>) -> Result<(), Fault> {
        list.as_array().into_iter().flatten().try_for_each(|step| self.step(step, element))
    }

    fn holds(&mut self, guard: &Value, element: Option<&str>) -> Result<bool, Fault> {
        let list = |key: &str| guard[key].as_array().cloned().unwrap_or_default();
        if let Some(selector) = guard.as_str() {
            return Ok(self.ask("Judge", selector, element)? == Answer::Judged(true));
        }
        if guard["not"] != Value::Null {
            return Ok(!self.holds(&guard["not"], element)?);
        }
        for one in list("all") {
            if !self.holds(&one, element)? {
                return Ok(false);
            }
        }
        for one in list("any") {
            if self.holds(&one, element)? {
                return Ok(true);
            }
        }
        Ok(guard["all"] != Value::Null)
    }

    fn step(&mut self, step: &Value, element: Option<&str>) -> Result<(), Fault> {
        let too_many = || Err(Fault::persistent(FailureClass::Script, "too many"));
        if let Some(key) = step["press"].as_str() {
            return self.ask("Perform", key, element).map(drop);
        }
        if step["if"] != Value::Null {
            let list = if self.holds(&step["if"], element)? { "then" } else { "else" };
            return self.list(&step[list], element);
        }
        if step["try"] != Value::Null {
            return self.list(&step["try"], element).or_else(|_| self.list(&step["catch"], element));
        }
        if let Some(selector) = step["for_each"].as_str() {
            let Answer::Counted { selector, count } = self.ask("Count", selector, element)? else {
                return too_many();
            };
            if count as u64 > step["at_most"].as_u64().unwrap_or(1_000) {
                return too_many();
            }
            return (0..count)
                .try_for_each(|turn| self.list(&step["do"], Some(&format!("{selector} >> nth={turn}"))));
        }
        let at_most = step["at_most"].as_u64().unwrap_or(1_000);
        for turn in 0.. {
            if step["times"].as_u64() == Some(turn) {
                break;
            }
            if step["while"] != Value::Null {
                if !self.holds(&step["while"], element)? {
                    break;
                }
                if turn == at_most {
                    return too_many();
                }
            }
            self.list(&step["repeat"], element)?;
            if step["until"] != Value::Null {
                if self.holds(&step["until"], element)? {
                    break;
                }
                if turn + 1 == at_most {
                    return too_many();
                }
            }
        }
        Ok(())
    }
}

fn any_guard() -> impl Strategy<Value = Value> {
    "#[a-c]".prop_map(Value::from).prop_recursive(2, 6, 3, |inner| {
        let list = proptest::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            inner.prop_map(|guard| json!({"not": guard})),
            list.clone().prop_map(|list| json!({"all": list})),
            list.prop_map(|list| json!({"any": list})),
        ]
    })
}

fn any_step() -> impl Strategy<Value = Value> {
    let press = prop_oneof![4 => "[a-e]", 1 => Just("bad".to_owned())].prop_map(|key| json!({"press": key}));
    press.prop_recursive(4, 24, 3, |inner| {
        let list = || proptest::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            (any_guard(), list(), list())
                .prop_map(|(guard, then, other)| json!({"if": guard, "then": then, "else": other})),
            (list(), any_guard(), 1..4)
                .prop_map(|(list, guard, most)| json!({"repeat": list, "until": guard, "at_most": most})),
            (list(), any_guard(), 1..4)
                .prop_map(|(list, guard, most)| json!({"repeat": list, "while": guard, "at_most": most})),
            (list(), 1..4).prop_map(|(list, times)| json!({"repeat": list, "times": times})),
            (list(), 1..4).prop_map(|(list, most)| json!({"for_each": "tr", "do": list, "at_most": most})),
            (list(), list()).prop_map(|(list, catch)| json!({"try": list, "catch": catch})),
        ]
    })
}

proptest! {
    #[test]
    fn the_interpreter_asks_what_a_recursive_model_asks(
        written in proptest::collection::vec(any_step(), 0..4), answers in any::<u64>(),
    ) {
        let page = move |number: usize, asked: &str| {
            let bit = answers >> (number % 64) & 1;
            let odd = answers >> (number * 7 % 61) & 1;
            if asked.ends_with("bad") && bit == 1 {
                return Err(Fault::transient(FailureClass::Assertion, "bad"));
            }
            Ok(match asked.split_once(' ').map(|(purpose, _)| purpose) {
                Some("Judge") => Answer::Judged(bit == 1),
                Some("Count") => Answer::Counted { selector: "tr".to_owned(), count: (bit + odd) as usize },
                _ => Answer::Done,
            })
        };
        let written = Value::from(written);
        let mut model = Model { page: &page, log: Vec::new() };
        let expected = model.list(&written, None);
        // Beyond the bound of an attempt the two differ.
        prop_assume!(model.log.len() < MOST_PERFORMED / 8);
        let (log, ended) = run(&steps(written), &page);
        prop_assert_eq!(log, model.log);
        prop_assert_eq!(ended.is_ok(), expected.is_ok());
    }
}
