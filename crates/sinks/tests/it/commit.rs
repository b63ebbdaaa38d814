//! What a commit promises, on every kind of target.

use gleaner_domain::record::Revision;
use gleaner_domain::{Checkpoint, MessageId, SourceUid};
use gleaner_scrape::{Archive as _, ArchiveIdentity, Batch, Sink as _, SinkErrorKind};
use gleaner_sinks::layout::Shelf;
use rstest::rstest;

use crate::bench::{Bench, Kind, at, channel, commit, edited, gone, kept, messages, record, sample};

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn what_is_committed_is_there_after_opening_again(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut archive = bench.open().await;
    assert_eq!(
        (archive.messages(), archive.checkpoint()),
        (0, &Checkpoint::default())
    );
    // Backwards, as history is filled in.
    for ids in [201..=300, 101..=200, 1..=100] {
        commit(&mut archive, messages(ids)).await.expect("commits");
    }
    drop(archive);

    let archive = bench.open().await;
    assert_eq!(archive.messages(), 300);
    assert_eq!(archive.checkpoint().seen.len(), 300);
    assert_eq!(kept(&archive).await, (1..=300).collect::<Vec<_>>());
    let latest = archive
        .read_latest(&[MessageId(250), MessageId(7), MessageId(999)])
        .await
        .expect("reads");
    assert_eq!(latest, [record(7), record(250)]);
}

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn a_record_is_read_with_its_latest_revision(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut archive = bench.open().await;
    commit(&mut archive, messages(1..=10)).await.expect("commits");
    let (first, second) = ("2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z");
    for (text, time) in [("once", first), ("twice", second)] {
        let revisions = vec![Revision::Edit(Box::new(edited(4, text, time))), gone(5, time)];
        let samples = vec![sample(1, 9, time)];
        commit(
            &mut archive,
            Batch {
                revisions,
                samples,
                ..Batch::default()
            },
        )
        .await
        .expect("commits");
    }

    let archive = bench.open().await;
    let read = archive
        .read_latest(&[MessageId(4), MessageId(5)])
        .await
        .expect("reads");
    assert_eq!(
        read,
        [edited(4, "twice", second), record(5)],
        "a vanished message stays as it was kept"
    );
    assert_eq!(kept(&archive).await, (1..=10).collect::<Vec<_>>());
    let totals = archive.manifest().totals;
    assert_eq!((totals.messages, totals.revisions, totals.samples), (10, 4, 2));
}

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn two_revisions_of_one_message_within_a_second_are_both_kept(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut archive = bench.open().await;
    commit(&mut archive, messages([4])).await.expect("commits");
    for text in ["an edit", "its late file"] {
        let revisions = vec![Revision::Edit(Box::new(edited(4, text, "2026-03-03T00:00:00Z")))];
        commit(
            &mut archive,
            Batch {
                revisions,
                ..Batch::default()
            },
        )
        .await
        .expect("commits");
    }
    let archive = bench.open().await;
    assert_eq!(archive.manifest().totals.revisions, 2);
    assert_eq!(
        archive.read_latest(&[MessageId(4)]).await.expect("reads")[0].text,
        "its late file"
    );
}

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn many_small_segments_are_merged_and_every_line_stays_once(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut archive = bench.open().await;
    let batches = 70;
    for n in (0..batches).rev() {
        let ids = n * 10 + 1..=n * 10 + 10;
        let time = format!(
            "2026-03-03T00:{:02}:{:02}Z",
            (batches - n) / 60,
            (batches - n) % 60
        );
        // Every batch edits the same message, so that the order of merged revisions shows.
        let revisions = vec![Revision::Edit(Box::new(edited(
            700,
            &format!("edit {}", batches - n),
            &time,
        )))];
        let samples = vec![sample(ids.clone().last().expect("an id"), 1, &time)];
        let batch = Batch {
            records: ids.map(record).collect(),
            revisions,
            samples,
        };
        commit(&mut archive, batch).await.expect("commits");
    }
    let manifest = archive.manifest();
    for shelf in Shelf::ALL {
        assert!(
            manifest.segments.on(shelf).len() < 10,
            "{}",
            manifest.segments.on(shelf).len()
        );
    }
    assert_eq!(
        (
            manifest.totals.messages,
            manifest.totals.revisions,
            manifest.totals.samples
        ),
        (700, 70, 70)
    );
    assert_eq!(kept(&archive).await, (1..=700).collect::<Vec<_>>());
    if kind != Kind::Memory {
        let mut named: Vec<_> = manifest
            .segments
            .iter()
            .map(|segment| segment.path.clone())
            .collect();
        named.sort();
        let mut there = crate::bench::files_below(&bench.folder());
        there.retain(|path| Shelf::ALL.iter().any(|shelf| path.starts_with(shelf.folder())));
        assert_eq!(there, named, "the merged ones are gone");
    }

    let archive = bench.open().await;
    assert_eq!(
        archive.read_latest(&[MessageId(700)]).await.expect("reads")[0].text,
        "edit 70"
    );
    assert_eq!(kept(&archive).await, (1..=700).collect::<Vec<_>>());
}

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn segments_within_each_other_merge_under_a_name_of_their_own(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut archive = bench.open().await;
    // The first spans all the others, so the merged one spans as much as it does.
    commit(&mut archive, messages([1, 1000])).await.expect("commits");
    for id in 2..=70 {
        commit(&mut archive, messages([id])).await.expect("commits");
    }
    let archive = bench.open().await;
    assert_eq!(archive.messages(), 71);
    let mut ids = kept(&archive).await;
    ids.sort_unstable(); // segments that lie within each other are read one after the other
    assert_eq!(ids, (1..=70).chain([1000]).collect::<Vec<_>>());
}

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn the_folder_of_another_source_or_channel_is_refused(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    commit(&mut bench.open().await, messages(1..=10))
        .await
        .expect("commits");
    let stranger = ArchiveIdentity {
        source: SourceUid::new(),
        ..bench.identity.clone()
    };
    let error = bench.sink.open(&stranger).await.err().expect("refused");
    assert_eq!(error.kind, SinkErrorKind::Foreign);
    assert!(error.detail.contains("belongs to another source"), "{error}");

    let replaced = ArchiveIdentity {
        channel: gleaner_domain::ChannelId(7),
        ..bench.identity.clone()
    };
    let error = bench.sink.open(&replaced).await.err().expect("refused");
    assert_eq!(error.kind, SinkErrorKind::Foreign);
}

