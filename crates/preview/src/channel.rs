//! A public channel's history as t.me/s shows it.

use std::sync::OnceLock;

use async_trait::async_trait;
use gleaner_domain::{ChannelId, Code, MessageId, Retry};
use gleaner_scrape::{History, HistoryError, Opening, Page};
use url::Url;

use crate::client::{Answer, PreviewClient, unexpected};
use crate::hosts::is_at_or_below;
use crate::landing::{self, Landing};
use crate::parse::{PreviewPage, parse_page};
use crate::patience::Setback;

/// Reads one public channel.
pub struct PreviewHistory {
    client: PreviewClient,
    /// Without `@`.
    name: String,
    /// The channel's number as first seen; a name can change hands in the middle of a run.
    channel: OnceLock<ChannelId>,
}

/// A page and what it took to get it.
struct Read {
    page: PreviewPage,
    bytes: u64,
    retries: u32,
}

/// Which page was asked for, and so what it must fulfil beyond being one.
#[derive(Clone, Copy)]
enum Ask {
    /// The newest posts.
    Newest,
    /// Posts below an id, and no others.
    Below(u32),
    /// Whether there is anything below an id, where the page above gave no cursor. t.me may
    /// answer with the newest page; an empty page is as good as "No posts found".
    Anything(u32),
}

impl Ask {
    fn cursor(self) -> Option<u32> {
        match self {
            Self::Newest => None,
            Self::Below(before) | Self::Anything(before) => Some(before),
        }
    }
}

#[async_trait]
impl History for PreviewHistory {
    async fn open(&self) -> Result<Opening, HistoryError> {
        let read = self.read(Ask::Newest).await?;
        let channel = read.page.channel().ok_or_else(|| HistoryError {
            code: Code::ChannelNoPreview,
            detail: format!(
                "@{} shows no posts yet, so its number is not known; the next run looks again",
                self.name
            ),
            retry: Retry::Backoff,
        })?;
        Ok(Opening {
            channel,
            newest: self.complete(read, None).await?,
        })
    }

    async fn page_before(&self, before: MessageId) -> Result<Page, HistoryError> {
        // Nothing is below the first id, and t.me answers such cursors with the newest page.
        if before.0 <= 1 {
            return Ok(Page {
                covers_from: 1,
                ..Page::default()
            });
        }
        let read = self.read(Ask::Below(before.0)).await?;
        self.complete(read, Some(before.0)).await
    }
}

impl PreviewHistory {
    /// The history of the public channel `name`, with or without `@`.
    pub fn new(client: PreviewClient, name: &str) -> Self {
        Self {
            client,
            name: name.trim_start_matches('@').to_owned(),
            channel: OnceLock::new(),
        }
    }

    /// Settles which ids the page answers for, with one more request where it does not say.
    async fn complete(&self, read: Read, before: Option<u32>) -> Result<Page, HistoryError> {
        let Read { page, bytes, retries } = read;
        let lowest = page.lowest_id();
        let covers_from = match (page.prev, lowest) {
            (Some(prev), Some(lowest)) => prev.min(lowest),
            (Some(prev), None) => prev,
            (None, Some(lowest)) if lowest > 1 => {
                return self
                    .look_below(Read { page, bytes, retries }, lowest, before)
                    .await;
            }
            // The first message, or "No posts found".
            (None, _) => 1,
        };
        Ok(Page {
            items: below(page, before),
            covers_from,
            bytes,
            retries,
        })
    }

    /// A page without a cursor is the last one, or one of those whose cursor t.me forgets:
    /// asking once below its lowest id tells.
    async fn look_below(&self, read: Read, lowest: u32, before: Option<u32>) -> Result<Page, HistoryError> {
        let older = self.read(Ask::Anything(lowest)).await?;
        let prev = older.page.prev;
        let mut items = below(older.page, Some(lowest));
        let covers_from = match (items.first().map(|item| item.record.id.0), prev) {
            (Some(oldest), prev) => prev.map_or(oldest, |prev| prev.min(oldest)),
            (None, Some(prev)) if prev < lowest => prev,
            // Nothing older: t.me said so, or answered with the newest page.
            (None, _) => 1,
        };
        items.extend(below(read.page, before));
        Ok(Page {
            items,
            covers_from,
            bytes: read.bytes + older.bytes,
            // The request itself was no repetition.
            retries: read.retries + older.retries,
        })
    }

    /// Reads a page until it is whole and as expected, or patience ends.
    async fn read(&self, ask: Ask) -> Result<Read, HistoryError> {
        let (result, retries) = self.client.patience().repeat(|| self.read_once(ask)).await;
        let (page, bytes) = result?;
        Ok(Read { page, bytes, retries })
    }

    async fn read_once(&self, ask: Ask) -> Result<(PreviewPage, u64), Setback<HistoryError>> {
        let mut url = self.client.address(&["s", &self.name]);
        if let Some(before) = ask.cursor() {
            url.query_pairs_mut().append_pair("before", &before.to_string());
        }
        match self.client.page(url.clone(), &self.title()).await? {
            Answer::Page(html) => Ok((self.accept(&html, ask)?, html.len() as u64)),
            Answer::Missing => Err(Setback::Final(self.unknown())),
            Answer::Elsewhere(location) => Err(self.explain(&url, location.as_deref()).await),
        }
    }

