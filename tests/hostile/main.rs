//! `hostile PLIMSOLL [WORD...]`: runs the program PLIMSOLL under every attack, on every driver with real browsers.
//!
//! Words choose drivers by their names and attacks by a part of `kind/name`. Each attack has a line in the table on stdout,
//! with the deviations below it. The exit code is 1 when there is a deviation, and 3 when an attack could not be run.
#![expect(clippy::print_stdout, reason = "the table is the result of this command-line program")]
#![expect(clippy::print_stderr, reason = "a command-line program for people")]

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use plimsoll_kit::hostile::{self, Ended, TARGETS, Target};
use plimsoll_kit::nasty_site::attacks::Attack;

/// A deviation from what is promised.
const DEVIATION: u8 = 1;
/// The program was called in a wrong way.
const USAGE: u8 = 2;
/// The machine lacks what an attack needs.
const LACKING: u8 = 3;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((plimsoll, words)) = words.split_first() else {
        eprintln!("hostile: name the program: hostile PLIMSOLL [WORD...]");
        return ExitCode::from(USAGE);
    };
    let (targets, attacks) = chosen(words);
    if targets.is_empty() || attacks.is_empty() {
        eprintln!("hostile: no driver, or no attack, is named like that");
        return ExitCode::from(USAGE);
    }
    match run(Path::new(plimsoll), &targets, &attacks) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(DEVIATION),
        Err(error) => {
            eprintln!("hostile: {error}");
            ExitCode::from(LACKING)
        }
    }
}

/// The drivers and attacks that `words` choose: all when none is named.
fn chosen(words: &[String]) -> (Vec<Target>, Vec<Attack>) {
    let names = |word: &&String| TARGETS.iter().any(|target| target.name == *word);
    let (drivers, parts): (Vec<_>, Vec<_>) = words.iter().partition(names);
    let lacking = std::env::var("PLIMSOLL_TESTS_WITHOUT").unwrap_or_default();
    let wanted = |target: &Target| {
        let asked = drivers.is_empty() || drivers.iter().any(|word| *word == target.name);
        asked && !lacking.split(',').any(|name| name == target.name)
    };
    let named = |attack: &Attack| {
        let name = format!("{}/{}", attack.kind, attack.name);
        parts.is_empty() || parts.iter().any(|part| name.contains(part.as_str()))
    };
    (TARGETS.into_iter().filter(wanted).collect(), Attack::all().into_iter().filter(named).collect())
}

/// Runs `attacks` on `targets`, prints the table, and returns the number of attacks with deviations.
fn run(plimsoll: &Path, targets: &[Target], attacks: &[Attack]) -> io::Result<usize> {
    let plimsoll = fs::canonicalize(plimsoll)?;
    let (mut deviating, mut peak_kib) = (0, 0);
    for target in targets {
        for attack in attacks {
            let ended = run_one(&plimsoll, *target, attack)?;
            println!("{:<13} {:<46} {ended}", target.name, format!("{}/{}", attack.kind, attack.name));
            peak_kib = ended.peak_kib.max(peak_kib);
            deviating += usize::from(!ended.deviations.is_empty());
        }
    }
    let count = targets.len() * attacks.len();
    println!("{count} attacks, {deviating} with deviations, peak memory {} MiB", peak_kib >> 10);
    Ok(deviating)
}

/// Runs one attack in a directory of its own.
fn run_one(plimsoll: &Path, target: Target, attack: &Attack) -> io::Result<Ended> {
    let dir = Scratch::new()?;
    hostile::run(plimsoll, &dir.0, target, attack)
}

/// A directory that is removed when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let dir = std::env::temp_dir().join(format!("plimsoll-hostile-{}", std::process::id()));
        fs::create_dir(&dir)?;
        let dir = Self(dir);
        // As root, browsers run as another user, who needs access to the profile.
        fs::set_permissions(&dir.0, fs::Permissions::from_mode(0o711))?;
        Ok(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("hostile: cannot remove {}: {error}", self.0.display());
        }
    }
}
