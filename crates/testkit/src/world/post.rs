//! A post as a fact: what Telegram knows, whatever page or protocol shows it.

use chrono::{DateTime, Utc};
use gleaner_domain::MediaKind;

use super::text::RichText;

/// One message id of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its id.
    pub id: u32,
    /// Lowest living id of its album, while at least two of it live.
    pub album: Option<u32>,
    /// When it was posted.
    pub date: DateTime<Utc>,
    /// Changed since.
    pub edited: bool,
    /// Signature of the author.
    pub signature: Option<String>,
    /// The bot it came through, without `@`.
    pub via_bot: Option<String>,
    /// The text or caption.
    pub text: RichText,
    /// What it is besides text.
    pub body: Body,
    /// What it answers.
    pub reply: Option<Reply>,
    /// Where it came from.
    pub forward: Option<Forward>,
    /// Views; none on service messages.
    pub views: Option<u64>,
    /// Reactions.
    pub reactions: Vec<Reaction>,
    /// The page shown under a link.
    pub link_card: Option<LinkCard>,
    /// Buttons below, row by row.
    pub buttons: Vec<Vec<Button>>,
    /// Grows when the file is replaced.
    pub file_version: u8,
}

/// What a post is besides its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Text alone.
    Text,
    /// A picture.
    Photo(Frame),
    /// A film with sound.
    Video {
        /// Its frame.
        frame: Frame,
        /// Seconds.
        duration_s: u32,
        /// Too big for the public page.
        too_big: bool,
    },
    /// A silent, looping film.
    Animation(Frame),
    /// A round film.
    Round {
        /// Seconds.
        duration_s: u32,
    },
    /// A voice message.
    Voice {
        /// Seconds.
        duration_s: u32,
        /// Loudness, 0 to 31.
        waveform: Vec<u8>,
    },
    /// A piece of music.
    Audio {
        /// Its title.
        title: String,
        /// Who plays.
        performer: String,
    },
    /// Any other file.
    Document {
        /// File name.
        name: String,
    },
    /// A sticker.
    Sticker(StickerKind),
    /// A poll or quiz.
    Poll(Poll),
    /// A place.
    Location {
        /// Latitude as printed.
        latitude: String,
        /// Longitude as printed.
        longitude: String,
        /// Name and address of a venue.
        venue: Option<(String, String)>,
    },
    /// A contact card.
    Contact {
        /// Name.
        name: String,
        /// Phone number.
        phone: String,
    },
    /// Something that happened to the channel.
    Service(Service),
    /// Shown by the apps alone.
    AppOnly,
    /// A giveaway: "not supported in the widget".
    Giveaway,
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Pixels from side to side.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

/// How a sticker moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StickerKind {
    /// Not at all: WebP.
    Still,
    /// Vectors: TGS.
    Animated,
    /// A film: WebM.
    Video,
}

/// A poll or quiz.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// The question.
    pub question: String,
    /// "Anonymous Poll" and so on.
    pub kind: String,
    /// Words and percent.
    pub options: Vec<(String, u8)>,
    /// How many voted.
    pub voters: u64,
}

/// What happened to the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// It began.
    Created,
    /// It has a new title.
    Renamed(String),
    /// It has a new picture.
    PhotoUpdated,
    /// A post was pinned; its beginning.
    Pinned(String),
    /// A live stream ended after so many minutes.
    LiveStream(u32),
}

/// What a post answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The message.
    pub id: u32,
    /// Name of the channel it is in, when that is another one.
    pub elsewhere: Option<String>,
    /// Whose it is, as shown.
    pub author: String,
    /// Its beginning.
    pub excerpt: String,
    /// The excerpt stands for a file ("Video").
    pub of_media: bool,
}

/// Where a post came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Name as shown.
    pub from: String,
    /// Address; none for hidden senders.
    pub link: Option<String>,
    /// Signature in the first channel.
    pub author: Option<String>,
}

/// A reaction and how often it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// Which.
    pub kind: ReactionKind,
    /// How often.
    pub count: u64,
}

/// Which reaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReactionKind {
    /// A standard emoji.
    Emoji(&'static str),
    /// A custom one: its id and the emoji that stands in for it.
    Custom(&'static str, &'static str),
    /// Stars, paid.
    Paid,
}

/// The page shown under a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkCard {
    /// Its address.
    pub url: String,
    /// Name of the site.
    pub site: String,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// With a small picture at the right instead of a large one.
    pub small: bool,
}

/// A button below a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// The words.
    pub text: String,
    /// Where it leads; none for buttons that call a bot.
    pub url: Option<String>,
}

impl Post {
    /// A text post; fill in the rest as the test needs. Id, date and views are set on arrival.
    pub fn new(text: RichText) -> Self {
        Self {
            id: 0,
            album: None,
            date: DateTime::UNIX_EPOCH,
            edited: false,
            signature: None,
            via_bot: None,
            text,
            body: Body::Text,
            reply: None,
            forward: None,
            views: Some(1),
            reactions: Vec::new(),
            link_card: None,
            buttons: Vec::new(),
            file_version: 0,
        }
    }

    /// The kind of file that hangs on it, whether the public page gives it or not.
    pub fn media_kind(&self) -> Option<MediaKind> {
        Some(match &self.body {
            Body::Photo(_) => MediaKind::Photo,
            Body::Video { .. } => MediaKind::Video,
            Body::Animation(_) => MediaKind::Animation,
            Body::Round { .. } => MediaKind::Round,
            Body::Voice { .. } => MediaKind::Voice,
            Body::Audio { .. } => MediaKind::Audio,
            Body::Document { .. } => MediaKind::Document,
            Body::Sticker(_) => MediaKind::Sticker,
            Body::Service(Service::PhotoUpdated) => MediaKind::ChannelPhoto,
            _ => return None,
        })
    }

    /// Whether the public page gives the file itself.
    pub fn file_is_public(&self) -> bool {
        match &self.body {
            Body::Video { too_big, .. } => !too_big,
            Body::Audio { .. } | Body::Document { .. } => false,
            _ => self.media_kind().is_some(),
        }
    }

    /// Ending of the file's name, without dot.
    pub fn file_extension(&self) -> Option<&str> {
        Some(match &self.body {
            Body::Photo(_) | Body::Service(Service::PhotoUpdated) => "jpg",
            Body::Video { .. } | Body::Animation(_) | Body::Round { .. } => "mp4",
            Body::Voice { .. } => "ogg",
            Body::Audio { .. } => "mp3",
            Body::Document { name } => name.rsplit_once('.').map_or("bin", |(_, extension)| extension),
            Body::Sticker(StickerKind::Still) => "webp",
            Body::Sticker(StickerKind::Animated) => "tgs",
            Body::Sticker(StickerKind::Video) => "webm",
            _ => return None,
        })
    }
}
