//! The misbehaviours that a test can request.
#![expect(unsafe_code, clippy::print_stdout, reason = "a crash and a print on purpose")]

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use crate::raw;
use plimsoll_plugin::{Artifact, ArtifactKind, Clock, Counters, FailureClass, Fault, Start, StepOutput};

/// Whims by the place where they happen, and the counters.
#[derive(Clone)]
pub(crate) struct Whims {
    by_place: BTreeMap<String, String>,
    counters: Counters,
}

impl Whims {
    /// Reads the settings: a map from places to whims.
    pub(crate) fn new(start: Start) -> Result<Self, &'static str> {
        let settings = start.config.as_object().ok_or("the settings of a rogue are a map")?;
        let by_place =
            settings.iter().filter_map(|(place, whim)| Some((place.clone(), whim.as_str()?.to_owned())));
        Ok(Self { by_place: by_place.collect(), counters: start.counters })
    }

    /// Carries out the whim of `place`, if there is one.
    pub(crate) async fn follow(&self, place: &str) -> Result<(), Fault> {
        match self.by_place.get(place) {
            Some(whim) => self.carry_out(whim).await.map(drop),
            None => Ok(()),
        }
    }

    /// The same for code that cannot await.
    pub(crate) fn follow_now(&self, place: &str) -> Result<(), Fault> {
        match self.by_place.get(place) {
            Some(whim) => self.do_now(whim).map(drop),
            None => Ok(()),
        }
    }

    pub(crate) fn count(&self, name: &'static str) {
        self.counters.add(name, 1);
    }

    pub(crate) async fn carry_out(&self, whim: &str) -> Result<StepOutput, Fault> {
        match whim {
            "hang" => std::future::pending().await,
            "wait" => {
                let mut waited = false;
                poll_fn(|context| {
                    context.waker().wake_by_ref();
                    if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
            }
            _ => {}
        }
        self.do_now(whim)
    }

    fn do_now(&self, whim: &str) -> Result<StepOutput, Fault> {
        if let Some((kind, head)) = whim.split_once(": ") {
            self.answer_raw(kind, head);
        }
        match whim {
            "panic" => panic!("a whim"),
            "fault" => return Err(Fault::transient(FailureClass::Navigation, "a whim")),
            "spin" => loop {
                std::hint::spin_loop();
            },
            // SAFETY: none: the crash is intended.
            "segfault" => unsafe { std::ptr::null_mut::<u8>().write_volatile(1) },
            "abort" => std::process::abort(),
            "exit" => std::process::exit(7),
            "leak" => drop(Box::leak(vec![1_u8; 1 << 20].into_boxed_slice())),
            "print" => {
                println!("printed by a library");
                return Ok(StepOutput::named("evaluate", ().into()));
            }
            "flood" => (0..10_000).for_each(|line| tracing::info!(line, "and another thing")),
            "picture" => {
                let bytes = (0..8 << 20).map(|n: u32| n.to_le_bytes()[0]).collect();
                return Ok(StepOutput::Artifact(Artifact { kind: ArtifactKind::Png, bytes }));
            }
            "dawdle" => {
                let clock = Clock::start();
                while clock.now().elapsed() < Duration::from_millis(5) {
                    std::hint::spin_loop();
                }
            }
            "thread" => {
                let name = std::thread::current().name().unwrap_or_default().to_owned();
                return Ok(StepOutput::Data([("thread".to_owned(), name.into())].into_iter().collect()));
            }
            "outstanding" => {
                let count = plimsoll_plugin::hidden::outstanding();
                return Ok(StepOutput::Data(
                    [("outstanding".to_owned(), count.into())].into_iter().collect(),
                ));
            }
            // Affects the answer of this call: see `edge`.
            "twice" => self.count("edge.twice"),
            "never" => self.count("edge.never"),
            "later" => self.count("edge.later"),
            "foreign" => self.count("edge.foreign"),
            "garbage" => self.count("edge.garbage"),
            "huge head" => {
                raw::set(vec![0; 1 << 30], Vec::new());
                self.count("edge.raw");
            }
            "huge body" => {
                raw::set(b"{}".to_vec(), vec![0; 1 << 30]);
                self.count("edge.raw");
            }
            "strange" => self.count("edge.strange"),
            _ => {}
        }
        Ok(StepOutput::Done)
    }

    /// Replaces the answer of this call: `raw: HEAD` is the head, `cut: HEAD` is the head without its last byte, and
    /// `bodied: HEAD` is the head with a body of five bytes.
    fn answer_raw(&self, kind: &str, head: &str) {
        let head = head.as_bytes();
        let (head, body) = match kind {
            "raw" => (head, &b""[..]),
            "cut" => (&head[..head.len() - 1], &b""[..]),
            "bodied" => (head, &b"stray"[..]),
            _ => return,
        };
        raw::set(head.to_vec(), body.to_vec());
        self.count("edge.raw");
    }
}
