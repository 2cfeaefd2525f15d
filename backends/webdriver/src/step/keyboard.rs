//! The keyboard: trusted key events, and text without keys.

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::keys::{Chord, Key, Stroke};
use plimsoll_core::runtime::budget::Budget;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::call::{CallError, Trouble};
use crate::settings::Family;
use crate::tab::Tab;

/// Keys that type nothing, by name, and the code points that stand for them in WebDriver.
#[rustfmt::skip]
const NAMED: [(&str, char); 32] = [
    ("Enter", '\u{e007}'), ("Tab", '\u{e004}'), ("Escape", '\u{e00c}'), ("Backspace", '\u{e003}'), ("Delete", '\u{e017}'),
    ("ArrowLeft", '\u{e012}'), ("ArrowUp", '\u{e013}'), ("ArrowRight", '\u{e014}'), ("ArrowDown", '\u{e015}'),
    ("Home", '\u{e011}'), ("End", '\u{e010}'), ("PageUp", '\u{e00e}'), ("PageDown", '\u{e00f}'), ("Insert", '\u{e016}'),
    ("Pause", '\u{e00b}'), ("Alt", '\u{e00a}'), ("Control", '\u{e009}'), ("Meta", '\u{e03d}'), ("Shift", '\u{e008}'),
    ("F1", '\u{e031}'), ("F2", '\u{e032}'), ("F3", '\u{e033}'), ("F4", '\u{e034}'), ("F5", '\u{e035}'), ("F6", '\u{e036}'),
    ("F7", '\u{e037}'), ("F8", '\u{e038}'), ("F9", '\u{e039}'), ("F10", '\u{e03a}'), ("F11", '\u{e03b}'), ("F12", '\u{e03c}'),
    (" ", ' '),
];

/// Presses and releases one key.
pub(super) async fn press(tab: &Tab, key: Key, budget: Budget) -> Result<(), Fault> {
    press_chord(tab, &Chord { held: Vec::new(), stroke: Stroke::Key(key) }, budget).await
}

/// Presses the modifiers of a chord in order, then its key, and releases all in reverse.
pub(super) async fn press_chord(tab: &Tab, chord: &Chord, budget: Budget) -> Result<(), Fault> {
    let mut keys = Vec::new();
    strike(tab, chord, &mut keys, budget).await?;
    send(tab, &mut keys, budget).await
}

/// Types text character by character, with a pause between two.
pub(super) async fn type_text(tab: &Tab, text: &str, delay: Duration, budget: Budget) -> Result<(), Fault> {
    let mut characters = text.chars().filter(|character| *character != '\r').peekable();
    let mut keys = Vec::new();
    while let Some(character) = characters.next() {
        let chord = Chord { held: Vec::new(), stroke: Stroke::of(character) };
        strike(tab, &chord, &mut keys, budget).await?;
        if !delay.is_zero() && characters.peek().is_some() {
            send(tab, &mut keys, budget).await?;
            if budget.left() <= delay {
                let message = format!("typing was not done within {:?}", budget.whole());
                return Err(Fault::transient(FailureClass::Timeout, message));
            }
            sleep(delay).await;
        }
    }
    send(tab, &mut keys, budget).await
}

/// Inserts text where the caret is, as an input method does: no key events, but trusted input events.
pub(super) async fn insert(tab: &Tab, text: &str, budget: Budget) -> Result<(), Fault> {
    match tab.family() {
        Family::Chromium => {
            let params = json!({ "text": text });
            delivered(tab.session().devtools("Input.insertText", params, budget.left()).await)
        }
        Family::Firefox => {
            let script = "document.execCommand('insertText', false, arguments[0]);";
            let arguments = json!([text]);
            let run = tab.session().run(script, &arguments, budget.left(), budget.left());
            delivered(run.await.map(Option::<Value>::unwrap_or_default))
        }
    }
}

/// An input event whose document went away before it was acknowledged has done its work.
pub(super) fn delivered(answer: Result<Value, CallError>) -> Result<(), Fault> {
    match answer.map_err(Trouble::from) {
        Ok(_) | Err(Trouble::Moved) => Ok(()),
        Err(trouble) => Err(trouble.into()),
    }
}

/// Adds a chord to the keys that are to be pressed; a character without a key is inserted after these.
async fn strike(tab: &Tab, chord: &Chord, keys: &mut Vec<Value>, budget: Budget) -> Result<(), Fault> {
    match &chord.stroke {
        Stroke::Key(key) => keys.extend(actions(chord, key)?),
        Stroke::Text(character) => {
            send(tab, keys, budget).await?;
            insert(tab, &character.to_string(), budget).await?;
        }
    }
    Ok(())
}

/// The actions of one key with the modifiers that are held meanwhile.
fn actions(chord: &Chord, key: &Key) -> Result<Vec<Value>, Fault> {
    let held =
        chord.held.iter().map(|modifier| code_point(&modifier.key())).collect::<Result<Vec<_>, _>>()?;
    let key = code_point(key)?;
    let action = |kind: &str, key: &char| json!({ "type": kind, "value": key });
    let down = held.iter().chain([&key]).map(|key| action("keyDown", key));
    let up = [&key].into_iter().chain(held.iter().rev()).map(|key| action("keyUp", key));
    Ok(down.chain(up).collect())
}

/// What stands for a key.
fn code_point(key: &Key) -> Result<char, Fault> {
    let named = NAMED.iter().find(|(name, _)| *name == key.name).map(|(_, code)| *code);
    let mut name = key.name.chars();
    named.or_else(|| name.next().filter(|_| name.next().is_none())).ok_or_else(|| {
        let message = format!("WebDriver has no code for the key `{}`", key.name);
        Fault::persistent(FailureClass::Unsupported, message)
    })
}

/// Presses the keys, and forgets them.
async fn send(tab: &Tab, keys: &mut Vec<Value>, budget: Budget) -> Result<(), Fault> {
    let actions = std::mem::take(keys);
    if actions.is_empty() {
        return Ok(());
    }
    let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
    delivered(tab.session().post("actions", &json!({ "actions": [keyboard] }), budget.left()).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(chord: &str) -> Vec<String> {
        let chord = Chord::parse(chord).expect("a chord");
        let Stroke::Key(key) = chord.stroke else { panic!("{chord:?} has no key") };
        let text = |action: &Value| format!("{} {}", action["type"], action["value"]).replace('"', "");
        actions(&chord, &key).expect("known keys").iter().map(text).collect()
    }

    #[test]
    fn modifiers_are_held_around_their_key() {
        let control = '\u{e009}';
        let expected = [
            format!("keyDown {control}"),
            "keyDown a".to_owned(),
            "keyUp a".to_owned(),
            format!("keyUp {control}"),
        ];
        assert_eq!(struck("Control+A"), expected);
        assert_eq!(struck("Enter")[0], "keyDown \u{e007}");
    }
}
