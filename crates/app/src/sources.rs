//! Sources: create, list, show, edit, pause, delete.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use gleaner_domain::{
    AccessLevel, Code, IdRanges, PeerAddress, RunUid, Schedule, ScrapePolicy, SessionId, Source, SourceId,
    SourceUid, Target, TargetKind, TargetSettings, TargetUid, Trigger,
};
use gleaner_store::NewSource;

use crate::view::{
    BulkAction, BulkFailure, BulkReport, BulkSources, Completeness, CompletenessStep, ContractSource,
    CreateSource, DayCount, EditSource, IdRange, Message, MessageRow, ReasonCount, SourceDetail, SourceRow,
    Tag,
};
use crate::{ApiError, ApiResult, App, rows};

/// Steps of the completeness picture.
const STEPS: u32 = 200;
/// Ranges listed beside it.
const RANGES: usize = 100;
/// Gaps looked at to list the empty ones among them.
const GAPS: u32 = 1_000;
/// Sources one bulk request may name.
const BULK: usize = 20_000;

impl App {
    /// Creates a source; its first run is queued at once.
    pub async fn create_source(&self, new: CreateSource) -> ApiResult<ContractSource> {
        self.open_for_writing()?;
        let planned = self.plan_source(new).await?;
        let kind = planned.target.kind();
        let run = RunUid::new();
        let source = self
            .0
            .store
            .insert_source_and_run(&planned.source, run, Trigger::Created)
            .await?;
        self.changed(Tag::Runs, Some(source.id), Some(run)).await;
        self.changed(Tag::Sources, Some(source.id), None).await;
        Ok(ContractSource::new(&source, kind))
    }

    /// All sources, by number, as the contract shows them.
    pub async fn list_sources(&self) -> ApiResult<Vec<ContractSource>> {
        let rows = self.0.store.source_rows().await?;
        Ok(rows
            .iter()
            .map(|row| ContractSource::new(&row.source, row.target.1))
            .collect())
    }

    /// One source, as the contract shows it.
    pub async fn get_source(&self, id: SourceId) -> ApiResult<ContractSource> {
        let row = self.0.store.source_row(id).await?;
        Ok(ContractSource::new(&row.source, row.target.1))
    }

    /// All sources as rows of the table.
    pub async fn list_source_rows(&self) -> ApiResult<Vec<SourceRow>> {
        let stored = self.0.store.source_rows().await?;
        Ok(stored.into_iter().map(|row| self.row(row)).collect())
    }

    /// The newest sources, newest first: what a table shows while thousands are still on their way.
    pub async fn newest_source_rows(&self, limit: Option<u32>) -> ApiResult<Vec<SourceRow>> {
        let stored = self
            .0
            .store
            .newest_source_rows(limit.unwrap_or(100).clamp(1, 500))
            .await?;
        Ok(stored.into_iter().map(|row| self.row(row)).collect())
    }

    /// One source in full.
    pub async fn get_source_detail(&self, id: SourceId) -> ApiResult<SourceDetail> {
        let stored = self.0.store.source_row(id).await?;
        let facts = self.0.store.source_facts(id).await?;
        let location = match &stored.source.folder {
            Some(folder) => Some(place_of(
                &self.0.store.target(stored.source.target).await?.settings,
                folder,
            )),
            None => None,
        };
        let channel = facts.channel;
        Ok(SourceDetail {
            channel_id: stored.source.channel_id.map(|id| id.0),
            description: channel.as_ref().and_then(|c| c.description.clone()),
            subscribers: channel.as_ref().and_then(|c| c.subscribers).map(|c| c.value),
            subscribers_rounded: channel
                .as_ref()
                .and_then(|c| c.subscribers)
                .is_some_and(|c| c.rounded),
            verified: channel.as_ref().is_some_and(|c| c.verified),
            location,
            files: facts.files,
            file_bytes: facts.file_bytes,
            files_missing: facts
                .files_missing
                .into_iter()
                .map(|(reason, count)| ReasonCount { reason, count })
                .collect(),
            oldest: facts.oldest,
            newest: facts.newest,
            edited: facts.edited,
            gone: facts.gone,
            row: self.row(stored),
        })
    }

    /// Changes a source; what is absent stays.
    pub async fn edit_source(&self, id: SourceId, edit: EditSource) -> ApiResult<SourceRow> {
        self.open_for_writing()?;
        let known = self.0.store.source(id).await?;
        let target = match edit.target_uid {
            Some(uid) if uid != known.target => Some(self.0.store.target(uid).await?.uid),
            _ => None,
        };
        let change = checked_edit(edit, &known, target, self.0.clock.now())?;
        if target.is_some() {
            // Held to the end: a run that begins meanwhile would write to the old archive.
            let (_, lease) = self.take_source_lease(id).await?;
            let changed = self
                .0
                .store
                .change_source(id, |source| change.apply(source))
                .await;
            self.release_lease(lease).await;
            changed?;
        } else {
            self.0
                .store
                .change_source(id, |source| change.apply(source))
                .await?;
        }
        self.changed(Tag::Sources, Some(id), None).await;
        Ok(self.row(self.0.store.source_row(id).await?))
    }

