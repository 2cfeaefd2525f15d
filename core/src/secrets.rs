//! [`Secrets`]: the values of a job, or of a table in the settings, that no message may repeat.
//!
//! A message about a job may come from a browser, a page or a driver, and contain anything that the job contains. The
//! values of headers and cookies, the texts that are typed into pages, and the users and passwords of URLs are replaced
//! in it. The job's data is what the job asked for, and stays as it is; only secrets that the job has by name are
//! replaced there too.
//!
//! `revealed` puts the values of these into what one attempt sends to its driver.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use crate::flow::Plain;
use crate::job::{Job, Setup};
use crate::outcome::{FailureClass, Fault};
use crate::secret_mark::{percent_encoded, replaced};
use crate::shown::{REDACTED, is_secret_name, without_users};
use crate::step::{Cookie, Expectation, Goto, Step, WaitTarget};

/// A shorter value is no secret: half of all messages would contain it. In characters.
pub const SHORTEST: usize = 4;

/// The secrets of one job or table.
#[derive(Default)]
pub struct Secrets {
    /// In each notation in which a message may have them.
    texts: BTreeSet<String>,
    /// Those that the job has by name, in the same way.
    named: BTreeSet<String>,
}

impl Secrets {
    /// The secrets of `job`.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        let mut secrets = Self::default();
        // Every field is named, so that a new one is looked at.
        let Job { id: _, start, steps, timeout: _, accept_status: _, driver: _, setup, secrets: _ } = job;
        start.iter().for_each(|goto| secrets.add_page(goto));
        steps.plain().into_iter().for_each(|plain| secrets.add_plain(plain));
        // A proxy has no user.
        let Setup { viewport: _, headers, cookies, proxy: _ } = setup;
        for value in headers.values() {
            secrets.add(value);
            // `Bearer TOKEN`: a page may repeat the token alone.
            let token = value.split_once(' ').filter(|(_, token)| !token.contains(' '));
            token.iter().for_each(|(_, token)| secrets.add(token));
        }
        secrets.add_cookies(cookies);
        secrets
    }

    /// The secrets of `job` and those that it has by name, with their values.
    pub(crate) fn with_named(job: &Job, values: &BTreeMap<String, String>) -> Self {
        let (mut secrets, mut named) = (Self::of(job), Self::default());
        values.values().for_each(|value| named.add(value));
        secrets.texts.extend(named.texts.iter().cloned());
        Self { named: named.texts, ..secrets }
    }

    /// The secrets of one step, whose placeholders were filled.
    #[must_use]
    pub fn of_step(step: &Step) -> Self {
        let mut secrets = Self::default();
        secrets.add_step(step);
        secrets
    }

    /// The secrets of a table that is passed on as it is: what its names or its URLs say is secret.
    #[must_use]
    pub fn of_table(table: &Map<String, Value>) -> Self {
        let mut secrets = Self::default();
        table.iter().for_each(|(name, value)| secrets.add_value(value, is_secret_name(name)));
        secrets
    }

    /// `text` without the secrets and without the users of URLs.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        without(&self.texts, &without_users(text))
    }

    /// Hides the secrets that the job has by name in its data.
    pub(crate) fn hide_named(&self, data: &mut Map<String, Value>) {
        data.values_mut().for_each(|value| each_text(value, &|text| *text = without(&self.named, text)));
    }

    fn add_plain(&mut self, plain: &Plain) {
        self.add_step(plain.step());
        plain.url_to_fill().into_iter().for_each(|url| self.add_url(url));
    }

    fn add_step(&mut self, step: &Step) {
        match step {
            Step::Goto(goto) => self.add_page(goto),
            Step::WaitFor(wait) => {
                if let WaitTarget::Url(pattern) = &wait.target {
                    self.add_url(pattern);
                }
            }
            Step::Expect(expect) => {
                if let Expectation::Url(pattern) = &expect.that {
                    self.add_url(pattern);
                }
            }
            Step::Fill(fill) => self.add(&fill.text),
            Step::Type(typed) => self.add(&typed.text),
            Step::SetCookies(cookies) => self.add_cookies(cookies),
            Step::Click(_)
            | Step::Press(_)
            | Step::Select(_)
            | Step::Check(_)
            | Step::Uncheck(_)
            | Step::Hover(_)
            | Step::Drag(_)
            | Step::Scroll(_)
            | Step::Upload(_)
            | Step::Evaluate(_)
            | Step::Extract(_)
            | Step::Screenshot(_)
            | Step::Pdf(_)
            | Step::Content(_)
            | Step::GetCookies(_)
            | Step::SetViewport(_) => {}
        }
    }

    fn add_page(&mut self, goto: &Goto) {
        self.add_url(goto.url.as_str());
    }

    fn add_cookies(&mut self, cookies: &[Cookie]) {
        for cookie in cookies {
            self.add(&cookie.value);
            cookie.url.iter().for_each(|url| self.add_url(url));
        }
    }

    fn add_value(&mut self, value: &Value, is_secret: bool) {
        match value {
            Value::String(text) if is_secret => self.add(text),
            Value::String(text) => self.add_url(text),
            Value::Array(items) => items.iter().for_each(|item| self.add_value(item, is_secret)),
            Value::Object(entries) => {
                entries
                    .iter()
                    .for_each(|(name, value)| self.add_value(value, is_secret || is_secret_name(name)));
            }
            Value::Number(number) if is_secret => self.add(&number.to_string()),
            Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    /// Adds the user and the password of a URL, or what stands for them in a pattern that is not a URL.
    fn add_url(&mut self, text: &str) {
        if let Ok(url) = Url::parse(text.trim()) {
            // A user beside a password is only a name, which messages may contain for other reasons.
            self.add(url.password().unwrap_or_else(|| url.username()));
        }
        let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        if let Some((user, _)) = authority.rsplit_once('@') {
            self.add(user);
        }
    }

    fn add(&mut self, secret: &str) {
        for text in [secret, &percent_decoded(secret)] {
            let debug = format!("{text:?}");
            let json = Value::from(text).to_string();
            let quoted = [&debug, &json].map(|quoted| quoted[1..quoted.len() - 1].to_owned());
            let notations = quoted.into_iter().chain(in_urls(text)).chain([text.to_owned()]);
            self.texts.extend(notations.filter(|text| text.chars().count() >= SHORTEST));
        }
    }
}

/// `part` of a job with these values in place of the marks of their names.
///
/// # Errors
/// When a value does not fit into its place.
pub(crate) fn revealed<T: Serialize + DeserializeOwned>(
    part: &T,
    values: &BTreeMap<String, String>,
) -> Result<T, Fault> {
    let fill = || {
        let mut part = serde_json::to_value(part)?;
        let value = |name: &str| values.get(name).map(String::as_str);
        each_text(&mut part, &|text| *text = replaced(text, value));
        serde_json::from_value(part)
    };
    // The reason may have the value.
    fill().map_err(|_: serde_json::Error| {
        Fault::persistent(FailureClass::Unsupported, "the value of a secret does not fit into its place")
    })
}

/// Changes every text in `value`; names of keys are no texts.
fn each_text(value: &mut Value, change: &impl Fn(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, change)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| each_text(entry, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `text` without any of `secrets`.
fn without(secrets: &BTreeSet<String>, text: &str) -> String {
    // A secret that contains another one is replaced first.
    let mut secrets: Vec<_> = secrets.iter().filter(|secret| text.contains(secret.as_str())).collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), REDACTED))
}

