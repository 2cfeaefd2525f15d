//! Trusted input: the pointer at a point of the viewport, the keyboard, and text without keys. All chords of a call are
//! sent as one command.

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::delivered;
use plimsoll_core::page::keys::{Chord, Key};
use plimsoll_core::perform::{DragKind, Point};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::MouseButton;
use serde_json::{Value, json};

use crate::settings::Family;
use crate::tab::Tab;

/// Keys without a character, by name, and their code points in WebDriver.
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

/// Moves the pointer to a point.
pub(super) async fn hover(tab: &Tab, at: Point, budget: Budget) -> Result<(), Fault> {
    point(tab, vec![moved(at)], budget).await
}

/// Moves to a point and clicks `count` times.
pub(super) async fn click(
    tab: &Tab,
    at: Point,
    button: MouseButton,
    count: u8,
    budget: Budget,
) -> Result<(), Fault> {
    let button = match button {
        MouseButton::Left => 0,
        MouseButton::Middle => 1,
        MouseButton::Right => 2,
    };
    let mut actions = vec![moved(at)];
    for _ in 0..count {
        actions.push(json!({ "type": "pointerDown", "button": button }));
        actions.push(json!({ "type": "pointerUp", "button": button }));
    }
    point(tab, actions, budget).await
}

/// Presses the main button at the first point, moves through the others, and releases it at the last one.
pub(super) async fn drag(tab: &Tab, path: &[Point], kind: DragKind, budget: Budget) -> Result<(), Fault> {
    if (tab.family(), kind) == (Family::Firefox, DragKind::Draggable) {
        // Measured with Firefox 153: `dragstart` and `dragover` arrive, but never `drop` or `dragend`.
        let message = "Firefox does not drop over WebDriver what it drags itself: elements that are `draggable`, \
                       links and pictures";
        return Err(Fault::persistent(FailureClass::Unsupported, message));
    }
    let mut actions: Vec<_> = path.iter().copied().map(moved).collect();
    actions.insert(actions.len().min(1), json!({ "type": "pointerDown", "button": 0 }));
    actions.push(json!({ "type": "pointerUp", "button": 0 }));
    point(tab, actions, budget).await
}

/// Presses chords one after the other.
pub(super) async fn press(tab: &Tab, chords: &[Chord], budget: Budget) -> Result<(), Fault> {
    let actions = chords.iter().map(actions).collect::<Result<Vec<_>, _>>()?.concat();
    send(tab, &json!({ "type": "key", "id": "keyboard", "actions": actions }), budget).await
}

/// Inserts text at the caret.
pub(super) async fn insert_text(tab: &Tab, text: &str, budget: Budget) -> Result<(), Fault> {
    match tab.family() {
        Family::Chromium => {
            let params = json!({ "text": text });
            delivered(tab.session().devtools::<Value>("Input.insertText", params, budget.left()).await)
        }
        Family::Firefox => {
            let script = "document.execCommand('insertText', false, arguments[0]);";
            let arguments = json!([text]);
            let run = tab.session().run::<Value>(script, &arguments, budget.left(), budget.left());
            delivered(run.await)
        }
    }
}

/// A pixel is the finest unit that every remote end supports.
fn moved(Point { x, y }: Point) -> Value {
    json!({ "type": "pointerMove", "duration": 0, "x": x.floor() as i64, "y": y.floor() as i64 })
}

async fn point(tab: &Tab, actions: Vec<Value>, budget: Budget) -> Result<(), Fault> {
    let mouse = json!({
        "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": actions,
    });
    send(tab, &mouse, budget).await
}

async fn send(tab: &Tab, source: &Value, budget: Budget) -> Result<(), Fault> {
    delivered(tab.session().post::<Value>("actions", &json!({ "actions": [source] }), budget.left()).await)
}

/// The actions of one chord.
fn actions(Chord { held, key }: &Chord) -> Result<Vec<Value>, Fault> {
    let held = held.iter().map(|modifier| code_point(&modifier.key())).collect::<Result<Vec<_>, _>>()?;
    let key = code_point(key)?;
    let action = |kind: &str, key: &char| json!({ "type": kind, "value": key });
    let down = held.iter().chain([&key]).map(|key| action("keyDown", key));
    let up = [&key].into_iter().chain(held.iter().rev()).map(|key| action("keyUp", key));
    Ok(down.chain(up).collect())
}

/// The code point of a key.
fn code_point(key: &Key) -> Result<char, Fault> {
    let named = NAMED.iter().find(|(name, _)| *name == key.name).map(|(_, code)| *code);
    let mut name = key.name.chars();
    named.or_else(|| name.next().filter(|_| name.next().is_none())).ok_or_else(|| {
        let message = format!("WebDriver has no code for the key `{}`", key.name);
        Fault::persistent(FailureClass::Unsupported, message)
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_core::page::keys::Stroke;

    use super::*;

    fn struck(chord: &str) -> Vec<String> {
        let Ok(Stroke::Keys(chord)) = Stroke::parse(chord) else { panic!("{chord} is no chord") };
        let text = |action: &Value| format!("{} {}", action["type"], action["value"]).replace('"', "");
        actions(&chord).expect("known keys").iter().map(text).collect()
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
