use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gleaner_scrape::reader::{Direction, Reader};
use gleaner_scrape::{History, Page};
use proptest::prelude::*;

use crate::world::{Pages, World};

async fn read(world: &Arc<World>, ranges: Vec<RangeInclusive<u32>>, direction: Direction) -> Vec<u32> {
    let history: Arc<dyn History> = Arc::new(Pages(Arc::clone(world)));
    let mut reader = Reader::new(history, (0, Page::default()), 4, 8);
    reader.aim(ranges, direction);
    let mut ids = Vec::new();
    while let Some(block) = reader.next().await {
        let block = block.expect("this world has no faults");
        let mut found: Vec<u32> = block.items.iter().map(|i| i.record.id.0).collect();
        assert!(found.iter().all(|id| block.range.contains(id)));
        if direction == Direction::Down {
            found.reverse();
        }
        ids.extend(found);
    }
    ids
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn every_message_of_the_ranges_comes_once_and_in_order(
        ids in prop::collection::btree_set(1_u32..900, 0..300),
        first in 1_u32..500,
        len in 0_u32..400,
        down in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let world = World::of(ids.iter().copied());
        let direction = if down { Direction::Down } else { Direction::Up };
        let read = runtime.block_on(read(&world, vec![first..=first + len], direction));
        let mut expected: Vec<u32> = ids.range(first..=first + len).copied().collect();
        if down {
            expected.reverse();
        }
        prop_assert_eq!(read, expected);
    }
}

#[tokio::test]
async fn four_pages_are_read_at_once_at_first_and_eight_at_most() {
    let world = World::of(1..=2_000);
    assert_eq!(read(&world, vec![1..=2_000], Direction::Down).await.len(), 2_000);
    assert_eq!(
        world.most.load(Ordering::SeqCst),
        8,
        "a calm server is dared with more"
    );
    let short = World::of(1..=120);
    read(&short, vec![1..=120], Direction::Down).await;
    assert_eq!(short.most.load(Ordering::SeqCst), 4, "but not at once");
    assert_eq!(world.pages.load(Ordering::SeqCst), 100, "no page is read twice");
}

#[tokio::test]
async fn sparse_history_is_read_in_longer_strides() {
    let world = World::of((1..=20_000).step_by(50));
    assert_eq!(read(&world, vec![1..=20_000], Direction::Down).await.len(), 400);
    let pages = world.pages.load(Ordering::SeqCst);
    assert!(pages < 60, "400 messages are 20 full pages; {pages} were read");
}
