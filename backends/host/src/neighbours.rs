//! Other people on this machine.
//!
//! A port on loopback is open to every user of the machine. A program that listens on one without asking for a password is
//! safe only where nobody else is: where no process belongs to the account of another person.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use crate::identity::Identity;

/// The accounts of people, by the usual rule (`UID_MIN` and `UID_MAX` of login.defs). Accounts of the system and of
/// services are below them, `nobody` and accounts that are made for one service above them.
const PEOPLE: RangeInclusive<u32> = 1_000..=60_000;

/// The account of another person who has a process on this machine; `None` when there is nobody, or `/proc` shows
/// nobody. Ours are the accounts of this process, of its browsers, and of the person who started it with `sudo`.
#[must_use]
pub fn other_person(browsers: &Identity) -> Option<u32> {
    let us = [rustix::process::getuid(), rustix::process::geteuid()].map(rustix::process::Uid::as_raw);
    let theirs = match browsers {
        Identity::Current => None,
        Identity::User { uid, .. } => Some(*uid),
    };
    let sudo = std::env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok()).filter(|_| us.contains(&0));
    let ours: Vec<u32> = us.into_iter().chain(theirs).chain(sudo).collect();
    person_in(Path::new("/proc"), &ours)
}

fn person_in(proc: &Path, ours: &[u32]) -> Option<u32> {
    let entries = fs::read_dir(proc).into_iter().flatten().flatten();
    let is_process = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let processes = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_process));
    // A process may end meanwhile.
    let users =
        processes.filter_map(|process| user(&fs::read_to_string(process.path().join("status")).ok()?));
    users.filter(|user| PEOPLE.contains(user) && !ours.contains(user)).min()
}

/// The real user of a process, from its `status`: the directory itself belongs to root when the process hides its memory.
fn user(status: &str) -> Option<u32> {
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    users.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_account_of_another_person_counts() {
        let person = |users: &[u32], ours: &[u32]| {
            let proc = tempfile::tempdir().expect("a place for tests");
            for (pid, user) in users.iter().enumerate() {
                let process = proc.path().join((pid + 1).to_string());
                fs::create_dir(&process).expect("room");
                let status = format!("Name:\tUid: 7\nPid:\t1\nUid:\t{user}\t0\t0\t0\nGid:\t5\n");
                fs::write(process.join("status"), status).expect("room");
            }
            fs::create_dir_all(proc.path().join("sys")).expect("room");
            fs::create_dir_all(proc.path().join("9999")).expect("a process that ended");
            person_in(proc.path(), ours)
        };
        // A container, a machine for one, a server with its services.
        assert_eq!(person(&[0], &[0, 65_534]), None);
        assert_eq!(person(&[0, 1_000, 1_000], &[1_000]), None);
        assert_eq!(person(&[0, 101, 999, 61_200, 65_534], &[0, 65_534]), None);
        assert_eq!(person(&[0, 1_000, 1_001], &[1_000]), Some(1_001));
        assert_eq!(person(&[0, 1_001], &[0, 65_534]), Some(1_001));
        assert_eq!(person_in(Path::new("/nonexistent"), &[0]), None);
    }
}
