//! Steps that run on the calling thread, once a driver has earned it: all promises hold there.

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{BrowserEnd, StepOutput};
use plimsoll_loader::Isolation;
use tokio::time::timeout;

use crate::rig::{BUDGET, PATIENCE, Rig, SHORT, evaluate, on_both, open};

/// Whether one of the library's own threads carried out a step.
async fn by_its_own_thread(rig: &mut Rig) -> bool {
    match rig.evaluate("thread", BUDGET).await {
        Ok(StepOutput::Data(data)) => data["thread"] == "rogue-driver",
        other => panic!("{other:?}"),
    }
}

/// Makes calls in a separate context until they run in place.
async fn earn(rig: &mut Rig) {
    let last = std::mem::replace(&mut rig.context, open(&rig.browser).await.expect("opens"));
    // Awaited: the answer to a close would also carry an answer that is kept for later.
    last.close().await.expect("closes");
    let earned = async { while by_its_own_thread(rig).await {} };
    timeout(PATIENCE, earned).await.expect("its steps are short");
}

async fn prompt(isolation: Isolation) -> Rig {
    let mut rig = Rig::tame(isolation).await;
    earn(&mut rig).await;
    rig
}

on_both! {
    async fn it_is_earned_by_short_steps_and_lost_by_a_long_one(isolation) {
        let mut rig = Rig::tame(isolation).await;
        assert!(by_its_own_thread(&mut rig).await, "nothing is earned yet");
        for _ in 0..3 {
            earn(&mut rig).await;
            assert_eq!(rig.evaluate("dawdle", BUDGET).await, Ok(StepOutput::Done));
            assert!(by_its_own_thread(&mut rig).await);
        }
    }

    async fn a_panic_costs_its_context_only(isolation) {
        let mut rig = prompt(isolation).await;
        for _ in 0..2 {
            let fault = rig.evaluate("panic", BUDGET).await.expect_err("it panicked");
            assert_eq!(fault.class, FailureClass::Internal);
            assert!(fault.message.contains("panicked"), "{fault}");
        }
        let mut sibling = open(&rig.browser).await.expect("opens");
        assert_eq!(evaluate(sibling.as_mut(), "nothing", BUDGET).await, Ok(StepOutput::Done));
        rig.context.close().await.expect("it can still be closed");
    }

    async fn a_step_that_must_wait_ends_with_its_deadline_or_its_caller(isolation) {
        let mut rig = prompt(isolation).await;
        let fault = rig.evaluate("hang", SHORT).await.expect_err("it hangs");
        assert_eq!(fault.class, FailureClass::Timeout);
        assert_eq!(rig.evaluate("nothing", BUDGET).await, Ok(StepOutput::Done), "it was taken back");
        let left = timeout(SHORT, rig.evaluate("hang", BUDGET)).await;
        assert!(left.is_err(), "it hangs");
        timeout(PATIENCE, rig.context.close()).await.expect("in time").expect("closes");
    }

    async fn answers_may_be_early_late_double_and_foreign(isolation) {
        let mut rig = prompt(isolation).await;
        for _ in 0..10 {
            assert_eq!(rig.evaluate("foreign", BUDGET).await, Ok(StepOutput::Done));
            let twice = [rig.evaluate("twice", BUDGET).await, rig.evaluate("nothing", BUDGET).await];
            let internal = |answer: &Result<_, Fault>| matches!(answer, Err(fault) if fault.class == FailureClass::Internal);
            assert!(twice.iter().any(internal), "{twice:?}");
            rig.context = open(&rig.browser).await.expect("opens");
        }
        earn(&mut rig).await;
        let fault = rig.evaluate("later", SHORT).await.expect_err("no answer yet");
        assert_eq!(fault.class, FailureClass::Internal, "{fault}");
        assert_eq!(rig.evaluate("nothing", BUDGET).await, Ok(StepOutput::Done));
        for whim in ["garbage", "strange"] {
            earn(&mut rig).await;
            let fault = rig.evaluate(whim, BUDGET).await.expect_err("nonsense");
            assert_eq!(fault.class, FailureClass::Internal);
        }
        earn(&mut rig).await;
        rig.evaluate("never", SHORT).await.expect_err("no answer");
        let end = timeout(PATIENCE, rig.browser.ended()).await.expect("it is given up");
        assert!(matches!(end, BrowserEnd::Hung(_)), "{end}");
    }

    async fn many_contexts_work_side_by_side(isolation) {
        let rig = prompt(isolation).await;
        let many = (0..100).map(|_| async {
            let mut context = open(&rig.browser).await.expect("opens");
            // In turn: a step that waits, a short step, a long step.
            assert!(evaluate(context.as_mut(), "hang", SHORT).await.is_err());
            for whim in ["nothing", "wait", "dawdle", "nothing"] {
                evaluate(context.as_mut(), whim, BUDGET).await.expect("works");
            }
            context.close().await
        });
        let closed = futures_util::future::join_all(many).await;
        assert!(closed.iter().all(Result::is_ok), "{closed:?}");
    }
}
