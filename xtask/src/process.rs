//! Starting other programs: said aloud, from the repository's root, in a clean environment.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the repository")
}

/// Makes the root the working folder, so that every path below is relative to it.
pub(crate) fn enter_root() -> Result<()> {
    env::set_current_dir(root()).context("the repository's folder is gone")
}

/// An environment variable, if set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "the task runner's one look at its environment"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A command without the variables cargo sets for what it runs: build scripts watch some of
/// them, and would run again for nothing.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let set_by_cargo = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
            "CARGO_PRIMARY_",
        ];
        if set_by_cargo.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
    command
}

/// `cargo` with these arguments.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut cargo = command("cargo");
    cargo.args(arguments);
    cargo
}

/// Runs to the end, on our terminal; true if it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    say(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    Ok(status.success())
}

/// Runs to the end, on our terminal; an error if it failed.
pub(crate) fn must(command: &mut Command) -> Result<()> {
    if succeeds(command)? {
        Ok(())
    } else {
        bail!("failed: {}", shown(command))
    }
}

/// Whether it starts and succeeds; prints nothing.
pub(crate) fn quietly(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// What it prints to stdout, if it succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).stdin(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What a followed program did.
pub(crate) struct Followed {
    /// Whether it succeeded.
    pub(crate) ok: bool,
    /// Every line of both its streams.
    pub(crate) lines: Vec<String>,
}

/// Runs to the end, passing on both streams line by line, and keeps the lines.
pub(crate) fn follow(command: &mut Command) -> Result<Followed> {
    say(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let out = child.stdout.take().expect("stdout is piped");
    let err = child.stderr.take().expect("stderr is piped");
    let (sender, lines) = std::sync::mpsc::channel();
    let second = sender.clone();
    thread::spawn(move || pass_on(out, &sender));
    thread::spawn(move || pass_on(err, &second));
    let mut kept = Vec::new();
    for line in lines {
        println!("{line}");
        kept.push(line);
    }
    Ok(Followed {
        ok: child.wait()?.success(),
        lines: kept,
    })
}

fn pass_on(stream: impl Read, to: &std::sync::mpsc::Sender<String>) {
    for line in BufReader::new(stream).split(b'\n').map_while(io::Result::ok) {
        let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
        if to.send(line).is_err() {
            return;
        }
    }
}

/// A program running beside us; ended when this is dropped.
pub(crate) struct Beside(Child);

impl Beside {
    /// Starts it and waits for the first lines it prints. Later lines are passed on.
    pub(crate) fn start(command: &mut Command, lines: usize) -> Result<(Self, Vec<String>)> {
        say(command);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", shown(command)))?;
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let beside = Self(child);
        let mut first = Vec::with_capacity(lines);
        while first.len() < lines {
            let mut line = String::new();
            if stdout.read_line(&mut line)? == 0 {
                bail!("{} ended before it printed its first lines", shown(command));
            }
            first.push(line.trim().to_owned());
        }
        thread::spawn(move || io::copy(&mut stdout, &mut io::stdout()));
        Ok((beside, first))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Where cargo builds to.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .no_deps()
        .exec()
        .context("cargo metadata")?;
    Ok(metadata.target_directory.into_std_path_buf())
}

/// A program of ours in a profile's folder.
pub(crate) fn built(profile: &str, name: &str) -> Result<PathBuf> {
    Ok(target_dir()?
        .join(profile)
        .join(format!("{name}{}", env::consts::EXE_SUFFIX)))
}

/// Prints a heading.
pub(crate) fn heading(text: &str) {
    println!(
        "\n── {text} {}",
        "─".repeat(90_usize.saturating_sub(text.chars().count()))
    );
    io::stdout().flush().ok();
}

fn say(command: &Command) {
    println!("$ {}", shown(command));
    io::stdout().flush().ok();
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(|word| word.to_string_lossy().into_owned()).map(|word| {
        if word.contains([' ', '(', '*', '|']) || word.is_empty() {
            format!("'{word}'")
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
