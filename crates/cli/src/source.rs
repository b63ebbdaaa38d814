//! `gleaner source …`

use gleaner_app::view::{ContractSource, CreateSource, EditSource, SourceDetail, SourceRow};
use gleaner_app::{ApiResult, App};
use gleaner_domain::{AccessLevel, PeerAddress, RunState, ScrapePolicy};
use indicatif::HumanCount;
use tokio_util::sync::CancellationToken;

use crate::args::{AddSource, EditSourceArgs, OneSource, RemoveSource, SourceCommand};
use crate::exit::Exit;
use crate::out::{Out, confirm};
use crate::table::{facts, table};
use crate::{import, unless, words};

pub(crate) async fn perform(
    app: &App,
    out: Out,
    command: SourceCommand,
    stop: CancellationToken,
) -> ApiResult<Exit> {
    match command {
        SourceCommand::Add(args) => unless(stop, add(app, out, *args)).await,
        SourceCommand::List => unless(stop, list(app, out)).await,
        SourceCommand::Show(which) => unless(stop, show(app, out, &which)).await,
        SourceCommand::Edit(args) => unless(stop, edit(app, out, *args)).await,
        SourceCommand::Rm(args) => remove(app, out, &args, &stop).await,
        SourceCommand::Pause(which) => unless(stop, pause(app, out, &which)).await,
        SourceCommand::Resume(which) => unless(stop, resume(app, out, &which)).await,
        SourceCommand::Import(args) => unless(stop, import::perform(app, out, *args)).await,
    }
}

async fn add(app: &App, out: Out, args: AddSource) -> ApiResult<Exit> {
    let target_uid = Some(args.place.target(app, args.target).await?);
    let access = if args.private {
        AccessLevel::Private
    } else {
        AccessLevel::Public
    };
    let new = CreateSource {
        name: args.name.unwrap_or_else(|| name_of(&args.identifier)),
        identifier: args.identifier,
        channel_title: args.title,
        access_level: access.as_str().to_owned(),
        target: args.target.as_str().to_owned(),
        session_ref: args.session,
        target_uid,
        path: None,
        schedule: args.schedule.schedule(),
        policy: args.policy.change(&ScrapePolicy::default()),
    };
    let added = app.create_source(new).await?;
    out.show(&added, || format!("{} is source {}", added.name, added.id))?;
    out.note(&next_step(&added));
    Ok(Exit::Ok)
}

/// What the channel is called, until the person calls it something else.
fn name_of(identifier: &str) -> String {
    let address = identifier.parse::<PeerAddress>().ok();
    let name = address.as_ref().and_then(PeerAddress::name);
    name.unwrap_or(identifier).to_owned()
}

fn next_step(added: &ContractSource) -> String {
    format!("Scrape it now with: gleaner run {}", added.id)
}

async fn list(app: &App, out: Out) -> ApiResult<Exit> {
    let rows = app.list_source_rows().await?;
    out.show(&rows, || {
        if rows.is_empty() {
            return "No sources yet. Add one with: gleaner source add @channel".to_owned();
        }
        table(
            [
                "ID", "NAME", "CHANNEL", "TITLE", "TARGET", "SCHEDULE", "MESSAGES", "LAST RUN",
            ],
            rows.iter().map(cells),
        )
    })?;
    Ok(Exit::Ok)
}

fn cells(row: &SourceRow) -> [String; 8] {
    [
        row.id.to_string(),
        row.name.clone(),
        row.identifier.clone(),
        row.channel_title.clone(),
        row.target.as_str().to_owned(),
        if row.paused_at.is_some() {
            "paused".to_owned()
        } else {
            words::schedule(&row.schedule)
        },
        HumanCount(row.messages).to_string(),
        row.last_run
            .as_ref()
            .map_or_else(|| "never".to_owned(), words::outcome),
    ]
}

async fn show(app: &App, out: Out, which: &OneSource) -> ApiResult<Exit> {
    let id = app.find_source(&which.source).await?.id;
    let detail = app.get_source_detail(id).await?;
    out.show(&detail, || describe(&detail))?;
    Ok(Exit::Ok)
}

