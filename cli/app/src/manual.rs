//! `plimsoll completions` and `plimsoll man`: generated from the same definitions as the command line.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Cli;
use crate::failure::{Exit, Failure};

/// Prints the script with which `shell` completes this program's commands and options.
///
/// # Errors
/// When standard output is closed.
pub fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "plimsoll", &mut script);
    print(&script)
}

/// Prints the manual page, or writes a page for each command into `dir`.
///
/// # Errors
/// When standard output is closed, or the directory cannot be written to.
pub fn man(dir: Option<&Path>) -> Result<Exit, Failure> {
    let Some(dir) = dir else {
        let mut page = Vec::new();
        Man::new(Cli::command()).render(&mut page).map_err(Failure::bug)?;
        return print(&page);
    };
    pages(dir).map_err(|(path, error)| {
        Failure::environment(format!(
            "cannot write {}: {error}; name a directory that you may write to",
            path.display()
        ))
    })?;
    Ok(Exit::Success)
}

fn pages(dir: &Path) -> Result<(), (PathBuf, io::Error)> {
    std::fs::create_dir_all(dir).map_err(|error| (dir.to_owned(), error))?;
    clap_mangen::generate_to(Cli::command(), dir).map_err(|error| (dir.to_owned(), error))
}

fn print(text: &[u8]) -> Result<Exit, Failure> {
    io::stdout().write_all(text).map_err(Failure::environment)?;
    Ok(Exit::Success)
}
