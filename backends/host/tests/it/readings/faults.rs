//! Files that are missing, disappear, or have any content: no panic, a report, and no reading that looks too safe.

use std::time::Duration;

use plimsoll_core::policy::Reading;
use plimsoll_core::time::Moment;
use plimsoll_core::units::Ratio;
use proptest::prelude::*;

use super::{Copy, blind, limits, memory, memory_of, pids_of};

/// Every file that some sensor reads on [`Copy::v2`].
const FILES: [&str; 17] = [
    "proc/meminfo",
    "proc/pressure/memory",
    "proc/pressure/cpu",
    "proc/vmstat",
    "proc/loadavg",
    "proc/sys/kernel/pid_max",
    "proc/sys/kernel/threads-max",
    "proc/self/limits",
    "proc/self/cgroup",
    "sys/fs/cgroup/app/memory.max",
    "sys/fs/cgroup/app/memory.high",
    "sys/fs/cgroup/app/memory.current",
    "sys/fs/cgroup/app/memory.stat",
    "sys/fs/cgroup/app/memory.events",
    "sys/fs/cgroup/app/memory.pressure",
    "sys/fs/cgroup/app/pids.max",
    "sys/fs/cgroup/app/pids.current",
];

/// The additional files on [`Copy::hybrid`].
const FILES_V1: [&str; 4] = [
    "sys/fs/cgroup/memory/pool/0123/memory.limit_in_bytes",
    "sys/fs/cgroup/memory/pool/0123/memory.usage_in_bytes",
    "sys/fs/cgroup/memory/pool/0123/memory.stat",
    "sys/fs/cgroup/memory/pool/0123/memory.oom_control",
];

const GARBAGE: [&str; 8] =
    ["", "\n", "-1\n", "NaN\n", "99999999999999999999\n", "1e9\n", "some avg10=NaN\n", "\0\0"];

#[test]
fn a_machine_without_files_sees_only_the_disk_and_says_why() {
    let (reading, blind) = Copy::empty().look();
    assert_eq!(Reading { disk: None, inodes: None, ..reading }, Reading::default());
    assert!(reading.disk.is_some());
    for sensor in [
        "cgroup memory limit",
        "cgroup pids limit",
        "user limits",
        "memory",
        "memory stalls",
        "CPU stalls",
        "OOM kills",
        "processes and threads",
    ] {
        let named = blind
            .iter()
            .any(|blind| blind.starts_with(&format!("{sensor}: ")) && blind.ends_with("is missing"));
        assert!(named, "{sensor}: {blind:?}");
    }
}

#[test]
fn garbage_in_what_a_reading_rests_on_is_never_silent() {
    // Each file alone, on a host without an alternative source.
    for path in [
        "proc/meminfo",
        "proc/pressure/memory",
        "proc/pressure/cpu",
        "proc/vmstat",
        "proc/loadavg",
        "proc/self/limits",
    ] {
        let (_, healthy) = Copy::host().look();
        for garbage in GARBAGE {
            let (_, blind) = Copy::host().with(path, garbage).look();
            assert!(blind.len() > healthy.len(), "{path} with {garbage:?}: {blind:?}");
            assert!(blind.iter().any(|blind| blind.contains(path)), "{path} with {garbage:?}: {blind:?}");
        }
    }
}

#[test]
fn an_unreadable_limit_is_named_and_the_one_known_before_stays() {
    for path in ["sys/fs/cgroup/app/memory.max", "sys/fs/cgroup/app/memory.high"] {
        for garbage in GARBAGE {
            let copy = Copy::v2();
            let mut machine = copy.machine();
            machine.read(Moment::ZERO);
            copy.write(path, garbage.as_bytes());
            let reading = machine.read(Moment::after(Duration::from_secs(10)));
            assert_eq!(memory_of(&reading), Some((memory(500, 2048), "cgroup v2 memory.current")));
            assert!(blind(&machine).iter().any(|blind| blind.contains(path)), "{path} with {garbage:?}");

            let (reading, blind) = copy.look();
            assert_eq!(memory_of(&reading), Some((memory(1024, 8192), "/proc/meminfo")), "nothing was known");
            assert!(blind.iter().any(|blind| blind.contains(path)), "{path} with {garbage:?}");
        }
    }
}

#[test]
fn out_of_descriptors_limits_are_not_forgotten() {
    let copy = Copy::v2();
    let mut machine = copy.machine();
    machine.read(Moment::ZERO);
    // A symlink loop replaces any refusal.
    for path in FILES.into_iter().filter(|path| path.contains("self") || path.ends_with("max")) {
        copy.loops(path);
    }
    let reading = machine.read(Moment::after(Duration::from_secs(10)));
    assert_eq!(memory_of(&reading).map(|(memory, _)| memory), Some(memory(500, 2048)));
    assert_eq!(pids_of(&reading).map(|(pids, _)| pids.limit), Some(1000));
    assert_eq!(reading.fds.map(|fds| fds.value.limit), Some(1024));
    assert!(!blind(&machine).is_empty());
}

