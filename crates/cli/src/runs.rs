//! `gleaner runs …`

use gleaner_app::view::{RunDetail, RunFilter, RunRow};
use gleaner_app::{ApiResult, App};
use gleaner_domain::RunUid;

use crate::args::{RunsArgs, RunsCommand};
use crate::exit::Exit;
use crate::out::Out;
use crate::table::{facts, table};
use crate::words;

pub(crate) async fn perform(app: &App, out: Out, args: RunsArgs) -> ApiResult<Exit> {
    match args.command {
        Some(RunsCommand::Log { uid }) => log(app, out, uid).await,
        None => list(app, out, args.source.as_deref(), args.limit).await,
    }
}

async fn list(app: &App, out: Out, source: Option<&str>, limit: u32) -> ApiResult<Exit> {
    let source_id = match source {
        Some(text) => Some(app.find_source(text).await?.id),
        None => None,
    };
    let filter = RunFilter {
        source_id,
        limit: Some(limit),
        ..RunFilter::default()
    };
    let runs = app.list_runs(filter).await?;
    out.show(&runs, || {
        if runs.is_empty() {
            return "No runs yet.".to_owned();
        }
        table(["WHEN", "SOURCE", "OUTCOME", "UID"], runs.iter().map(cells))
    })?;
    Ok(Exit::Ok)
}

fn cells(run: &RunRow) -> [String; 4] {
    let folded = if run.folded > 1 {
        format!(" ({} times)", run.folded)
    } else {
        String::new()
    };
    [
        words::time(run.started_at.unwrap_or(run.created_at)),
        run.source_name.clone(),
        words::outcome(run) + &folded,
        run.uid.to_string(),
    ]
}

async fn log(app: &App, out: Out, uid: RunUid) -> ApiResult<Exit> {
    let run = app.get_run(uid).await?;
    out.show(&run, || describe(&run))?;
    Ok(Exit::Ok)
}

fn describe(run: &RunDetail) -> String {
    let row = &run.row;
    let head = facts([
        ("Source", Some(format!("{} ({})", row.source_name, row.source_id))),
        ("Outcome", Some(words::outcome(row))),
        ("Next step", row.hint.clone()),
        ("Started", row.started_at.map(words::time)),
        ("Ended", row.finished_at.map(words::time)),
        ("Pages", Some(row.counts.pages.to_string())),
    ]);
    let lines = run
        .log
        .iter()
        .map(|line| format!("{}  {}  {}", line.at.format("%H:%M:%S"), line.level, line.text));
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}
