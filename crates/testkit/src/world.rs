//! The facts of the simulated Telegram: a table of channels and what they posted.
//!
//! A [`World`] is built once, then lives behind a [`WorldHandle`] that tests and the control port
//! read and change while a scrape runs. Content is computed from seeds on demand, so a hundred
//! thousand posts cost a few megabytes. Absent: how facts look on a page (`preview`).

mod change;
mod channel;
mod compose;
pub mod demo;
pub(crate) mod draw;
mod handle;
mod layout;
pub mod media;
mod picture;
pub mod post;
mod prose;
pub mod text;

use std::sync::Arc;

use gleaner_domain::{Clock, SystemClock};

pub use channel::{Channel, ChannelSpec, Language, Standing};
pub use handle::WorldHandle;
pub use layout::Mix;
pub use post::Post;
pub use text::RichText;

/// Channels by their order of arrival, and the time of their server.
#[derive(Clone)]
pub struct World {
    channels: Vec<Channel>,
    seed: u64,
    clock: Arc<dyn Clock>,
}

impl World {
    /// An empty world under the machine's clock.
    pub fn new() -> Self {
        Self {
            channels: Vec::new(),
            seed: 1,
            clock: Arc::new(SystemClock),
        }
    }

    /// Changes all content that is drawn, not its shape. Say it before the first channel.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Dates of posts and render times come from `clock`. Say it before the first channel.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Adds a channel; its posts end a little before this moment.
    #[must_use]
    pub fn channel(mut self, spec: ChannelSpec) -> Self {
        assert!(
            self.channels.len() < media::MOST_CHANNELS,
            "file addresses hold {} channels",
            media::MOST_CHANNELS
        );
        let seed = draw::mix(&[self.seed, self.channels.len() as u64]);
        self.channels.push(Channel::build(spec, seed, self.clock.now()));
        self
    }

    /// Hands the world to those who read and change it.
    pub fn into_handle(self) -> WorldHandle {
        WorldHandle::new(self)
    }

    /// All channels.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The channel a name leads to, in any case of letters.
    pub fn find(&self, name: &str) -> Option<&Channel> {
        self.index_of(name).map(|index| &self.channels[index])
    }

    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        self.channels.iter().position(|channel| channel.answers_to(name))
    }

    pub(crate) fn channel_at_mut(&mut self, index: usize) -> &mut Channel {
        &mut self.channels[index]
    }

    /// What the server's clock says.
    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("channels", &self.channels.len())
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
