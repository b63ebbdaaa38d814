//! What must be installed, how to tell whether it is, and how to get it.
//!
//! On Debian and Ubuntu the missing packages are installed, as root or through `sudo -n`. Anywhere
//! else the exact line is printed and the task stops: nobody's machine is changed behind their back.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::process::{command, heading, must, output, quietly, succeeds, variable};

/// How far the tools must reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// Building and starting the app.
    Build,
    /// Also every test.
    Test,
}

/// One thing that must be there, with its package in each package manager. A system whose manager
/// has no package here does not need the thing.
struct Tool {
    need: Need,
    probe: Probe,
    apt: &'static str,
    brew: Option<&'static str>,
    winget: Option<&'static str>,
}

enum Probe {
    /// A program on the path, by any of these names.
    Program(&'static [&'static str]),
    /// A C library that pkg-config knows.
    Library(&'static str),
    /// A Python module.
    Python(&'static str),
}

const fn linux(need: Need, probe: Probe, apt: &'static str) -> Tool {
    Tool {
        need,
        probe,
        apt,
        brew: None,
        winget: None,
    }
}

const TOOLS: &[Tool] = &[
    linux(Need::Build, Probe::Program(&["cc"]), "build-essential"),
    linux(Need::Build, Probe::Program(&["pkg-config"]), "pkg-config"),
    linux(
        Need::Build,
        Probe::Library("webkit2gtk-4.1"),
        "libwebkit2gtk-4.1-dev",
    ),
    linux(
        Need::Build,
        Probe::Library("ayatana-appindicator3-0.1"),
        "libayatana-appindicator3-dev",
    ),
    linux(Need::Build, Probe::Library("librsvg-2.0"), "librsvg2-dev"),
    Tool {
        need: Need::Build,
        probe: Probe::Program(&["node"]),
        apt: "nodejs",
        brew: Some("node"),
        winget: Some("OpenJS.NodeJS.LTS"),
    },
    linux(Need::Build, Probe::Program(&["npm", "npm.cmd"]), "npm"),
    linux(Need::Test, Probe::Program(&["Xvfb"]), "xvfb"),
    linux(Need::Test, Probe::Program(&["dbus-daemon"]), "dbus"),
    linux(
        Need::Test,
        Probe::Program(&["gnome-keyring-daemon"]),
        "gnome-keyring",
    ),
    linux(
        Need::Test,
        Probe::Program(&["WebKitWebDriver"]),
        "webkit2gtk-driver",
    ),
    linux(Need::Test, Probe::Program(CHROMIUM), "chromium"),
    Tool {
        need: Need::Test,
        probe: Probe::Program(&["zstd"]),
        apt: "zstd",
        brew: Some("zstd"),
        winget: Some("Meta.Zstandard"),
    },
    Tool {
        need: Need::Test,
        probe: Probe::Python("ensurepip"),
        apt: "python3-venv",
        brew: Some("python"),
        winget: Some("Python.Python.3.13"),
    },
];

/// The names Chromium goes by.
pub(crate) const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// The oldest Node the UI's tools run on.
const OLDEST_NODE: (u32, u32) = (20, 19);

impl Tool {
    fn missing(&self) -> bool {
        match self.probe {
            Probe::Program(names) => !names.iter().any(|name| on_path(name)),
            Probe::Library(name) => !quietly(command("pkg-config").args(["--exists", name])),
            Probe::Python(module) => !quietly(command(PYTHON).args(["-c", &format!("import {module}")])),
        }
    }
}

const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// Whether a program of this name is on the path.
pub(crate) fn on_path(name: &str) -> bool {
    variable("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| {
            let place = folder.join(name);
            place.is_file() || place.with_extension("exe").is_file()
        })
    })
}

/// Installs what is missing, or says how and stops. What only tests need is no reason to stop: the
/// parts that miss it will say SKIPPED.
pub(crate) fn ensure(need: Need) -> Result<()> {
    heading("tools");
    let missing = missing(need);
    if missing.is_empty() {
        println!("everything is installed");
    } else if let Some(package) = packages(&missing) {
        println!("missing: {package}");
        install(&package)?;
    }
    ensure_node()?;
    if need == Need::Test {
        ensure_nextest()?;
    }
    Ok(())
}

fn missing(need: Need) -> Vec<&'static Tool> {
    TOOLS
        .iter()
        .filter(|tool| tool.need <= need && here(tool).is_some() && tool.missing())
        .collect()
}

