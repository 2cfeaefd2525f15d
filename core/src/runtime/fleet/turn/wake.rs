//! The events that the loop waits for.

use futures_util::StreamExt;
use tokio::sync::{mpsc, watch};

use super::{Notice, PUBLISH_EVERY, Turn};
use crate::policy::dispatch::DispatchConfig;
use crate::runtime::clock::Clock;
use crate::runtime::fleet::Stop;
use crate::runtime::fleet::store_tasks::Fed;
use crate::runtime::monitor::Sight;
use crate::runtime::permit::SlotNote;
use crate::time::Moment;

/// An event that woke the loop.
pub(super) enum Wake {
    Job(Option<Fed>),
    Notes(Vec<SlotNote>),
    Notice(Notice),
    Sight(Option<Sight>),
    Stop(Stop),
    Rules(Box<DispatchConfig>),
    GraceOver,
    Time,
}

impl Turn {
    /// Waits for the next event.
    pub(super) async fn wake(
        &mut self,
        feed: &mut Option<mpsc::Receiver<Fed>>,
        stop: &mut watch::Receiver<Option<Stop>>,
        rules: &mut watch::Receiver<DispatchConfig>,
        grace_over: Option<Moment>,
    ) -> Wake {
        let publish_at = self.publish.borrow().at + PUBLISH_EVERY;
        let change = self.dispatch.next_change().map_or(publish_at, |at| at.elapsed().min(publish_at));
        let change = Moment::after(change);
        let has_room = self.dispatch.room() > 0;
        tokio::select! {
            biased;
            Ok(()) = stop.changed() => stop.borrow_and_update().map_or(Wake::Time, Wake::Stop),
            Ok(()) = rules.changed() => Wake::Rules(Box::new(rules.borrow_and_update().clone())),
            () = sleep_until(self.clock, grace_over), if grace_over.is_some() => Wake::GraceOver,
            // Notes come first: the opening of a context must be processed before the end of its attempt.
            notes = self.notes.take() => Wake::Notes(notes),
            Some(notice) = self.notices.next() => Wake::Notice(notice),
            sight = self.sights.recv() => Wake::Sight(sight),
            job = receive(feed), if has_room && feed.is_some() => Wake::Job(job),
            () = sleep_until(self.clock, Some(change)) => Wake::Time,
        }
    }
}

async fn sleep_until(clock: Clock, moment: Option<Moment>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(clock.deadline(moment)).await,
        None => std::future::pending().await,
    }
}

async fn receive<T>(channel: &mut Option<mpsc::Receiver<T>>) -> Option<T> {
    match channel {
        Some(channel) => channel.recv().await,
        None => std::future::pending().await,
    }
}
