//! Derives the exit code from the end of a run, or the reason why the run failed as a whole.

use plimsoll_core::runtime::fleet::FleetReport;

use crate::failure::{Exit, Failure, with_causes};

/// Whether and how the run was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupted {
    No,
    Gently,
    AtOnce,
}

/// Judges the run of `total` jobs; `succeeded` when all of those that ended have succeeded.
pub(super) fn judge(
    report: &FleetReport,
    total: u64,
    interrupted: Interrupted,
    succeeded: bool,
) -> Result<Exit, Failure> {
    if report.jobs.lost() > 0 {
        return Err(Failure::bug(format!("{} jobs were lost", report.jobs.lost())));
    }
    if !report.browsers_left.is_empty() {
        return Err(Failure::environment(format!(
            "not everything is gone: {}",
            report.browsers_left.join("; ")
        )));
    }
    if let Some(error) = &report.store_error {
        let cause = with_causes(error);
        return Err(Failure::environment(match report.unrecorded {
            0 => cause,
            jobs => format!("{cause}; the run was stopped, and {jobs} jobs that ended have no line"),
        }));
    }
    // When all jobs succeeded, the jobs of a driver without a browser fell back to another driver.
    if let Some(error) = report.launch_error.as_ref().filter(|_| !succeeded) {
        return Err(Failure::environment(format!("no browser could be started: {error}")));
    }
    // A stopped run submits the remaining jobs too, to cancel them. Jobs are missing only after the reader panicked.
    let missing = total.saturating_sub(report.jobs.submitted);
    if missing > 0 {
        return Err(Failure::bug(format!("{missing} of {total} jobs were never taken up")));
    }
    Ok(match interrupted {
        Interrupted::Gently | Interrupted::AtOnce => Exit::Interrupted,
        Interrupted::No if succeeded => Exit::Success,
        Interrupted::No => Exit::SomeFailed,
    })
}

#[cfg(test)]
mod tests {
    use plimsoll_core::policy::Counts;

    use super::*;

    #[test]
    fn jobs_that_were_never_taken_up_are_a_bug() {
        let verdict = |submitted| {
            let jobs = Counts { submitted, succeeded: submitted, ..Counts::default() };
            let report = FleetReport { jobs, ..FleetReport::default() };
            judge(&report, 10, Interrupted::No, true).map_err(|failure| failure.exit)
        };
        assert_eq!(verdict(10).ok(), Some(Exit::Success));
        assert_eq!(verdict(9).err(), Some(Exit::Bug));
    }
    #[test]
    fn a_driver_without_a_browser_fails_a_run_only_if_a_job_did_not_succeed() {
        let jobs = Counts { submitted: 10, succeeded: 10, ..Counts::default() };
        let report =
            FleetReport { jobs, launch_error: Some("no shell".to_owned()), ..FleetReport::default() };
        let verdict =
            |succeeded| judge(&report, 10, Interrupted::No, succeeded).map_err(|failure| failure.exit);
        assert_eq!(verdict(true).ok(), Some(Exit::Success));
        assert_eq!(verdict(false).err(), Some(Exit::Environment));
    }
}
