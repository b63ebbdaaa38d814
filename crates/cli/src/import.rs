//! `gleaner source import`

use std::io::Read;
use std::path::Path;

use gleaner_app::view::{ImportLine, ImportReport, ImportSources, ImportState};
use gleaner_app::{ApiError, ApiResult, App};
use gleaner_domain::ScrapePolicy;

use crate::args::ImportArgs;
use crate::exit::Exit;
use crate::out::Out;
use crate::table::table;

/// No list of channels is longer; a video given by mistake is.
const MOST: u64 = 1_000_000;

pub(crate) async fn perform(app: &App, out: Out, args: ImportArgs) -> ApiResult<Exit> {
    let text = read(&args.file)?;
    let target_uid = Some(args.place.target(app, args.target).await?);
    let report = app
        .import_sources(ImportSources {
            text,
            target: args.target.as_str().to_owned(),
            target_uid,
            schedule: args.schedule.schedule(),
            policy: args.policy.change(&ScrapePolicy::default()),
            dry_run: args.dry_run,
        })
        .await?;
    out.show(&report, || describe(&report, args.dry_run))?;
    let refused = report.lines.iter().any(|line| line.state == ImportState::Refused);
    Ok(if refused { Exit::SomeFailed } else { Exit::Ok })
}

fn read(path: &Path) -> ApiResult<String> {
    let failed = |e: &std::io::Error| ApiError::field("file", format!("{}: {e}", path.display()));
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(MOST + 1).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path).map_err(|e| failed(&e))?;
        file.take(MOST + 1).read_to_string(&mut text)
    };
    read.map_err(|e| failed(&e))?;
    if text.len() as u64 > MOST {
        return Err(ApiError::field("file", "a list has at most a million characters"));
    }
    Ok(text)
}

fn describe(report: &ImportReport, dry_run: bool) -> String {
    let lines = table(
        ["CHANNEL", "STATE", "WHY"],
        report.lines.iter().map(|line| cells(line, dry_run)),
    );
    let would = if dry_run { "would be " } else { "" };
    format!("{lines}\n{} of {} {would}added", report.added, report.lines.len())
}

fn cells(line: &ImportLine, dry_run: bool) -> [String; 3] {
    let state = match line.state {
        ImportState::Added if dry_run => "to add",
        ImportState::Added => "added",
        ImportState::Duplicate => "there already",
        ImportState::Refused => "refused",
    };
    let channel = line.identifier.as_ref().unwrap_or(&line.input);
    [
        channel.clone(),
        state.to_owned(),
        line.detail.clone().unwrap_or_default(),
    ]
}
