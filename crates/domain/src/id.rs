//! Identities. The integer ids of the contract are local to one machine and never
//! reused; the `uid`s (UUIDv7) are what files, Postgres and Prefect know.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A channel's id as a bare positive integer; the `-100…` forms are parsed at the edge.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema,
)]
#[serde(transparent)]
pub struct ChannelId(pub i64);

impl ChannelId {
    /// Accepts `1234`, `-1234` and the Bot API's `-1001234`; zero is no channel.
    pub fn parse(raw: i64) -> Option<Self> {
        const BOT_API_SHIFT: u64 = 1_000_000_000_000;
        // Not `abs`: the lowest number has no positive counterpart, and pages are hostile.
        let size = raw.unsigned_abs();
        let bare = if raw < 0 && size >= BOT_API_SHIFT {
            size - BOT_API_SHIFT
        } else {
            size
        };
        i64::try_from(bare).ok().filter(|bare| *bare > 0).map(Self)
    }
}

/// A message's id inside its channel: 1, 2, 3 … (Telegram uses 31 bits).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
    ToSchema,
)]
#[serde(transparent)]
pub struct MessageId(pub u32);

/// The contract's `id` of a source: local, AUTOINCREMENT, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct SourceId(pub i64);

/// The contract's `id` of a session: local, AUTOINCREMENT, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct SessionId(pub i64);

macro_rules! uid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ToSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh UUIDv7: sorts by creation time.
            #[expect(clippy::new_without_default, reason = "a default identity would be a surprise")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    };
}

uid!(/// A source everywhere but on the wire of the contract.
    SourceUid);
uid!(/// One run of one source.
    RunUid);
uid!(/// A session everywhere but on the wire of the contract.
    SessionUid);
uid!(/// A storage target.
    TargetUid);

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_channel_id_is_the_same_bare_number() {
        for raw in [1_591_537_674, -1_591_537_674, -1_001_591_537_674] {
            assert_eq!(ChannelId::parse(raw), Some(ChannelId(1_591_537_674)));
        }
        assert_eq!(ChannelId::parse(0), None);
        assert_eq!(ChannelId::parse(-1_000_000_000_000), None);
    }

    #[test]
    fn the_ends_of_the_number_line_are_survived() {
        assert_eq!(ChannelId::parse(i64::MAX), Some(ChannelId(i64::MAX)));
        // The lowest number, less the shift, is a positive one again.
        let lowest = ChannelId::parse(i64::MIN).expect("a number");
        assert_eq!(lowest.0, i64::MAX - 1_000_000_000_000 + 1);
    }
}
