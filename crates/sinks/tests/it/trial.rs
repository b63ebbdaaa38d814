//! The *Test* of a target.

use gleaner_domain::TargetSettings;
use gleaner_sinks::{S3Credentials, TargetReport, test_target};

use crate::bench::{BUCKET, bucket, credentials, files_below, local, server};

fn names(report: &TargetReport) -> Vec<(&str, bool)> {
    report
        .steps
        .iter()
        .map(|step| (step.name.as_str(), step.ok))
        .collect()
}

#[tokio::test]
async fn a_good_folder_passes_every_step_and_stays_empty() {
    let dir = tempfile::tempdir().expect("a folder");
    let report = test_target(&local(dir.path()), None, None).await;
    let steps = [
        ("connect", true),
        ("write", true),
        ("read back", true),
        ("delete", true),
        ("free space", true),
    ];
    assert_eq!(names(&report), steps, "{report:?}");
    assert_eq!(
        std::fs::read_dir(dir.path().join("out"))
            .expect("created")
            .count(),
        0
    );
}

#[tokio::test]
async fn a_good_bucket_passes_every_step_and_stays_empty() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = server(dir.path()).await;
    let objects = dir.path().join(BUCKET);
    let report = test_target(&bucket(&server), Some(&credentials()), None).await;
    let steps = [
        ("connect", true),
        ("write", true),
        ("read back", true),
        ("conditional write", true),
        ("delete", true),
        ("free space", true),
    ];
    assert_eq!(names(&report), steps, "{report:?}");
    assert_eq!(files_below(&objects), Vec::<String>::new());
}

#[tokio::test]
async fn a_failure_says_what_helps() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = server(dir.path()).await;
    let wrong = S3Credentials {
        secret_access_key: "wrong".into(),
        ..credentials()
    };
    let report = test_target(&bucket(&server), Some(&wrong), None).await;
    assert_eq!(names(&report), [("connect", false)]);
    let detail = &report.steps[0].detail;
    assert!(
        detail.contains("SignatureDoesNotMatch") && detail.ends_with("missing characters."),
        "{detail}"
    );

    let file = dir.path().join("a-file");
    std::fs::write(&file, "x").expect("writes");
    for path in [file.clone(), file.join("below")] {
        let report = test_target(&TargetSettings::Local { path }, None, None).await;
        assert_eq!(names(&report), [("connect", false)]);
        assert!(report.steps[0].detail.ends_with("Choose a folder."), "{report:?}");
    }
}
