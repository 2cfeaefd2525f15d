//! The monitor reads the machine once a second, or at once when the machine raises an alarm. It also measures how late
//! its own timers fire.
//!
//! A late timer means that this program lacks CPU time. A reading contains the lateness that 30 % of the ticks of the
//! last five seconds reached: one late tick has no effect, and a starved loop shows within two seconds.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::policy::pressure::{Reading, Sensed};
use crate::port::Probe;
use crate::runtime::clock::Clock;
use crate::runtime::supervisor::Supervisor;
use crate::units::Bytes;

/// The interval of the timer.
const TICK: Duration = Duration::from_millis(250);
/// The number of ticks from one reading of the machine to the next.
const TICKS_PER_READING: usize = 4;
/// The number of ticks whose lateness is kept: five seconds.
const REMEMBERED: usize = 20;
/// The minimum time between two readings that alarms cause.
const ALARM_SPACING: Duration = Duration::from_millis(200);

/// One observation of the monitor.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    pub(crate) reading: Reading,
    pub(crate) browsers: Option<Bytes>,
}

/// Starts to read the machine. The channel holds one observation; a slow loop receives a newer observation next time.
pub(crate) fn watch(
    mut probe: Box<dyn Probe>,
    clock: Clock,
    supervisor: &Supervisor,
) -> mpsc::Receiver<Sight> {
    let (send, receive) = mpsc::channel(1);
    let looks = supervisor.clone();
    // The task is not awaited: its end closes the channel, and a panic is logged and counted.
    drop(supervisor.spawn("monitor", async move {
        let mut lateness = VecDeque::with_capacity(REMEMBERED);
        let mut ticks = 0;
        let mut tick_at = clock.now();
        loop {
            let look = looks.spawn_blocking("look at the machine", move || {
                let reading = probe.read(clock.now());
                let browsers = probe.browsers(clock.now());
                (probe, reading, browsers)
            });
            // A reading that panicked has dropped the probe. The loop sees that the channel is closed.
            let Ok((returned, mut reading, browsers)) = look.await else { return };
            probe = returned;
            let now = clock.now();
            reading.loop_lag = usual(&lateness).map(|value| Sensed { value, source: "own timers", at: now });
            // If the channel is full, the loop has not read the last observation yet; it gets a newer one later.
            let told = send.try_send(Sight { reading, browsers });
            if matches!(told, Err(mpsc::error::TrySendError::Closed(_))) {
                return;
            }
            let earliest = now + ALARM_SPACING;
            loop {
                // Late ticks do not accumulate: the next tick is counted from now.
                tick_at = (tick_at + TICK).max(clock.now());
                tokio::select! {
                    biased;
                    () = sleep_until(clock.deadline(tick_at)) => {
                        if lateness.len() == REMEMBERED {
                            lateness.pop_front();
                        }
                        lateness.push_back(clock.now().since(tick_at));
                        ticks += 1;
                        if ticks % TICKS_PER_READING == 0 {
                            break;
                        }
                    }
                    () = probe.alarm() => {
                        sleep_until(clock.deadline(earliest)).await;
                        break;
                    }
                }
            }
        }
    }));
    receive
}

/// The lateness that 30 % of the ticks reached, once there are enough ticks.
fn usual(lateness: &VecDeque<Duration>) -> Option<Duration> {
    if lateness.len() < TICKS_PER_READING {
        return None;
    }
    let mut sorted: Vec<_> = lateness.iter().copied().collect();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    sorted.get(sorted.len() * 3 / 10).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Blindfold;

    #[test]
    fn one_late_tick_means_nothing_and_a_third_of_them_does() {
        let late =
            |count: usize| (0..20).map(|n| Duration::from_millis(if n < count { 80 } else { 1 })).collect();
        assert_eq!(usual(&late(1)), Some(Duration::from_millis(1)));
        assert_eq!(usual(&late(7)), Some(Duration::from_millis(80)));
        assert_eq!(usual(&VecDeque::new()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_comes_every_second_even_from_a_blind_probe() {
        let (supervisor, clock) = (Supervisor::root(), Clock::start());
        let mut sights = watch(Box::new(Blindfold), clock, &supervisor);
        for second in 0..3 {
            let sight = sights.recv().await.expect("the monitor lives");
            assert_eq!(clock.now().elapsed().as_secs(), second);
            assert!(sight.reading.memory.is_none());
        }
        supervisor.stop().await;
    }
}
