//! Opens one page in Chromium and prints its title: `cargo run -p plimsoll --example visit -- https://example.com/`.

use std::error::Error;

use plimsoll::{Engine, Job};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example shows what it got")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("name a page: visit https://example.com/")?;
    let engine = Engine::builder().start().await?;
    let page = engine.submit(Job::visit(&url)?.extract("title", "title"))?.await?;
    println!("{}: {}", page.record.outcome.name(), page.record.data["title"]);
    engine.close().await?;
    Ok(())
}
