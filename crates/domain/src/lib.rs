//! Nouns and laws of Gleaner.
//!
//! Everything here is a value: no IO, no async, no wall clock of its own except
//! [`clock::SystemClock`], which shells hand in. Absent on purpose: how a thing is
//! stored (`store`), fetched (`preview`, `telegram`) or written (`sinks`).

pub mod channel;
pub mod checkpoint;
pub mod clock;
pub mod code;
pub mod count;
pub mod id;
pub mod id_ranges;
pub mod media;
pub mod peer;
pub mod policy;
pub mod record;
pub mod run;
pub mod schedule;
pub mod session;
pub mod source;
pub mod target;
pub mod text;

pub use channel::Channel;
pub use checkpoint::{Checkpoint, Recent};
pub use clock::{Clock, SystemClock};
pub use code::{Code, Retry};
pub use count::Count;
pub use id::{ChannelId, MessageId, RunUid, SessionId, SessionUid, SourceId, SourceUid, TargetUid};
pub use id_ranges::IdRanges;
pub use media::{Media, MediaKind, MediaStatus};
pub use peer::PeerAddress;
pub use policy::{HistoryStart, ScrapePolicy};
pub use record::{Origin, Record, RecordKind};
pub use run::{RunCounts, RunOutcome, RunState, Trigger};
pub use schedule::Schedule;
pub use session::{Account, PhoneNumber, Session, SessionHealth, SessionOrigin};
pub use source::{AccessLevel, Source};
pub use target::{Target, TargetKind, TargetSettings};
