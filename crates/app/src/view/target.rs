//! Storage targets.

use gleaner_domain::{TargetSettings, TargetUid};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetRow {
    /// Identity.
    pub uid: TargetUid,
    /// The user's name for it.
    pub name: String,
    /// Whether the contract's word for its kind means this one.
    pub is_default: bool,
    /// What it is.
    pub settings: TargetSettings,
    /// How many sources use it.
    pub sources: u32,
}

/// A new target, or new settings of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SaveTarget {
    /// Which one to change; absent for a new one.
    #[serde(default)]
    pub uid: Option<TargetUid>,
    /// The user's name for it.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Make it the default of its kind.
    #[serde(default)]
    pub is_default: bool,
    /// What it is.
    pub settings: TargetSettings,
}

/// How a target did when it was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetReport {
    /// True when every step worked.
    pub ok: bool,
    /// The steps, in order; the first that fails ends the test.
    pub steps: Vec<TargetStep>,
}

/// One step of a target's test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetStep {
    /// `connect`, `write`, `read`, `delete` …
    pub name: String,
    /// Whether it worked.
    pub ok: bool,
    /// What was seen, or what to do about it.
    pub detail: String,
}
