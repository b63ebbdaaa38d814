//! Where messages and files come from.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use gleaner_domain::{Channel, Code, MessageId, Record, Retry};

/// A channel's history, read backwards from any id. Implementations retry by themselves,
/// bounded and with jitter; what they return as an error is final for this run.
#[async_trait]
pub trait History: Send + Sync {
    /// The channel's header and its newest page.
    async fn open(&self) -> Result<Opening, HistoryError>;

    /// The newest messages with ids below `before`. `before` lies in `2..=newest + 1`:
    /// t.me answers anything else with the newest page.
    async fn page_before(&self, before: MessageId) -> Result<Page, HistoryError>;
}

/// A channel's header and newest page.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The header.
    pub channel: Channel,
    /// The newest page; empty for a channel without posts.
    pub newest: Page,
}

/// Some messages, and the ids about which they are the whole truth.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Messages by ascending id. Album members are items of their own.
    pub items: Vec<Item>,
    /// Lowest id this page answers for: every id from here to the asked one is in `items` or
    /// does not exist. 1 at the beginning of history.
    pub covers_from: u32,
    /// Ids from `covers_from` on that are neither in `items` nor known not to exist.
    pub unread: Vec<Unread>,
    /// Bytes of the answer.
    pub bytes: u64,
    /// Requests repeated to get it.
    pub retries: u32,
}

/// Ids that were asked for and whose answer cannot be read. They stay unanswered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The ids.
    pub ids: RangeInclusive<u32>,
    /// Why, for people.
    pub reason: String,
}

impl Page {
    /// The highest id this page tells of, readable or not; 0 for none.
    pub fn highest(&self) -> u32 {
        let unread = self.unread.iter().map(|unread| *unread.ids.end()).max();
        let item = self.items.last().map(|item| item.record.id.0);
        item.max(unread).unwrap_or(0)
    }
}

/// A message and what is needed to fetch its files.
#[derive(Debug, Clone)]
pub struct Item {
    /// The message.
    pub record: Record,
    /// Where its files are, by index into `record.media`.
    pub files: Vec<FileRef>,
}

/// Where one file of a message is. Addresses are short-lived: never kept.
#[derive(Debug, Clone)]
pub struct FileRef {
    /// Index into `record.media`.
    pub media_index: usize,
    /// What the fetcher needs; a URL for the preview. Opaque to everyone else.
    pub locator: String,
    /// File extension without dot, as far as the address tells; lower case.
    pub extension: Option<String>,
}

/// Fetches files.
#[async_trait]
pub trait MediaFetcher: Send + Sync {
    /// Opens a file. Retries are the fetcher's; a stream that breaks midway is the engine's to repeat.
    async fn fetch(&self, file: &FileRef) -> Result<MediaBody, MediaError>;
}

/// A file on its way.
pub struct MediaBody {
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, MediaError>>,
    /// Announced size, if any; the sink verifies it.
    pub size: Option<u64>,
    /// Announced MIME type, if any.
    pub mime: Option<String>,
}

/// Why history cannot be read. `Display` is a sentence for people that names the channel.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct HistoryError {
    /// For machines.
    pub code: Code,
    /// For people: what failed, for which channel, and why.
    pub detail: String,
    /// Whether and when a later run may succeed.
    pub retry: Retry,
}

impl HistoryError {
    /// There is nothing to read yet, and nothing wrong: a channel without posts, whose number
    /// is therefore not known.
    pub fn no_posts_yet(detail: String) -> Self {
        Self {
            code: Code::ChannelNoPreview,
            detail,
            retry: Retry::Backoff,
        }
    }

    /// Whether this is [`Self::no_posts_yet`]: a preview that is switched off stays so.
    pub fn is_no_posts_yet(&self) -> bool {
        self.code == Code::ChannelNoPreview && self.retry == Retry::Backoff
    }
}

/// Why a file cannot be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct MediaError {
    /// For people.
    pub detail: String,
    /// True when reading the page again gives a fresh address (expired link) or when trying
    /// later may help; false when the file will never come.
    pub retryable: bool,
}
