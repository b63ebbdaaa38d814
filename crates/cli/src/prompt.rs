//! Asks for what must not stand in a command line: codes, passwords, session strings.
//!
//! At a terminal secrets are typed unseen; from a pipe each answer is a line of stdin, in the order of the
//! questions, so that scripts can log in, too.

use std::io::{self, IsTerminal, Write};

use gleaner_app::{ApiError, ApiResult, SecretString};
use gleaner_domain::Code;

/// Asks for something that may be seen.
pub(crate) async fn line(question: &str) -> ApiResult<String> {
    let question = format!("{question}: ");
    off_thread(move || {
        ask(&question)?;
        read_line()
    })
    .await
}

/// Asks for something that must not be seen.
pub(crate) async fn secret(question: &str) -> ApiResult<SecretString> {
    let question = format!("{question}: ");
    let typed = off_thread(move || {
        if io::stdin().is_terminal() {
            rpassword::prompt_password(question)
        } else {
            read_line()
        }
    })
    .await?;
    Ok(SecretString::from(typed))
}

fn ask(question: &str) -> io::Result<()> {
    if !io::stdin().is_terminal() {
        return Ok(());
    }
    let mut err = io::stderr().lock();
    write!(err, "{question}")?;
    err.flush()
}

fn read_line() -> io::Result<String> {
    let mut answer = String::new();
    if io::stdin().read_line(&mut answer)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(answer.trim_end_matches(['\r', '\n']).to_owned())
}

/// On a thread of its own: reading a terminal blocks, and Ctrl-C must be heard meanwhile.
async fn off_thread(work: impl FnOnce() -> io::Result<String> + Send + 'static) -> ApiResult<String> {
    let answer = tokio::task::spawn_blocking(work).await;
    let unanswered = |why: &dyn std::fmt::Display| {
        ApiError::new(
            Code::InvalidInput,
            format!("the question was not answered: {why}"),
        )
    };
    answer
        .map_err(|error| unanswered(&error))?
        .map_err(|error| unanswered(&error))
}