/// `text` as it stands in URLs: encoded by programs, by forms, and by a parser of URLs in each of their parts.
fn in_urls(text: &str) -> Vec<String> {
    let encoded = percent_encoded(text);
    let form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let mut notations = vec![encoded.to_ascii_lowercase(), encoded, form];
    if let Ok(mut url) = Url::parse("http://h/") {
        url.set_query(Some(text));
        notations.extend(url.query().map(str::to_owned));
        url.set_fragment(Some(text));
        notations.extend(url.fragment().map(str::to_owned));
        url.set_path(text);
        notations.push(url.path().trim_start_matches('/').to_owned());
        if url.set_password(Some(text)).is_ok() {
            notations.extend(url.password().map(str::to_owned));
        }
    }
    notations
}

/// The text that `text` stands for in a URL.
fn percent_decoded(text: &str) -> String {
    let plain = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(plain.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::id::JobId;
    use crate::job::JobKeys;
    use crate::secret_mark::shown;

    /// Every text that a job can hold as a secret, each with a canary of its own.
    fn job() -> Job {
        let keys = json!({
            "url": "http://user:canary-1@h/",
            "headers": {"authorization": "Bearer canary-2", "y": "Bearer token-2b=", "x": "say \"canary-3\""},
            "cookies": [{"name": "a", "value": "canary-4", "url": "http://u:canary-5@h/"}],
            "steps": [
                {"goto": "http://canary-6@h/"},
                {"goto": "http://u:can%41ry-7@h/"},
                {"wait_for": {"url": "*://u:canary-8@h/*"}},
                {"expect": {"url": "u:canary-9@h/*"}},
                {"fill": {"selector": "#p", "text": "canary-10"}},
                {"type": {"selector": "#p", "text": "canary-11\n"}},
                {"set_cookies": [{"name": "b", "value": "canary-12"}]},
                {"fill": {"selector": "#q", "text": "a"}},
                {"if": {"url": "u:canary-13@h/*"}, "then": [{"fill": {"selector": "#p", "text": "canary-14"}}]},
                {"use": "login"},
                {"content": {}},
                {"goto": "http://u:canary-16@h/{{data.content}}"}
            ],
            "procedures": {"login": [{"try": [{"type": {"selector": "#p", "text": "canary-15"}}], "catch": []}]}
        });
        let keys: JobKeys = serde_json::from_value(keys).expect("a good job");
        keys.into_job(|| JobId::try_from("1".to_owned()).expect("an id")).expect("a good job")
    }

    #[test]
    fn a_secret_by_name_is_put_in_and_hidden_in_every_notation() {
        let mark = crate::secret_mark::marked("PW");
        let keys = json!({
            "url": format!("http://u:{mark}@h/{mark}?k={mark}"),
            "headers": {"x": format!("Bearer {mark}")},
            "steps": [{"evaluate": format!("f('{mark}')")}, {"fill": {"selector": "#p", "text": mark}}]
        });
        let keys: JobKeys = serde_json::from_value(keys).expect("a good job");
        let job = keys.into_job(|| JobId::try_from("1".to_owned()).expect("an id")).expect("a good job");
        assert_eq!(
            job.first_page().map(|url| shown(&url.to_string()).into_owned()).as_deref(),
            Some("http://(redacted)@h/{{secret:PW}}?k={{secret:PW}}")
        );
        let value = "ca n\"ary/ü&=";
        let values = BTreeMap::from([("PW".to_owned(), value.to_owned())]);
        let start = revealed(&job.start, &values).expect("it fits");
        let setup = revealed(&job.setup, &values).expect("it fits");
        let step = |n: usize| revealed(job.steps.plain()[n].step(), &values).expect("it fits");
        let encoded = "ca%20n%22ary%2F%C3%BC%26%3D";
        assert_eq!(
            start.as_ref().map(|goto| goto.url.as_str()),
            Some(&*format!("http://u:{encoded}@h/{encoded}?k={encoded}"))
        );
        assert_eq!(setup.headers["x"], format!("Bearer {value}"));
        assert!(matches!(step(1), Step::Fill(fill) if fill.text == value));
        let secrets = Secrets::with_named(&job, &values);
        let page = Url::parse(&format!("http://h/{value}")).expect("a URL");
        let message = format!(
            "{value} {value:?} {} {encoded} {} {page} ca+n%22ary%2F%C3%BC%26%3D",
            json!(value),
            encoded.to_lowercase()
        );
        let shown = secrets.hide(&message);
        assert!(!shown.contains("ary"), "{shown}");
        let mut data = Map::from_iter([("a".to_owned(), json!({"b": [format!("<{value}>"), 1]}))]);
        secrets.hide_named(&mut data);
        assert_eq!(data["a"], json!({"b": ["<(redacted)>", 1]}));
    }

    #[test]
    fn no_message_repeats_a_secret_of_its_job() {
        let secrets = Secrets::of(&job());
        let message = "http://user:canary-1@h/ and canary-1, Bearer canary-2, say \"canary-3\" and say \\\"canary-3\\\", \
            canary-4, http://u:canary-5@h/, canary-6, can%41ry-7 and canAry-7, token-2b=, \"*://u:canary-8@h/*\", \
            \"u:canary-9@h/*\", canary-10, canary-11\\n, canary-12, \
            \"u:canary-13@h/*\", canary-14, canary-15, canary-16, and a user";
        let shown = secrets.hide(message);
        let told =
            ["canary", "can%41ry", "token-2b"].iter().find(|told| shown.to_lowercase().contains(*told));
        assert_eq!(told, None, "{shown}");
        assert!(shown.ends_with(", and a user"), "{shown}");
        assert_eq!(secrets.hide(&shown), shown);
    }

    #[test]
    fn no_message_repeats_a_secret_of_a_table() {
        let table = json!({"browserName": "chrome", "se:token": ["canary-1", 20_261_129],
            "proxy": {"httpProxy": "u:canary-2@h:1", "n": 1}, "deep": [{"password": {"a": "canary-3"}}]});
        let message = format!("cannot create {table}");
        let secrets = Secrets::of_table(table.as_object().expect("a table"));
        let shown = secrets.hide(&message);
        assert!(!shown.contains("canary") && !shown.contains("20261129"), "{shown}");
        assert!(shown.contains("\"browserName\":\"chrome\"") && shown.contains("h:1"), "{shown}");
    }
}
