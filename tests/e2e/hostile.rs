//! Attacking pages beside healthy jobs, in one browser: one attack of each sort. `cargo xtask hostile` runs all of them, on
//! every driver.

use plimsoll_kit::hostile::{self, SIBLINGS, TARGETS};
use plimsoll_kit::nasty_site::attacks::Attack;

use crate::binary;
use crate::rig::Rig;

/// The attacks of one test, which take some 5 seconds each.
fn assert_costs_nobody_else(names: &[&str]) {
    let attacks = Attack::all();
    for name in names {
        let attack = attacks.iter().find(|attack| format!("{}/{}", attack.kind, attack.name) == *name);
        let rig = Rig::new();
        let ended = hostile::run(binary::path(), &rig.path(""), TARGETS[0], attack.expect(name));
        let ended = ended.expect("the program starts");
        assert!(ended.deviations.is_empty(), "{name}: {ended}");
        assert_eq!(ended.siblings, SIBLINGS, "{name}");
    }
}

#[test]
fn what_pages_answer_costs_nobody_else() {
    assert_costs_nobody_else(&[
        "answers/attribute",
        "answers/many-values-below-the-bound",
        "exceptions/message",
    ]);
}

#[test]
fn what_pages_take_costs_nobody_else() {
    assert_costs_nobody_else(&["memory/objects", "loops/later", "graphics/webgl-contexts"]);
}

#[test]
fn what_pages_start_costs_nobody_else() {
    assert_costs_nobody_else(&[
        "workers/five-hundred",
        "windows/popups",
        "windows/alerts",
        "windows/reloads",
    ]);
}

#[test]
fn what_pages_send_costs_nobody_else() {
    assert_costs_nobody_else(&[
        "floods/console-in-a-loop",
        "floods/requests",
        "windows/downloads",
        "windows/frames",
    ]);
}

#[test]
fn what_pages_replace_costs_nobody_else() {
    assert_costs_nobody_else(&["traps/no-promises", "traps/to-json-of-everything", "traps/getter-spins"]);
}
