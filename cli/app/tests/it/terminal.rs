//! No text of a file, a flag or a job reaches the terminal with characters that control it.

use plimsoll_core::shown::printable;

use crate::desk::Desk;

/// Clears the screen in two ways, deletes, reorders text, and is invisible.
const CONTROL: &str = "\u{1b}[2J\u{9b}2J\u{7f}\u{202e}\u{200b}\u{feff}";

#[test]
fn nothing_controls_the_terminal_that_shows_it() {
    let desk = Desk::new();
    let fill = |text: &str| text.replace("{}", CONTROL);
    desk.write(
        "good.jsonl",
        fill("{\"id\":\"\u{202e}\u{200b}\",\"url\":\"http://a/\",\"extract\":{\"{}x\":\"a\"}}\n")
            .replace('\u{1b}', "\\u001b"),
    );
    desk.write(
        "bad.jsonl",
        fill("{\"url\":\"{}\"}\n{\"{}\":1}\n{\"url\":\"http://a/\",\"steps\":[{\"{}\":1}]}\n"),
    );
    desk.write("bad.txt", fill("{}\n"));
    desk.write("bad.toml", fill("[[job]]\nurl = \"{}\"\n"));
    desk.write("template.txt", fill("http://a/{{{}}}\n"));
    desk.write("rows.csv", fill("a{},b\n1,2\n"));
    desk.write(&fill("settings{}.toml"), fill("[driver]\nname = \"{}\"\n\"{}\" = 1\n"));
    desk.write("args.toml", fill("[driver.cdp]\nargs = [\"\u{202e}\u{9b}\"]\n"));
    let commands: [&[&str]; 14] = [
        &["{}"],
        &["run", "{}"],
        &["run", "good.jsonl", "--driver", "{}"],
        &["run", "good.jsonl", "--progress", "{}"],
        &["run", "good.jsonl", "--driver", "sim"],
        &["run", "bad.jsonl"],
        &["run", "bad.txt"],
        &["run", "bad.toml"],
        &["run", "template.txt", "--rows", "rows.csv"],
        &["run", "good.jsonl", "--driver", "sim", "--out", "good.jsonl/{}"],
        &["config", "explain", "{}"],
        &["config", "check", "--config", "settings{}.toml"],
        &["config", "show", "--config", "args.toml"],
        &["config", "check", "--set", "driver.cdp.{}={}"],
    ];
    for command in commands {
        let args: Vec<_> = command.iter().map(|arg| fill(arg)).collect();
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let output = desk.run(&args, &[]);
        assert!(!output.stdout.is_empty() || !output.stderr.is_empty(), "{command:?}");
        for shown in [output.stdout, output.stderr] {
            let shown = String::from_utf8(shown).expect("text");
            assert_eq!(printable(&shown), shown, "{command:?}");
        }
    }
}
