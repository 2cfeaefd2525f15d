//! [`changes`]: which changes of settings take effect while a run goes on.

use serde_json::Value;

use super::Settings;

/// The keys that a running fleet takes over: those of [`Dispatch`](plimsoll_core::policy::Dispatch) and the
/// level of the log. A change of any other key needs a restart.
pub const LIVE: [&str; 12] = [
    "limits.max_contexts",
    "limits.max_creating",
    "limits.policy",
    "limits.max_launching",
    "limits.queue_capacity",
    "limits.host_patience",
    "limits.creation_tolerance",
    "breakers.policy",
    "breakers.profile",
    "breakers.trips_at",
    "pressure.profile",
    "log.level",
];

/// The keys in which two settings differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Those that a running fleet takes over.
    pub live: Vec<String>,
    /// Those that need a restart.
    pub needs_restart: Vec<String>,
}

/// Whether a running fleet takes over a change of `key`.
#[must_use]
pub fn is_live(key: &str) -> bool {
    LIVE.contains(&key)
}

/// The keys in which `new` differs from `old`.
#[must_use]
pub fn changes(old: &Settings, new: &Settings) -> Changes {
    let [before, after] = [old, new].map(|settings| serde_json::to_value(settings).unwrap_or_default());
    let mut keys = Vec::new();
    differ(&before, &after, "", &mut keys);
    // Values that are not shown are compared separately.
    let [cdp_before, cdp_after] = [old, new].map(|settings| &settings.driver.cdp);
    let [before, after] = [old, new].map(|settings| &settings.driver.webdriver);
    for (key, differs) in [
        ("driver.cdp.args", cdp_before.args != cdp_after.args),
        ("driver.webdriver.args", before.args != after.args),
        ("driver.webdriver.url", before.url != after.url),
        ("driver.webdriver.endpoints", before.endpoints != after.endpoints),
        ("driver.webdriver.capabilities", before.capabilities != after.capabilities),
        ("driver.webdriver.password", before.password != after.password),
        ("driver.plugin", old.driver.plugin != new.driver.plugin),
    ] {
        if differs && !keys.iter().any(|known| known.starts_with(key)) {
            keys.push(key.to_owned());
        }
    }
    let (live, needs_restart) = keys.into_iter().partition(|key| is_live(key));
    Changes { live, needs_restart }
}

fn differ(before: &Value, after: &Value, name: &str, keys: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                let value = |of: &Value| of.get(key).cloned().unwrap_or_default();
                differ(&value(before), &value(after), &name, keys);
            }
        }
        _ if before == after => {}
        _ => keys.push(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plimsoll_core::policy::BreakerProfile;

    use super::*;
    use crate::settings::{PluginSettings, Secret};

    #[test]
    fn each_change_is_live_or_needs_a_restart() {
        let old = Settings::default();
        assert_eq!(changes(&old, &old), Changes::default());
        let mut new = old.clone();
        new.limits.max_contexts = 7;
        new.limits.queue_timeout = Some(Duration::from_secs(9));
        new.log.level = "info".to_owned();
        new.breakers.profile = BreakerProfile::Strict;
        new.timeouts.grace = Duration::ZERO;
        new.profiles.root = Some("/x".into());
        let Changes { mut live, mut needs_restart } = changes(&old, &new);
        live.sort();
        needs_restart.sort();
        assert_eq!(live, ["breakers.profile", "limits.max_contexts", "log.level"]);
        assert_eq!(needs_restart, ["limits.queue_timeout", "profiles.root", "timeouts.grace"]);
    }

    #[test]
    fn a_change_of_a_secret_is_seen_and_not_shown() {
        let mut old = Settings::default();
        old.driver.plugin.insert("http".to_owned(), PluginSettings::default());
        let mut new = old.clone();
        for (settings, secret) in [(&mut old, "canary-1"), (&mut new, "canary-2")] {
            settings.driver.webdriver.password = Some(Secret::from(secret.to_owned()));
            let http = settings.driver.plugin.get_mut("http").expect("just added");
            http.config.0.insert("token".to_owned(), secret.into());
        }
        let seen = changes(&old, &new);
        assert_eq!(seen.needs_restart, ["driver.webdriver.password", "driver.plugin"]);
        assert!(!format!("{seen:?} {old:?} {new:?}").contains("canary"));
    }
}
