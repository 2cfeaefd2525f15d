//! A library may be built differently from the loader: another profile, other symbol hashes.

use std::path::Path;
use std::time::Duration;

use plimsoll_core::port::StepOutput;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::Identity;
use plimsoll_host::spawn::Launch;
use plimsoll_host::tree::{Exit, Ladder};
use serde_json::json;
use tokio::time::timeout;

use crate::rig::{BOTH, BUDGET, evaluate, launch, loader, open, rogue};

/// The time limit for a full build on a slow machine.
const BUILD: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_library_of_another_profile_and_with_other_hashes_loads() {
    let deps = rogue();
    let target = deps.ancestors().nth(3).expect("target/PROFILE/deps/LIBRARY");
    let args = ["rustc", "--quiet", "--package", "rogue-driver", "--lib", "--crate-type", "cdylib"];
    let mut args: Vec<_> = args.map(Into::into).into();
    // A profile of its own, so that every crate of the library is another than here. It builds quickly: it neither
    // optimises nor writes debug information.
    for (key, value) in [
        ("inherits", r#""dev""#),
        ("debug", "false"),
        ("debug-assertions", "false"),
        ("overflow-checks", "false"),
        ("package.plimsoll-core.opt-level", "0"),
    ] {
        args.extend(["--config".into(), format!("profile.another.{key}={value}").into()]);
    }
    args.extend(["--profile".into(), "another".into(), "--target-dir".into(), target.into()]);
    args.extend(["--".into(), "-C".into(), "metadata=another".into()]);
    let homes = ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
    let launch_cargo = Launch {
        program: env!("CARGO").into(),
        args,
        env: homes.iter().filter_map(|name| Some((name.into(), std::env::var_os(name)?))).collect(),
        identity: Identity::Current,
        fds: Vec::new(),
        dir: Path::new(env!("CARGO_MANIFEST_DIR")).to_owned(),
    };
    let supervisor = Supervisor::root();
    let cargo = loader().spawner.spawn(&supervisor, launch_cargo).await.expect("cargo starts");
    let exit = timeout(BUILD, cargo.wait()).await.expect("it builds in time");
    assert_eq!(exit, Exit::Code(0), "{}", cargo.stderr_tail().join("\n"));
    cargo.kill(Ladder::NOW).await.expect("gone");

    let library = target.join("another/librogue_driver.so");
    for isolation in BOTH {
        let driver = loader().load(&library, isolation, json!({})).await.expect("loads");
        let browser = launch(&driver).await.expect("launches");
        let mut context = open(&browser).await.expect("opens");
        assert_eq!(evaluate(context.as_mut(), "nothing", BUDGET).await, Ok(StepOutput::Done));
    }
}
