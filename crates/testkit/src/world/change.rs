//! What can happen to a world while somebody reads it.

use super::channel::{Change, Channel, Standing};
use super::layout::{self, Slot};
use super::post::Post;
use super::text::RichText;
use super::{ChannelSpec, WorldHandle, draw, media};

impl WorldHandle {
    /// Posts `count` drawn messages dated now; gives their ids.
    pub fn append(&self, channel: &str, count: u32) -> Vec<u32> {
        self.change(channel, |channel, now| {
            let first = channel.newest_id() + 1;
            // Ids and dates grow together, whatever the clock did.
            let date = channel.last_date().map_or(now, |last| last.max(now));
            layout::extend(&mut channel.slots, &channel.spec, channel.seed, count, |_| date);
            (first..=channel.newest_id()).collect()
        })
    }

    /// Posts one message as the test wrote it; id and date are set here.
    pub fn push(&self, channel: &str, post: Post) -> u32 {
        self.change(channel, |channel, now| {
            let date = channel.last_date().map_or(now, |last| last.max(now));
            let id = channel.push(Slot::scripted(date));
            let scripted = Box::new(Post {
                id,
                date,
                album: None,
                ..post
            });
            channel.changes.insert(
                id,
                Change {
                    scripted: Some(scripted),
                    ..Change::default()
                },
            );
            id
        })
    }

    /// Posts a plain text.
    pub fn push_text(&self, channel: &str, text: &str) -> u32 {
        self.push(channel, Post::new(RichText::plain(text)))
    }

    /// Rewrites a post and marks it edited; false when it does not exist or is a service message.
    pub fn edit(&self, channel: &str, id: u32, text: RichText) -> bool {
        self.alter(channel, id, |change| change.text = Some(text))
    }

    /// Replaces the file of a post by another one of the same kind.
    pub fn replace_file(&self, channel: &str, id: u32) -> bool {
        self.alter(channel, id, |change| {
            change.file_version = (change.file_version + 1) % 16;
        })
    }

    /// Lets more people see a post.
    pub fn bump_views(&self, channel: &str, id: u32, by: u64) -> bool {
        self.alter(channel, id, |change| change.more_views += by)
    }

    /// Adds to the first reaction of a post, if it has one.
    pub fn bump_reactions(&self, channel: &str, id: u32, by: u64) -> bool {
        self.alter(channel, id, |change| change.more_reactions += by)
    }

    /// Deletes a post; false when it was gone already.
    pub fn delete(&self, channel: &str, id: u32) -> bool {
        self.change(channel, |channel, _| {
            let found = channel.is_live(id);
            if found {
                channel.slots[id as usize - 1].live = false;
                channel.changes.remove(&id);
            }
            found
        })
    }

    /// Puts another channel behind the name: same posts, other number.
    pub fn set_channel_id(&self, channel: &str, id: i64) {
        assert!(id > 0, "a channel id is a bare positive number");
        self.change(channel, |channel, _| channel.spec.id = id);
    }

    /// Makes a channel private, banned, a group … or public again.
    pub fn set_standing(&self, channel: &str, standing: Standing) {
        self.change(channel, |channel, _| channel.spec.standing = standing);
    }

    /// Gives a channel another title.
    pub fn set_title(&self, channel: &str, title: &str) {
        self.change(channel, |channel, _| title.clone_into(&mut channel.spec.title));
    }

    /// Adds a channel to the running world.
    pub fn add_channel(&self, spec: ChannelSpec) {
        let mut world = self.write();
        assert!(world.channels.len() < media::MOST_CHANNELS, "the world is full");
        let seed = draw::mix(&[world.seed, world.channels.len() as u64]);
        let channel = Channel::build(spec, seed, world.now());
        world.channels.push(channel);
    }

    fn alter(&self, channel: &str, id: u32, alter: impl FnOnce(&mut Change)) -> bool {
        self.change(channel, |channel, _| {
            let can = channel.is_live(id) && !channel.is_service(id);
            if can {
                alter(channel.changes.entry(id).or_default());
            }
            can
        })
    }

    fn change<T>(
        &self,
        name: &str,
        change: impl FnOnce(&mut Channel, chrono::DateTime<chrono::Utc>) -> T,
    ) -> T {
        let mut world = self.write();
        let now = world.now();
        let index = world
            .index_of(name)
            .unwrap_or_else(|| panic!("no channel of the world is named {name}"));
        change(world.channel_at_mut(index), now)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{FixedClock, World};

    fn world() -> WorldHandle {
        World::new()
            .clock(Arc::new(FixedClock::default()))
            .channel(ChannelSpec::new("harbour", 1_100_000_001).posts(300))
            .into_handle()
    }

    #[test]
    fn two_worlds_of_one_seed_are_the_same() {
        let (one, two) = (world(), world());
        assert_eq!(one.live_ids("harbour"), two.live_ids("harbour"));
        for id in one.live_ids("harbour") {
            assert_eq!(one.post("harbour", id), two.post("harbour", id));
            assert_eq!(
                one.media_bytes("harbour", id, 0),
                two.media_bytes("harbour", id, 0)
            );
        }
    }

    #[test]
    fn an_edit_changes_text_and_mark_and_nothing_else() {
        let world = world();
        let id = world.push_text("harbour", "before");
        let before = world.post("harbour", id).unwrap();
        assert!(world.edit("harbour", id, RichText::plain("after")));
        let after = world.post("harbour", id).unwrap();
        assert_eq!(
            after,
            Post {
                text: RichText::plain("after"),
                edited: true,
                ..before
            }
        );
    }

    #[test]
    fn a_deleted_post_is_gone_and_its_id_is_never_used_again() {
        let world = world();
        let newest = *world.append("harbour", 5).last().unwrap();
        assert!(world.delete("harbour", newest));
        assert!(!world.delete("harbour", newest));
        assert_eq!(world.post("harbour", newest), None);
        assert_eq!(world.append("harbour", 1), [newest + 1]);
    }

    #[test]
    fn dates_grow_with_ids() {
        let world = world();
        world.append("harbour", 10);
        let dates: Vec<_> = world
            .live_ids("harbour")
            .iter()
            .map(|id| world.post("harbour", *id).unwrap().date)
            .collect();
        assert!(dates.is_sorted());
    }

    #[test]
    fn an_album_is_named_after_its_first_living_picture_and_one_alone_is_none() {
        let world = world();
        let album = |id: u32| world.post("harbour", id).and_then(|post| post.album);
        let head = world
            .live_ids("harbour")
            .into_iter()
            .find(|id| (*id..id + 3).all(|member| album(member) == Some(*id)))
            .expect("three hundred ids hold an album of three");
        let last = (head..head + 11)
            .take_while(|member| album(*member) == Some(head))
            .last()
            .unwrap();
        world.delete("harbour", head);
        assert_eq!(album(head + 1), Some(head + 1));
        for member in head + 1..last {
            world.delete("harbour", member);
        }
        assert!(world.post("harbour", last).is_some());
        assert!((head..last).all(|member| world.post("harbour", member).is_none()));
    }
}
