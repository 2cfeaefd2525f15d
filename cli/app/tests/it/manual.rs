//! Completions and manual pages, generated from the command line's own definitions.

use std::fs;

use clap::CommandFactory;
use plimsoll_cli::args::Cli;

use crate::desk::Desk;

/// The commands that people see.
fn commands() -> Vec<String> {
    let all = Cli::command();
    let seen = all.get_subcommands().filter(|command| !command.is_hide_set());
    seen.map(|command| command.get_name().to_owned()).collect()
}

#[test]
fn every_shell_can_complete_every_command() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = desk.run(&["completions", shell], &[]);
        let script = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{shell}");
        for command in commands() {
            assert!(script.contains(&command), "{shell} does not know {command}");
        }
    }
}

#[test]
fn every_command_has_a_page() {
    let desk = Desk::new();
    assert!(desk.run(&["man", "pages"], &[]).status.success());
    for command in commands() {
        let page = desk.path(&format!("pages/plimsoll-{command}.1"));
        let text = fs::read_to_string(&page).unwrap_or_else(|why| panic!("{}: {why}", page.display()));
        assert!(text.contains(".SH SYNOPSIS"), "{}", page.display());
    }
    assert!(String::from_utf8_lossy(&desk.run(&["man"], &[]).stdout).contains(".SH SUBCOMMANDS"));
}

#[test]
fn a_place_that_no_page_can_be_written_to_is_told() {
    let desk = Desk::new();
    desk.write("file", "precious");
    let output = desk.run(&["man", "file"], &[]);
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("cannot write file") && stderr.contains("name a directory"), "{stderr}");
    assert_eq!(fs::read_to_string(desk.path("file")).expect("it is still there"), "precious");
}

#[test]
fn what_a_run_takes_is_in_help_page_and_completions() {
    let desk = Desk::new();
    assert!(desk.run(&["man", "pages"], &[]).status.success());
    let page = fs::read_to_string(desk.path("pages/plimsoll-run.1")).expect("a page").replace('\\', "");
    let help = String::from_utf8_lossy(&desk.run(&["run", "--help"], &[]).stdout).into_owned();
    let script = String::from_utf8_lossy(&desk.run(&["completions", "bash"], &[]).stdout).into_owned();
    for option in ["--screenshot", "--pdf", "--extract", "--rows", "--out"] {
        for (name, text) in [("page", &page), ("help", &help), ("script", &script)] {
            assert!(text.contains(option), "{name} lacks {option}");
        }
    }
    assert!(help.contains("plimsoll run [OPTIONS] <JOBS>..."), "{help}");
}
