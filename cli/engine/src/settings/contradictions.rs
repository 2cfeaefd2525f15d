//! Values of core's configs that are each good and contradict each other.

use plimsoll_core::policy::{FootprintConfig, RetryPolicy};

use super::problem::Problem;

pub(super) fn of_memory(memory: &FootprintConfig) -> Option<Problem> {
    let FootprintConfig { shut_above, open_at, .. } = memory;
    (open_at > shut_above).then(|| {
        let message =
            format!("{open_at} lies above {shut_above}, where admission stops: it would never start again");
        Problem::of(["memory.open_at", "memory.shut_above"], message)
    })
}

pub(super) fn of_retry(retry: &RetryPolicy) -> Option<Problem> {
    (retry.cap < retry.base).then(|| {
        let [cap, base] = [retry.cap, retry.base].map(humantime::format_duration);
        let message = format!("the longest wait, {cap}, is shorter than the first, {base}");
        Problem::of(["retry.cap", "retry.base"], message)
    })
}
