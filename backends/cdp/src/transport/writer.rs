//! The writing task: queued commands are written complete, in order, in as few writes as possible.

use std::pin::pin;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::disconnect::Disconnect;
use super::router::CloseOnDrop;

/// Commands are added to a write until it has this length: a Linux pipe's default size.
const BATCH: usize = 64 << 10;

/// Writes until the connection ends or a write fails. A peer that stops reading stops this task and
/// fills the queue; callers then end by their deadlines.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    mut writer: W,
    mut queue: mpsc::Receiver<Vec<u8>>,
    close_on_drop: CloseOnDrop,
) {
    let router = &close_on_drop.0;
    let mut closed = pin!(router.closed());
    loop {
        let next = tokio::select! {
            biased;
            _ = &mut closed => return,
            next = queue.recv() => next,
        };
        let Some(mut batch) = next else { return };
        let mut commands = 1;
        while batch.len() < BATCH
            && let Ok(next) = queue.try_recv()
        {
            batch.extend_from_slice(&next);
            commands += 1;
        }
        let written = async {
            writer.write_all(&batch).await?;
            writer.flush().await
        };
        let written = tokio::select! {
            biased;
            _ = &mut closed => return,
            written = written => written,
        };
        match written {
            Ok(()) => router.count_written(commands, batch.len()),
            Err(error) => return router.close(Disconnect::Io(error.kind())),
        }
    }
}
