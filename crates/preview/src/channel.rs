//! A public channel's history as t.me/s shows it.

use std::sync::OnceLock;

use async_trait::async_trait;
use gleaner_domain::{ChannelId, Code, IdRanges, MessageId, Retry};
use gleaner_scrape::{History, HistoryError, Opening, Page, Unread};
use url::Url;

use crate::client::{Answer, PreviewClient, unexpected};
use crate::hosts::is_at_or_below;
use crate::landing::{self, Landing};
use crate::parse::{PreviewPage, Skipped, parse_page};
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

/// Why one attempt brought no whole page.
enum Fault {
    Refused(HistoryError),
    /// A good page but for some posts; taken as it is when no attempt brings a better one.
    Partial(Box<(PreviewPage, u64)>),
}

/// A page may have so many unreadable posts, or as many as readable ones; beyond that it is the
/// format that is unknown.
const MOST_UNREAD: usize = 3;

/// Telegram groups ten messages at most.
const LARGEST_ALBUM: u32 = 10;

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
        let read = self.read_surely(Ask::Newest).await?;
        let channel = read.page.channel().ok_or_else(|| {
            HistoryError::no_posts_yet(format!(
                "@{} has no posts yet; the next run looks again",
                self.name
            ))
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
        let read = self.read_surely(Ask::Below(before.0)).await?;
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
        let covers_from = match (read.page.prev, lowest_of(&read.page)) {
            (None, Some(lowest)) if lowest > 1 => return self.look_below(read, lowest, before).await,
            // The first message, or "No posts found".
            (None, _) => 1,
            // What the page shows counts, not where its cursor points: posts that fell out between
            // the two are asked for again.
            (Some(prev), lowest) => lowest.unwrap_or(prev),
        };
        Ok(Page {
            unread: unread(&read.page, covers_from, before),
            items: below(read.page, before),
            covers_from,
            bytes: read.bytes,
            retries: read.retries,
        })
    }

    /// A page without a cursor is the last one, or one of those whose cursor t.me forgets:
    /// asking once below its lowest id tells.
    async fn look_below(&self, read: Read, lowest: u32, before: Option<u32>) -> Result<Page, HistoryError> {
        let older = self.read_surely(Ask::Anything(lowest)).await?;
        // Nothing older: t.me said so, or answered with the newest page.
        let covers_from = lowest_of(&older.page)
            .filter(|oldest| *oldest < lowest)
            .unwrap_or(1);
        let mut unread = self::unread(&older.page, covers_from, Some(lowest));
        unread.extend(self::unread(&read.page, lowest, before));
        let mut items = below(older.page, Some(lowest));
        items.extend(below(read.page, before));
        Ok(Page {
            items,
            covers_from,
            unread,
            bytes: read.bytes + older.bytes,
            // The request itself was no repetition.
            retries: read.retries + older.retries,
        })
    }

    /// Reads a page. One without posts would end history, so it must say so twice.
    async fn read_surely(&self, ask: Ask) -> Result<Read, HistoryError> {
        let first = self.read(ask).await?;
        if !first.page.items.is_empty() || !first.page.skipped.is_empty() {
            return Ok(first);
        }
        tokio::time::sleep(self.client.patience().base_delay).await;
        let second = self.read(ask).await?;
        Ok(Read {
            page: second.page,
            bytes: first.bytes + second.bytes,
            retries: first.retries + second.retries,
        })
    }

    /// Reads a page until it is whole and as expected, or patience ends.
    async fn read(&self, ask: Ask) -> Result<Read, HistoryError> {
        let (result, retries) = self.client.patience().repeat(|| self.read_once(ask)).await;
        let (page, bytes) = match result {
            Ok(whole) => whole,
            Err(Fault::Partial(most)) => *most,
            Err(Fault::Refused(error)) => return Err(error),
        };
        Ok(Read { page, bytes, retries })
    }

    async fn read_once(&self, ask: Ask) -> Result<(PreviewPage, u64), Setback<Fault>> {
        let refused = |setback: Setback<HistoryError>| setback.map(Fault::Refused);
        let (page, bytes) = self.fetch(ask).await.map_err(refused)?;
        self.accept(&page, ask).map_err(refused)?;
        if page.skipped.is_empty() {
            return Ok((page, bytes));
        }
        let told = some_of(&page.skipped);
        tracing::warn!(channel = %self.name, "posts cannot be read: {told}");
        let has_numbers = page.skipped.iter().all(|post| post.id.is_some());
        let is_tolerable = page.skipped.len() <= page.items.len().max(MOST_UNREAD)
            && (has_numbers || !page.items.is_empty());
        Err(Setback::again(if is_tolerable && self.channel.get().is_some() {
            Fault::Partial(Box::new((page, bytes)))
        } else {
            Fault::Refused(unexpected(&self.title(), &told))
        }))
    }

    async fn fetch(&self, ask: Ask) -> Result<(PreviewPage, u64), Setback<HistoryError>> {
        let mut url = self.client.address(&["s", &self.name]);
        if let Some(before) = ask.cursor() {
            url.query_pairs_mut().append_pair("before", &before.to_string());
        }
        match self.client.page(url.clone(), &self.title()).await? {
            Answer::Page(html) => {
                let (bytes, now) = (html.len() as u64, self.client.now());
                match aside(move || parse_page(&html, now)).await {
                    Some(Ok(page)) => Ok((page, bytes)),
                    Some(Err(error)) => Err(self.odd(&error.to_string())),
                    None => Err(self.odd("reading it failed")),
                }
            }
            // The status alone proves nothing: a server in trouble says it of channels that exist.
            Answer::Missing => Err(Setback::again(self.unknown())),
            Answer::Elsewhere(location) => Err(self.explain(&url, location.as_deref()).await),
        }
    }

    /// Checks that the page is whole, of this channel and the one that was asked for.
    fn accept(&self, page: &PreviewPage, ask: Ask) -> Result<(), Setback<HistoryError>> {
        if page.header.is_none() {
            return Err(self.odd("it has no header of a channel"));
        }
        let has_posts = !page.items.is_empty() || !page.skipped.is_empty();
        if !has_posts && page.prev.is_some() {
            return Err(self.odd("it leads to older posts and shows none"));
        }
        if !has_posts && !page.no_posts && !matches!(ask, Ask::Anything(_)) {
            return Err(self.odd("it shows neither posts nor that there are none"));
        }
        if let Ask::Below(before) = ask {
            let post_of = |item: &gleaner_scrape::Item| item.record.album_id.unwrap_or(item.record.id).0;
            if page.items.iter().any(|item| post_of(item) >= before) {
                return Err(self.odd(&format!("asked for posts before {before}, it shows newer ones")));
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
        Ok(())
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
            Ok(Answer::Missing) => return Setback::again(self.unknown()),
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
        match aside(move || landing::classify(&html))
            .await
            .unwrap_or(Landing::Unrecognised)
        {
            Landing::Private => blocked(
                Code::ChannelNoPreview,
                format!("@{name} is a private channel; it can be read with a session that is a member of it"),
            ),
            Landing::NoPreview => blocked(
                Code::ChannelNoPreview,
                format!("@{name} shows no public preview; it can be read with a session"),
            ),
            Landing::NotAChannel(what) => {
                blocked(Code::NotAChannel, format!("@{name} is {what}, not a channel"))
            }
            Landing::Unknown => self.unknown_or_banned().await,
            Landing::Banned(words) => Setback::Final(self.banned(&words)),
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

    /// The page of a banned channel's name is that of an unknown one; the frame of a post tells.
    async fn unknown_or_banned(&self) -> Setback<HistoryError> {
        let mut url = self.client.address(&[&self.name, "1"]);
        url.query_pairs_mut().append_pair("embed", "1");
        let html = match self.client.page(url, &self.title()).await {
            Ok(Answer::Page(html)) => html,
            Ok(Answer::Missing | Answer::Elsewhere(_)) => return Setback::Final(self.unknown()),
            Err(setback) => return setback,
        };
        Setback::Final(match aside(move || landing::classify(&html)).await {
            Some(Landing::Banned(words)) => self.banned(&words),
            _ => self.unknown(),
        })
    }

    fn banned(&self, words: &str) -> HistoryError {
        HistoryError {
            code: Code::ChannelBanned,
            detail: format!("Telegram does not show @{} any more: {words}", self.name),
            retry: Retry::Never,
        }
    }

    fn unknown(&self) -> HistoryError {
        HistoryError {
            code: Code::ChannelUnknown,
            detail: format!(
                "Telegram knows no public channel @{}: the name is misspelt, given up, or that of a channel \
                 that is private now",
                self.name
            ),
            retry: Retry::Never,
        }
    }

    /// Not the page that it should be; the next attempt may bring it.
    fn odd(&self, why: &str) -> Setback<HistoryError> {
        Setback::again(unexpected(&self.title(), why))
    }

    fn title(&self) -> String {
        format!("@{}", self.name)
    }
}

/// Parses on a thread that may take its time: others wait for theirs on this one. `None`: it
/// panicked.
async fn aside<T: Send + 'static>(parse: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(parse).await.ok()
}

/// The lowest id that the page shows, readable or not.
fn lowest_of(page: &PreviewPage) -> Option<u32> {
    let skipped = page.skipped.iter().filter_map(|post| post.id);
    page.lowest_id().into_iter().chain(skipped).min()
}

/// Ids from `covers_from` up to `before` about which the page says nothing that can be read.
fn unread(page: &PreviewPage, covers_from: u32, before: Option<u32>) -> Vec<Unread> {
    let readable: IdRanges = page.items.iter().map(|item| item.record.id.0).collect();
    let skipped = page
        .skipped
        .iter()
        .filter(|post| !post.id.is_some_and(|id| readable.contains(id)));
    let mut known = readable.clone();
    for id in skipped.clone().filter_map(|post| post.id) {
        known.insert(id..=id);
    }
    let Some(last) = before.map(|before| before - 1).or(known.last()) else {
        return Vec::new();
    };
    let mut unread = Vec::new();
    for post in skipped {
        // An album's further members have no post of their own; a post without a number may be any.
        let (first, reach) = match post.id {
            Some(id) if id > last => continue,
            Some(id) => (id, id.saturating_add(LARGEST_ALBUM - 1).min(last)),
            None => (covers_from, last),
        };
        let mut silent = known.missing(first..=reach);
        if let Some(id) = post.id {
            let next = silent.iter().next().filter(|gap| *gap.start() == id + 1);
            silent = IdRanges::default();
            silent.insert(id..=next.map_or(id, |gap| *gap.end()));
        }
        unread.extend(silent.iter().map(|ids| Unread {
            ids,
            reason: post.reason.clone(),
        }));
    }
    unread
}

/// The first few reasons, short enough for a sentence.
fn some_of(skipped: &[Skipped]) -> String {
    const SHOWN: usize = 3;
    let told: Vec<_> = skipped
        .iter()
        .take(SHOWN)
        .map(|post| post.reason.as_str())
        .collect();
    let told = told.join("; ");
    match skipped.len().saturating_sub(SHOWN) {
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
