//! The rotating sweep over the processes of the browsers' trees.

use std::collections::BTreeSet;
use std::time::Duration;

use plimsoll_core::time::Moment;
use plimsoll_core::units::{Bytes, Ratio};
use plimsoll_host::readings::{Blindness, Member, PssSweep, PssTotal, tree_pids};

use super::Copy;

fn at(seconds: u64) -> Moment {
    Moment::after(Duration::from_secs(seconds))
}

/// A process of a group with the start time `born`, with `pss` MiB.
fn process(copy: &Copy, pid: i32, group: i32, born: u64, pss: u64) {
    stat(copy, pid, 'S', group, group, born);
    copy.write(&format!("proc/{pid}/smaps_rollup"), rollup(pss).as_bytes());
}

fn stat(copy: &Copy, pid: i32, state: char, group: i32, session: i32, born: u64) {
    let line = format!(
        "{pid} (chrome) x) {state} 1 {group} {session} 0 -1 0 1 2 3 4 30 12 7 8 20 0 3 0 {born} 9 9\n"
    );
    copy.write(&format!("proc/{pid}/stat"), line.as_bytes());
}

fn rollup(pss: u64) -> String {
    format!("1-2 ---p 0 00:00 0 [rollup]\nRss: 9 kB\nPss: {} kB\nPss_Dirty: 1 kB\n", pss * 1024)
}

fn step(sweep: &mut PssSweep, copy: &Copy, now: Moment, trees: &[i32]) -> Result<Option<i32>, Blindness> {
    let trees: BTreeSet<i32> = trees.iter().copied().collect();
    sweep.step(now, || tree_pids(copy.dir.path(), &trees))
}

#[test]
fn members_are_found_by_group_and_session_and_zombies_are_not() {
    let copy = Copy::empty();
    process(&copy, 10, 10, 100, 1);
    stat(&copy, 11, 'S', 11, 10, 101);
    stat(&copy, 12, 'Z', 10, 10, 102);
    stat(&copy, 13, 'S', 13, 13, 103);
    copy.write("proc/14/stat", b"14 (half");
    copy.write("proc/meminfo", b"");
    let mut members = tree_pids(copy.dir.path(), &BTreeSet::from([10, 99])).expect("listed");
    members.sort_by_key(|member| member.pid);
    assert_eq!(members, [Member { pid: 10, born: 100, tree: 10 }, Member { pid: 11, born: 101, tree: 10 }]);
}

#[test]
fn each_step_reads_the_one_whose_value_is_oldest() {
    let copy = Copy::empty();
    for pid in [10, 11, 12] {
        process(&copy, pid, 10 + pid % 2, 100, u64::try_from(pid).expect("positive"));
    }
    let mut sweep = PssSweep::new(copy.dir.path());
    assert_eq!(sweep.total(at(0)), PssTotal::default());
    let read: Vec<_> = (0..5).map(|second| step(&mut sweep, &copy, at(second), &[10, 11])).collect();
    assert_eq!(read, [10, 11, 12, 10, 11].map(|pid| Ok(Some(pid))));
    let total = sweep.total(at(5));
    assert_eq!(
        total,
        PssTotal {
            pss: Bytes::mib(33),
            processes: 3,
            exact: 3,
            estimated: 0,
            oldest: Some(Duration::from_secs(3))
        }
    );
    assert_eq!(sweep.of_tree(11, at(5)).pss, Bytes::mib(11));
    assert_eq!(sweep.of_tree(10, at(5)).pss, Bytes::mib(22));
}

#[test]
fn coverage_tells_how_much_has_been_seen() {
    let copy = Copy::empty();
    (10..14).for_each(|pid| process(&copy, pid, 10, 100, 1));
    let mut sweep = PssSweep::new(copy.dir.path());
    let coverage: Vec<Ratio> = (0..4)
        .map(|_| {
            step(&mut sweep, &copy, at(0), &[10]).expect("listed");
            sweep.total(at(0)).coverage()
        })
        .collect();
    assert_eq!(coverage, [25, 50, 75, 100].map(Ratio::percent));
}

