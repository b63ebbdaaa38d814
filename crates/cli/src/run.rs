//! `gleaner run`: scrape here and now, several sources side by side, and wait.

use futures::StreamExt;
use futures::stream;
use gleaner_app::view::{RunRow, SourceRow};
use gleaner_app::{ApiError, ApiResult, App};
use gleaner_domain::Code;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::args::RunArgs;
use crate::exit::Exit;
use crate::out::Out;
use crate::progress::{Bars, listener};
use crate::words;

/// Runs at once; they share the politeness of the machine, so more would only queue there.
const AT_ONCE: usize = 4;

pub(crate) async fn perform(app: &App, out: Out, args: RunArgs, stop: CancellationToken) -> ApiResult<Exit> {
    let sources = chosen(app, out, args).await?;
    let bars = Bars::new(out);
    let runs = stream::iter(sources).map(|source| one(app, &bars, source, stop.clone()));
    let mut runs = runs.buffer_unordered(AT_ONCE);
    let mut exits = Vec::new();
    while let Some((source, result)) = runs.next().await {
        exits.push(bars.aside(|| tell(out, &source, result))?);
    }
    Ok(Exit::of_all(&exits))
}

async fn chosen(app: &App, out: Out, args: RunArgs) -> ApiResult<Vec<SourceRow>> {
    if args.all {
        let (idle, paused): (Vec<_>, Vec<_>) = app
            .list_source_rows()
            .await?
            .into_iter()
            .partition(|row| row.paused_at.is_none());
        if !paused.is_empty() {
            out.note(&format!("{} paused, left out", paused.len()));
        }
        return Ok(idle);
    }
    let mut sources: Vec<SourceRow> = Vec::with_capacity(args.sources.len());
    for text in args.sources {
        let found = app
            .find_source(&text)
            .await
            .map_err(|error| with_advice(error, &text))?;
        if sources.iter().all(|known| known.id != found.id) {
            sources.push(found);
        }
    }
    Ok(sources)
}

/// Only what is a source can be run; who names a channel wants to hear how it becomes one.
fn with_advice(mut error: ApiError, text: &str) -> ApiError {
    if error.code == Code::SourceNotFound {
        error
            .hint
            .get_or_insert_with(|| format!("Add it first with: gleaner source add {text}"));
    }
    error
}

async fn one(
    app: &App,
    bars: &Bars,
    source: SourceRow,
    stop: CancellationToken,
) -> (SourceRow, ApiResult<Option<RunRow>>) {
    if stop.is_cancelled() {
        return (source, Ok(None));
    }
    let bar = bars.add(&source.name);
    let result = app.run_here(source.id, stop, listener(bar.clone())).await;
    bar.finish_and_clear();
    (source, result.map(Some))
}

/// One line a source, as it ends.
fn tell(out: Out, source: &SourceRow, result: ApiResult<Option<RunRow>>) -> ApiResult<Exit> {
    match result {
        Ok(Some(run)) => {
            out.show_line(&run, || format!("{}: {}", source.name, words::outcome(&run)))?;
            if let Some(hint) = &run.hint {
                out.note(hint);
            }
            Ok(Exit::of_run(&run))
        }
        Ok(None) => Ok(Exit::Cancelled),
        Err(error) => {
            out.show_line(&NotRun::new(source, &error), || {
                format!("{}: not run: {}", source.name, error.detail)
            })?;
            if let Some(hint) = &error.hint {
                out.note(hint);
            }
            Ok(Exit::of_code(error.code))
        }
    }
}

/// A line for a source whose run could not even begin.
#[derive(Serialize)]
struct NotRun<'a> {
    source_id: gleaner_domain::SourceId,
    source_name: &'a str,
    state: &'static str,
    code: Code,
    detail: &'a str,
    hint: Option<&'a str>,
}

impl<'a> NotRun<'a> {
    fn new(source: &'a SourceRow, error: &'a ApiError) -> Self {
        Self {
            source_id: source.id,
            source_name: &source.name,
            state: "not_run",
            code: error.code,
            detail: &error.detail,
            hint: error.hint.as_deref(),
        }
    }
}
