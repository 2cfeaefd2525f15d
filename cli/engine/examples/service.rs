//! A web service that answers with the title of a page: `cargo run -p plimsoll --example service`, then
//! `curl 'http://127.0.0.1:PORT/title?url=https://example.com/'`. Ctrl-C drains it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use plimsoll::{Engine, Job, Refusal, SubmitError};
use serde::Deserialize;
use tokio::net::TcpListener;

#[derive(Deserialize)]
struct Asked {
    url: String,
}

type Answer = Result<String, (StatusCode, String)>;

async fn title(State(engine): State<Arc<Engine>>, Query(asked): Query<Asked>) -> Answer {
    let bad = |why: &dyn Error| (StatusCode::BAD_REQUEST, why.to_string());
    let job = Job::visit(&asked.url).map_err(|mistake| bad(&mistake))?.extract("title", "title");
    let page = match engine.submit(job) {
        Ok(page) => page,
        Err(SubmitError { refusal: busy @ (Refusal::Full(_) | Refusal::Draining), .. }) => {
            return Err((StatusCode::SERVICE_UNAVAILABLE, busy.to_string()));
        }
        Err(refused) => return Err(bad(&refused)),
    };
    let page = page.await.map_err(|why| (StatusCode::SERVICE_UNAVAILABLE, why.to_string()))?;
    match page.record.outcome.failure() {
        None => Ok(page.record.data["title"].to_string()),
        Some(failure) => Err((StatusCode::BAD_GATEWAY, failure.fault.message.clone())),
    }
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example shows where it listens")]
async fn main() -> Result<(), Box<dyn Error>> {
    let engine = Arc::new(Engine::builder().start().await?);
    let routes = Router::new().route("/title", get(title)).with_state(Arc::clone(&engine));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let drained = async {
        // An error means that the signal cannot be received; the service then ends.
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, routes).with_graceful_shutdown(drained).await?;
    engine.drain(Duration::from_secs(10)).await?;
    Ok(())
}
