//! Visits a list of pages, 1,000 by default, and prints its progress:
//! `cargo run -p plimsoll --example batch -- http://127.0.0.1:8080 1000`. The site is the demonstration site, whose
//! pages are `/page/1` to `/page/12`.

use std::error::Error;
use std::pin::pin;

use futures_util::{StreamExt, stream};
use plimsoll::{Engine, Job};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example shows what it got")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let site = args.next().ok_or("name a site: batch http://127.0.0.1:8080")?;
    let count: u32 = args.next().map_or(Ok(1000), |count| count.parse())?;

    let page = |n| {
        Ok::<_, plimsoll::JobMistake>(
            Job::visit(&format!("{site}/page/{}", n % 12 + 1))?.extract("title", "title"),
        )
    };
    let jobs = (0..count).map(page).collect::<Result<Vec<_>, _>>()?;
    let engine = Engine::builder().start().await?;
    let snapshots = engine.snapshots();
    let mut results = pin!(engine.run(stream::iter(jobs)));
    let (mut done, mut failed) = (0, 0);
    while let Some(result) = results.next().await {
        let finished = result?;
        done += 1;
        if let Some(failure) = finished.record.outcome.failure() {
            failed += 1;
            println!("job {} failed: {}", finished.record.id, failure.fault.message);
        }
        if done % 100 == 0 || done == count {
            let now = snapshots.borrow();
            println!(
                "{done} of {count} done, {failed} failed, {} contexts of {}",
                now.active, now.active_limit
            );
        }
    }
    engine.close().await?;
    Ok(())
}
