//! The readings of each kind of machine.

use std::time::Duration;

use plimsoll_core::policy::Tally;
use plimsoll_core::time::Moment;
use plimsoll_core::units::Ratio;

use super::{Copy, blind, limits, memory, memory_of, pids_of};

#[test]
fn a_host_without_cgroups_is_its_own_bound_and_says_that_it_sees_no_cgroup() {
    let (reading, blind) = Copy::host().look();
    assert_eq!(memory_of(&reading), Some((memory(1024, 8192), "/proc/meminfo")));
    assert_eq!(
        pids_of(&reading),
        Some((Tally { used: 400, limit: 32768 }, "/proc/loadavg against the machine's limit"))
    );
    let stall = reading.memory_stall.expect("seen").value;
    assert_eq!((stall.some10, stall.full10), (Ratio::new(0.015), Ratio::new(0.005)));
    assert_eq!(reading.cpu_stall.expect("seen").value.some10, Ratio::new(0.65));
    assert_eq!(
        reading.oom_kills.map(|kills| (kills.value, kills.source)),
        Some((4, "/proc/vmstat oom_kill"))
    );
    assert_eq!(reading.fds.expect("seen").value, Tally { used: 3, limit: 1024 });
    assert!(reading.disk.expect("seen").value.total.0 > 0, "of the directory above the profile root to be");
    assert_eq!(blind.len(), 2, "the cgroup limits of memory and pids: {blind:?}");
    assert!(blind.iter().all(|blind| blind.ends_with("proc/self/cgroup is missing")), "{blind:?}");
}

#[test]
fn version_2_reads_its_cgroup_without_the_cache() {
    let (reading, blind) = Copy::v2().look();
    assert_eq!(memory_of(&reading), Some((memory(500, 2048), "cgroup v2 memory.current")));
    assert_eq!(pids_of(&reading), Some((Tally { used: 120, limit: 1000 }, "cgroup v2 pids.current")));
    assert_eq!(
        reading.oom_kills.map(|kills| (kills.value, kills.source)),
        Some((2, "cgroup v2 memory.events"))
    );
    assert_eq!(blind, [""; 0]);
}

#[test]
fn version_1_beside_version_2_reads_version_1() {
    let (reading, blind) = Copy::hybrid().look();
    assert_eq!(memory_of(&reading), Some((memory(384, 1024), "cgroup v1 memory.usage_in_bytes")));
    assert_eq!(
        reading.oom_kills.map(|kills| (kills.value, kills.source)),
        Some((6, "cgroup v1 memory.oom_control"))
    );
    assert_eq!(
        pids_of(&reading).map(|(_, source)| source),
        Some("/proc/loadavg against the machine's limit"),
        "the root of version 1 has no pids.max"
    );
    assert_eq!(blind, [""; 0]);
}

#[test]
fn version_1_in_a_container_finds_its_cgroup_at_the_mount() {
    let copy = Copy::hybrid()
        .with("proc/self/cgroup", "4:memory:/docker/0123456789\n")
        .with("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n")
        .with("sys/fs/cgroup/memory/memory.usage_in_bytes", "209715200\n")
        .with("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 104857600\n");
    assert_eq!(memory_of(&copy.look().0), Some((memory(100, 1024), "cgroup v1 memory.usage_in_bytes")));
}

#[test]
fn without_limits_the_machine_is_the_bound() {
    let endless = "9223372036854771712\n";
    let v2 =
        Copy::v2().with("sys/fs/cgroup/app/memory.max", "max\n").with("sys/fs/cgroup/app/pids.max", "max\n");
    let v1 = Copy::hybrid().with("sys/fs/cgroup/memory/pool/0123/memory.limit_in_bytes", endless);
    for copy in [v2, v1] {
        let (reading, blind) = copy.look();
        assert_eq!(memory_of(&reading), Some((memory(1024, 8192), "/proc/meminfo")));
        assert_eq!(pids_of(&reading).map(|(pids, _)| pids.limit), Some(32768));
        assert_eq!(blind, [""; 0]);
    }
}

#[test]
fn the_soft_limit_counts_like_the_hard_one() {
    let copy = Copy::v2().with("sys/fs/cgroup/app/memory.high", "1073741824\n");
    assert_eq!(memory_of(&copy.look().0).map(|(memory, _)| memory), Some(memory(500, 1024)));
}

