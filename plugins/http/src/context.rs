//! One isolated context: its cookies, its headers, its page.

use std::sync::Arc;

use async_trait::async_trait;
use hyper::HeaderMap;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{self, CloseError, Context, Incidents, OpenRequest, StepOutput};
use plimsoll_core::runtime::supervisor::{Supervisor, TaskFailure};
use plimsoll_core::step::{Goto, Step};
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

use crate::content::{self, Kind};
use crate::cookies::Jar;
use crate::dom::Refused;
use crate::fault::{closed, unsupported};
use crate::fetch::{self, Fetcher, Received};
use crate::page::Page;
use crate::work_budget::WorkBudget;
use crate::{condition, extract};
use plimsoll_core::runtime::budget::Budget;

/// The page before the first one.
const BLANK: &str = "about:blank";
/// Response statuses without content.
const NO_CONTENT: [u16; 2] = [204, 205];

/// A context with one page.
#[derive(Debug)]
pub(crate) struct HttpContext {
    fetcher: Fetcher,
    supervisor: Supervisor,
    headers: HeaderMap,
    jar: Jar,
    /// Shared with the thread that reads the page; `None` is the blank page.
    page: Option<Arc<Page>>,
    downloads: u32,
}

impl HttpContext {
    /// Opens a context with the job's headers and cookies.
    pub(crate) fn open(
        fetcher: Fetcher,
        supervisor: Supervisor,
        request: &OpenRequest,
    ) -> Result<Self, Fault> {
        if request.setup.proxy.is_some() {
            return Err(unsupported("a proxy of the job's own"));
        }
        if request.setup.viewport.is_some() {
            return Err(unsupported("a viewport"));
        }
        let first = request.first.as_ref().and_then(|goto| Url::parse(goto.url.as_str()).ok());
        let mut jar = Jar::default();
        jar.set(&request.setup.cookies, first.as_ref())?;
        let headers = fetch::headers(&request.setup.headers)?;
        Ok(Self { fetcher, supervisor, headers, jar, page: None, downloads: 0 })
    }

    async fn carry_out(&mut self, step: &Step, budget: Budget) -> Result<StepOutput, Fault> {
        match step {
            Step::Goto(goto) => return Ok(StepOutput::Page(self.goto(goto, budget).await?)),
            Step::SetCookies(cookies) => {
                let here = self.page.as_ref().map(|page| page.url());
                self.jar.set(cookies, here)?;
            }
            Step::GetCookies(step) => {
                return StepOutput::cookies(&step.name, &self.jar.all());
            }
            Step::WaitFor(step) => {
                let step = step.clone();
                self.read(budget, move |page| condition::wait_for(page, &step, budget)).await?;
            }
            Step::Expect(step) => {
                let step = step.clone();
                self.read(budget, move |page| condition::expect(page, &step, budget)).await?;
            }
            Step::Extract(step) => {
                let step = step.clone();
                let data = self.read(budget, move |page| extract::extract(page, &step, budget)).await?;
                return Ok(StepOutput::Data(data));
            }
            Step::Content(step) => {
                let html = self.read(budget, |page| Ok(page.dom().html())).await?;
                return Ok(StepOutput::named(&step.name, html.into()));
            }
            Step::Click(_)
            | Step::Fill(_)
            | Step::Type(_)
            | Step::Press(_)
            | Step::Select(_)
            | Step::Check(_)
            | Step::Uncheck(_)
            | Step::Hover(_)
            | Step::Drag(_)
            | Step::Scroll(_)
            | Step::Upload(_)
            | Step::Evaluate(_)
            | Step::Screenshot(_)
            | Step::Pdf(_)
            | Step::SetViewport(_) => return Err(unsupported(&format!("the step `{}`", step.name()))),
        }
        Ok(StepOutput::Done)
    }

    async fn goto(&mut self, goto: &Goto, budget: Budget) -> Result<port::Page, Fault> {
        if goto.url.as_str() == BLANK {
            self.page = None;
            return Ok(port::Page { url: BLANK.to_owned(), status: None });
        }
        if goto.url.is_fault_page() {
            return Err(unsupported(goto.url.as_str()));
        }
        let url = Url::parse(goto.url.as_str()).map_err(|why| {
            Fault::persistent(FailureClass::Navigation, format!("cannot open {}: {why}", goto.url))
        })?;
        let received = self.fetcher.fetch(url, &self.headers, &mut self.jar, budget).await?;
        let kind = content::kind(&received.headers, &received.body);
        if kind == Kind::Download || NO_CONTENT.contains(&received.status) {
            self.downloads += u32::from(kind == Kind::Download);
            let message =
                format!("{} is no page: it is a download, or its answer has no content", received.url);
            return Err(Fault::persistent(FailureClass::Navigation, message));
        }
        if let Kind::Beyond(what) = &kind {
            return Err(unsupported(&format!("a page of type `{what}`")));
        }
        let Received { url, status, headers, body } = received;
        let arrived = port::Page { url: url.to_string(), status: Some(status) };
        let parsed = self
            .spawn_parse(budget, move || {
                let html = content::html(&kind, &headers, &body);
                Page::parse(url, &html, &WorkBudget::new(budget))
            })
            .await?;
        let page = parsed.map_err(|refused| {
            let message = format!("cannot read {}: {}", arrived.url, refused.reason());
            match refused {
                Refused::Late => Fault::transient(FailureClass::Timeout, message),
                Refused::Deep | Refused::Many => Fault::persistent(FailureClass::Navigation, message),
            }
        })?;
        self.page = Some(Arc::new(page));
        Ok(arrived)
    }

    /// Reads the page on a thread for blocking work.
    async fn read<T: Send + 'static>(
        &self,
        budget: Budget,
        read: impl FnOnce(&Page) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let page = self.page.clone();
        self.spawn_parse(budget, move || match page {
            Some(page) => read(&page),
            None => read(&blank()?),
        })
        .await?
    }

    /// Parses or reads a page on a thread for blocking work. `work` must check its budget by itself.
    async fn spawn_parse<T: Send + 'static>(
        &self,
        budget: Budget,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        match timeout(budget.left(), self.supervisor.spawn_blocking("read a page", work)).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(TaskFailure::Cancelled)) => Err(closed()),
            Ok(Err(panicked)) => Err(Fault::persistent(FailureClass::Internal, panicked.to_string())),
            Err(_) => {
                let message = format!("the page was not read within {:?}", budget.whole());
                Err(Fault::transient(FailureClass::Timeout, message))
            }
        }
    }
}

/// The page of a context before its first `goto`.
fn blank() -> Result<Page, Fault> {
    let url = Url::parse(BLANK).map_err(|why| Fault::persistent(FailureClass::Internal, why.to_string()))?;
    let work = WorkBudget::new(Budget::start(Duration::MAX));
    Page::parse(url, "", &work).map_err(|why| Fault::persistent(FailureClass::Internal, why.reason()))
}

#[async_trait]
impl Context for HttpContext {
    async fn perform(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        let supervisor = self.supervisor.clone();
        tokio::select! {
            biased;
            () = supervisor.cancelled() => Err(closed()),
            done = self.carry_out(step, Budget::start(budget)) => done,
        }
    }

    fn incidents(&self) -> Incidents {
        Incidents { downloads: self.downloads, ..Incidents::default() }
    }

    async fn close(self: Box<Self>) -> Result<(), CloseError> {
        // Cookies and page are in this value; the connections hold no state of the context.
        Ok(())
    }
}
