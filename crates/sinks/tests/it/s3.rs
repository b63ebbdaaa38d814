//! A real S3-protocol server that checks signatures.

use std::time::{Duration, Instant};

use gleaner_domain::TargetSettings;
use gleaner_scrape::{Archive as _, Sink as _, SinkErrorKind};
use gleaner_sinks::{S3Credentials, open_target};
use gleaner_testkit::s3::S3Faults;
use rstest::rstest;

use crate::bench::{Bench, Kind, body, bucket, commit, credentials, facts, kept, messages, server};

#[rstest]
#[case::secret(S3Credentials { secret_access_key: "wrong".into(), ..credentials() }, "secret key")]
#[case::access_key(S3Credentials { access_key_id: "AKNOBODY".into(), ..credentials() }, "refuses the credentials")]
#[tokio::test]
async fn wrong_credentials_are_denied_in_a_sentence(#[case] wrong: S3Credentials, #[case] says: &str) {
    let bench = Bench::new(Kind::S3).await;
    let settings = bucket(bench.server.as_ref().expect("a server"));
    let sink = open_target(&settings, Some(&wrong), None)
        .await
        .expect("nothing is sent yet");
    let error = sink.open(&bench.identity).await.err().expect("denied");
    assert_eq!(error.kind, SinkErrorKind::Denied, "{error}");
    assert!(error.detail.contains(says), "{error}");
    assert!(!format!("{error:?}").contains("wrong"), "no secret is printed");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_denied() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = server(dir.path()).await;
    let TargetSettings::S3 {
        endpoint,
        region,
        prefix,
        allow_http,
        ..
    } = bucket(&server)
    else {
        unreachable!()
    };
    let settings = TargetSettings::S3 {
        bucket: "nowhere".into(),
        endpoint,
        region,
        prefix,
        allow_http,
    };
    let sink = open_target(&settings, Some(&credentials()), None)
        .await
        .expect("nothing is sent yet");
    let bench = Bench::new(Kind::Memory).await;
    let error = sink.open(&bench.identity).await.err().expect("denied");
    assert_eq!(error.kind, SinkErrorKind::Denied, "{error}");
    assert!(error.detail.contains("NoSuchBucket"), "{error}");
}

#[tokio::test]
async fn without_credentials_nothing_is_tried() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = server(dir.path()).await;
    let error = open_target(&bucket(&server), None, None)
        .await
        .expect_err("denied");
    assert_eq!(error.kind, SinkErrorKind::Denied);
    assert!(error.detail.contains("AWS_ACCESS_KEY_ID"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_down_is_unreachable_within_bounds() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A port nobody listens on: it was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("binds")
        .local_addr()
        .expect("bound")
        .port();
    let settings = TargetSettings::S3 {
        bucket: "b".into(),
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        region: None,
        prefix: String::new(),
        allow_http: false,
    };
    let sink = open_target(&settings, Some(&credentials()), None)
        .await
        .expect("nothing is sent yet");
    let bench = Bench::new(Kind::Memory).await;
    let begun = Instant::now();
    let error = sink.open(&bench.identity).await.err().expect("unreachable");
    assert_eq!(error.kind, SinkErrorKind::Unreachable, "{error}");
    assert!(error.detail.contains("no connection"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_bucket_outlives_its_server() {
    let dir = tempfile::tempdir().expect("a folder");
    let bench = Bench::new(Kind::Memory).await;
    for (ids, total) in [(1..=5, 5), (6..=9, 9)] {
        let server = server(dir.path()).await;
        let sink = open_target(&bucket(&server), Some(&credentials()), None)
            .await
            .expect("opens");
        let mut archive = sink.open_archive(&bench.identity).await.expect("opens");
        commit(&mut archive, messages(ids)).await.expect("commits");
        assert_eq!(archive.messages(), total);
        assert_eq!(kept(&archive).await, (1..=total as u32).collect::<Vec<_>>());
    }
}

#[rstest]
#[case::refused(S3Faults { refuse_every: Some(4), ..S3Faults::default() })]
#[case::reset(S3Faults { reset_every: Some(4), ..S3Faults::default() })]
#[case::lost(S3Faults { lose_answer_every: Some(4), ..S3Faults::default() })]
#[tokio::test]
async fn a_shaky_server_costs_time_and_nothing_else(#[case] faults: S3Faults) {
    let bench = Bench::new(Kind::S3).await;
    let server = bench.server.as_ref().expect("a server");
    server.set_faults(faults);
    let mut archive = bench.open().await;
    for n in 0..12_u32 {
        let text = n.to_string();
        let filed = archive
            .store_file(&facts(n * 10 + 1, "a.txt"), body(text.as_bytes(), None))
            .await;
        assert_eq!(filed.expect("stores").size, text.len() as u64);
        commit(&mut archive, messages(n * 10 + 1..=n * 10 + 10))
            .await
            .expect("commits");
    }
    let large = vec![5; 18_000_000];
    let filed = archive
        .store_file(&facts(200, "large.bin"), body(&large, Some(18_000_000)))
        .await
        .expect("stores");
    assert!(server.faults_injected() > 8, "{}", server.faults_injected());
    server.set_faults(S3Faults::default());

    let archive = bench.open().await;
    assert_eq!(kept(&archive).await, (1..=120).collect::<Vec<_>>());
    assert!(
        std::fs::read(bench.folder().join(filed.path)).expect("reads") == large,
        "other bytes"
    );
}