#[test]
fn use_that_cannot_be_read_is_taken_to_be_the_machines() {
    for garbage in GARBAGE {
        let (reading, blind) = Copy::v2().with("sys/fs/cgroup/app/memory.current", garbage).look();
        let expected = (memory(1024, 2048), "/proc/meminfo against the cgroup's limit");
        assert_eq!(memory_of(&reading), Some(expected), "{garbage:?}");
        assert!(blind.iter().any(|blind| blind.starts_with("memory: ")), "{blind:?}");
    }
    let unseen = Copy::v2().without("sys/fs/cgroup/app/memory.current").without("proc/meminfo");
    assert_eq!(memory_of(&unseen.look().0), None);
}

#[test]
fn without_a_believable_cache_all_use_counts() {
    for stat in
        ["", "inactive_file -5\n", "inactive_file 99999999999999999999\n", "inactive_file 629145601\n"]
    {
        let (reading, _) = Copy::v2().with("sys/fs/cgroup/app/memory.stat", stat).look();
        let expected = (memory(600, 2048), "cgroup v2 memory.current with file cache");
        assert_eq!(memory_of(&reading), Some(expected), "{stat:?}");
    }
}

#[test]
fn a_limit_of_nothing_is_full() {
    let copy =
        Copy::v2().with("sys/fs/cgroup/app/memory.max", "0\n").with("sys/fs/cgroup/app/pids.max", "0\n");
    let copy = copy.with("proc/self/limits", &limits("0", "0"));
    let reading = copy.look().0;
    assert_eq!(reading.memory.expect("seen").value.share(), Ratio::ONE);
    assert_eq!(reading.pids.expect("seen").value.share(), Ratio::ONE);
    assert!(reading.fds.expect("seen").value.share() >= Ratio::ONE);
}

#[test]
fn more_available_than_there_is_is_not_believed() {
    let copy = Copy::host().with("proc/meminfo", "MemTotal: 1024 kB\nMemAvailable: 2048 kB\n");
    assert_eq!(memory_of(&copy.look().0), None);
    let copy = Copy::host().with("proc/meminfo", "MemTotal: 0 kB\nMemAvailable: 0 kB\n");
    assert_eq!(memory_of(&copy.look().0), None);
}

#[test]
fn what_is_no_file_any_more_is_survived() {
    for path in FILES.into_iter().filter(|path| !path.ends_with("memory.pressure")) {
        for spoil in [Copy::remove, Copy::loops, Copy::becomes_directory] {
            let copy = Copy::v2();
            let mut machine = copy.machine();
            machine.read(Moment::ZERO);
            spoil(&copy, path);
            for seconds in [1, 11] {
                let reading = machine.read(Moment::after(Duration::from_secs(seconds)));
                assert!(reading.memory.is_some(), "cgroup and machine do not depend on one file: {path}");
                check(&reading);
            }
            check(&copy.look().0);
        }
    }
}

/// A reading is bounded: nothing is beyond its limit, and a limit of memory is never zero, which would mean no limit.
fn check(reading: &Reading) {
    if let Some(memory) = reading.memory {
        assert!(memory.value.limit.0 > 0 && memory.value.used <= memory.value.limit, "{memory:?}");
    }
    if let Some(pids) = reading.pids {
        assert!(pids.value.limit > 0 && pids.value.used <= pids.value.limit, "{pids:?}");
    }
    for stall in [reading.memory_stall, reading.cpu_stall].into_iter().flatten() {
        assert!(stall.value.some10 <= Ratio::ONE && stall.value.full10 <= Ratio::ONE, "{stall:?}");
    }
    if let Some(disk) = reading.disk {
        assert!(disk.value.free <= disk.value.total, "{disk:?}");
    }
}

/// Bytes that are likely to get far into a parser: expected words among numbers and noise.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        any::<u64>().prop_map(|number| number.to_string().into_bytes()),
        "[0-9]{17,22}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..6),
        prop::sample::select(vec![
            "max",
            "-1",
            "0",
            "NaN",
            "inf",
            "\n",
            " ",
            ":",
            "/",
            "..",
            "kB",
            "some avg10=",
            "full avg10=",
            "MemTotal:",
            "MemAvailable:",
            "inactive_file",
            "total_inactive_file",
            "oom_kill",
            "0::/",
            "4:memory:/",
            "Max open files ",
            "Max processes ",
            "unlimited",
        ])
        .prop_map(|word| word.as_bytes().to_vec()),
    ];
    let separator = prop::sample::select(vec![&b" "[..], b"\n", b""]);
    proptest::collection::vec((word, separator), 0..24).prop_map(|parts| {
        parts.into_iter().flat_map(|(word, separator)| [word, separator.to_vec()].concat()).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_any_files_hold_readings_stay_bounded(
        spoiled in proptest::collection::btree_map(prop::sample::select(FILES.to_vec()), bytes(), 1..6),
        spoiled_v1 in proptest::collection::btree_map(prop::sample::select(FILES_V1.to_vec()), bytes(), 0..4),
    ) {
        for copy in [Copy::v2(), Copy::hybrid()] {
            let mut machine = copy.machine();
            check(&machine.read(Moment::ZERO));
            for (path, bytes) in spoiled.iter().chain(&spoiled_v1) {
                copy.write(path, bytes);
            }
            check(&machine.read(Moment::after(Duration::from_secs(1))));
            check(&machine.read(Moment::after(Duration::from_secs(11))));
            prop_assert!(!machine.memory_pressure_files().is_empty());
        }
    }
}
