//! `gleaner target …`

use gleaner_app::view::{SaveTarget, TargetReport, TargetRow};
use gleaner_app::{ApiError, ApiResult, App};
use gleaner_domain::{Code, TargetKind};

use crate::args::TargetCommand;
use crate::exit::Exit;
use crate::out::Out;
use crate::place::{Place, kind_of};
use crate::table::table;
use crate::words;

pub(crate) async fn perform(app: &App, out: Out, command: TargetCommand) -> ApiResult<Exit> {
    match command {
        TargetCommand::List => list(app, out).await,
        TargetCommand::Add {
            name,
            kind,
            place,
            default,
        } => add(app, out, name, kind, place, default).await,
        TargetCommand::Test { target } => test(app, out, &target).await,
        TargetCommand::Rm { target } => {
            let message = app.delete_target(find(app, &target).await?.uid).await?;
            out.show(&message, || message.message.clone())?;
            Ok(Exit::Ok)
        }
    }
}

async fn list(app: &App, out: Out) -> ApiResult<Exit> {
    let targets = app.list_targets().await?;
    out.show(&targets, || {
        table(
            ["NAME", "KIND", "DEFAULT", "SOURCES", "PLACE"],
            targets.iter().map(cells),
        )
    })?;
    Ok(Exit::Ok)
}

fn cells(target: &TargetRow) -> [String; 5] {
    [
        target.name.clone(),
        kind_of(&target.settings).as_str().to_owned(),
        if target.is_default { "yes" } else { "" }.to_owned(),
        target.sources.to_string(),
        words::place(&target.settings),
    ]
}

async fn add(
    app: &App,
    out: Out,
    name: String,
    kind: TargetKind,
    place: Place,
    is_default: bool,
) -> ApiResult<Exit> {
    let settings = place.settings(kind)?.ok_or_else(|| match kind {
        TargetKind::Local | TargetKind::Nas => ApiError::field("path", "say where with --path"),
        TargetKind::S3 => ApiError::field("bucket", "say where with --bucket"),
    })?;
    let saved = app
        .save_target(SaveTarget {
            uid: None,
            name,
            is_default,
            settings,
        })
        .await?;
    out.show(&saved, || format!("{} is target {}", saved.name, saved.uid))?;
    out.note(&format!("Try it with: gleaner target test {}", saved.uid));
    Ok(Exit::Ok)
}

async fn test(app: &App, out: Out, text: &str) -> ApiResult<Exit> {
    let target = find(app, text).await?;
    let wish = SaveTarget {
        uid: Some(target.uid),
        name: target.name,
        is_default: target.is_default,
        settings: target.settings,
    };
    let report = app.test_target(wish).await?;
    out.show(&report, || describe(&report))?;
    Ok(if report.ok { Exit::Ok } else { Exit::Target })
}

fn describe(report: &TargetReport) -> String {
    let lines = report.steps.iter().map(|step| {
        let mark = if step.ok { "ok    " } else { "failed" };
        format!("{mark}  {}: {}", step.name, step.detail)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// By uid, by name, or the default of a kind.
async fn find(app: &App, text: &str) -> ApiResult<TargetRow> {
    let targets = app.list_targets().await?;
    let matches = |target: &TargetRow| {
        let word = kind_of(&target.settings).as_str();
        target.uid.to_string() == text
            || target.name.to_lowercase() == text.to_lowercase()
            || (target.is_default && word.eq_ignore_ascii_case(text))
    };
    let mut found = targets.into_iter().filter(matches);
    match (found.next(), found.next()) {
        (Some(target), None) => Ok(target),
        (Some(_), Some(_)) => Err(ApiError::new(
            Code::InvalidInput,
            format!("several targets are called {text}: use a uid"),
        )),
        (None, _) => Err(ApiError::new(Code::TargetNotFound, "Target not found")),
    }
}
