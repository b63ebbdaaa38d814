//! A channel: what a test says about it, and what it is while the world runs.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::compose;
use super::layout::{self, Mix, Recipe, Slot};
use super::post::{Body, Post};
use super::text::RichText;

/// What a channel is to strangers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Shows its posts on the web.
    #[default]
    Public,
    /// Public, without posts on the web.
    NoPreview,
    /// Readable by members alone.
    Private,
    /// Taken down by Telegram.
    Banned,
    /// A group.
    Group,
    /// A person.
    User,
    /// A bot.
    Bot,
    /// Nobody has this name (any more).
    Unknown,
}

/// The language most posts are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Arabic, right to left.
    Arabic,
    /// Hebrew, right to left.
    Hebrew,
    /// Russian.
    Russian,
    /// Japanese.
    Japanese,
}

/// What a test says about a channel before the world starts.
#[derive(Debug, Clone)]
pub struct ChannelSpec {
    pub(crate) name: String,
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) verified: bool,
    pub(crate) photo: bool,
    pub(crate) subscribers: u64,
    pub(crate) standing: Standing,
    pub(crate) aliases: Vec<String>,
    pub(crate) posts: u32,
    pub(crate) mix: Mix,
    pub(crate) gap_percent: u32,
    pub(crate) language: Language,
    pub(crate) every: TimeDelta,
    pub(crate) hides_prev_at_gaps: bool,
}

impl ChannelSpec {
    /// A public channel without posts. `id` is the bare positive number.
    pub fn new(name: &str, id: i64) -> Self {
        assert!(id > 0, "a channel id is a bare positive number");
        Self {
            name: name.to_owned(),
            id,
            title: name.to_owned(),
            description: String::new(),
            verified: false,
            photo: true,
            subscribers: 12_345,
            standing: Standing::Public,
            aliases: Vec::new(),
            posts: 0,
            mix: Mix::Everything,
            gap_percent: 3,
            language: Language::English,
            every: TimeDelta::minutes(37),
            hides_prev_at_gaps: false,
        }
    }

    /// The title; emoji are fine.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }

    /// The description; may have lines, links and `@names`.
    #[must_use]
    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// Hands out message ids `1..=count`; of these `gap_percent` were deleted since.
    #[must_use]
    pub fn posts(mut self, count: u32) -> Self {
        self.posts = count;
        self
    }

    /// What the posts are like.
    #[must_use]
    pub fn mix(mut self, mix: Mix) -> Self {
        self.mix = mix;
        self
    }

    /// How many of a hundred ids were deleted; 3 unless said.
    #[must_use]
    pub fn gap_percent(mut self, percent: u32) -> Self {
        self.gap_percent = percent;
        self
    }

    /// The language most posts are in.
    #[must_use]
    pub fn language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// Time between two ids.
    #[must_use]
    pub fn every(mut self, every: TimeDelta) -> Self {
        self.every = every;
        self
    }

    /// How many read it.
    #[must_use]
    pub fn subscribers(mut self, subscribers: u64) -> Self {
        self.subscribers = subscribers;
        self
    }

    /// With the check mark.
    #[must_use]
    pub fn verified(mut self) -> Self {
        self.verified = true;
        self
    }

    /// Without a picture: pages show initials only.
    #[must_use]
    pub fn without_photo(mut self) -> Self {
        self.photo = false;
        self
    }

    /// What it is to strangers.
    #[must_use]
    pub fn standing(mut self, standing: Standing) -> Self {
        self.standing = standing;
        self
    }

    /// Another name that leads here; pages print the first name all the same.
    #[must_use]
    pub fn also_named(mut self, alias: &str) -> Self {
        self.aliases.push(alias.to_owned());
        self
    }

    /// Pages above a gap of twenty or more ids lack the link to older posts, as some real ones do.
    #[must_use]
    pub fn hides_prev_at_gaps(mut self) -> Self {
        self.hides_prev_at_gaps = true;
        self
    }
}

/// A channel in a running world.
#[derive(Debug, Clone)]
pub struct Channel {
    pub(crate) spec: ChannelSpec,
    pub(crate) seed: u64,
    /// Index is id - 1.
    pub(crate) slots: Vec<Slot>,
    pub(crate) changes: BTreeMap<u32, Change>,
}

