use gleaner_domain::{Code, RunState};
use gleaner_testkit::world::Standing;

use crate::test_app::{HARBOUR, TestApp, completed, kept, lines};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_channel_says_is_on_disk_word_for_word() {
    let t = TestApp::new(230).await;
    let source = t.add(HARBOUR).await;
    let run = t.run(source.id).await;
    completed(&run);

    let kept = kept(&t.archive());
    let live = t.world.live_ids(HARBOUR);
    assert_eq!(
        kept.keys().copied().collect::<Vec<_>>(),
        live,
        "every message once"
    );
    assert_eq!(run.counts.messages, live.len() as u64);
    for (id, record) in &kept {
        assert_eq!(record["channel_id"], 1_100_000_001_i64);
        assert_eq!(record["source"], "preview");
        if record["kind"] == "message" {
            assert_eq!(
                record["text"].as_str(),
                t.world.text(HARBOUR, *id).as_deref(),
                "text of {id}"
            );
        }
        for (index, media) in record["media"].as_array().unwrap().iter().enumerate() {
            match media["status"].as_str().unwrap() {
                "stored" => {
                    let bytes = std::fs::read(t.archive().join(media["path"].as_str().unwrap())).unwrap();
                    assert_eq!(
                        bytes,
                        t.world.media_bytes(HARBOUR, *id, index).unwrap(),
                        "file of {id}"
                    );
                }
                _ => assert!(
                    media["reason"].is_string(),
                    "every file that is not there says why: {media}"
                ),
            }
        }
    }
    let detail = t.app.get_source_detail(source.id).await.unwrap();
    assert_eq!(detail.row.messages, live.len() as u64);
    assert_eq!(
        detail.row.channel_title, "Harbour",
        "a title nobody typed follows the channel"
    );
    assert_eq!(detail.location.as_deref(), t.archive().to_str());
    let completeness = t.app.source_completeness(source.id).await.unwrap();
    assert_eq!((completeness.kept, completeness.missing), (live.len() as u64, 0));
    let days = t.app.source_days(source.id).await.unwrap();
    assert_eq!(days.iter().map(|d| d.messages).sum::<u64>(), live.len() as u64);
    let newest = t.app.source_messages(source.id, None, Some(10)).await.unwrap();
    assert_eq!(newest[0].id, *live.last().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_run_asks_only_for_what_is_new() {
    let t = TestApp::new(120).await;
    let source = t.add(HARBOUR).await;
    t.run(source.id).await;
    let again = t.run(source.id).await;
    completed(&again);
    assert_eq!(
        (again.counts.messages, again.counts.pages),
        (0, 0),
        "the newest page said it all"
    );
    let new = t.world.append(HARBOUR, 7);
    let third = t.run(source.id).await;
    assert_eq!(third.counts.messages, new.len() as u64);
    assert_eq!(kept(&t.archive()).len(), t.world.live_ids(HARBOUR).len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_cannot_be_read_says_why_and_what_to_do() {
    for (standing, code) in [
        (Standing::Private, Code::ChannelNoPreview),
        (Standing::NoPreview, Code::ChannelNoPreview),
        (Standing::Group, Code::NotAChannel),
        (Standing::Unknown, Code::ChannelUnknown),
        (Standing::Banned, Code::ChannelBanned),
    ] {
        let t = TestApp::new(5).await;
        t.world.set_standing(HARBOUR, standing);
        let source = t.add(HARBOUR).await;
        let run = t.run(source.id).await;
        assert_eq!(
            (run.state, run.code),
            (RunState::Failed, Some(code)),
            "{standing:?}: {:?}",
            run.detail
        );
        assert!(run.detail.unwrap().contains(HARBOUR) && run.hint.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_changed_hands_never_mixes_two_channels() {
    let t = TestApp::new(50).await;
    let source = t.add(HARBOUR).await;
    t.run(source.id).await;
    t.world.set_channel_id(HARBOUR, 1_999_999_999);
    t.world.append(HARBOUR, 5);
    let run = t.run(source.id).await;
    assert_eq!(
        (run.state, run.code),
        (RunState::Failed, Some(Code::ChannelReplaced))
    );
    assert!(
        kept(&t.archive())
            .values()
            .all(|r| r["channel_id"] == 1_100_000_001_i64)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_was_lost_is_made_anew_from_the_files() {
    let t = TestApp::new(150).await;
    let source = t.add(HARBOUR).await;
    t.run(source.id).await;
    t.app.shutdown().await;
    // As after restoring an older backup: the database knows the source but none of its messages.
    let store = t.store().await;
    store.clear_index(source.id).await.unwrap();
    store.close().await;
    let app = t.second().await;
    app.run_here(
        source.id,
        tokio_util::sync::CancellationToken::new(),
        std::sync::Arc::new(|_, _| {}),
    )
    .await
    .unwrap();
    let detail = app.get_source_detail(source.id).await.unwrap();
    assert_eq!(detail.row.messages, t.world.live_ids(HARBOUR).len() as u64);
    assert_eq!(
        kept(&t.archive()).len() as u64,
        detail.row.messages,
        "and nothing is kept twice"
    );
    assert!(lines(&t.archive(), "revisions").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_not_mounted_is_no_empty_archive() {
    let t = TestApp::new(60).await;
    let source = t.add(HARBOUR).await;
    completed(&t.run(source.id).await);
    let (root, away) = (t.dir.path().join("data/archive"), t.dir.path().join("away"));
    std::fs::rename(&root, &away).unwrap();

    // The mount point is gone, or there and empty.
    for there in [false, true] {
        if there {
            std::fs::create_dir(&root).unwrap();
        }
        let run = t.run(source.id).await;
        assert_eq!(run.state, RunState::Failed);
        assert_eq!(run.code, Some(Code::ArchiveMissing), "{run:?}");
        assert_eq!(root.exists(), there, "nothing is made in its place");
        let row = t.app.get_source_detail(source.id).await.unwrap().row;
        assert_eq!(
            row.messages,
            t.world.live_ids(HARBOUR).len() as u64,
            "the index stays"
        );
    }
    std::fs::remove_dir(&root).unwrap();
    std::fs::rename(&away, &root).unwrap();
    completed(&t.run(source.id).await);
}
