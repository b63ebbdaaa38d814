//! Files of messages: streamed, verified, and never half there.

use std::time::Duration;

use bytes::Bytes;
use filetime::FileTime;
use futures::{StreamExt as _, stream};
use gleaner_scrape::{Archive as _, FileBody, FileFacts, SinkErrorKind};
use rstest::rstest;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use crate::bench::{Bench, Kind, body, broken_body, facts, files_below};

#[rstest]
#[case(Kind::Local, 1)]
#[case(Kind::Local, 3_000_000)]
#[case(Kind::Memory, 100_000)]
#[case(Kind::S3, 1)]
#[case(Kind::S3, 3_000_000)]
#[case::in_three_parts(Kind::S3, 20_000_000)]
#[tokio::test]
async fn a_file_arrives_as_it_was_sent(#[case] kind: Kind, #[case] size: usize) {
    let bench = Bench::new(kind).await;
    let archive = bench.open().await;
    let bytes: Vec<u8> = (0..size).map(|n| (n * 31 % 251) as u8).collect();
    let facts = facts(12, "Ferry times.pdf");
    let filed = archive
        .store_file(&facts, body(&bytes, Some(size as u64)))
        .await
        .expect("stores");
    assert_eq!(filed.path, "media/2026-03/12_Ferry times.pdf");
    assert_eq!(filed.size, size as u64);
    let hash: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&filed.sha256[at..at + 2], 16).expect("hexadecimal"))
        .collect();
    assert_eq!(hash, Sha256::digest(&bytes).to_vec());
    if kind != Kind::Memory {
        assert!(
            std::fs::read(bench.folder().join(&filed.path)).expect("reads") == bytes,
            "other bytes"
        );
    }
    if kind == Kind::Local {
        let meta = std::fs::metadata(bench.folder().join(&filed.path)).expect("there");
        assert_eq!(
            FileTime::from_last_modification_time(&meta).unix_seconds(),
            facts.date.timestamp()
        );
    }
    let again = archive
        .store_file(&facts, body(&bytes, None))
        .await
        .expect("a repeat overwrites itself");
    assert_eq!(again, filed);
}

#[rstest]
#[tokio::test]
async fn a_file_that_fails_leaves_nothing_behind(
    #[values(Kind::Local, Kind::S3)] kind: Kind,
    #[values("short", "long", "broken", "empty", "broken after a part")] how: &str,
) {
    let bench = Bench::new(kind).await;
    let archive = bench.open().await;
    let before = files_below(bench.dir.path());
    let body = match how {
        "short" => body(&[1; 1000], Some(1001)),
        "long" => body(&[1; 1000], Some(999)),
        "broken" => broken_body(vec![1; 1000]),
        "empty" => body(&[], None),
        _ => broken_body(vec![1; 17_000_000]),
    };
    let error = archive
        .store_file(&facts(12, "a.bin"), body)
        .await
        .expect_err("fails");
    assert_eq!(error.kind, SinkErrorKind::Body { retryable: true }, "{error}");
    assert!(error.detail.contains("a.bin"), "{error}");
    let left: Vec<_> = files_below(bench.dir.path())
        .into_iter()
        .filter(|path| !before.contains(path))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_nobody_waits_for_any_more_leaves_nothing_behind() {
    let bench = Bench::new(Kind::Local).await;
    let archive = bench.open().await;
    let (began, begun) = oneshot::channel();
    let (ended, end) = oneshot::channel::<()>();
    let mut began = Some((began, ended));
    // A body that sends one piece and then waits for ever; its end is told when it is dropped.
    let first = stream::once(async { Ok(Bytes::from(vec![1; 400_000])) });
    let rest = stream::poll_fn(move |_| {
        if let Some((began, ended)) = began.take() {
            let _ = began.send(());
            std::mem::forget(ended);
        }
        std::task::Poll::Pending
    });
    let body = FileBody {
        stream: first.chain(rest).boxed(),
        size: None,
    };
    drop(end);
    let facts: FileFacts = facts(12, "a.bin");
    tokio::select! {
        _ = archive.store_file(&facts, body) => panic!("it never ends"),
        begun = begun => begun.expect("began"),
    }
    // The upload's own task cleans up; it is given turns until it has, but not for ever.
    let gone = async {
        while !files_below(&bench.folder())
            .iter()
            .all(|path| path == "manifest.json")
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .expect("the temporary file goes away");
}