    /// Stops a source's schedule; a run under way goes on.
    pub async fn pause_source(&self, id: SourceId) -> ApiResult<SourceRow> {
        self.set_paused(&[id], true).await?;
        Ok(self.row(self.0.store.source_row(id).await?))
    }

    /// Starts a source's schedule again; it is due at once.
    pub async fn resume_source(&self, id: SourceId) -> ApiResult<SourceRow> {
        self.set_paused(&[id], false).await?;
        Ok(self.row(self.0.store.source_row(id).await?))
    }

    /// Removes a source. Its files stay unless `files` asks otherwise.
    pub async fn delete_source(&self, id: SourceId, files: bool) -> ApiResult<Message> {
        self.open_for_writing()?;
        let (source, lease) = self.stop_and_hold(id).await?;
        let removed = self.remove_held(&source, files).await;
        self.release_lease(lease).await;
        removed?;
        self.changed(Tag::Sources, Some(id), None).await;
        Ok(Message {
            message: "Source deleted successfully".to_owned(),
        })
    }

    /// One thing to do with many sources; each is done or reported.
    pub async fn bulk_sources(&self, bulk: BulkSources) -> ApiResult<BulkReport> {
        if bulk.ids.len() > BULK {
            return Err(ApiError::field("ids", format!("at most {BULK} at once")));
        }
        let at_once = match &bulk.action {
            BulkAction::Pause => Some(self.set_paused(&bulk.ids, true).await?),
            BulkAction::Resume => Some(self.set_paused(&bulk.ids, false).await?),
            BulkAction::Run | BulkAction::Delete { .. } | BulkAction::SetTarget { .. } => None,
        };
        let mut report = BulkReport {
            done: 0,
            failed: Vec::new(),
        };
        for id in bulk.ids {
            let done = match &bulk.action {
                BulkAction::Pause | BulkAction::Resume => at_once
                    .as_ref()
                    .is_some_and(|known| known.contains(&id))
                    .then_some(())
                    .ok_or_else(ApiError::source_not_found),
                BulkAction::Run => self.run_source(id).await.map(|_| ()),
                BulkAction::Delete { files } => self.delete_source(id, *files).await.map(|_| ()),
                BulkAction::SetTarget { target_uid } => {
                    let edit = EditSource {
                        target_uid: Some(*target_uid),
                        ..EditSource::default()
                    };
                    self.edit_source(id, edit).await.map(|_| ())
                }
            };
            match done {
                Ok(()) => report.done += 1,
                Err(error) => {
                    report.failed.push(BulkFailure {
                        id,
                        code: error.code,
                        detail: error.detail,
                    });
                }
            }
        }
        Ok(report)
    }

    /// The source a person means by a number, `@name`, a link or its own name.
    pub async fn find_source(&self, text: &str) -> ApiResult<SourceRow> {
        let rows = self.0.store.source_rows().await?;
        let by_id = text.parse::<i64>().ok().map(SourceId);
        let by_key = text.parse::<PeerAddress>().ok().map(|address| address.key());
        let found = rows
            .iter()
            .position(|r| Some(r.source.id) == by_id)
            .or_else(|| rows.iter().position(|r| r.source.name == text))
            .or_else(|| {
                rows.iter()
                    .position(|r| Some(r.source.identifier.key()) == by_key)
            })
            .ok_or_else(ApiError::source_not_found)?;
        let row = rows
            .into_iter()
            .nth(found)
            .ok_or_else(ApiError::source_not_found)?;
        Ok(self.row(row))
    }

