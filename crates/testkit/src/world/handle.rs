//! The shared world: many readers, and the truth for tests.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use gleaner_domain::text::Entity;

use super::{Channel, Post, World, media};

/// A world that several servers show and tests change. Clones are the same world.
///
/// Methods that take a channel's name panic when nobody has it: in a test that is a typing error.
#[derive(Debug, Clone)]
pub struct WorldHandle(Arc<RwLock<World>>);

impl WorldHandle {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(RwLock::new(world)))
    }

    /// The world as it is now; changes wait while the guard lives.
    pub fn read(&self) -> RwLockReadGuard<'_, World> {
        // A panic in a test that held the lock is that test's failure, not everybody's.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, World> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names of all channels, first names only.
    pub fn names(&self) -> Vec<String> {
        self.read()
            .channels()
            .iter()
            .map(|channel| channel.name().to_owned())
            .collect()
    }

    /// Whether anybody has this name.
    pub fn knows(&self, channel: &str) -> bool {
        self.read().find(channel).is_some()
    }

    /// Ids that exist now, ascending, album members included.
    pub fn live_ids(&self, channel: &str) -> Vec<u32> {
        self.look(channel, |channel| channel.live_ids().collect())
    }

    /// The highest id ever handed out.
    pub fn newest_id(&self, channel: &str) -> u32 {
        self.look(channel, Channel::newest_id)
    }

    /// The number behind the name now.
    pub fn channel_id(&self, channel: &str) -> i64 {
        self.look(channel, Channel::id)
    }

    /// All facts about a post.
    pub fn post(&self, channel: &str, id: u32) -> Option<Post> {
        self.look(channel, |channel| channel.post(id))
    }

    /// The text an author wrote; empty on files without caption, on service messages and on album
    /// members but the first. `None` when the id does not exist.
    pub fn text(&self, channel: &str, id: u32) -> Option<String> {
        self.post(channel, id).map(|post| post.text.string())
    }

    /// Formatting of the text: by offset, the longest first.
    pub fn entities(&self, channel: &str, id: u32) -> Option<Vec<Entity>> {
        self.post(channel, id).map(|post| post.text.entities())
    }

    /// Bytes of a message's file, whether or not the public page gives it. A message has one file at
    /// most, so `index` is 0; `None` for anything else.
    pub fn media_bytes(&self, channel: &str, id: u32, index: usize) -> Option<Bytes> {
        self.look(channel, |channel| {
            let post = channel.post(id).filter(|_| index == 0)?;
            media::file_bytes(channel, &post)
        })
    }

    fn look<T>(&self, name: &str, look: impl FnOnce(&Channel) -> T) -> T {
        let world = self.read();
        look(
            world
                .find(name)
                .unwrap_or_else(|| panic!("no channel of the world is named {name}")),
        )
    }
}
