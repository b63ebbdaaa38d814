//! Which messages stand on a page: pure, from a cursor to ids.
//!
//! A page covers twenty ids below `before`. Deleted ids leave gaps; when nothing lives in the
//! twenty, the page slides down to the next message that does. An album stays whole, so a cursor
//! in the middle of one shows members on both sides of it.

use crate::world::Channel;

/// Ids a page covers.
const SPAN: u32 = 20;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cursor {
    Newest,
    Before(u32),
    After(u32),
    Around(u32),
}

impl Cursor {
    /// Zero, negative, too large and unreadable cursors mean the newest page, silently.
    pub(crate) fn parse(before: Option<&str>, after: Option<&str>, newest: u32) -> Self {
        let read = |raw: Option<&str>| raw?.parse::<u32>().ok().filter(|id| *id > 0);
        match (before, after) {
            (Some(_), _) => read(before)
                .filter(|id| *id <= newest + 1)
                .map_or(Self::Newest, Self::Before),
            (None, Some(_)) => read(after)
                .filter(|id| *id < newest)
                .map_or(Self::Newest, Self::After),
            (None, None) => Self::Newest,
        }
    }
}

/// One page's worth of a channel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Posts, oldest first; the ids of one post: several for an album.
    pub(crate) posts: Vec<Vec<u32>>,
    /// `data-before`: lowest id here, when there is anything older.
    pub(crate) prev: Option<u32>,
    /// `data-after`: highest id here, when there is anything newer.
    pub(crate) next: Option<u32>,
}

pub(crate) fn window(channel: &Channel, cursor: Cursor) -> Window {
    let newest = channel.newest_id();
    let span = match cursor {
        Cursor::Newest => below(channel, newest + 1),
        Cursor::Before(before) => below(channel, before),
        Cursor::After(after) => above(channel, after),
        Cursor::Around(id) => below(channel, id.saturating_add(SPAN / 2).min(newest + 1)),
    };
    let Some((low, high)) = span else {
        return Window {
            posts: Vec::new(),
            prev: None,
            next: None,
        };
    };
    let (low, high) = (channel.album_span(low).0, channel.album_span(high).1);
    let ids: Vec<u32> = (low..=high).filter(|id| channel.is_live(*id)).collect();
    let album = |id: u32| channel.album_span(id).0;
    let posts: Vec<Vec<u32>> = ids
        .chunk_by(|a, b| album(*a) == album(*b))
        .map(<[u32]>::to_vec)
        .collect();
    let (Some(first), Some(last)) = (ids.first().copied(), ids.last().copied()) else {
        return Window {
            posts,
            prev: None,
            next: None,
        };
    };
    let older = (1..first).rev().find(|id| channel.is_live(*id));
    let lost = channel.spec.hides_prev_at_gaps && older.is_some_and(|older| first - older > SPAN);
    Window {
        posts,
        prev: older.filter(|_| !lost).map(|_| first),
        next: (last + 1..=newest).any(|id| channel.is_live(id)).then_some(last),
    }
}

/// Lowest and highest living id of the page below `before`.
fn below(channel: &Channel, before: u32) -> Option<(u32, u32)> {
    let high = (1..before).rev().find(|id| channel.is_live(*id))?;
    // Strictly twenty below the cursor, unless all of them are gone.
    let floor = if high + SPAN >= before {
        before.saturating_sub(SPAN)
    } else {
        (high + 1).saturating_sub(SPAN)
    };
    let low = (floor.max(1)..=high).find(|id| channel.is_live(*id))?;
    Some((low, high))
}

fn above(channel: &Channel, after: u32) -> Option<(u32, u32)> {
    let newest = channel.newest_id();
    let low = (after + 1..=newest).find(|id| channel.is_live(*id))?;
    let ceiling = if low <= after + SPAN {
        after + SPAN
    } else {
        low + SPAN - 1
    };
    let high = (low..=ceiling.min(newest))
        .rev()
        .find(|id| channel.is_live(*id))?;
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{ChannelSpec, Mix, World, WorldHandle};

    fn texts(posts: u32) -> WorldHandle {
        World::new()
            .channel(
                ChannelSpec::new("c", 1)
                    .posts(posts)
                    .mix(Mix::Text)
                    .gap_percent(0),
            )
            .into_handle()
    }

    fn page(world: &WorldHandle, cursor: Cursor) -> (Vec<u32>, Option<u32>, Option<u32>) {
        let window = window(world.read().find("c").unwrap(), cursor);
        (window.posts.concat(), window.prev, window.next)
    }

    #[rstest]
    #[case(Some("0"), Cursor::Newest)]
    #[case(Some("-5"), Cursor::Newest)]
    #[case(Some("abc"), Cursor::Newest)]
    #[case(Some(""), Cursor::Newest)]
    #[case(Some("52"), Cursor::Newest)]
    #[case(Some("51"), Cursor::Before(51))]
    #[case(Some("1"), Cursor::Before(1))]
    #[case(None, Cursor::Newest)]
    fn a_cursor_out_of_range_means_the_newest_page(#[case] before: Option<&str>, #[case] cursor: Cursor) {
        assert_eq!(Cursor::parse(before, None, 50), cursor);
    }

    #[test]
    fn pages_cover_twenty_ids_and_link_to_their_neighbours() {
        let world = texts(50);
        assert_eq!(
            page(&world, Cursor::Newest),
            ((31..=50).collect(), Some(31), None)
        );
        assert_eq!(
            page(&world, Cursor::Before(31)),
            ((11..=30).collect(), Some(11), Some(30))
        );
        assert_eq!(
            page(&world, Cursor::Before(11)),
            ((1..=10).collect(), None, Some(10))
        );
        assert_eq!(page(&world, Cursor::Before(1)), (vec![], None, None));
        assert_eq!(
            page(&world, Cursor::After(10)),
            ((11..=30).collect(), Some(11), Some(30))
        );
    }

    #[test]
    fn deleted_ids_leave_gaps_and_a_dead_stretch_is_skipped() {
        let world = texts(100);
        world.delete("c", 95);
        for id in 41..=80 {
            world.delete("c", id);
        }
        let (ids, prev, _) = page(&world, Cursor::Newest);
        assert_eq!((ids.len(), prev), (19, Some(81)));
        assert_eq!(page(&world, Cursor::Before(81)).0, (21..=40).collect::<Vec<_>>());
        assert_eq!(page(&world, Cursor::Before(50)).0, (30..=40).collect::<Vec<_>>());
    }

    #[test]
    fn a_channel_may_lose_its_link_to_older_posts_at_a_gap() {
        let spec = ChannelSpec::new("c", 1)
            .posts(100)
            .mix(Mix::Text)
            .gap_percent(0)
            .hides_prev_at_gaps();
        let world = World::new().channel(spec).into_handle();
        for id in 41..=80 {
            world.delete("c", id);
        }
        assert_eq!(page(&world, Cursor::Newest), ((81..=100).collect(), None, None));
        assert_eq!(page(&world, Cursor::Before(81)).0.last(), Some(&40));
    }
}