    /// Which ids are kept, empty or not asked about yet.
    pub async fn source_completeness(&self, id: SourceId) -> ApiResult<Completeness> {
        let checkpoint = self.0.store.checkpoint(id).await?.unwrap_or_default();
        let gone = self.0.store.source_facts(id).await?.gone;
        let Some(last) = checkpoint.newest.map(|id| id.0) else {
            self.0.store.source(id).await?;
            return Ok(Completeness {
                first: 1,
                last: 0,
                kept: 0,
                empty: 0,
                missing: 0,
                gone,
                steps: Vec::new(),
                missing_ranges: Vec::new(),
                empty_ranges: Vec::new(),
            });
        };
        let first = checkpoint.floor.map_or(1, |id| id.0).min(last);
        let total = last - first + 1;
        let steps = total.min(STEPS);
        let kept_in = self.0.store.kept_in_steps(id, first, last, steps).await?;
        let gaps = self.0.store.gaps(id, first, last, GAPS).await?;
        let missing = checkpoint.seen.missing(first..=last);
        let kept: u64 = kept_in.iter().map(|&n| u64::from(n)).sum();
        let bounds = |step: u32| first + (u64::from(total) * u64::from(step) / u64::from(steps)) as u32;
        let steps = kept_in
            .iter()
            .zip(0..)
            .map(|(&kept, step)| {
                let (first, last) = (bounds(step), bounds(step + 1) - 1);
                CompletenessStep {
                    first,
                    last,
                    kept,
                    missing: checkpoint.seen.missing(first..=last).len() as u32,
                }
            })
            .collect();
        Ok(Completeness {
            first,
            last,
            kept,
            empty: (u64::from(total) - missing.len()).saturating_sub(kept),
            missing: missing.len(),
            gone,
            steps,
            missing_ranges: missing.iter().rev().take(RANGES).map(id_range).collect(),
            empty_ranges: empty_ranges(&gaps, &checkpoint.seen),
        })
    }

    /// Messages and views by day, oldest first; days without messages are left out.
    pub async fn source_days(&self, id: SourceId) -> ApiResult<Vec<DayCount>> {
        let days = self.0.store.days(id).await?;
        Ok(days
            .into_iter()
            .map(|(day, messages, views)| DayCount { day, messages, views })
            .collect())
    }

    /// Kept messages, newest first, from `before` downwards.
    pub async fn source_messages(
        &self,
        id: SourceId,
        before: Option<u32>,
        limit: Option<u32>,
    ) -> ApiResult<Vec<MessageRow>> {
        let stored = self
            .0
            .store
            .messages(id, before, limit.unwrap_or(50).clamp(1, 500))
            .await?;
        Ok(stored.into_iter().map(rows::message).collect())
    }

    /// Parses and checks a wish; nothing illegal passes this line.
    pub(crate) async fn plan_source(&self, new: CreateSource) -> ApiResult<PlannedSource> {
        let now = self.0.clock.now();
        let name = required("name", &new.name, 200)?;
        let identifier: PeerAddress =
            new.identifier
                .parse()
                .map_err(|e: gleaner_domain::peer::PeerAddressError| {
                    ApiError::field("identifier", e.to_string())
                })?;
        let access_level = match new.access_level.as_str() {
            "public" => AccessLevel::Public,
            "private" => AccessLevel::Private,
            _ => return Err(ApiError::field("access_level", "must be public or private")),
        };
        let kind: TargetKind = new
            .target
            .parse()
            .map_err(|()| ApiError::field("target", "must be LOCAL, NAS or S3"))?;
        match (access_level, new.session_ref) {
            (AccessLevel::Private, None) => {
                return Err(ApiError::new(
                    Code::SessionRequired,
                    "Session required for private",
                ));
            }
            (AccessLevel::Private, Some(id)) => drop(self.0.store.session(SessionId(id)).await?),
            (AccessLevel::Public, _) => {}
        }
        if access_level == AccessLevel::Public && identifier.name().is_none() {
            return Err(ApiError::field(
                "identifier",
                "a public channel is named by @name; numeric ids and invite links need a session",
            ));
        }
        let schedule = new
            .schedule
            .unwrap_or_default()
            .validated(now)
            .map_err(|e| ApiError::field("schedule", e.to_string()))?;
        let policy = checked_policy(new.policy.unwrap_or_default())?;
        let target = self
            .choose_target(kind, new.target_uid, new.path.as_deref())
            .await?;
        let source = NewSource {
            uid: SourceUid::new(),
            name,
            channel_title: title_of(&new.channel_title, &identifier)?,
            identifier,
            access_level,
            target: target.uid,
            session_ref: new.session_ref.filter(|_| access_level == AccessLevel::Private),
            next_run_at: schedule.next_after(now).ok().flatten(),
            schedule,
            policy,
            paused_at: None,
            channel_id: None,
            folder: None,
            created_at: now,
        };
        Ok(PlannedSource { source, target })
    }

    /// Pauses or resumes all at once; returns those that exist.
    async fn set_paused(&self, ids: &[SourceId], paused: bool) -> ApiResult<BTreeSet<SourceId>> {
        self.open_for_writing()?;
        let now = self.0.clock.now();
        let (known, changed) = self.0.store.set_paused(ids, paused, now).await?;
        if changed > 0 {
            let one = ids.first().copied().filter(|_| ids.len() == 1);
            self.changed(Tag::Sources, one, None).await;
        }
        Ok(known)
    }