#[test]
fn a_process_that_has_gone_takes_its_value_along() {
    let copy = Copy::empty();
    (10..13).for_each(|pid| process(&copy, pid, 10, 100, 8));
    let mut sweep = PssSweep::new(copy.dir.path());
    (0..3).for_each(|_| drop(step(&mut sweep, &copy, at(0), &[10])));
    // One ends, and an unrelated process reuses another's number: both are detected at their next read.
    copy.remove("proc/10");
    process(&copy, 11, 10, 900, 500);
    (1..3).for_each(|second| drop(step(&mut sweep, &copy, at(second), &[10])));
    assert_eq!(sweep.total(at(2)).pss, Bytes::mib(8));
    assert_eq!(sweep.total(at(2)).processes, 1);
    // The next list contains the unrelated process as a new process.
    step(&mut sweep, &copy, at(5), &[10]).expect("listed");
    assert_eq!((sweep.total(at(5)).processes, sweep.total(at(5)).pss), (2, Bytes::mib(508)));
    assert_eq!(step(&mut sweep, &copy, at(10), &[]), Ok(None), "no tree is left");
    assert_eq!(sweep.total(at(10)), PssTotal::default());
}

#[test]
fn a_closed_rollup_gives_way_to_statm_and_the_total_says_so() {
    let copy = Copy::empty();
    process(&copy, 10, 10, 100, 8);
    // A symlink loop replaces EACCES, which root never gets.
    copy.loops("proc/10/smaps_rollup");
    copy.write("proc/10/statm", b"9000 700 200 1 0 300 0\n");
    let mut sweep = PssSweep::new(copy.dir.path());
    assert_eq!(step(&mut sweep, &copy, at(0), &[10]), Ok(Some(10)));
    let total = sweep.total(at(0));
    assert_eq!((total.exact, total.estimated), (0, 1));
    assert_eq!(total.pss, Bytes(500 * rustix::param::page_size() as u64));
    for garbage in
        ["", "1 2", "9000 200 700", "9000 -1 2", "1 99999999999999999999 1", "1 18446744073709551615 0"]
    {
        copy.write("proc/10/statm", garbage.as_bytes());
        assert_eq!(step(&mut sweep, &copy, at(1), &[10]), Ok(Some(10)));
        assert_eq!(sweep.total(at(1)).coverage(), Ratio::ZERO, "{garbage:?}");
    }
}

#[test]
fn garbage_lowers_the_coverage_and_holds_nobody_up() {
    let copy = Copy::empty();
    process(&copy, 10, 10, 100, 8);
    process(&copy, 11, 10, 100, 8);
    copy.write("proc/10/smaps_rollup", b"Pss: 18446744073709551615 kB\n");
    let mut sweep = PssSweep::new(copy.dir.path());
    let read: Vec<_> = (0..4).map(|second| step(&mut sweep, &copy, at(second), &[10])).collect();
    assert_eq!(read, [10, 11, 10, 11].map(|pid| Ok(Some(pid))));
    assert_eq!(sweep.total(at(4)).pss, Bytes::mib(8));
    assert_eq!(sweep.total(at(4)).coverage(), Ratio::percent(50));
}

#[test]
fn a_list_that_fails_leaves_what_was_known() {
    let copy = Copy::empty();
    process(&copy, 10, 10, 100, 8);
    let mut sweep = PssSweep::new(copy.dir.path());
    step(&mut sweep, &copy, at(0), &[10]).expect("listed");
    let refused = sweep.step(at(5), || Err(Blindness::NotLinux));
    assert_eq!(refused, Err(Blindness::NotLinux));
    let next = sweep.step(at(6), || unreachable!("asked again too soon"));
    assert_eq!(next, Ok(Some(10)));
    assert_eq!(sweep.total(at(6)).pss, Bytes::mib(8));
}
