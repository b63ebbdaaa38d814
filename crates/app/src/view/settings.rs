//! Settings, the data folder, state at a glance, events.

use chrono::{DateTime, Utc};
use gleaner_domain::{RunUid, SourceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Settings of the app on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// Where the app keeps its database.
    pub data_dir: String,
    /// Where the app keeps its logs.
    pub log_dir: String,
    /// Bytes of what the app itself keeps in its data folder; archives do not count.
    pub data_bytes: u64,
    /// Address of the public pages.
    pub preview_url: String,
    /// Whether scheduled scrapes run on this computer.
    pub scheduler: bool,
    /// True while this very process runs them (another one may hold the lock).
    pub scheduler_here: bool,
    /// Most bytes of files a day over all sources (UTC); `null` means no cap.
    pub daily_bytes: Option<u64>,
    /// Bytes that stay free on LOCAL and NAS targets.
    pub free_space_floor: u64,
    /// Version of the app.
    pub version: String,
}

/// Changes of settings; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EditSettings {
    /// Whether scheduled scrapes run on this computer.
    #[serde(default)]
    pub scheduler: Option<bool>,
    /// Most bytes of files a day; 0 lifts the cap.
    #[serde(default)]
    pub daily_bytes: Option<u64>,
    /// Bytes that stay free.
    #[serde(default)]
    pub free_space_floor: Option<u64>,
}

/// A place on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PathInput {
    /// Absolute path.
    pub path: String,
}

/// A dangerous wish, typed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EraseData {
    /// Must be `ERASE`.
    pub confirm: String,
}

/// What was done with the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DataReport {
    /// For people: what was done and what happens next.
    pub message: String,
    /// Where the result lies.
    pub path: String,
    /// Whether the app must be started again.
    pub restart: bool,
}

/// State at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// How many sources.
    pub sources: u32,
    /// How many of them are paused.
    pub paused: u32,
    /// How many of them failed in their last run.
    pub failing: u32,
    /// Runs under way.
    pub running: u32,
    /// Runs waiting.
    pub queued: u32,
    /// Messages kept over all sources.
    pub messages: u64,
    /// The next due time of all.
    pub next_run_at: Option<DateTime<Utc>>,
}

/// Something changed. Who reads `tag` reads again what is made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Rises by one or more with every change, also over restarts; begins anew when data was erased or an older
    /// backup restored. 0 for `progress`, which is not stored.
    pub seq: i64,
    /// What changed.
    pub tag: Tag,
    /// Which source, if one.
    pub source_id: Option<SourceId>,
    /// Which run, if one.
    pub run_uid: Option<RunUid>,
}

/// What the UI's queries are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// The list or a definition of sources.
    Sources,
    /// Runs: started, ended.
    Runs,
    /// A run's live figures. Not stored: `seq` is 0.
    Progress,
    /// Messages kept.
    Messages,
    /// Targets.
    Targets,
    /// Sessions, logins in progress, the key.
    Sessions,
    /// Settings.
    Settings,
}

/// The contract's answer to deletes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// For people.
    #[schema(example = "Source deleted successfully")]
    pub message: String,
}