    async fn remove_held(&self, source: &Source, files: bool) -> ApiResult<()> {
        if files {
            self.remove_archive(source).await?;
        }
        self.0.store.delete_source(source.id).await?;
        Ok(())
    }

    fn row(&self, stored: gleaner_store::SourceStored) -> SourceRow {
        rows::source(stored, &self.0.board)
    }
}

/// Of gaps between kept messages, what was asked about and held nothing.
fn empty_ranges(gaps: &[RangeInclusive<u32>], seen: &IdRanges) -> Vec<IdRange> {
    let asked = |gap: &RangeInclusive<u32>| {
        let unasked = seen.missing(gap.clone());
        unasked.missing(gap.clone()).iter().rev().collect::<Vec<_>>()
    };
    gaps.iter().flat_map(asked).take(RANGES).map(id_range).collect()
}

fn id_range(range: RangeInclusive<u32>) -> IdRange {
    IdRange {
        first: *range.start(),
        last: *range.end(),
    }
}

/// A wish that can be carried out.
pub(crate) struct PlannedSource {
    pub(crate) source: NewSource,
    pub(crate) target: Target,
}

/// What an edit changes, checked; made to the source as it is when it is written.
struct CheckedEdit {
    name: Option<String>,
    channel_title: Option<String>,
    policy: Option<ScrapePolicy>,
    schedule: Option<(Schedule, Option<DateTime<Utc>>)>,
    target: Option<TargetUid>,
}

impl CheckedEdit {
    fn apply(self, source: &mut Source) {
        if let Some(name) = self.name {
            source.name = name;
        }
        if let Some(title) = self.channel_title {
            source.channel_title = title;
        }
        if let Some(policy) = self.policy {
            source.policy = policy;
        }
        // Forms send the schedule along with anything else: only another one is a new beginning.
        if let Some((schedule, next)) = self.schedule
            && schedule != source.schedule
        {
            source.schedule = schedule;
            source.next_run_at = next;
        }
        if let Some(target) = self.target {
            source.target = target;
        }
    }
}

fn checked_edit(
    edit: EditSource,
    known: &Source,
    target: Option<TargetUid>,
    now: DateTime<Utc>,
) -> ApiResult<CheckedEdit> {
    let schedule = match edit.schedule {
        Some(schedule) if schedule != known.schedule => {
            let schedule = schedule
                .validated(now)
                .map_err(|e| ApiError::field("schedule", e.to_string()))?;
            let next = schedule.next_after(now).ok().flatten();
            Some((schedule, next))
        }
        _ => None,
    };
    Ok(CheckedEdit {
        name: edit.name.map(|name| required("name", &name, 200)).transpose()?,
        channel_title: edit
            .channel_title
            .map(|title| title_of(&title, &known.identifier))
            .transpose()?,
        policy: edit.policy.map(checked_policy).transpose()?,
        schedule,
        target,
    })
}

/// A title, or the channel's address in place of an empty one.
fn title_of(title: &str, identifier: &PeerAddress) -> ApiResult<String> {
    let title = bounded("channel_title", title, 300)?;
    Ok(if title.is_empty() {
        identifier.to_string()
    } else {
        title
    })
}

pub(crate) fn required(field: &str, text: &str, most: usize) -> ApiResult<String> {
    let text = bounded(field, text, most)?;
    if text.is_empty() {
        return Err(ApiError::field(field, "must not be empty"));
    }
    Ok(text)
}

/// Trims and bounds a text; control characters have no place in a name.
fn bounded(field: &str, text: &str, most: usize) -> ApiResult<String> {
    let text = text.trim();
    if text.chars().count() > most {
        return Err(ApiError::field(field, format!("at most {most} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(ApiError::field(field, "must not contain control characters"));
    }
    Ok(text.to_owned())
}

fn checked_policy(policy: ScrapePolicy) -> ApiResult<ScrapePolicy> {
    if policy.recent_window > 1_000 {
        return Err(ApiError::field("policy.recent_window", "at most 1000 messages"));
    }
    Ok(policy)
}

/// Where an archive lies, for people.
pub(crate) fn place_of(settings: &TargetSettings, folder: &str) -> String {
    match settings {
        TargetSettings::Local { path } | TargetSettings::Nas { path } => {
            path.join(folder).display().to_string()
        }
        TargetSettings::S3 { bucket, prefix, .. } if prefix.is_empty() => format!("s3://{bucket}/{folder}"),
        TargetSettings::S3 { bucket, prefix, .. } => format!("s3://{bucket}/{prefix}/{folder}"),
    }
}
