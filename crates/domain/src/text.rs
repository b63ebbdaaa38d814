//! Formatting inside a text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A formatted stretch of a text.
///
/// `offset` and `length` count UTF-16 code units, as everywhere in Telegram
/// (<https://core.telegram.org/api/entities>), so one emoji is two.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Entity {
    /// Where it starts, in UTF-16 code units.
    pub offset: u32,
    /// How long it is, in UTF-16 code units.
    pub length: u32,
    /// What it is.
    #[serde(flatten)]
    pub kind: EntityKind,
}

/// Kinds of formatting; the spelling is the Bot API's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EntityKind {
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Underlined.
    Underline,
    /// Struck through.
    Strikethrough,
    /// Hidden until tapped.
    Spoiler,
    /// A quotation.
    Blockquote {
        /// Folded until tapped.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        collapsed: bool,
    },
    /// Monospaced.
    Code,
    /// A block of code.
    Pre {
        /// Programming language, if said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
    /// `#tag`.
    Hashtag,
    /// `$TAG`.
    Cashtag,
    /// `@name`.
    Mention,
    /// An address that is its own text.
    Url,
    /// A mail address.
    Email,
    /// A phone number.
    Phone,
    /// `/command`.
    BotCommand,
    /// Words with an address behind them.
    TextLink {
        /// The address.
        url: String,
    },
    /// An emoji with a picture of its own.
    CustomEmoji {
        /// Telegram's id of the picture.
        emoji_id: String,
    },
}
