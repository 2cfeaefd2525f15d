//! [`FaultKind`]: all injected faults.

use crate::dashed::dashed;

/// A kind of fault. Its rate is a probability for attempts and launches, and a number per minute for the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FaultKind {
    /// A context cannot be created.
    CreateFails,
    /// A context's creation never ends; its browser is given up.
    CreateHangs,
    /// A page cannot be reached, this time.
    PageFails,
    /// A page cannot be reached, ever.
    PageRefused,
    /// A page's renderer crashes.
    PageCrashes,
    /// A page never ends.
    PageHangs,
    /// A page's memory grows as long as it exists.
    PageLeaks,
    /// A context cannot be verified gone; its browser is given up.
    CloseFails,
    /// The close of a context takes long.
    CloseDrags,
    /// The task of an attempt is aborted without a result.
    TaskVanishes,
    /// The event of the creation arrives after the event of the end.
    OpenedLate,
    /// A browser does not start, this time.
    LaunchFails,
    /// A browser can never start.
    LaunchRefused,
    /// A browser's start never ends.
    LaunchHangs,
    /// A renderer is killed.
    RendererKilled,
    /// A browser is killed.
    BrowserKilled,
    /// A browser stops answering.
    BrowserHangs,
    /// Another program takes memory, for a while.
    Neighbour,
    /// Another program takes processor time, for a while.
    CpuDip,
    /// A site does not answer for a while.
    HostDown,
    /// The memory cannot be read for a while.
    Blind,
    /// The fleet itself is frozen for a while; then all events arrive at once.
    Frozen,
    /// An event arrives a second time.
    Repeated,
    /// An event arrives again, long after its subject is gone.
    Late,
    /// The fleet is woken without a reason.
    Woken,
    /// No browser starts, for a while.
    LaunchOutage,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 26] = {
        use FaultKind::*;
        [
            CreateFails,
            CreateHangs,
            PageFails,
            PageRefused,
            PageCrashes,
            PageHangs,
            PageLeaks,
            CloseFails,
            CloseDrags,
            TaskVanishes,
            OpenedLate,
            LaunchFails,
            LaunchRefused,
            LaunchHangs,
            RendererKilled,
            BrowserKilled,
            BrowserHangs,
            Neighbour,
            CpuDip,
            HostDown,
            Blind,
            Frozen,
            Repeated,
            Late,
            Woken,
            LaunchOutage,
        ]
    };

    /// Whether it happens at a time of its own, not with an attempt or a launch.
    #[must_use]
    pub fn is_incident(self) -> bool {
        self >= Self::RendererKilled
    }

    /// Whether it happens to launches.
    #[must_use]
    pub fn is_of_launch(self) -> bool {
        (Self::LaunchFails..=Self::LaunchHangs).contains(&self)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> String {
        dashed(&self)
    }
}

/// How often each kind happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Faults([f64; FaultKind::ALL.len()]);

impl Faults {
    /// None of them.
    pub const NONE: Self = Self([0.0; FaultKind::ALL.len()]);

    /// The rate of one kind.
    #[must_use]
    pub const fn rate(&self, kind: FaultKind) -> f64 {
        self.0[kind as usize]
    }

    /// Sets the rate of one kind.
    pub const fn set(&mut self, kind: FaultKind, rate: f64) {
        self.0[kind as usize] = rate;
    }

    /// The kinds that happen at all.
    pub fn on(&self) -> impl Iterator<Item = (FaultKind, f64)> {
        FaultKind::ALL.into_iter().map(|kind| (kind, self.rate(kind))).filter(|(_, rate)| *rate > 0.0)
    }
}

/// How often each kind did happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Injected([u64; FaultKind::ALL.len()]);

impl Injected {
    /// Counts one.
    pub const fn count(&mut self, kind: FaultKind) {
        self.0[kind as usize] += 1;
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// Each kind with its number.
    pub fn iter(&self) -> impl Iterator<Item = (FaultKind, u64)> {
        FaultKind::ALL.into_iter().map(|kind| (kind, self.0[kind as usize]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_place() {
        for (index, kind) in FaultKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
        assert_eq!(FaultKind::CpuDip.name(), "cpu-dip");
    }
}
