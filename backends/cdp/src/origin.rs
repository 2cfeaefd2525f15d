//! The inputs that all launches share.

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::browser::BrowserBinary;
use plimsoll_host::machine::Machine;

use crate::settings::CdpSettings;

/// The inputs that all launches share.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) binary: BrowserBinary,
    pub(crate) settings: CdpSettings,
    pub(crate) machine: Machine,
    pub(crate) supervisor: Supervisor,
    pub(crate) clock: Clock,
}
