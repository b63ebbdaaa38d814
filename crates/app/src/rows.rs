//! From what is stored to what is shown.

use gleaner_scrape::NoteLevel;
use gleaner_store::{LogStored, MessageStored, RunStored, SourceStored};

use crate::board::Board;
use crate::view::{LogLine, MessageRow, RunRow, SourceRow};

pub(crate) fn source(stored: SourceStored, board: &Board) -> SourceRow {
    let SourceStored {
        source,
        target: (target_name, target),
        messages,
        last_run,
    } = stored;
    SourceRow {
        id: source.id,
        uid: source.uid,
        name: source.name,
        identifier: source.identifier.to_string(),
        channel_title: source.channel_title,
        access_level: source.access_level,
        target,
        target_uid: source.target,
        target_name,
        session_ref: source.session_ref,
        schedule: source.schedule,
        policy: source.policy,
        paused_at: source.paused_at,
        next_run_at: source.next_run_at.filter(|_| source.paused_at.is_none()),
        messages,
        last_run: last_run.map(|stored| run(stored, board)),
        created_at: source.created_at,
    }
}

pub(crate) fn run(stored: RunStored, board: &Board) -> RunRow {
    let progress = if stored.state.is_over() {
        None
    } else {
        board.progress(stored.uid)
    };
    RunRow {
        uid: stored.uid,
        source_id: stored.source_id,
        source_name: stored.source_name,
        trigger: stored.trigger,
        state: stored.state,
        code: stored.code,
        detail: stored.detail,
        hint: stored
            .code
            .and_then(gleaner_domain::Code::hint)
            .map(str::to_owned),
        paused_until: stored.paused_until,
        created_at: stored.created_at,
        started_at: stored.started_at,
        finished_at: stored.finished_at,
        // The database knows the last commit; the board what happened since.
        counts: progress.as_ref().map_or(stored.counts, |(_, counts)| *counts),
        folded: stored.folded,
        progress: progress.map(|(live, _)| live),
    }
}

pub(crate) fn message(stored: MessageStored) -> MessageRow {
    MessageRow {
        id: stored.id,
        date: stored.date,
        kind: stored.kind,
        author: stored.author,
        text: stored.text,
        views: stored.views,
        views_rounded: stored.views_rounded,
        media: stored.media,
        edited: stored.edited,
        gone: stored.gone,
        link: stored.link,
    }
}

pub(crate) fn log_line(stored: LogStored) -> LogLine {
    LogLine {
        at: stored.at,
        level: match stored.level {
            NoteLevel::Info => "info",
            NoteLevel::Warning => "warning",
            NoteLevel::Error => "error",
        }
        .to_owned(),
        text: stored.text,
    }
}
