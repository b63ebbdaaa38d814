//! The only place that prints: results on stdout, notes and errors on stderr.
//!
//! Text from Telegram is hostile also to terminals: control characters never reach one.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use gleaner_app::{ApiError, ApiResult};
use gleaner_domain::Code;
use serde::Serialize;
use serde_json::json;

use crate::args::Global;
use crate::exit::Exit;

/// How this call wants to be answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    json: bool,
    quiet: bool,
}

impl Out {
    pub(crate) fn new(global: &Global) -> Self {
        Self {
            json: global.json,
            quiet: global.quiet,
        }
    }

    /// Whether bars may be drawn.
    pub(crate) fn is_lively(self) -> bool {
        !self.json && !self.quiet && io::stderr().is_terminal()
    }

    /// A result: JSON for machines, words for people.
    pub(crate) fn show<T: Serialize>(self, value: &T, words: impl FnOnce() -> String) -> ApiResult<()> {
        if self.json {
            document(value)
        } else {
            text(&words())
        }
    }

    /// One of several results: one line of JSON, or one line of words.
    pub(crate) fn show_line<T: Serialize>(self, value: &T, words: impl FnOnce() -> String) -> ApiResult<()> {
        if !self.json {
            return text(&words());
        }
        print(&escaped(
            &serde_json::to_string(value).map_err(|e| unprintable(&e))?,
        ))
    }

    /// Words that are no result: what goes on, what to do next.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet && !self.json {
            complain(&plain(text));
        }
    }

    /// Why it was not done; the exit code says it to the shell.
    pub(crate) fn refuse(self, error: &ApiError) -> Exit {
        if self.json {
            complain(&as_json(error.code, &error.detail, error.hint.as_deref()));
        } else {
            complain(&plain(&format!("gleaner: {}", error.detail)));
            if let Some(hint) = &error.hint {
                complain(&plain(hint));
            }
        }
        Exit::of_code(error.code)
    }
}

/// One JSON document, whatever was asked for.
pub(crate) fn document<T: Serialize>(value: &T) -> ApiResult<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| unprintable(&e))?;
    print(&escaped(&text))
}

/// What everybody must hear, also who asked for quiet or for JSON.
pub(crate) fn warn(text: &str) {
    complain(&plain(text));
}

/// What clap says to a wrong command line, or to `--help`.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let asked_for_json = std::env::args_os().any(|arg| arg == "--json");
    if asked_for_json && error.use_stderr() {
        complain(&as_json(
            Code::InvalidInput,
            error.to_string().trim(),
            Some("See gleaner --help."),
        ));
    } else if error.print().is_err() {
        return Exit::Failed.into();
    }
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Ok.into()
    }
}

/// Asks a person; anything but yes is no. Without a terminal nobody can be asked.
pub(crate) async fn confirm(question: &str) -> ApiResult<bool> {
    if !io::stdin().is_terminal() {
        let detail = "nobody can be asked here: say --yes";
        return Err(ApiError::new(Code::InvalidInput, detail));
    }
    let question = format!("{} [y/N] ", plain(question));
    // On a thread of its own: reading a terminal blocks, and Ctrl-C must be heard meanwhile.
    let answer = tokio::task::spawn_blocking(move || ask(&question)).await;
    let answer = answer
        .map_err(|e| unprintable(&e))?
        .map_err(|e| unprintable(&e))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn ask(question: &str) -> io::Result<String> {
    let mut err = io::stderr().lock();
    write!(err, "{question}")?;
    err.flush()?;
    drop(err);
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer)
}

/// The text without what a terminal would obey; lines stay.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if is_obeyed(c) { '\u{fffd}' } else { c })
        .collect()
}

/// JSON without what a terminal would obey. serde escapes only what JSON itself forbids; the rest
/// stands inside strings, where an escape means the same.
fn escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if is_obeyed(c) {
            _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

fn is_obeyed(c: char) -> bool {
    (c.is_control() && c != '\n') || is_direction_override(c)
}

fn is_direction_override(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn as_json(code: Code, detail: &str, hint: Option<&str>) -> String {
    escaped(&json!({ "code": code, "detail": detail, "hint": hint }).to_string())
}

fn text(text: &str) -> ApiResult<()> {
    if text.is_empty() {
        Ok(())
    } else {
        print(&plain(text))
    }
}

fn print(text: &str) -> ApiResult<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        // Who pipes into `head` has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| unprintable(&e)),
    }
}

fn complain(text: &str) {
    // Nobody is left to tell when stderr is gone.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn unprintable(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::new(Code::Internal, format!("the result cannot be printed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_command_the_terminal() {
        assert_eq!(
            plain("red \u{1b}[31malert\u{7} \u{202e}gpj.exe"),
            "red \u{fffd}[31malert\u{fffd} \u{fffd}gpj.exe"
        );
        assert_eq!(plain("two\nlines: שלום 👋"), "two\nlines: שלום 👋");
    }

    #[test]
    fn a_title_cannot_command_the_terminal_through_json_and_means_the_same() {
        let title = "del \u{7f} csi \u{9b}31m \u{202e}gpj.exe \u{2066}x\u{2069} שלום 👋";
        let text = escaped(&serde_json::to_string_pretty(&json!({ "title": title })).expect("JSON"));
        assert!(
            text.contains(r"del \u007f csi \u009b31m \u202egpj.exe \u2066x\u2069 שלום 👋"),
            "{text}"
        );
        assert!(!text.chars().any(is_obeyed), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).expect("still JSON");
        assert_eq!(read["title"], title);
    }
}
