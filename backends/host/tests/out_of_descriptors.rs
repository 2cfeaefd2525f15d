//! The sensors when the process has no descriptor left. A program of its own: the whole process is affected.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use plimsoll_core::time::Moment;
use plimsoll_core::units::Ratio;
use plimsoll_host::readings::Machine;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[test]
fn a_process_without_descriptors_shows_them_as_full_and_the_rest_as_blind() {
    let limit = Rlimit { current: Some(64), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).expect("lower than before");
    let mut machine = Machine::new(Path::new("/"), &std::env::temp_dir());
    let before = machine.read(Moment::ZERO);
    assert!(before.memory.is_some() && before.fds.is_some(), "{:?}", machine.blind());

    let hoard: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    // Late enough for the limits to be read again, which fails.
    let starved = machine.read(Moment::after(Duration::from_secs(11)));
    assert_eq!(starved.fds.expect("known to be full").value.share(), Ratio::ONE);
    assert!(starved.memory.is_none() && starved.disk.is_some());
    let reasons: Vec<String> = machine.blind().iter().map(|blind| blind.cause.to_string()).collect();
    assert!(
        reasons.contains(&"cannot read /proc/meminfo: Too many open files (os error 24)".to_owned()),
        "{reasons:?}"
    );

    drop(hoard);
    let after = machine.read(Moment::after(Duration::from_secs(12)));
    assert_eq!(after.memory.map(|memory| memory.value.limit), before.memory.map(|memory| memory.value.limit));
    assert!(after.fds.expect("seen").value.share() < Ratio::ONE);
}