#[test]
fn an_ancestor_that_neighbours_have_filled_is_the_bound() {
    let nested = || {
        Copy::v2()
            .with("proc/self/cgroup", "0::/slice/service/app\n")
            .group("slice/service", "app", "2147483648")
            .group("slice", "service", "max")
            .group("", "slice", "4294967296")
    };
    let calm = nested().look().0;
    assert_eq!(
        memory_of(&calm).map(|(memory, _)| memory),
        Some(memory(500, 2048)),
        "its own limit is smaller"
    );
    // Other processes take 3.7 of the ancestor's 4 GiB: less is left there than in the cgroup itself.
    let crowded = nested().with("sys/fs/cgroup/slice/memory.current", "4089446400\n").look().0;
    assert_eq!(memory_of(&crowded).map(|(memory, _)| memory), Some(memory(3800, 4096)));
}

#[test]
fn a_full_machine_outweighs_a_roomy_cgroup() {
    let copy = Copy::v2().with("proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 524288 kB\n");
    assert_eq!(memory_of(&copy.look().0), Some((memory(7680, 8192), "/proc/meminfo")));
}

#[test]
fn the_worse_stall_of_cgroup_and_machine_counts() {
    let bad = "some avg10=40.00 avg60=0 avg300=0 total=1\nfull avg10=12.00 avg60=0 avg300=0 total=1\n";
    let source = |copy: Copy| copy.look().0.memory_stall.map(|stall| (stall.value.full10, stall.source));
    let own = Copy::v2().with("sys/fs/cgroup/app/memory.pressure", bad);
    assert_eq!(source(own), Some((Ratio::new(0.12), "cgroup v2 memory.pressure")));
    let machine =
        Copy::v2().with("sys/fs/cgroup/app/memory.pressure", super::CALM).with("proc/pressure/memory", bad);
    assert_eq!(source(machine), Some((Ratio::new(0.12), "/proc/pressure/memory")));
}

#[test]
fn the_users_limit_of_processes_counts() {
    let copy = Copy::host().with("proc/self/limits", &limits("unlimited", "500"));
    let (reading, _) = copy.look();
    assert_eq!(
        pids_of(&reading),
        Some((Tally { used: 400, limit: 500 }, "/proc/loadavg against RLIMIT_NPROC"))
    );
    assert_eq!(reading.fds.expect("seen").value, Tally { used: 3, limit: 0 }, "no limit");
}

#[test]
fn limits_are_read_again_after_ten_seconds_and_use_every_time() {
    let copy = Copy::v2();
    let mut machine = copy.machine();
    let mut at = |seconds: u64| {
        let reading = machine.read(Moment::after(Duration::from_secs(seconds)));
        assert_eq!(reading.memory.expect("seen").at, Moment::after(Duration::from_secs(seconds)));
        memory_of(&reading).expect("seen").0
    };
    assert_eq!(at(0), memory(500, 2048));
    copy.write("sys/fs/cgroup/app/memory.max", b"1073741824\n");
    copy.write("sys/fs/cgroup/app/memory.current", b"734003200\n");
    assert_eq!(at(9), memory(600, 2048));
    assert_eq!(at(10), memory(600, 1024));
}

#[test]
fn a_process_that_is_moved_is_followed() {
    let copy = Copy::v2().group("", "other", "1073741824");
    let mut machine = copy.machine();
    machine.read(Moment::ZERO);
    copy.write("proc/self/cgroup", b"0::/other\n");
    copy.remove("sys/fs/cgroup/app");
    let reading = machine.read(Moment::after(Duration::from_secs(1)));
    assert_eq!(
        memory_of(&reading),
        Some((memory(1024, 2048), "/proc/meminfo against the cgroup's limit")),
        "the limit is still believed, its use is taken to be the machine's"
    );
    assert!(blind(&machine).iter().any(|blind| blind.ends_with("app/memory.current is missing")));
    let reading = machine.read(Moment::after(Duration::from_secs(10)));
    assert_eq!(memory_of(&reading), Some((memory(500, 1024), "cgroup v2 memory.current")));
    assert_eq!(blind(&machine), [""; 0]);
}

#[test]
fn our_own_cpu_time_counts_both_modes() {
    let stat = "7 (plimsoll) S 1 7 7 0 -1 0 1 2 3 4 30 12 7 8 20 0 3 0 4242 9 9";
    let copy = Copy::host().with("proc/self/stat", stat);
    let ticks = rustix::param::clock_ticks_per_second();
    assert_eq!(copy.machine().supervisor_cpu(), Some(Duration::from_millis(42 * 1000 / ticks)));
    assert_eq!(Copy::host().machine().supervisor_cpu(), None);
}
