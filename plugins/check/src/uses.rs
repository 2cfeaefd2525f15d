//! Which capabilities a case has used, kept beside the case while it runs.

use std::cell::RefCell;

use plimsoll_core::capability::Capabilities;

tokio::task_local! {
    static USES: RefCell<Uses>;
}

/// The capabilities that the steps of a case needed, all of them declared.
#[derive(Debug, Clone, Default)]
pub struct Uses {
    /// What the case asked for.
    pub asked: Capabilities,
    /// What the driver carried out.
    pub done: Capabilities,
}

/// Runs a case, and returns what it used.
pub(crate) async fn recorded<T>(case: impl Future<Output = T>) -> (T, Uses) {
    let both = async {
        let ended = case.await;
        (ended, USES.with(RefCell::take))
    };
    USES.scope(RefCell::default(), both).await
}

/// Records that the case asks for these capabilities.
pub(crate) fn asked(needs: &Capabilities) {
    USES.with(|uses| add(&mut uses.borrow_mut().asked, needs));
}

/// Records that the driver carried out a step that needs these capabilities.
pub(crate) fn done(needs: &Capabilities) {
    asked(needs);
    USES.with(|uses| add(&mut uses.borrow_mut().done, needs));
}

fn add(all: &mut Capabilities, more: &Capabilities) {
    *all = all.iter().chain(more.iter()).collect();
}
