//! Who changed what: one ordered stream for every shell of every process.
//!
//! Events are rows first. Writers append and wake the tailer; the tailer alone
//! broadcasts, so that all listeners of all processes hear the same order.

use std::time::Duration;

use gleaner_domain::{RunUid, SourceId};
use gleaner_store::Store;
use tokio::sync::{Notify, broadcast};

use crate::view::{Event, Tag};
use crate::{ApiResult, App};

/// How long another process's change may go unnoticed.
const POLL: Duration = Duration::from_millis(500);
/// A listener that falls this far behind must read everything again.
const BACKLOG: usize = 1_024;
/// Stored beside the tags of the UI: asks whoever runs it to cancel a run.
pub(crate) const CANCEL: &str = "cancel";

/// Tags of changes that are stored.
const STORED: [Tag; 6] = [
    Tag::Sources,
    Tag::Runs,
    Tag::Messages,
    Tag::Targets,
    Tag::Sessions,
    Tag::Settings,
];

pub(crate) struct Bus {
    to_all: broadcast::Sender<Event>,
    wake: Notify,
    /// The last sequence number at start: the tailer begins there.
    start: i64,
}

impl Bus {
    pub(crate) async fn start(store: &Store) -> ApiResult<Self> {
        let (to_all, _) = broadcast::channel(BACKLOG);
        Ok(Self {
            to_all,
            wake: Notify::new(),
            start: store.last_seq().await?,
        })
    }
}

impl App {
    /// Hears every change from now on. A listener that lags must read everything again.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.bus.to_all.subscribe()
    }

    /// Stored events after `seq`, oldest first.
    ///
    /// A number that was never given out is from before the data was erased or an older backup restored.
    /// Whoever comes with one hears that everything changed, under the number to go on from.
    pub async fn events_after(&self, seq: i64, limit: u32) -> ApiResult<Vec<Event>> {
        let stored = self.0.store.events_after(seq, limit.min(10_000)).await?;
        if stored.is_empty() {
            let last = self.0.store.last_seq().await?;
            return Ok(if seq > last { everything(last) } else { Vec::new() });
        }
        Ok(stored
            .into_iter()
            .filter_map(|e| {
                Some(Event {
                    seq: e.seq,
                    tag: tag_of(&e.tag)?,
                    source_id: e.source_id,
                    run_uid: e.run_uid,
                })
            })
            .collect())
    }

    /// Stores a change and tells everyone.
    pub(crate) async fn changed(&self, tag: Tag, source: Option<SourceId>, run: Option<RunUid>) {
        self.append(name_of(tag), source, run).await;
    }

    pub(crate) async fn append(&self, tag: &str, source: Option<SourceId>, run: Option<RunUid>) {
        // A lost event costs a stale screen, never data: not worth failing the change for.
        if let Err(error) = self
            .0
            .store
            .append_event(tag, source, run, self.0.clock.now())
            .await
        {
            tracing::warn!(%error, tag, "an event was not stored");
        }
        self.0.bus.wake.notify_one();
    }

    /// Live figures: told to this process only and never stored.
    pub(crate) fn tell_progress(&self, source: SourceId, run: RunUid) {
        let event = Event {
            seq: 0,
            tag: Tag::Progress,
            source_id: Some(source),
            run_uid: Some(run),
        };
        // No listener is no error.
        let _ = self.0.bus.to_all.send(event);
    }

    pub(crate) fn tail_events(&self) {
        let app = self.clone();
        self.0.tasks.spawn(async move {
            let mut seq = app.0.bus.start;
            loop {
                tokio::select! {
                    () = app.0.stop.cancelled() => return,
                    () = app.0.bus.wake.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
                match app.0.store.events_after(seq, 1_000).await {
                    Ok(stored) => {
                        for event in stored {
                            seq = event.seq;
                            app.hear(&event.tag, event.seq, event.source_id, event.run_uid);
                        }
                    }
                    Err(error) => tracing::warn!(%error, "events cannot be read"),
                }
            }
        });
    }

    fn hear(&self, tag: &str, seq: i64, source_id: Option<SourceId>, run_uid: Option<RunUid>) {
        match (tag_of(tag), run_uid) {
            (Some(tag), _) => {
                if matches!(tag, Tag::Runs | Tag::Sources) {
                    self.0.board.wake_scheduler();
                }
                let _ = self.0.bus.to_all.send(Event {
                    seq,
                    tag,
                    source_id,
                    run_uid,
                });
            }
            (None, Some(run)) if tag == CANCEL => self.0.board.cancel(run),
            (None, _) => {}
        }
    }
}

fn name_of(tag: Tag) -> &'static str {
    match tag {
        Tag::Sources => "sources",
        Tag::Runs => "runs",
        Tag::Progress => "progress",
        Tag::Messages => "messages",
        Tag::Targets => "targets",
        Tag::Settings => "settings",
        Tag::Sessions => "sessions",
    }
}

fn tag_of(name: &str) -> Option<Tag> {
    STORED.into_iter().find(|tag| name_of(*tag) == name)
}

/// Events that make a listener read everything again.
fn everything(seq: i64) -> Vec<Event> {
    let changed = |tag| Event {
        seq,
        tag,
        source_id: None,
        run_uid: None,
    };
    STORED.map(changed).to_vec()
}
