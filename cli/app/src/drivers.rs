//! `plimsoll drivers`: lists the drivers, built in and from libraries, with their capabilities.
//!
//! A library is loaded to read its capabilities, always in a separate process, whatever its settings are; a library
//! that cannot be loaded is listed with the reason.

use plimsoll_core::capability::{Capabilities, Capability};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_loader::PluginInfo;
use serde::Serialize;

use crate::args::DriversArgs;
use crate::config;
use crate::failure::{Exit, Failure};
use crate::progress::print;
use plimsoll::compose::DriverFactory;
use plimsoll::settings::{BUILT_IN, Isolation, Settings};

/// One driver.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Listed {
    BuiltIn {
        name: &'static str,
        version: &'static str,
        /// Absent when that depends on what is installed here, and something is not.
        #[serde(skip_serializing_if = "Option::is_none")]
        runs_on: Option<String>,
        capabilities: Option<Capabilities>,
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    Library {
        name: String,
        #[serde(flatten)]
        info: Box<PluginInfo>,
    },
    Refused {
        name: String,
        problem: String,
    },
}

/// Lists the drivers.
///
/// # Errors
/// When settings are wrong, or standard output is closed.
pub async fn drivers(args: DriversArgs) -> Result<Exit, Failure> {
    let mut settings = config::settings(&args.settings, Vec::new())?;
    for plugin in settings.driver.plugin.values_mut() {
        plugin.isolation = Isolation::Process;
    }
    let supervisor = Supervisor::root();
    let listed = list(&settings, &supervisor).await?;
    supervisor.stop().await;
    let text = if args.json {
        serde_json::to_string_pretty(&listed).map_err(Failure::bug)? + "\n"
    } else {
        listed.iter().map(Listed::told).collect()
    };
    print(&text).map_err(Failure::environment)?;
    Ok(Exit::Success)
}

async fn list(settings: &Settings, supervisor: &Supervisor) -> Result<Vec<Listed>, Failure> {
    let factory = DriverFactory::open(settings, supervisor, Clock::start()).await?;
    let mut listed = Vec::new();
    for name in BUILT_IN {
        let equipped = factory.configure(name).await;
        let (equipped, problem) = match equipped {
            Ok(equipped) => (Some(equipped), None),
            Err(failure) => (None, Some(failure.to_string())),
        };
        listed.push(Listed::BuiltIn {
            name,
            version: env!("CARGO_PKG_VERSION"),
            capabilities: equipped.as_ref().map(|equipped| equipped.driver.capabilities()),
            runs_on: equipped.and_then(|equipped| equipped.about),
            problem,
        });
    }
    for name in settings.driver.libraries() {
        listed.push(match factory.load(&name).await {
            Ok(driver) => Listed::Library { name, info: Box::new(driver.info().clone()) },
            Err(failure) => Listed::Refused { name, problem: failure.to_string() },
        });
    }
    Ok(listed)
}

impl Listed {
    /// As a few lines of text.
    fn told(&self) -> String {
        match self {
            Self::BuiltIn { name, version, runs_on, capabilities, problem } => {
                let runs_on = runs_on.as_ref().map(|on| format!("\n    on     {on}")).unwrap_or_default();
                let does = capabilities.as_ref().map(|can| format!("\n    does   {}", does(can)));
                let problem = problem.as_ref().map(|why| format!("\n    lacks  {why}")).unwrap_or_default();
                format!("{name:<12} {version:<8} built in{runs_on}{}{problem}\n", does.unwrap_or_default())
            }
            Self::Library { name, info } => format!(
                "{name:<12} {:<8} library, ABI {}\n    on     {}\n    does   {}\n",
                info.library.version,
                info.library.abi,
                info.library.path.display(),
                does(&info.capabilities)
            ),
            Self::Refused { name, problem } => {
                format!("{name:<12} {:<8} library\n    lacks  {problem}\n", "-")
            }
        }
    }
}

/// The capabilities that a driver has or those it lacks, whichever list is shorter.
fn does(capabilities: &Capabilities) -> String {
    let missing = capabilities.missing(&Capabilities::all());
    match missing.iter().count() {
        0 => "everything".to_owned(),
        few if few * 2 < Capability::ALL.len() => format!("everything but {missing}"),
        _ => capabilities.to_string(),
    }
}