    /// Checks that the page is whole, of this channel and the one that was asked for.
    fn accept(&self, html: &str, ask: Ask) -> Result<PreviewPage, Setback<HistoryError>> {
        let odd = |why: &str| Setback::again(unexpected(&self.title(), why));
        let page = parse_page(html, self.client.now()).map_err(|error| odd(&error.to_string()))?;
        if page.header.is_none() {
            return Err(odd("it has no header of a channel"));
        }
        if !page.skipped.is_empty() {
            let told = some_of(&page.skipped);
            tracing::warn!(channel = %self.name, "posts cannot be read: {told}");
            return Err(odd(&told));
        }
        let is_blank = page.items.is_empty() && page.prev.is_none() && !page.no_posts;
        if is_blank && !matches!(ask, Ask::Anything(_)) {
            return Err(odd("it shows neither posts nor that there are none"));
        }
        if let Ask::Below(before) = ask {
            let post_of = |item: &gleaner_scrape::Item| item.record.album_id.unwrap_or(item.record.id).0;
            if page.items.iter().any(|item| post_of(item) >= before) {
                return Err(odd(&format!(
                    "asked for posts before {before}, it shows newer ones"
                )));
            }
            if page.prev.is_some_and(|prev| prev >= before) && page.items.is_empty() {
                return Err(odd(&format!("asked for posts before {before}, it leads nowhere")));
            }
        }
        if let Some(id) = page.channel_id
            && *self.channel.get_or_init(|| id) != id
        {
            return Err(Setback::Final(HistoryError {
                code: Code::ChannelReplaced,
                detail: format!("@{} now belongs to another channel", self.name),
                retry: Retry::Never,
            }));
        }
        Ok(page)
    }

    /// t.me sends away whoever asks for a page it does not show. One more request, built by
    /// hand, tells why.
    async fn explain(&self, asked: &Url, location: Option<&str>) -> Setback<HistoryError> {
        if leads_home(asked, location) {
            return Setback::Final(self.unknown());
        }
        let url = self.client.address(&[&self.name]);
        let html = match self.client.page(url.clone(), &self.title()).await {
            Ok(Answer::Page(html)) => html,
            Ok(Answer::Missing) => return Setback::Final(self.unknown()),
            Ok(Answer::Elsewhere(location)) if leads_home(&url, location.as_deref()) => {
                return Setback::Final(self.unknown());
            }
            Ok(Answer::Elsewhere(_)) => {
                return Setback::again(unexpected(&self.title(), "it only redirects"));
            }
            Err(setback) => return setback,
        };
        let name = &self.name;
        let blocked = |code, detail| {
            Setback::Final(HistoryError {
                code,
                detail,
                retry: Retry::Never,
            })
        };
        match landing::classify(&html) {
            Landing::NoPreview => blocked(
                Code::ChannelNoPreview,
                format!("@{name} shows no public preview; it can be read with a session"),
            ),
            Landing::NotAChannel(what) => {
                blocked(Code::NotAChannel, format!("@{name} is {what}, not a channel"))
            }
            Landing::Unknown => Setback::Final(self.unknown()),
            Landing::Banned(words) => blocked(
                Code::ChannelBanned,
                format!("Telegram does not show @{name} any more: {words}"),
            ),
            Landing::Readable => Setback::again(
                self.client
                    .unreachable(&self.title(), "it redirected away from it"),
            ),
            Landing::Unrecognised => Setback::again(unexpected(
                &self.title(),
                "it redirects to a page that is not Telegram's",
            )),
        }
    }

    fn unknown(&self) -> HistoryError {
        HistoryError {
            code: Code::ChannelUnknown,
            detail: format!(
                "Telegram knows no public channel @{}; check the spelling of the name",
                self.name
            ),
            retry: Retry::Never,
        }
    }

    fn title(&self) -> String {
        format!("@{}", self.name)
    }
}

/// The first few reasons, short enough for a sentence.
fn some_of(reasons: &[String]) -> String {
    const SHOWN: usize = 3;
    let told = reasons[..reasons.len().min(SHOWN)].join("; ");
    match reasons.len().saturating_sub(SHOWN) {
        0 => told,
        more => format!("{told} (and {more} more)"),
    }
}

/// Names that break Telegram's rules lead to telegram.org.
fn leads_home(asked: &Url, location: Option<&str>) -> bool {
    let target = location.and_then(|location| asked.join(location).ok());
    target.is_some_and(|url| {
        url.host_str()
            .is_some_and(|host| is_at_or_below(host, "telegram.org"))
    })
}

/// Members of an album can have ids at and above the cursor; those belong to the page above.
fn below(page: PreviewPage, before: Option<u32>) -> Vec<gleaner_scrape::Item> {
    let mut items = page.items;
    items.retain(|item| before.is_none_or(|before| item.record.id.0 < before));
    items
}