fn describe(detail: &SourceDetail) -> String {
    let row = &detail.row;
    let files = format!(
        "{} ({})",
        HumanCount(detail.files),
        words::bytes(detail.file_bytes)
    );
    let missing = detail
        .files_missing
        .iter()
        .map(|m| format!("{} × {}", HumanCount(m.count), m.reason));
    let missing: Vec<_> = missing.collect();
    facts([
        ("Source", Some(row.id.to_string())),
        ("Name", Some(row.name.clone())),
        ("Channel", Some(row.identifier.clone())),
        ("Title", Some(row.channel_title.clone())),
        ("Access", Some(row.access_level.as_str().to_owned())),
        (
            "Target",
            Some(format!("{} {}", row.target.as_str(), row.target_name)),
        ),
        ("Files lie in", detail.location.clone()),
        ("Schedule", Some(words::schedule(&row.schedule))),
        ("History", Some(words::history(row.policy.history))),
        (
            "Files wanted",
            Some(if row.policy.media { "yes" } else { "no" }.to_owned()),
        ),
        ("Paused", row.paused_at.map(words::time)),
        (
            "Next run",
            row.next_run_at
                .filter(|_| row.paused_at.is_none())
                .map(words::time),
        ),
        ("Messages", Some(HumanCount(row.messages).to_string())),
        (
            "Edited",
            (detail.edited > 0).then(|| HumanCount(detail.edited).to_string()),
        ),
        (
            "Deleted",
            (detail.gone > 0).then(|| HumanCount(detail.gone).to_string()),
        ),
        ("Files", Some(files)),
        ("Not fetched", (!missing.is_empty()).then(|| missing.join(", "))),
        ("Oldest", detail.oldest.map(words::time)),
        ("Newest", detail.newest.map(words::time)),
        ("Last run", row.last_run.as_ref().map(words::outcome)),
        ("Added", Some(words::time(row.created_at))),
    ])
}

async fn edit(app: &App, out: Out, args: EditSourceArgs) -> ApiResult<Exit> {
    let before = app.find_source(&args.which.source).await?;
    let target_uid = match args.target {
        None if args.place.is_default() => None,
        // A folder or bucket alone stays in the kind the source has.
        kind => Some(args.place.target(app, kind.unwrap_or(before.target)).await?),
    };
    let change = EditSource {
        name: args.name,
        channel_title: args.title,
        target_uid: target_uid.filter(|uid| *uid != before.target_uid),
        schedule: args.schedule.schedule(),
        policy: args.policy.change(&before.policy),
    };
    let after = app.edit_source(before.id, change).await?;
    told(out, &after, "is changed")
}

async fn pause(app: &App, out: Out, which: &OneSource) -> ApiResult<Exit> {
    let row = app.pause_source(app.find_source(&which.source).await?.id).await?;
    told(out, &row, "is paused")
}

async fn resume(app: &App, out: Out, which: &OneSource) -> ApiResult<Exit> {
    let row = app
        .resume_source(app.find_source(&which.source).await?.id)
        .await?;
    told(out, &row, "is scraped again")
}

/// Ctrl-C leaves until the answer is yes; a removal under way goes on to its end.
async fn remove(app: &App, out: Out, args: &RemoveSource, stop: &CancellationToken) -> ApiResult<Exit> {
    let row = app.find_source(&args.which.source).await?;
    let what = if args.files {
        "and delete its files"
    } else {
        "(its files stay)"
    };
    if !args.yes && !agreed(&format!("Remove {} {what}?", row.name), stop).await? {
        out.note("Nothing was removed.");
        return Ok(Exit::Cancelled);
    }
    let message = app.delete_source(row.id, args.files).await?;
    out.show(&message, || message.message.clone())?;
    Ok(Exit::Ok)
}

async fn agreed(question: &str, stop: &CancellationToken) -> ApiResult<bool> {
    tokio::select! {
        answer = confirm(question) => answer,
        () = stop.cancelled() => Ok(false),
    }
}

fn told(out: Out, row: &SourceRow, what: &str) -> ApiResult<Exit> {
    let running = row
        .last_run
        .as_ref()
        .is_some_and(|run| run.state == RunState::Running);
    out.show(row, || format!("{} {what}", row.name))?;
    if running {
        out.note("The run that goes on now is not affected.");
    }
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("@news", "news")]
    #[case(" news ", "news")]
    #[case("https://t.me/s/news/12", "news")]
    #[case("-1001234567890", "-1001234567890")]
    fn a_source_is_called_as_its_channel(#[case] identifier: &str, #[case] name: &str) {
        assert_eq!(name_of(identifier), name);
    }
}
