//! Files and file-like things that hang on a message.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of thing it is, in Telegram's own words.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture.
    Photo,
    /// A film with sound and a play button.
    Video,
    /// A silent, looping film ("GIF").
    Animation,
    /// A round video message.
    Round,
    /// A voice message.
    Voice,
    /// A piece of music.
    Audio,
    /// Any other file.
    Document,
    /// A sticker: still, animated or video.
    Sticker,
    /// The new picture of the channel, shown by a service message.
    ChannelPhoto,
}

impl MediaKind {
    /// The word in files and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Video => "video",
            Self::Animation => "animation",
            Self::Round => "round",
            Self::Voice => "voice",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
            Self::ChannelPhoto => "channel_photo",
        }
    }
}

/// Where the file stands. Every status but `stored` has its `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaStatus {
    /// Not fetched yet.
    #[default]
    Pending,
    /// In the target, under `path`.
    Stored,
    /// The public page has no file for it; a session could fetch it.
    NotInPreview,
    /// Left out by the source's own settings.
    Skipped,
    /// Tried and failed; a later run tries again.
    Failed,
}

/// One file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Where it stands.
    pub status: MediaStatus,
    /// Why it is not stored, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Path of the file, relative to the channel's folder, with `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// SHA-256 of the stored bytes, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Size in bytes: exact once stored, else as announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// True when `size` was read from a rounded text such as "11.9 MB".
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub size_rounded: bool,
    /// A key that survives re-reading the page, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// MIME type, as announced by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// The file's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Width in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Length in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<u32>,
    /// Address of a film's still, as of the reading: it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    /// Title of a piece of music.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Performer of a piece of music.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performer: Option<String>,
    /// Loudness of a voice message, 0 to 31, as printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waveform: Vec<u8>,
}

impl Media {
    /// A file of which only the kind is known yet.
    pub fn new(kind: MediaKind) -> Self {
        Self {
            kind,
            status: MediaStatus::Pending,
            reason: None,
            path: None,
            sha256: None,
            size: None,
            size_rounded: false,
            key: None,
            mime: None,
            name: None,
            width: None,
            height: None,
            duration_s: None,
            thumbnail: None,
            title: None,
            performer: None,
            waveform: Vec::new(),
        }
    }
}
