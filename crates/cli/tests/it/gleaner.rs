//! The binary, with a data folder of its own and nothing of the tester's environment.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use gleaner_testkit::PreviewSite;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// No command of these tests takes longer, soak runs on a busy machine included.
const PATIENCE: Duration = Duration::from_mins(10);

/// A place to work in: data folder `d`, archives in `out`.
pub(crate) struct Gleaner {
    dir: TempDir,
    vars: Vec<(String, String)>,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// JSON lines.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {self:?}")))
            .collect()
    }

    pub(crate) fn must(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

impl Gleaner {
    /// Asks `site`, as fast as it answers.
    pub(crate) fn asking(site: &PreviewSite) -> Self {
        Self::asking_at(&site.base_url())
    }

    pub(crate) fn asking_at(url: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let vars = [
            ("GLEANER_DATA_DIR", "d"),
            ("GLEANER_PREVIEW_URL", url),
            ("GLEANER_PREVIEW_RATE", "0"),
        ];
        let vars = vars
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        Self { dir, vars }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.dir.path().join(inside)
    }

    /// The one archive under `out`.
    pub(crate) fn archive(&self) -> PathBuf {
        only_entry(&self.path("out"))
    }

    /// Runs to the end. Words are separated by spaces.
    pub(crate) async fn run(&self, line: &str) -> Done {
        self.run_words(line.split_whitespace()).await
    }

    pub(crate) async fn run_words(&self, words: impl IntoIterator<Item = &str>) -> Done {
        let child = self.start_words(words);
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        let output = output.expect("it ends in time").expect("it runs");
        done(output)
    }

    /// Starts and leaves it going; killed when dropped.
    pub(crate) fn start(&self, line: &str) -> Child {
        self.start_words(line.split_whitespace())
    }

    fn start_words<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Child {
        let mut command = self.command(&binary());
        command.args(words).spawn().expect("the binary starts")
    }

    /// Runs to the end on a terminal of its own, and hands over every byte that terminal got.
    #[cfg(target_os = "linux")]
    pub(crate) async fn run_on_a_terminal(&self, line: &str) -> String {
        let mut script = self.command("script");
        script.env("TERM", "xterm").args(["-q", "-e", "-c"]);
        script.arg(format!("{} {line}", binary()));
        let child = script.arg("/dev/null").spawn().expect("script starts");
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        done(output.expect("it ends in time").expect("it runs"))
            .must(0)
            .out
    }

    /// A program in this place, with its environment and nothing of the tester's.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).env_clear();
        command
            .env("HOME", self.dir.path())
            .env("TZ", "UTC")
            .env("PATH", "/usr/bin:/bin");
        for (name, value) in &self.vars {
            command.env(name, value);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

pub(crate) fn done(output: Output) -> Done {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Done {
        code: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Sends a signal, as a terminal or a service manager does.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let pid = child.id().expect("still running").to_string();
    let status = std::process::Command::new("kill")
        .args([name, &pid])
        .status()
        .expect("kill is there");
    assert!(status.success());
}

pub(crate) fn only_entry(dir: &Path) -> PathBuf {
    let mut entries = std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let first = entries
        .next()
        .expect("something is there")
        .expect("it can be read")
        .path();
    assert!(
        entries.next().is_none(),
        "only one thing lies in {}",
        dir.display()
    );
    first
}

/// The binary under test: this build's, or the one a soak names, as it is shipped.
#[expect(
    clippy::disallowed_methods,
    reason = "the one seam through which a soak names the binary"
)]
fn binary() -> String {
    std::env::var("GLEANER_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_gleaner").to_owned())
}
