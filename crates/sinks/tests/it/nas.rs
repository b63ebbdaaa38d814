//! A share that may not be mounted.

use std::fs;
use std::path::Path;

use gleaner_domain::TargetSettings;
use gleaner_scrape::{Archive as _, Sink as _, SinkErrorKind};
use gleaner_sinks::{DalSink, open_target, test_target};
use uuid::Uuid;

use crate::bench::{Bench, Kind, body, commit, facts, files_below, kept, messages};

fn nas(path: &Path) -> TargetSettings {
    TargetSettings::Nas {
        path: path.to_owned(),
    }
}

async fn bench() -> Bench {
    let mut bench = Bench::new(Kind::Local).await;
    bench.sink = open(&bench.dir.path().join("out"), None).await;
    bench
}

async fn open(path: &Path, marker: Option<Uuid>) -> DalSink {
    open_target(&nas(path), None, marker).await.expect("opens")
}

#[tokio::test]
async fn the_first_use_leaves_a_marker_and_later_ones_ask_for_it() {
    let bench = bench().await;
    let share = bench.dir.path().join("out");
    let marker = bench.sink.marker().expect("a marker");
    assert!(share.join(format!(".gleaner-root-{marker}")).is_file());
    assert_eq!(open(&share, Some(marker)).await.marker(), Some(marker));
    assert_eq!(
        open(&share, None).await.marker(),
        Some(marker),
        "another machine takes the one that is there"
    );
    commit(&mut bench.open().await, messages(1..=3))
        .await
        .expect("commits");
    assert_eq!(kept(&bench.open().await).await, [1, 2, 3]);
}

#[tokio::test]
async fn an_unmounted_share_is_never_written() {
    let bench = bench().await;
    let share = bench.dir.path().join("out");
    let marker = bench.sink.marker();
    let mut archive = bench.open().await;
    commit(&mut archive, messages(1..=3)).await.expect("commits");

    // The share goes away in the middle of a run; its empty mount point stays.
    let elsewhere = bench.dir.path().join("elsewhere");
    fs::rename(&share, &elsewhere).expect("moves");
    fs::create_dir(&share).expect("creates");
    let error = commit(&mut archive, messages(4..=6))
        .await
        .expect_err("unmounted");
    assert_eq!(error.kind, SinkErrorKind::Unreachable);
    assert!(error.detail.contains("not mounted"), "{error}");
    let error = archive
        .store_file(&facts(4, "a.txt"), body(b"a", None))
        .await
        .expect_err("unmounted");
    assert_eq!(error.kind, SinkErrorKind::Unreachable);
    let error = bench.sink.open(&bench.identity).await.err().expect("unmounted");
    assert_eq!(error.kind, SinkErrorKind::Unreachable);
    let error = open_target(&nas(&share), None, marker)
        .await
        .expect_err("unmounted");
    assert_eq!(error.kind, SinkErrorKind::Unreachable);
    let report = test_target(&nas(&share), None, marker).await;
    assert!(!report.ok() && report.steps[0].name == "connect", "{report:?}");
    assert_eq!(
        fs::read_dir(&share).expect("there").count(),
        0,
        "nothing was written"
    );

    fs::remove_dir(&share).expect("removes");
    fs::rename(&elsewhere, &share).expect("mounts again");
    let mut archive = bench.open().await;
    commit(&mut archive, messages(4..=6)).await.expect("commits");
    assert_eq!(kept(&archive).await, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_share_that_is_not_there_is_not_created() {
    let dir = tempfile::tempdir().expect("a folder");
    let share = dir.path().join("mnt");
    let error = open_target(&nas(&share), None, None)
        .await
        .expect_err("not there");
    assert_eq!(error.kind, SinkErrorKind::Unreachable, "{error}");
    assert!(!share.exists());
}

#[tokio::test]
async fn testing_a_share_leaves_nothing_on_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let report = test_target(&nas(dir.path()), None, None).await;
    assert!(report.ok(), "{report:?}");
    assert_eq!(files_below(dir.path()), Vec::<String>::new());
    assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 0);
}
