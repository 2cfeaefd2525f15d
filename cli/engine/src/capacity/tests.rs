//! Tests with invented readings: what fits, which ceilings are lowered and what is refused.

use plimsoll_core::policy::{MemoryUse, PressureProfile, Sensed, Tally};
use plimsoll_core::units::Ratio;

use super::*;

fn sensed<T>(value: T, source: &'static str) -> Option<Sensed<T>> {
    Some(Sensed { value, source, at: Moment::ZERO })
}

/// A machine with enough of everything; a test lowers single limits.
fn roomy() -> Reading {
    Reading {
        memory: sensed(MemoryUse { used: Bytes::gib(2), limit: Bytes::gib(24) }, "/proc/meminfo"),
        pids: sensed(Tally { used: 300, limit: 96_000 }, NPROC),
        fds: sensed(Tally { used: 17, limit: 20_000 }, "fds"),
        ..Reading::default()
    }
}

fn files(limit: u64) -> Reading {
    Reading { fds: sensed(Tally { used: 17, limit }, "fds"), ..roomy() }
}

fn threads(used: u64, limit: u64) -> Reading {
    Reading { pids: sensed(Tally { used, limit }, NPROC), ..roomy() }
}

fn memory(used: Bytes, limit: Bytes) -> Reading {
    Reading { memory: sensed(MemoryUse { used, limit }, "cgroup v2 memory.current"), ..roomy() }
}

/// All contexts belong to the default driver.
const SHARED: &Shares = &[(ContextCost::SharedBrowser, 100)];

/// `limits.max_contexts`, `driver.cdp.contexts_per_browser`, and whether there is a notice.
fn fitted(reading: &Reading, jobs: u64) -> Result<(u32, u32, bool), Refusal> {
    let Fitted { settings, notice } = ceilings(&Settings::default(), SHARED, jobs, reading, 2)?;
    Ok((settings.limits.max_contexts, settings.driver.cdp.contexts_per_browser, notice.is_some()))
}

#[test]
fn what_runs_out_at_once_lowers_its_own_ceiling() {
    let untouched = Ok((100, 20, false));
    assert_eq!(fitted(&roomy(), 1_000), untouched);
    assert_eq!(fitted(&Reading::default(), 1_000), untouched, "what no sensor tells binds nothing");
    // 80 % of 128 less 79, by 4; and 70 % less our own 17, by 2: six descriptors a browser of five contexts.
    assert_eq!(fitted(&files(128), 1_000), Ok((36, 5, true)));
    assert_eq!(fitted(&files(512), 1_000), untouched);
    assert_eq!(fitted(&threads(300, 1_000), 1_000), Ok((41, 20, true)), "80 % of 1,000 less 300, by 12");
}

#[test]
fn memory_is_only_spoken_of() {
    let tight = memory(Bytes::mib(500), Bytes::gib(1));
    assert_eq!(fitted(&tight, 1_000), Ok((100, 20, true)));
    assert_eq!(fitted(&memory(Bytes::gib(1), Bytes::gib(1)), 1_000), Ok((100, 20, true)), "full for now");
}

#[test]
fn a_run_of_few_jobs_is_not_warned_of_a_limit_it_never_meets() {
    assert_eq!(fitted(&files(128), 5), Ok((36, 5, false)));
    assert_eq!(fitted(&threads(300, 1_000), 40), Ok((41, 20, false)));
    assert_eq!(fitted(&memory(Bytes::mib(500), Bytes::gib(1)), 4), Ok((100, 20, false)));
}

#[test]
fn where_not_one_context_fits_the_reason_comes_with_its_remedy() {
    let cases = [
        (files(64), "open files for its first page and may have 64; as root: `prlimit --pid $$ --nofile"),
        (files(103), "may have 103;"),
        (
            threads(290, 300),
            "290 of 300 are in use (/proc/loadavg against RLIMIT_NPROC); as root: `prlimit --pid $$ --nproc",
        ),
        (threads(0, 99), "needs 80"),
        (
            memory(Bytes::ZERO, Bytes::mib(256)),
            "the limit is 256.0 MiB (cgroup v2 memory.current); docker: `--memory ",
        ),
    ];
    for (reading, expected) in cases {
        let refusal = fitted(&reading, 1).expect_err(expected);
        let refusal = format!("{refusal}; {}", refusal.remedy());
        assert!(refusal.contains(expected), "{refusal}");
    }
    assert!(fitted(&files(104), 1).is_ok());
    assert!(fitted(&threads(0, 100), 1).is_ok());
    assert!(fitted(&memory(Bytes::ZERO, Bytes::mib(373)), 1).is_ok());
}

