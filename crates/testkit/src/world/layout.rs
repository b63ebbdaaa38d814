//! Which id becomes what: drawn once per channel, a few bytes an id.

use chrono::{DateTime, TimeDelta, Utc};

use super::channel::ChannelSpec;
use super::draw::Draw;

/// What the posts of a channel are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mix {
    /// Every kind of post there is, each often enough for a few hundred ids to show it.
    #[default]
    Everything,
    /// What a newsroom posts: texts, pictures, albums, films, now and then a poll.
    News,
    /// Texts without files.
    Text,
    /// One picture a post.
    Photos,
}

/// What is drawn for one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Recipe {
    Created,
    Text,
    LongText,
    Formatted,
    RightToLeft,
    Links,
    LinkPreview,
    Reply,
    ReplyElsewhere,
    Forward,
    ForwardHidden,
    Signed,
    ViaBot,
    Buttons,
    CustomEmoji,
    Photo,
    Album,
    Video,
    BigVideo,
    Animation,
    Round,
    Voice,
    Audio,
    Document,
    Sticker,
    Poll,
    Location,
    Venue,
    Contact,
    Pinned,
    Renamed,
    PhotoUpdated,
    LiveStream,
    Unsupported,
    Giveaway,
    /// What a test said itself.
    Scripted,
}

impl Recipe {
    /// Weights: the sum is what one draw is out of.
    const EVERYTHING: &'static [(Self, u64)] = &[
        (Self::Text, 14),
        (Self::LongText, 4),
        (Self::Formatted, 10),
        (Self::RightToLeft, 6),
        (Self::Links, 6),
        (Self::LinkPreview, 5),
        (Self::Reply, 4),
        (Self::ReplyElsewhere, 2),
        (Self::Forward, 4),
        (Self::ForwardHidden, 2),
        (Self::Signed, 3),
        (Self::ViaBot, 2),
        (Self::Buttons, 3),
        (Self::CustomEmoji, 2),
        (Self::Photo, 10),
        (Self::Album, 4),
        (Self::Video, 5),
        (Self::BigVideo, 2),
        (Self::Animation, 2),
        (Self::Round, 2),
        (Self::Voice, 2),
        (Self::Audio, 2),
        (Self::Document, 2),
        (Self::Sticker, 3),
        (Self::Poll, 2),
        (Self::Location, 1),
        (Self::Venue, 1),
        (Self::Contact, 1),
        (Self::Pinned, 1),
        (Self::Renamed, 1),
        (Self::PhotoUpdated, 1),
        (Self::LiveStream, 1),
        (Self::Unsupported, 1),
        (Self::Giveaway, 1),
    ];
    const NEWS: &'static [(Self, u64)] = &[
        (Self::Text, 30),
        (Self::LongText, 5),
        (Self::Formatted, 14),
        (Self::Links, 6),
        (Self::LinkPreview, 8),
        (Self::Reply, 3),
        (Self::Forward, 4),
        (Self::Signed, 3),
        (Self::Photo, 18),
        (Self::Album, 3),
        (Self::Video, 5),
        (Self::Animation, 1),
        (Self::Poll, 1),
        (Self::Pinned, 1),
    ];
    const TEXT: &'static [(Self, u64)] = &[(Self::Text, 3), (Self::LongText, 1), (Self::Formatted, 2)];
    const PHOTOS: &'static [(Self, u64)] = &[(Self::Photo, 1)];

    fn draw(mix: Mix, draw: &mut Draw) -> Self {
        let table = match mix {
            Mix::Everything => Self::EVERYTHING,
            Mix::News => Self::NEWS,
            Mix::Text => Self::TEXT,
            Mix::Photos => Self::PHOTOS,
        };
        let mut left = draw.between(0, table.iter().map(|(_, weight)| weight).sum());
        for (recipe, weight) in table {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return *recipe,
            }
        }
        unreachable!("a draw below the sum of the weights ends inside the table")
    }
}

/// One id of a channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) recipe: Recipe,
    /// First id of the album, dead or alive.
    pub(crate) album: Option<u32>,
    pub(crate) live: bool,
    seconds: i64,
}

impl Slot {
    pub(crate) fn scripted(date: DateTime<Utc>) -> Self {
        Self {
            recipe: Recipe::Scripted,
            album: None,
            live: true,
            seconds: date.timestamp(),
        }
    }

    pub(crate) fn date(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.seconds, 0).expect("dates were made from dates")
    }
}

/// The ids a channel starts with: the last one is posted one step before `now`.
pub(crate) fn lay(spec: &ChannelSpec, seed: u64, now: DateTime<Utc>) -> Vec<Slot> {
    let mut slots = Vec::with_capacity(spec.posts as usize);
    let first = now - spec.every * spec.posts as i32;
    let step = spec.every.num_seconds().max(1) as u64;
    extend(&mut slots, spec, seed, spec.posts, |id| {
        // Somewhere inside its step, so that seconds are not all alike.
        let jitter = Draw::of(&[seed, u64::from(id), 0xda7e]).between(0, step);
        first + spec.every * (id as i32 - 1) + TimeDelta::seconds(jitter as i64)
    });
    for (index, slot) in slots.iter_mut().enumerate().skip(1) {
        slot.live = !Draw::of(&[seed, index as u64, 0xdead]).chance(spec.gap_percent);
    }
    slots
}

/// Adds `count` ids; an album that would not fit is cut short rather than grow past the count.
pub(crate) fn extend(
    slots: &mut Vec<Slot>,
    spec: &ChannelSpec,
    seed: u64,
    count: u32,
    date: impl Fn(u32) -> DateTime<Utc>,
) {
    let end = slots.len() as u32 + count;
    while (slots.len() as u32) < end {
        let head = slots.len() as u32 + 1;
        let mut draw = Draw::of(&[seed, u64::from(head), 0x1a7]);
        let recipe = if head == 1 {
            Recipe::Created
        } else {
            Recipe::draw(spec.mix, &mut draw)
        };
        let wanted = if recipe == Recipe::Album {
            draw.between(2, 11) as u32
        } else {
            1
        };
        let members = wanted.min(end + 1 - head);
        // A picture that lost its album to the end is just a picture.
        let recipe = if recipe == Recipe::Album && members == 1 {
            Recipe::Photo
        } else {
            recipe
        };
        let posted = date(head);
        slots.extend((0..members).map(|_| Slot {
            recipe,
            album: (members > 1).then_some(head),
            live: true,
            seconds: posted.timestamp(),
        }));
    }
}
