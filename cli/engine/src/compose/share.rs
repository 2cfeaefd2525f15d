//! How the ceilings of the settings are shared among the fleets of several drivers.
//!
//! The default driver gets what the others leave, at most its own `route.share`. Each other driver gets its
//! `route.share`, or an equal part of `limits.max_contexts`. Shares are ceilings: a driver does not take over the
//! unused share of another, so the sum stays within the total whatever each fleet decides.

use plimsoll_core::policy::Estimate;
use plimsoll_core::runtime::fleet::FleetConfig;
use plimsoll_core::units::Bytes;

use crate::capacity::ContextCost;
use crate::routes::Routes;
use crate::settings::Settings;

/// The memory of a driver process without the browsers of its contexts.
const DRIVER_PROCESS: Bytes = Bytes::mib(4);

/// There are more drivers than contexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "limits.max_contexts is {total}, and {drivers} drivers are in use; raise it, so that each has at least one"
)]
pub struct TooFew {
    total: u32,
    drivers: u32,
}

/// The contexts that each driver may have active, in the order of `routes`: together `limits.max_contexts` at most.
pub(super) fn shares(settings: &Settings, routes: &Routes) -> Result<Vec<u32>, TooFew> {
    let total = settings.limits.max_contexts;
    let drivers = u32::try_from(routes.drivers().len()).unwrap_or(u32::MAX);
    let written = |name: &String| settings.route.share.get(name).copied();
    let share = |name: &String| written(name).unwrap_or(total / drivers);
    let others: Vec<u32> = routes.drivers().iter().skip(1).map(share).collect();
    let left = total.saturating_sub(others.iter().sum());
    let first = routes.drivers().first().and_then(written).map_or(left, |share| share.min(left));
    let shares: Vec<u32> = std::iter::once(first).chain(others).collect();
    if shares.contains(&0) { Err(TooFew { total, drivers }) } else { Ok(shares) }
}

/// The rules of the fleet of the driver `name`, which may have `share` contexts active.
pub(super) fn fleet(settings: &Settings, name: &str, cost: ContextCost, share: u32) -> FleetConfig {
    let mut fleet = settings.fleet(fastrand::u64(..));
    let admission = &mut fleet.dispatch.admission;
    let part =
        u64::from(admission.max_creating) * u64::from(share) / u64::from(admission.max_contexts.max(1));
    admission.max_creating = u32::try_from(part).unwrap_or(u32::MAX).max(1);
    admission.max_contexts = share;
    if let Some(context) = cost.prior() {
        admission.footprint.prior = Estimate { mean: context, deviation: Bytes(0) };
        admission.footprint.blank = Bytes(0);
        admission.footprint.browser = DRIVER_PROCESS;
    }
    fleet.dispatch.placement.contexts_per_browser = settings.driver.contexts_per_browser(name);
    fleet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_ceiling() {
        let mut settings = Settings::default();
        let mut routes = Routes::to("cdp");
        assert_eq!(shares(&settings, &routes), Ok(vec![100]));
        routes.add_rule("*", "http");
        assert_eq!(shares(&settings, &routes), Ok(vec![50, 50]));
        routes.add("sim");
        assert_eq!(shares(&settings, &routes), Ok(vec![34, 33, 33]));
        settings.route.share.insert("http".to_owned(), 60);
        assert_eq!(shares(&settings, &routes), Ok(vec![7, 60, 33]));
        settings.route.share.insert("cdp".to_owned(), 5);
        assert_eq!(shares(&settings, &routes), Ok(vec![5, 60, 33]), "the default's share is a ceiling too");
        settings.limits.max_contexts = 2;
        settings.route.share.clear();
        assert_eq!(shares(&settings, &routes), Err(TooFew { total: 2, drivers: 3 }));
    }

    #[test]
    fn a_ceiling_that_was_lowered_is_shared_as_the_written_one_was() {
        let mut routes = Routes::to("cdp");
        routes.add("http");
        for (http, lowered, shared) in [(60, 41, [17, 24]), (99, 2, [1, 1]), (1, 41, [40, 1])] {
            let mut settings = Settings::default();
            settings.route.share.insert("http".to_owned(), http);
            settings.route.lower_shares(settings.limits.max_contexts, lowered);
            settings.limits.max_contexts = lowered;
            assert_eq!(shares(&settings, &routes), Ok(shared.to_vec()), "{http} of 100");
        }
    }
}
