//! [`Secrets`]: the values of a job, or of a table in the settings, that no message may repeat.
//!
//! A message about a job may come from a browser, a page or a driver, and contain anything that the job contains. The
//! values of headers and cookies, the texts that are typed into pages, and the users and passwords of URLs are replaced
//! in it. The job's data is what the job asked for, and stays as it is.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use url::Url;

use crate::flow::Plain;
use crate::job::{Job, Setup};
use crate::shown::{REDACTED, is_secret_name, without_users};
use crate::step::{Cookie, Expectation, Goto, Step, WaitTarget};

/// A shorter value is no secret: half of all messages would contain it.
const SHORTEST: usize = 4;

/// The secrets of one job or table.
#[derive(Default)]
pub struct Secrets {
    /// In each notation in which a message may have them.
    texts: BTreeSet<String>,
}

impl Secrets {
    /// The secrets of `job`.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        let mut secrets = Self::default();
        // Every field is named, so that a new one is looked at.
        let Job { id: _, start, steps, timeout: _, accept_status: _, driver: _, setup } = job;
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
        let mut shown = without_users(text).into_owned();
        // A secret that contains another one is replaced first.
        let mut texts: Vec<_> = self.texts.iter().collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        for text in texts {
            if shown.contains(text.as_str()) {
                shown = shown.replace(text.as_str(), REDACTED);
            }
        }
        shown
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
            let notations = quoted.into_iter().chain([text.to_owned()]);
            self.texts.extend(notations.filter(|text| text.chars().count() >= SHORTEST));
        }
    }
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
