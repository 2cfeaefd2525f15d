//! Libraries that are refused, each with one sentence that gives the reason.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use plimsoll_loader::{Isolation, LoadError};
use serde_json::json;
use tempfile::TempDir;

use crate::rig::{BOTH, loader, rogue};

/// A directory of this user with a copy of the rogue library.
fn copy() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let library = dir.path().join("librogue.so");
    fs::copy(rogue(), &library).expect("copied");
    mode(&library, 0o644);
    (dir, library)
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
}

/// A copy in which every `from` was replaced.
fn patched(from: &[u8], to: &[u8]) -> (TempDir, PathBuf) {
    let (dir, library) = copy();
    let mut bytes = fs::read(&library).expect("readable");
    let places: Vec<_> = (0..bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "the library has what is to be replaced");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    fs::write(&library, bytes).expect("writable");
    (dir, library)
}

async fn refused(path: &Path, says: &str) {
    for isolation in BOTH {
        let refusal = loader().load(path, isolation, json!({})).await.err();
        let refusal = refusal.unwrap_or_else(|| panic!("{says}: loaded"));
        let text = refusal.to_string();
        assert!(text.contains(says) && !text.contains('\n'), "{isolation:?}: {text}");
    }
}

#[tokio::test]
async fn a_copy_in_a_sound_place_loads() {
    let (_dir, library) = copy();
    for isolation in BOTH {
        loader().load(&library, isolation, json!({})).await.expect("loads");
    }
}

#[tokio::test]
async fn what_is_no_driver_library_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    refused(&dir.path().join("libnone.so"), "No such file").await;
    refused(dir.path(), "is no file").await;
    let text = dir.path().join("libtext.so");
    fs::write(&text, "not a library, but long enough to be read").expect("writable");
    refused(&text, "not a shared library").await;
    fs::write(&text, "").expect("writable");
    refused(&text, "not a shared library").await;
    let (_dir, cut) = copy();
    let bytes = fs::read(&cut).expect("readable");
    for length in [60, 100, 4096] {
        fs::write(&cut, &bytes[..length]).expect("writable");
        refused(&cut, if length < 64 { "the dynamic linker refuses" } else { "its end is missing" }).await;
    }
}

#[tokio::test]
async fn another_architecture_is_refused_by_name() {
    let (_dir, library) = copy();
    let mut bytes = fs::read(&library).expect("readable");
    bytes[18..20].copy_from_slice(&243_u16.to_le_bytes());
    fs::write(&library, &bytes).expect("writable");
    refused(&library, "built for riscv64").await;
    bytes[16..18].copy_from_slice(&1_u16.to_le_bytes());
    bytes[18..20].copy_from_slice(&fs::read(rogue()).expect("readable")[18..20]);
    fs::write(&library, &bytes).expect("writable");
    refused(&library, "build the crate as a `cdylib`").await;
}

#[tokio::test]
async fn another_version_of_the_interface_is_refused() {
    // The magic, the size, then the major version.
    let mut head = b"PLIMSOLL".to_vec();
    let size = u32::try_from(size_of::<plimsoll_plugin_abi::Declaration>()).expect("small");
    head.extend(size.to_le_bytes());
    let other = [head.as_slice(), &7_u16.to_le_bytes()].concat();
    let (_dir, library) = patched(&head, &other);
    refused(&library, "was built for version 7.1 of the plugin interface, this plimsoll has 1.1").await;
}

#[tokio::test]
async fn a_library_without_the_symbol_is_refused() {
    let (_dir, library) = patched(b"PLIMSOLL_PLUGIN\0", b"PLIMSOLL_NOTHING");
    refused(&library, "is no driver library").await;
}

#[tokio::test]
async fn a_library_that_others_can_change_is_refused() {
    let (dir, library) = copy();
    mode(&library, 0o666);
    refused(&library, "can be changed by everybody (mode 0666); run `chmod o-w").await;
    mode(&library, 0o644);
    let below = dir.path().join("below");
    fs::create_dir(&below).expect("ours");
    let deep = below.join("librogue.so");
    fs::copy(&library, &deep).expect("copied");
    mode(&below, 0o755);
    mode(dir.path(), 0o777);
    refused(&deep, "can be changed by everybody").await;
    mode(dir.path(), 0o1777);
    loader().load(&deep, Isolation::InProcess, json!({})).await.expect("sticky, and ours beneath");
    // Both the path to a link and the path to its target are checked.
    let link = below.join("liblink.so");
    symlink(&library, &link).expect("ours");
    loader().load(&link, Isolation::InProcess, json!({})).await.expect("both are sound");
    mode(&below, 0o777);
    refused(&link, "can be changed by everybody").await;
}

#[tokio::test]
async fn a_library_of_somebody_else_is_refused() {
    let (dir, library) = copy();
    // Only root can change a file's owner; for other users the unit test of the rule must do.
    if chown(&library, Some(12345), None).is_err() {
        return;
    }
    refused(&library, "belongs to user 12345").await;
    chown(&library, Some(0), Some(50)).expect("back");
    mode(&library, 0o664);
    refused(&library, "can be changed by a group (mode 0664)").await;
    mode(&library, 0o644);
    chown(dir.path(), Some(12345), None).expect("as before");
    refused(&library, "belongs to user 12345").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_library_that_is_replaced_while_it_loads_is_the_checked_one_or_refused() {
    let (dir, library) = copy();
    let text = dir.path().join("other");
    let swapping = std::thread::spawn({
        let library = library.clone();
        move || {
            for _ in 0..30 {
                fs::write(&text, "not what was checked").expect("writable");
                fs::rename(&text, &library).expect("swapped");
                let fresh = text.with_extension("fresh");
                fs::copy(rogue(), &fresh).expect("copied");
                fs::rename(&fresh, &library).expect("swapped back");
            }
        }
    });
    let mut verdicts = [0, 0];
    while !swapping.is_finished() {
        match loader().load(&library, Isolation::InProcess, json!({})).await {
            Ok(_) => verdicts[0] += 1,
            Err(LoadError::Swapped(_) | LoadError::NotOurs { .. } | LoadError::Unreadable { .. }) => {
                verdicts[1] += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    swapping.join().expect("swaps");
    assert!(verdicts.iter().sum::<i32>() > 0, "{verdicts:?}");
}
