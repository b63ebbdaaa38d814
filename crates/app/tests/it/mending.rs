//! An index made from an archive is the one that grew while the archive was written.

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use gleaner_app::App;
use gleaner_domain::{Clock as _, Record, SourceId, SystemClock};
use gleaner_scrape::Batch;
use gleaner_store::{MessageStored, SourceFacts, Store};
use gleaner_testkit::FixedClock;
use gleaner_testkit::preview::Faults;
use gleaner_testkit::world::{ChannelSpec, RichText, World};
use tokio_util::sync::CancellationToken;

use crate::test_app::{HARBOUR, TestApp, completed, kept, public};

/// Everything the index tells of a source.
#[derive(Debug, PartialEq)]
struct Index {
    messages: Vec<MessageStored>,
    facts: SourceFacts,
}

impl Index {
    async fn read(database: &Path, id: SourceId) -> Self {
        let store = Store::open(database).await.unwrap();
        let index = Self {
            messages: store.messages(id, None, 10_000).await.unwrap(),
            facts: store.source_facts(id).await.unwrap(),
        };
        store.close().await;
        index
    }
}

struct Story {
    t: TestApp,
    clock: FixedClock,
    id: SourceId,
}

impl Story {
    async fn begin() -> Self {
        // Close to the machine's own time, which the site's answers carry.
        let clock = FixedClock::at(SystemClock.now());
        let channel = ChannelSpec::new(HARBOUR, 1_100_000_001)
            .title("Harbour")
            .posts(80);
        let world = World::new().clock(Arc::new(clock.clone())).channel(channel);
        let t = TestApp::with(world).await;
        let id = t.app.create_source(public(HARBOUR)).await.unwrap().id;
        t.app.shutdown().await;
        Self { t, clock, id }
    }

    /// Another process, which ends again; leaves the database as it is then beside the data folder.
    async fn run(&self, name: &str) {
        let app = App::start_with(self.t.config(), Arc::new(self.clock.clone()))
            .await
            .unwrap();
        let run = app
            .run_here(self.id, CancellationToken::new(), Arc::new(|_, _| {}))
            .await
            .unwrap();
        completed(&run);
        app.shutdown().await;
        std::fs::copy(self.t.database(), self.t.dir.path().join(name)).unwrap();
    }

    async fn index(&self) -> Index {
        Index::read(&self.t.database(), self.id).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_lost_the_mended_index_is_the_one_that_grew() {
    let story = Story::begin().await;
    let (t, world) = (&story.t, &story.t.world);
    let texts: Vec<u32> = (0..5)
        .map(|n| world.push_text(HARBOUR, &format!("text {n}")))
        .collect();
    // Files come late.
    t.site.faults().files(Faults {
        cut_body_every: Some(1),
        ..Faults::default()
    });
    story.run("first.db").await;

    t.site.faults().clear();
    assert!(world.edit(HARBOUR, texts[0], RichText::plain("edited")));
    assert!(world.delete(HARBOUR, texts[1]));
    assert!(world.bump_views(HARBOUR, texts[2], 1_000));
    story.clock.advance(TimeDelta::hours(2));
    story.run("second.db").await;

    // What vanished leaves the recent window: the checkpoint says nothing of it any more.
    world.append(HARBOUR, 300);
    story.run("third.db").await;
    let grown = story.index().await;
    let of = |id: u32| grown.messages.iter().find(|m| m.id == id).unwrap();
    assert_eq!(of(texts[0]).text, "edited");
    assert!(of(texts[1]).gone && grown.facts.gone == 1 && grown.facts.edited == 1);
    assert!(of(texts[2]).views.unwrap() >= 1_000, "as sampled");
    assert!(
        grown.facts.files > 0
            && !grown
                .facts
                .files_missing
                .iter()
                .any(|(why, _)| why.contains("cut"))
    );

    for lost in ["first.db", "second.db", "all of it", "in disorder"] {
        match lost {
            "all of it" => {
                let store = t.store().await;
                store.clear_index(story.id).await.unwrap();
                store.close().await;
            }
            "in disorder" => {
                let store = t.store().await;
                store.put_batch(story.id, &stray(&t.archive())).await.unwrap();
                store.close().await;
            }
            // A kill between manifest and database, and a backup that is older still.
            older => {
                std::fs::copy(t.dir.path().join(older), t.database()).unwrap();
            }
        }
        story.run("after.db").await;
        let mended = story.index().await;
        assert_eq!(mended.facts, grown.facts, "{lost}");
        for (mended, grown) in mended.messages.iter().zip(&grown.messages) {
            assert_eq!(mended, grown, "{lost}");
        }
        assert_eq!(mended.messages.len(), grown.messages.len(), "{lost}");
    }
}

/// A message that no archive holds.
fn stray(archive: &Path) -> Batch {
    let some = kept(archive).into_values().next().unwrap();
    let mut record: Record = serde_json::from_value(some).unwrap();
    record.id.0 = 999_999;
    Batch {
        records: vec![record],
        ..Batch::default()
    }
}
