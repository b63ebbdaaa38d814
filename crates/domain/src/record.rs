//! One message as it is kept: one line of JSON in a segment.
//!
//! The record is documented in `docs/DATA-LAYOUT.md` and as `contract/record.schema.json`,
//! which a test holds against this type. Counters change all the time, so they are never
//! part of [`Record::content_hash`]; their history is kept as samples.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::text::Entity;
use crate::{ChannelId, Media, MessageId};

/// The version of the record's shape; readers may branch on it.
pub const RECORD_VERSION: u16 = 1;

/// One message. Exactly one record per message id; album members share `album_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Version of this shape.
    pub v: u16,
    /// The channel, a bare positive integer.
    pub channel_id: ChannelId,
    /// The message inside the channel.
    pub id: MessageId,
    /// Message, service message, or a post the source cannot show.
    pub kind: RecordKind,
    /// When it was posted (UTC, ISO 8601).
    pub date: DateTime<Utc>,
    /// Where it was read.
    pub source: Origin,
    /// When it was read (UTC): the server's own time where it says one.
    pub observed_at: DateTime<Utc>,
    /// SHA-256 (first 16 bytes, hex) of the content without counters and files' places.
    pub content_hash: String,
    /// Permanent address, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// True once the author changed it.
    #[serde(default)]
    pub edited: bool,
    /// When it was changed; the public page does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit_date: Option<DateTime<Utc>>,
    /// Signature of the author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The bot it was sent through, without `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via_bot: Option<String>,
    /// The text; empty when there is none. Never HTML.
    pub text: String,
    /// Formatting of the text.
    pub entities: Vec<Entity>,
    /// Files: none or one, except where one message shows several.
    pub media: Vec<Media>,
    /// Lowest message id of the album this message belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub album_id: Option<MessageId>,
    /// Telegram's own number of the album; only known with a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouped_id: Option<i64>,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Reply>,
    /// Where it was forwarded from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<Forward>,
    /// Views; `null` on service messages.
    pub views: Option<u64>,
    /// True when `views` was printed rounded ("1.2K").
    #[serde(default)]
    pub views_rounded: bool,
    /// Reactions by kind.
    #[serde(default)]
    pub reactions: Vec<Reaction>,
    /// A poll or quiz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll>,
    /// A place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// A contact card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// The page shown under a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_preview: Option<LinkPreview>,
    /// Buttons under the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// Something somebody posted.
    Message,
    /// Something that happened: created, renamed, pinned.
    Service,
    /// A post the source cannot show ("Please open Telegram to view this post").
    Unsupported,
}

/// Where a record was read. Hashes are compared only within one origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The public t.me/s page.
    Preview,
    /// Telegram's own protocol, with a session.
    Mtproto,
}

/// What a message answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// The message, when it is in this or a named channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// Address of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Whose message it is, as shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The excerpt shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// Address of the small picture shown, as of the reading: it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
}

/// Where a message was forwarded from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Forward {
    /// Name of the person or channel, as shown.
    pub from: String,
    /// Address of the channel's post or of the person; absent for hidden senders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Signature in the original channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// How often one reaction was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Reaction {
    /// The emoji, for ordinary ones and as a stand-in for custom ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// Telegram's id of a custom emoji.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji_id: Option<String>,
    /// True for paid stars.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paid: bool,
    /// How many.
    pub count: u64,
    /// True when the count was printed rounded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rounded: bool,
}

/// A poll or quiz. The public page shows percentages, not counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Poll {
    /// The question.
    pub question: String,
    /// The kind as printed: "Anonymous Poll", "Quiz", "Final Results".
    pub kind: String,
    /// The choices, in order.
    pub options: Vec<PollOption>,
    /// How many voted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voters: Option<u64>,
    /// True when `voters` was printed rounded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voters_rounded: bool,
}

/// One choice of a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PollOption {
    /// The words.
    pub text: String,
    /// Share of the votes in whole percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
}

/// A place. Degrees are kept as printed: a float would not round-trip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Latitude, decimal degrees.
    pub latitude: String,
    /// Longitude, decimal degrees.
    pub longitude: String,
    /// Name of the venue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Address of the venue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A contact card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// The name.
    pub name: String,
    /// The number, as printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// The page shown under a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkPreview {
    /// Its address.
    pub url: String,
    /// Name of the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Address of its picture, as of the reading: it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Address of its film, as of the reading: it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<String>,
}

/// A button under a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Button {
    /// The words on it.
    pub text: String,
    /// Where it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Record {
    /// The hash of what an author can change: text, formatting, files, attachments.
    ///
    /// Counters (views, reactions, votes) and everything about the reading itself
    /// (time, place of files) stay out, else every visit would look like an edit.
    pub fn compute_content_hash(&self) -> String {
        let media: Vec<_> = self
            .media
            .iter()
            .map(|m| (m.kind, &m.key, &m.name, &m.title, &m.performer))
            .collect();
        let poll = self
            .poll
            .as_ref()
            .map(|p| (&p.question, p.options.iter().map(|o| &o.text).collect::<Vec<_>>()));
        let content = (
            self.kind,
            &self.text,
            &self.entities,
            media,
            poll,
            (&self.location, &self.contact, &self.buttons),
            self.link_preview.as_ref().map(|p| &p.url),
            &self.author,
        );
        let json = serde_json::to_vec(&content).expect("plain data always serialises");
        Sha256::digest(&json)[..16]
            .iter()
            .fold(String::with_capacity(32), |mut hex, byte| {
                use std::fmt::Write as _;
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }
}

/// A line of `revisions/`: what changed after a message was first kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Revision {
    /// The content changed; the whole new record. Boxed: a record is large, `Gone` is not.
    Edit(Box<Record>),
    /// A file arrived after its message was kept; the whole record with its file.
    Media(Box<Record>),
    /// The id was there before and is not any more. Absence, not proof of deletion.
    Gone(Gone),
    /// The id had vanished and is there again.
    Back(Gone),
}

/// An id and when its state was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gone {
    /// The channel.
    pub channel_id: ChannelId,
    /// The message.
    pub id: MessageId,
    /// When it was noticed (UTC).
    pub observed_at: DateTime<Utc>,
}

/// A line of `samples/`: the counters of a message at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// The channel.
    pub channel_id: ChannelId,
    /// The message.
    pub id: MessageId,
    /// When the counters were read (UTC).
    pub observed_at: DateTime<Utc>,
    /// Views.
    pub views: Option<u64>,
    /// True when `views` was printed rounded.
    #[serde(default)]
    pub views_rounded: bool,
    /// Reactions by kind.
    pub reactions: Vec<Reaction>,
}
