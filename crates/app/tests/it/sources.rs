use gleaner_app::view::{
    BulkAction, BulkSources, CreateSource, EditSource, ImportSources, ImportState, SaveTarget,
};
use gleaner_domain::{Code, Schedule, SourceId, TargetSettings};
use gleaner_testkit::FixedClock;
use gleaner_testkit::world::{ChannelSpec, World};
use rstest::rstest;

use crate::test_app::{HARBOUR, TestApp, kept, public};

#[rstest]
#[case(CreateSource { name: "  ".into(), ..public("abcd") }, Code::InvalidInput, "name: must not be empty")]
#[case(CreateSource { identifier: "!".into(), ..public("abcd") }, Code::InvalidInput, "identifier: ")]
#[case(CreateSource { identifier: "12345".into(), ..public("abcd") }, Code::InvalidInput, "identifier: ")]
#[case(CreateSource { access_level: "secret".into(), ..public("abcd") }, Code::InvalidInput, "access_level: ")]
#[case(CreateSource { target: "FTP".into(), ..public("abcd") }, Code::InvalidInput, "target: must be LOCAL, NAS or S3")]
#[case(CreateSource { target: "S3".into(), ..public("abcd") }, Code::InvalidInput, "target: no S3 target")]
#[case(CreateSource { access_level: "private".into(), ..public("abcd") }, Code::SessionRequired, "Session required for private")]
#[case(CreateSource { access_level: "private".into(), session_ref: Some(9), ..public("abcd") }, Code::SessionNotFound, "Session not found")]
#[case(CreateSource { schedule: Some(Schedule::Interval { minutes: 0 }), ..public("abcd") }, Code::InvalidInput, "schedule: ")]
#[tokio::test]
async fn nothing_illegal_becomes_a_source(
    #[case] wish: CreateSource,
    #[case] code: Code,
    #[case] detail: &str,
) {
    let t = TestApp::new(0).await;
    let error = t.app.create_source(wish).await.unwrap_err();
    assert_eq!(error.code, code);
    assert!(error.detail.starts_with(detail), "{}", error.detail);
    assert!(t.app.list_sources().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_channel_goes_to_the_same_target_once() {
    let t = TestApp::new(0).await;
    t.add(HARBOUR).await;
    let again = CreateSource {
        identifier: "https://t.me/Harbour_News".into(),
        ..public(HARBOUR)
    };
    assert_eq!(
        t.app.create_source(again).await.unwrap_err().code,
        Code::DuplicateSource
    );
    let elsewhere = CreateSource {
        path: Some(t.dir.path().join("other").display().to_string()),
        ..public(HARBOUR)
    };
    t.app.create_source(elsewhere).await.unwrap();
}

#[tokio::test]
async fn numbers_are_never_used_again() {
    let t = TestApp::new(0).await;
    let first = t.add(HARBOUR).await;
    t.app.delete_source(first.id, false).await.unwrap();
    assert_eq!(
        t.app.get_source(first.id).await.unwrap_err().detail,
        "Source not found"
    );
    assert!(t.add(HARBOUR).await.id > first.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_keeps_the_files_unless_asked_and_a_new_source_goes_beside_them() {
    let t = TestApp::new(30).await;
    let first = t.add(HARBOUR).await;
    t.run(first.id).await;
    let old = t.archive();
    t.app.delete_source(first.id, false).await.unwrap();
    let before = kept(&old).len();

    let second = t.add(HARBOUR).await;
    t.run(second.id).await;
    let location = t
        .app
        .get_source_detail(second.id)
        .await
        .unwrap()
        .location
        .unwrap();
    assert_ne!(location, old.display().to_string());
    assert_eq!(kept(&old).len(), before, "the old archive is as it was");
    assert_eq!(kept(location.as_ref()).len(), before);

    t.app.delete_source(second.id, true).await.unwrap();
    assert!(
        !std::path::Path::new(&location).exists(),
        "asked for, the files go"
    );
    assert!(old.exists());
}

#[tokio::test]
async fn a_list_is_added_at_once_and_told_line_by_line() {
    let t = TestApp::new(0).await;
    t.add(HARBOUR).await;
    let wish = |dry_run| ImportSources {
        text: format!("@alpha_one, t.me/beta_two\n@{HARBOUR}\n# nothing\nt.me/+abcdefgh\n?!\n@ALPHA_ONE"),
        target: "LOCAL".into(),
        target_uid: None,
        schedule: Some(Schedule::Manual),
        policy: None,
        dry_run,
    };
    let dry = t.app.import_sources(wish(true)).await.unwrap();
    assert_eq!(
        t.app.list_sources().await.unwrap().len(),
        1,
        "a dry run adds nothing"
    );
    let report = t.app.import_sources(wish(false)).await.unwrap();
    let states = |r: &gleaner_app::view::ImportReport| r.lines.iter().map(|l| l.state).collect::<Vec<_>>();
    assert_eq!(
        states(&report),
        [
            ImportState::Added,
            ImportState::Added,
            ImportState::Duplicate,
            ImportState::Refused,
            ImportState::Refused,
            ImportState::Duplicate
        ]
    );
    assert_eq!(states(&report), states(&dry));
    assert_eq!(t.app.list_sources().await.unwrap().len(), 3);
}

#[tokio::test]
async fn many_are_changed_at_once_and_failures_are_named() {
    let t = TestApp::new(0).await;
    let a = t.add(HARBOUR).await.id;
    let b = t.app.create_source(public("beta_two")).await.unwrap().id;
    let bulk = |ids: &[SourceId], action| BulkSources {
        ids: ids.to_vec(),
        action,
    };
    let report = t
        .app
        .bulk_sources(bulk(&[a, b, SourceId(999)], BulkAction::Pause))
        .await
        .unwrap();
    assert_eq!((report.done, report.failed.len()), (2, 1));
    assert_eq!(report.failed[0].code, Code::SourceNotFound);
    assert!(
        t.app
            .list_source_rows()
            .await
            .unwrap()
            .iter()
            .all(|r| r.paused_at.is_some())
    );
    t.app
        .bulk_sources(bulk(&[a, b], BulkAction::Delete { files: false }))
        .await
        .unwrap();
    assert!(t.app.list_sources().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_target_is_tested_changed_and_not_deleted_while_in_use() {
    let t = TestApp::new(0).await;
    let folder = t.dir.path().join("nas");
    std::fs::create_dir(&folder).unwrap();
    let wish = SaveTarget {
        uid: None,
        name: "Share".into(),
        is_default: false,
        settings: TargetSettings::Nas { path: folder },
    };
    let report = t.app.test_target(wish.clone()).await.unwrap();
    assert!(report.ok, "{report:?}");
    let target = t.app.save_target(wish).await.unwrap();
    assert!(target.is_default, "the first of its kind is the default");
    let on_it = CreateSource {
        target: "NAS".into(),
        ..public(HARBOUR)
    };
    let source = t.app.create_source(on_it).await.unwrap();
    let error = t.app.delete_target(target.uid).await.unwrap_err();
    assert_eq!(
        (error.code, error.detail.as_str()),
        (Code::InUse, "Target is used by: harbour_news")
    );
    t.app.delete_source(source.id, false).await.unwrap();
    t.app.delete_target(target.uid).await.unwrap();
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_nothing_else() {
    let t = TestApp::new(0).await;
    let id = t.add(HARBOUR).await.id;
    let before = t.app.get_source_detail(id).await.unwrap().row;
    let edit = EditSource {
        name: Some("Renamed".into()),
        schedule: Some(Schedule::Cron {
            pattern: "0 8 * * *".into(),
            zone: "Europe/Berlin".into(),
        }),
        ..EditSource::default()
    };
    let after = t.app.edit_source(id, edit).await.unwrap();
    assert_eq!(after.name, "Renamed");
    assert_ne!(after.next_run_at, before.next_run_at);
    assert_eq!(
        (after.policy, after.target_uid, after.channel_title),
        (before.policy, before.target_uid, before.channel_title)
    );
}

#[tokio::test]
async fn the_same_schedule_sent_again_postpones_nothing_and_an_empty_title_is_the_address() {
    let clock = FixedClock::default();
    let world = World::new().channel(ChannelSpec::new(HARBOUR, 1_100_000_001));
    let t = TestApp::on_clock(world, &clock).await;
    let typed = CreateSource {
        channel_title: "My title".into(),
        ..public(HARBOUR)
    };
    let id = t.app.create_source(typed).await.unwrap().id;
    let before = t.app.get_source_detail(id).await.unwrap().row;
    clock.advance(chrono::TimeDelta::minutes(10));
    let edit = EditSource {
        name: Some("Renamed".into()),
        channel_title: Some("  ".into()),
        schedule: Some(before.schedule.clone()),
        ..EditSource::default()
    };
    let after = t.app.edit_source(id, edit).await.unwrap();
    assert_eq!(after.next_run_at, before.next_run_at);
    assert_eq!(after.channel_title, format!("@{HARBOUR}"));
}

#[tokio::test]
async fn many_paused_at_once_are_told_once() {
    let t = TestApp::new(0).await;
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(
            t.app
                .create_source(public(&format!("channel_{n}")))
                .await
                .unwrap()
                .id,
        );
    }
    let seq = t.app.events_after(0, 1_000).await.unwrap().last().unwrap().seq;
    let bulk = BulkSources {
        ids,
        action: BulkAction::Pause,
    };
    let report = t.app.bulk_sources(bulk).await.unwrap();
    assert_eq!((report.done, report.failed.len()), (20, 0));
    assert_eq!(t.app.events_after(seq, 1_000).await.unwrap().len(), 1);
}

#[rstest]
#[case(TargetSettings::Local { path: "relative/folder".into() }, "path", "absolute")]
#[case(TargetSettings::Nas { path: "./share".into() }, "path", "absolute")]
#[case(s3("https://key:secret@s3.example.org"), "endpoint", "credentials come from")]
#[case(s3("https://key@s3.example.org"), "endpoint", "credentials come from")]
#[tokio::test]
async fn a_target_says_where_it_is_and_holds_no_secret(
    #[case] settings: TargetSettings,
    #[case] field: &str,
    #[case] reason: &str,
) {
    let t = TestApp::new(0).await;
    let wish = SaveTarget {
        uid: None,
        name: "Elsewhere".into(),
        is_default: false,
        settings,
    };
    let error = t.app.save_target(wish).await.unwrap_err();
    assert_eq!(error.fields[0].field, field);
    assert!(error.fields[0].reason.contains(reason), "{error}");
    assert!(!error.detail.contains("secret"), "{error}");
}

#[tokio::test]
async fn a_source_goes_to_an_absolute_path_or_nowhere() {
    let t = TestApp::new(0).await;
    let wish = CreateSource {
        path: Some("archive".into()),
        ..public(HARBOUR)
    };
    assert_eq!(
        t.app.create_source(wish).await.unwrap_err().fields[0].field,
        "path"
    );
}

fn s3(endpoint: &str) -> TargetSettings {
    TargetSettings::S3 {
        bucket: "news".into(),
        endpoint: Some(endpoint.into()),
        region: None,
        prefix: String::new(),
        allow_http: false,
    }
}