#[tokio::test]
async fn a_folder_that_is_no_single_name_is_refused() {
    let bench = Bench::new(Kind::Local).await;
    for folder in ["../outside", "a/b", "", ".."] {
        let identity = ArchiveIdentity {
            folder: folder.to_owned(),
            ..bench.identity.clone()
        };
        let error = bench.sink.open(&identity).await.err().expect("refused");
        assert_eq!(error.kind, SinkErrorKind::Foreign, "{folder:?}");
    }
}

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn a_message_that_is_kept_is_not_kept_again(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut archive = bench.open().await;
    commit(&mut archive, messages([1, 2, 3, 7]))
        .await
        .expect("commits");
    for ids in [vec![3, 4], vec![1, 2, 3, 7], vec![9, 9], vec![12, 11]] {
        let error = commit(&mut archive, messages(ids.clone()))
            .await
            .expect_err("a double");
        assert_eq!(error.kind, SinkErrorKind::Damaged, "{ids:?}");
    }
    commit(&mut archive, messages([4, 5, 6]))
        .await
        .expect("gaps may be filled");
    let mut ids = kept(&bench.open().await).await;
    ids.sort_unstable(); // the gap was filled from another segment
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7]);
}

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn a_checkpoint_alone_is_a_commit_too(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut archive = bench.open().await;
    let checkpoint = Checkpoint {
        recent_read_at: Some(at("2026-03-03T00:00:00Z")),
        ..Checkpoint::default()
    };
    archive
        .commit(Batch::default(), &channel(), &checkpoint)
        .await
        .expect("commits");
    assert_eq!(bench.open().await.checkpoint(), &checkpoint);
}