/// What happened to a post after it was drawn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) text: Option<RichText>,
    pub(crate) more_views: u64,
    pub(crate) more_reactions: u64,
    pub(crate) file_version: u8,
    pub(crate) scripted: Option<Box<Post>>,
}

impl Channel {
    pub(crate) fn build(spec: ChannelSpec, seed: u64, now: DateTime<Utc>) -> Self {
        let slots = layout::lay(&spec, seed, now);
        Self {
            spec,
            seed,
            slots,
            changes: BTreeMap::new(),
        }
    }

    /// The name pages print.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The bare positive number behind the name now.
    pub fn id(&self) -> i64 {
        self.spec.id
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.spec.title
    }

    /// What it is to strangers now.
    pub fn standing(&self) -> Standing {
        self.spec.standing
    }

    pub(crate) fn answers_to(&self, name: &str) -> bool {
        std::iter::once(&self.spec.name)
            .chain(&self.spec.aliases)
            .any(|own| own.eq_ignore_ascii_case(name))
    }

    /// The highest id ever handed out; 0 for none.
    pub fn newest_id(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Whether this id exists now.
    pub fn is_live(&self, id: u32) -> bool {
        self.slot(id).is_some_and(|slot| slot.live)
    }

    pub(crate) fn slot(&self, id: u32) -> Option<&Slot> {
        self.slots.get(id.checked_sub(1)? as usize)
    }

    /// Ids that exist now, ascending.
    pub fn live_ids(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        (1..=self.newest_id()).filter(|id| self.is_live(*id))
    }

    /// Lowest and highest id of the album an id was posted with; itself alone otherwise.
    pub(crate) fn album_span(&self, id: u32) -> (u32, u32) {
        let Some(head) = self.slot(id).and_then(|slot| slot.album) else {
            return (id, id);
        };
        let last = (head..=self.newest_id())
            .take_while(|member| self.slot(*member).is_some_and(|slot| slot.album == Some(head)))
            .last();
        (head, last.unwrap_or(id))
    }

    /// One post as it is now; `None` when the id is free or deleted.
    pub fn post(&self, id: u32) -> Option<Post> {
        let slot = self.slot(id).filter(|slot| slot.live)?;
        let change = self.changes.get(&id);
        let mut post = match change.and_then(|change| change.scripted.as_deref()) {
            Some(scripted) => scripted.clone(),
            None => compose::compose(self, id, slot),
        };
        if slot.album.is_some() {
            let (first, last) = self.album_span(id);
            let mut living = (first..=last).filter(|member| self.is_live(*member));
            // One alone is no album any more.
            post.album = living.next().filter(|_| living.next().is_some());
        }
        if let Some(change) = change {
            if let Some(text) = &change.text {
                post.text = text.clone();
                post.edited = true;
            }
            post.views = post.views.map(|views| views + change.more_views);
            if let Some(first) = post.reactions.first_mut() {
                first.count += change.more_reactions;
            }
            post.file_version = change.file_version;
        }
        Some(post)
    }

    /// Living photos, videos, files and links, as the header counts them.
    pub(crate) fn counters(&self) -> [(u64, &'static str); 4] {
        let mut counters = [(0, "photo"), (0, "video"), (0, "file"), (0, "link")];
        for slot in self.slots.iter().filter(|slot| slot.live) {
            let counter = match slot.recipe {
                Recipe::Photo | Recipe::Album => 0,
                Recipe::Video | Recipe::BigVideo | Recipe::Round => 1,
                Recipe::Document | Recipe::Audio => 2,
                Recipe::Links | Recipe::LinkPreview => 3,
                _ => continue,
            };
            counters[counter].0 += 1;
        }
        counters
    }

    pub(crate) fn last_date(&self) -> Option<DateTime<Utc>> {
        self.slots.last().map(Slot::date)
    }

    pub(crate) fn push(&mut self, slot: Slot) -> u32 {
        self.slots.push(slot);
        self.newest_id()
    }

    /// True when the post is a service message, which nobody can edit or count.
    pub(crate) fn is_service(&self, id: u32) -> bool {
        self.post(id)
            .is_some_and(|post| matches!(post.body, Body::Service(_)))
    }
}