/// The tool's package on this system.
fn here(tool: &Tool) -> Option<&'static str> {
    match std::env::consts::OS {
        "macos" => tool.brew,
        "windows" => tool.winget,
        _ => Some(tool.apt),
    }
}

fn packages(missing: &[&'static Tool]) -> Option<String> {
    let names: Vec<_> = missing.iter().filter_map(|tool| here(tool)).collect();
    (!names.is_empty()).then(|| names.join(" "))
}

fn install(packages: &str) -> Result<()> {
    let line = match std::env::consts::OS {
        "macos" => format!("brew install {packages}"),
        "windows" => format!("winget install {packages}"),
        _ => format!("sudo apt-get install -y {packages}"),
    };
    if !on_path("apt-get") {
        bail!("install what is missing, then run this again:\n    {line}");
    }
    let as_root = output(command("id").arg("-u")).as_deref() == Some("0");
    if !as_root && !quietly(command("sudo").args(["-n", "true"])) {
        bail!("installing needs root; run this line, then this task again:\n    {line}");
    }
    let apt = |arguments: &[&str]| {
        let mut apt = if as_root { command("env") } else { command("sudo") };
        if !as_root {
            apt.args(["-n", "env"]);
        }
        apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .args(arguments);
        apt
    };
    // The lists may be old or, in a fresh container, absent.
    succeeds(&mut apt(&["update", "-qq"]))?;
    let mut wanted = vec!["install", "-y", "-qq", "--no-install-recommends"];
    wanted.extend(packages.split(' '));
    let all = succeeds(&mut apt(&wanted))?;
    let needed = missing(Need::Build);
    match packages_left(all, &needed) {
        Some(left) => bail!("apt-get could not install {left}; the lines above say why"),
        None => Ok(()),
    }
}

fn packages_left(all: bool, needed: &[&'static Tool]) -> Option<String> {
    if all { None } else { packages(needed) }
}

fn ensure_node() -> Result<()> {
    let version = output(command("node").arg("--version")).context("Node.js does not start")?;
    if node_is_new_enough(&version) {
        return Ok(());
    }
    let (major, minor) = OLDEST_NODE;
    bail!(
        "Node.js {version} is too old; install {major}.{minor} or newer from https://nodejs.org/ and run this again"
    )
}

fn node_is_new_enough(version: &str) -> bool {
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    found >= OLDEST_NODE
}

fn ensure_nextest() -> Result<()> {
    if on_path("cargo-nextest") {
        return Ok(());
    }
    println!("missing: cargo-nextest (built once, some minutes)");
    must(command("cargo").args(["install", "cargo-nextest", "--locked"]))
}

/// The Python that has the peers we are measured against and the readers our files must open in:
/// a virtual environment of its own, made on first use.
pub(crate) fn peers_python() -> Result<PathBuf> {
    let home = variable("HOME")
        .or_else(|| variable("USERPROFILE"))
        .context("no home folder is set")?;
    let venv = PathBuf::from(home).join(".cache/gleaner/venv");
    let python = venv.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let wanted = std::fs::read_to_string(PEERS).context(PEERS)?;
    let stamp = venv.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    println!("making {} with the peers of {PEERS}", venv.display());
    must(command(PYTHON).args(["-m", "venv"]).arg(&venv))?;
    must(command(&python).args(["-m", "pip", "install", "--quiet", "--requirement", PEERS]))?;
    std::fs::write(&stamp, wanted)?;
    Ok(python)
}

const PEERS: &str = "xtask/peers.txt";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_too_old_is_told_apart() {
        assert!(node_is_new_enough("v20.19.0"));
        assert!(node_is_new_enough("v22.1.0"));
        assert!(!node_is_new_enough("v20.9.0"));
        assert!(!node_is_new_enough("v18.19.1"));
        assert!(!node_is_new_enough("garbage"));
    }

    #[test]
    fn building_needs_no_tool_of_the_tests() {
        let build: Vec<_> = TOOLS
            .iter()
            .filter(|tool| tool.need <= Need::Build)
            .map(|tool| tool.apt)
            .collect();
        assert!(build.contains(&"libwebkit2gtk-4.1-dev"));
        assert!(!build.contains(&"chromium"));
    }

    #[test]
    fn packages_read_as_one_line() {
        let both: Vec<_> = TOOLS.iter().take(2).collect();
        if cfg!(target_os = "linux") {
            assert_eq!(packages(&both).as_deref(), Some("build-essential pkg-config"));
        }
    }
}