#[test]
fn the_warning_names_key_and_limit() {
    let fitted = ceilings(&Settings::default(), SHARED, 1_000, &files(128), 2).expect("some fit");
    assert_eq!(
        fitted.notice.as_deref(),
        Some(
            "driver.cdp.contexts_per_browser lowered from 20 to 5: 5 contexts by file descriptors: 23 of room, 4 a \
             context (fds); limits.max_contexts lowered from 100 to 36: 36 contexts by file descriptors: 72 of room, \
             2 a context (/proc/self/fd against RLIMIT_NOFILE)"
        )
    );
}

#[test]
fn a_ceiling_that_is_lowered_takes_the_shares_of_drivers_along() {
    let mut settings = Settings::default();
    settings.route.share.insert("http".to_owned(), 60);
    let share = |reading| {
        ceilings(&settings, SHARED, 1_000, &reading, 2).expect("some fit").settings.route.share["http"]
    };
    assert_eq!((share(roomy()), share(threads(300, 1_000))), (60, 24), "of 100 and of 41");
}

#[test]
fn contexts_that_are_whole_browsers_leave_room_for_fewer() {
    let most = |shares: &Shares, reading: &Reading| {
        ceilings(&Settings::default(), shares, 1_000, reading, 2)
            .map(|fitted| fitted.settings.limits.max_contexts)
    };
    let tight = threads(300, 8_000);
    assert_eq!(most(SHARED, &tight), Ok(100));
    assert_eq!(most(&[(ContextCost::OwnChromium, 100)], &tight), Ok(51), "80 % of 8,000 less 300, by 118");
    assert_eq!(most(&[(ContextCost::OwnFirefox, 100)], &tight), Ok(27), "by 218");
    let both = [(ContextCost::SharedBrowser, 50), (ContextCost::OwnFirefox, 50)];
    assert_eq!(most(&both, &tight), Ok(53), "by 115, the average of 12 and 218");
}

#[test]
fn memory_for_whole_browsers_is_spoken_of() {
    let firefoxes = [(ContextCost::OwnFirefox, 100)];
    let fitted = ceilings(&Settings::default(), &firefoxes, 1_000, &roomy(), 2).expect("some fit");
    let notice = fitted.notice.expect("38 of 100 fit: 85 % of 24 GiB less 2 GiB, by 486 MiB");
    assert!(notice.contains("38 contexts by memory") && notice.contains("486.0 MiB a context"), "{notice}");
}

#[test]
fn contexts_without_a_browser_here_are_never_refused() {
    for reading in [files(64), threads(290, 300), memory(Bytes::ZERO, Bytes::mib(256))] {
        let fitted = ceilings(&Settings::default(), &[(ContextCost::Light, 100)], 1_000, &reading, 2);
        assert_eq!(fitted.map(|fitted| fitted.settings.limits.max_contexts), Ok(100));
    }
}

#[test]
fn the_configured_lines_are_the_ones_that_count() {
    let contexts = |settings: &Settings, resource| {
        let capacity = MachineCapacity::of(settings, SHARED, &roomy(), 2);
        capacity.by(resource).map(Constraint::contexts)
    };
    let mut settings = Settings::default();
    assert_eq!(contexts(&settings, Resource::Memory), Some(588), "85 % of 24 GiB less 2 GiB, by 32 MiB");
    assert_eq!(contexts(&settings, Resource::Threads), Some(6_375), "80 % of 96,000 less 300, by 12");
    settings.memory.shut_above = Ratio::percent(60);
    settings.pressure.profile = PressureProfile::Strict;
    assert_eq!(contexts(&settings, Resource::Memory), Some(396), "60 %");
    assert_eq!(contexts(&settings, Resource::Threads), Some(5_575), "70 %");
}
