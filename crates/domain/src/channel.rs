//! A channel as its header shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ChannelId, Count};

/// A channel's header, written to `channel.json` beside its messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Channel {
    /// The numeric id; survives renames.
    pub id: ChannelId,
    /// The name without `@`, if it has one.
    pub username: Option<String>,
    /// The title people see.
    pub title: String,
    /// The channel's own words, if any.
    pub description: Option<String>,
    /// Whether Telegram marks it as verified.
    #[serde(default)]
    pub verified: bool,
    /// Subscribers, as printed.
    pub subscribers: Option<Count>,
    /// Photos, as printed; a type the header leaves out is zero.
    pub photos: Option<Count>,
    /// Videos, as printed.
    pub videos: Option<Count>,
    /// Files, as printed.
    pub files: Option<Count>,
    /// Links, as printed.
    pub links: Option<Count>,
}
