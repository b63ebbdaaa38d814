//! Two writers of one archive: the later one wins, and what is committed stays as it was committed.

use gleaner_domain::Record;
use gleaner_scrape::{Archive as _, ArchiveIdentity, Batch, Sink as _, SinkErrorKind};
use gleaner_sinks::{DalArchive, reopen_target};
use rstest::rstest;

use crate::bench::{Bench, Kind, commit, files_below, kept, local, messages, record};

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn of_two_writers_the_second_is_refused_and_overwrites_nothing(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut one = bench.open().await;
    let mut other = bench.open().await;
    commit(&mut one, messages(1..=10)).await.expect("commits");
    let error = commit(&mut other, messages(11..=20))
        .await
        .expect_err("another writer was faster");
    assert_eq!(error.kind, SinkErrorKind::Raced, "{error}");
    assert!(error.detail.contains("Another writer"), "{error}");
    let again = commit(&mut other, messages(11..=20))
        .await
        .expect_err("it stays refused");
    assert!(again.detail.contains("unknown end"), "{again}");

    let archive = bench.open().await;
    assert_eq!(kept(&archive).await, (1..=10).collect::<Vec<_>>());
}

/// The same ids with other words: the same name of a segment, with other bytes.
fn in_other_words(ids: std::ops::RangeInclusive<u32>, words: &str) -> Batch {
    let other = |id| Record {
        text: words.to_owned(),
        ..record(id)
    };
    Batch {
        records: ids.map(other).collect(),
        ..Batch::default()
    }
}

async fn assert_says(archive: &DalArchive, id: u32, words: &str) {
    let read = archive.read_latest(&[gleaner_domain::MessageId(id)]).await;
    assert_eq!(read.expect("the segment is whole")[0].text, words);
}

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn the_slower_of_two_writers_does_not_touch_the_segment_of_the_same_name(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut slow = bench.open().await;
    let mut fast = bench.open().await;
    commit(&mut fast, in_other_words(1..=10, "fast"))
        .await
        .expect("commits");
    let error = commit(&mut slow, in_other_words(1..=10, "slow"))
        .await
        .expect_err("too late");
    assert_eq!(error.kind, SinkErrorKind::Raced, "{error}");
    assert_says(&bench.open().await, 7, "fast").await;
}

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn a_writer_that_was_overtaken_midway_does_not_touch_it_either(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut first = bench.open().await;
    commit(&mut first, messages(1..=10)).await.expect("commits");
    let mut later = bench.open().await;
    commit(&mut later, in_other_words(11..=20, "later"))
        .await
        .expect("commits");
    let error = commit(&mut first, in_other_words(11..=20, "first"))
        .await
        .expect_err("overtaken");
    assert_eq!(error.kind, SinkErrorKind::Raced, "{error}");
    let archive = bench.open().await;
    assert_says(&archive, 15, "later").await;
    assert_eq!(kept(&archive).await, (1..=20).collect::<Vec<_>>());
}

#[rstest]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn who_cleans_up_is_the_writer_from_then_on(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut slow = bench.open().await;
    commit(&mut slow, messages(1..=10)).await.expect("commits");
    // As if the slow one had written its next segment and not yet swapped the manifest.
    let next = bench.folder().join("messages/0000000011-0000000020.jsonl.zst");
    std::fs::write(&next, b"not named yet").expect("writes");
    let _cleaner = bench.open().await;
    assert!(!next.exists(), "it counts as left behind");
    let error = commit(&mut slow, messages(11..=20)).await.expect_err("too late");
    assert_eq!(error.kind, SinkErrorKind::Raced, "{error}");
    assert_eq!(kept(&bench.open().await).await, (1..=10).collect::<Vec<_>>());
}

#[rstest]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn what_a_crash_left_under_the_name_of_a_segment_is_replaced(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut archive = bench.open().await;
    let folder = bench.folder().join("messages");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("0000000001-0000000010.jsonl.zst"), b"half of it").expect("writes");
    commit(&mut archive, messages(1..=10)).await.expect("commits");
    assert_eq!(kept(&bench.open().await).await, (1..=10).collect::<Vec<_>>());
}

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn opening_without_news_takes_the_archive_from_nobody(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut writer = bench.open().await;
    commit(&mut writer, messages(1..=10)).await.expect("commits");
    let reader = bench.open().await;
    assert_eq!(reader.manifest(), writer.manifest(), "nothing was written");
    commit(&mut writer, messages(11..=20)).await.expect("goes on");
}

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn an_archive_that_should_be_there_is_not_begun_anew(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let known = ArchiveIdentity {
        kept: true,
        ..bench.identity.clone()
    };
    let before = files_below(bench.dir.path());
    let error = bench.sink.open(&known).await.err().expect("refused");
    assert_eq!(error.kind, SinkErrorKind::Missing, "{error}");
    assert_eq!(files_below(bench.dir.path()), before);
    commit(&mut bench.open().await, messages(1..=10))
        .await
        .expect("commits");
    bench.sink.open(&known).await.expect("there it is");
}

#[tokio::test]
async fn the_folder_of_a_disk_that_is_not_mounted_is_not_made() {
    let dir = tempfile::tempdir().expect("a folder");
    let error = reopen_target(&local(dir.path()), None, None)
        .await
        .expect_err("refused");
    assert_eq!(error.kind, SinkErrorKind::Missing, "{error}");
    assert!(!dir.path().join("out").exists());
}
