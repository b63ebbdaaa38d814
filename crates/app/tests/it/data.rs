use std::path::Path;
use std::time::Duration;

use gleaner_app::view::{EraseData, PathInput, RunFilter};
use gleaner_app::{App, Config};
use gleaner_domain::{Code, RunState};
use gleaner_testkit::preview::Faults;

use crate::test_app::{HARBOUR, TestApp, eventually, public};

fn to(path: &Path) -> PathInput {
    PathInput {
        path: path.display().to_string(),
    }
}

fn erase() -> EraseData {
    EraseData {
        confirm: "ERASE".into(),
    }
}

/// An app whose data folder may be moved.
async fn movable(t: &TestApp) -> (App, Config) {
    let config = Config {
        pointer: Some(t.dir.path().join("config/location.json")),
        ..t.config()
    };
    t.app.shutdown().await;
    (App::start(config.clone()).await.unwrap(), config)
}

#[tokio::test]
async fn a_backup_is_a_whole_database() {
    let t = TestApp::new(0).await;
    t.add(HARBOUR).await;
    let to = t.dir.path().join("backup");
    let report = t
        .app
        .backup_data(PathInput {
            path: to.display().to_string(),
        })
        .await
        .unwrap();
    let restored = t.dir.path().join("restored");
    std::fs::create_dir(&restored).unwrap();
    std::fs::copy(&report.path, restored.join("gleaner.db")).unwrap();
    let app = App::start(Config::for_tests(&restored, &t.site.base_url()))
        .await
        .unwrap();
    assert_eq!(app.list_sources().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_moved_data_folder_is_found_again_and_the_old_one_takes_no_more_edits() {
    let t = TestApp::new(0).await;
    let config = Config {
        pointer: Some(t.dir.path().join("config/location.json")),
        ..t.config()
    };
    t.app.shutdown().await;
    let app = App::start(config.clone()).await.unwrap();
    app.create_source(public(HARBOUR)).await.unwrap();

    let full = PathInput {
        path: t.dir.path().display().to_string(),
    };
    assert_eq!(
        app.move_data(full).await.unwrap_err().code,
        Code::InvalidInput,
        "only an empty folder"
    );
    let to = t.dir.path().join("new home");
    let report = app
        .move_data(PathInput {
            path: to.display().to_string(),
        })
        .await
        .unwrap();
    assert!(report.restart);
    assert_eq!(
        app.create_source(public("beta_two")).await.unwrap_err().code,
        Code::NotAvailable
    );
    assert!(
        !config.data_dir.join("gleaner.db").exists(),
        "nothing stays behind"
    );
    let pointer = std::fs::read_to_string(config.pointer.as_ref().unwrap()).unwrap();
    assert!(pointer.contains("new home"));
    app.shutdown().await;
    let moved = App::start(Config {
        pointer: config.pointer.clone(),
        ..Config::for_tests(&to, &t.site.base_url())
    })
    .await
    .unwrap();
    assert_eq!(moved.list_sources().await.unwrap().len(), 1);

    for others in ["archive", "logs"] {
        let _ = std::fs::remove_dir_all(config.data_dir.join(others));
    }
    let back = PathInput {
        path: config.data_dir.display().to_string(),
    };
    let back = moved.move_data(back).await;
    assert!(back.is_ok(), "and back again: {back:?}");
}

#[tokio::test]
async fn a_folder_named_by_the_environment_is_the_users_to_move() {
    let t = TestApp::new(0).await;
    let to = PathInput {
        path: t.dir.path().join("x").display().to_string(),
    };
    assert_eq!(t.app.move_data(to).await.unwrap_err().code, Code::InUse);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasing_needs_the_word_and_leaves_archives_alone() {
    let t = TestApp::new(20).await;
    let source = t.add(HARBOUR).await;
    t.run(source.id).await;
    let wrong = t
        .app
        .erase_data(EraseData {
            confirm: "erase".into(),
        })
        .await
        .unwrap_err();
    assert_eq!(wrong.fields[0].field, "confirm");
    t.app
        .erase_data(EraseData {
            confirm: "ERASE".into(),
        })
        .await
        .unwrap();
    assert!(!t.dir.path().join("data/gleaner.db").exists());
    assert!(t.archive().join("manifest.json").exists());
}

#[tokio::test]
async fn a_folder_that_is_open_elsewhere_is_neither_moved_nor_erased() {
    let t = TestApp::new(0).await;
    let (app, config) = movable(&t).await;
    let other = t.second().await;
    let home = t.dir.path().join("new home");
    for refused in [
        app.move_data(to(&home)).await.unwrap_err(),
        app.erase_data(erase()).await.unwrap_err(),
    ] {
        assert_eq!(refused.code, Code::InUse);
        assert!(
            refused.detail.starts_with("Gleaner is open elsewhere: close"),
            "{refused}"
        );
    }
    app.create_source(public(HARBOUR)).await.unwrap();
    assert_eq!(
        other.list_sources().await.unwrap().len(),
        1,
        "all goes on as before"
    );

    other.shutdown().await;
    app.move_data(to(&home)).await.unwrap();
    let late = App::start(config.clone()).await.err().unwrap();
    assert_eq!(
        late.code,
        Code::InUse,
        "nobody begins anew in a folder that just went"
    );
    app.shutdown().await;
    App::start(config).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_move_that_fails_leaves_everything_as_it_was() {
    let t = TestApp::new(0).await;
    let (app, _) = movable(&t).await;
    // The place of the pointer is taken by a file: the new folder could not be remembered.
    std::fs::write(t.dir.path().join("config"), "").unwrap();
    let home = t.dir.path().join("new home");
    let error = app.move_data(to(&home)).await.unwrap_err();
    assert!(error.detail.contains("location.json"), "{error}");
    assert!(!home.exists(), "no half of a move stays");
    app.create_source(public(HARBOUR)).await.unwrap();
    let other = t.second().await;
    assert_eq!(other.list_sources().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_waits_for_runs_and_takes_their_end_and_the_token_along() {
    let t = TestApp::new(1_500).await;
    t.site.faults().pages(Faults {
        latency: Duration::from_millis(60),
        ..Faults::default()
    });
    let (app, config) = movable(&t).await;
    std::fs::write(config.data_dir.join("http.token"), "secret").unwrap();
    let id = app.create_source(public(HARBOUR)).await.unwrap().id;
    app.start_scheduler();
    eventually(&app, async || {
        let run = app.get_source_detail(id).await.unwrap().row.last_run?;
        (run.state == RunState::Running).then_some(())
    })
    .await;
    let home = t.dir.path().join("new home");
    app.move_data(to(&home)).await.unwrap();
    assert_eq!(
        std::fs::read_to_string(home.join("http.token")).unwrap(),
        "secret"
    );
    let left: Vec<_> = std::fs::read_dir(&config.data_dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !["presence.lock", "archive", "logs"].contains(&name.as_str()))
        .collect();
    assert_eq!(left, [""; 0]);
    let moved = App::start(Config::for_tests(&home, &t.site.base_url()))
        .await
        .unwrap();
    let over = RunFilter {
        source_id: Some(id),
        over: Some(true),
        ..RunFilter::default()
    };
    let ended = moved.list_runs(over).await.unwrap();
    assert_eq!(
        ended[0].code,
        Some(Code::Interrupted),
        "its end is in the copy, and nobody asked for it"
    );
}

#[tokio::test]
async fn erasing_takes_the_logs_wherever_they_are_and_nothing_else_beside_them() {
    let t = TestApp::new(0).await;
    t.app.shutdown().await;
    let logs = t.dir.path().join("state/logs");
    let app = App::start(Config {
        log_dir: logs.clone(),
        ..t.config()
    })
    .await
    .unwrap();
    for name in ["gleaner.2026-01-01.log", "gleaner.log", "mine.log"] {
        std::fs::write(logs.join(name), "x").unwrap();
    }
    app.erase_data(erase()).await.unwrap();
    assert!(!logs.join("gleaner.2026-01-01.log").exists());
    assert!(logs.join("gleaner.log").exists() && logs.join("mine.log").exists());
}

#[tokio::test]
async fn erasing_says_what_it_could_not_remove() {
    let t = TestApp::new(0).await;
    // A folder where a file should be: no user can remove it as one.
    let token = t.dir.path().join("data/http.token");
    std::fs::create_dir(&token).unwrap();
    let error = t.app.erase_data(erase()).await.unwrap_err();
    assert!(error.detail.contains("http.token"), "{error}");
    assert!(!t.database().exists(), "the rest is gone");
}

#[tokio::test]
async fn archives_do_not_count_as_data() {
    let t = TestApp::new(0).await;
    let archive = t.dir.path().join("data/archive");
    std::fs::create_dir_all(&archive).unwrap();
    let before = t.app.get_settings().await.unwrap().data_bytes;
    assert!(before > 0);
    std::fs::write(archive.join("big"), vec![0; 5 << 20]).unwrap();
    assert!(t.app.get_settings().await.unwrap().data_bytes < before + (5 << 20));
}

#[tokio::test]
async fn a_number_from_before_the_erasure_means_that_everything_changed() {
    let t = TestApp::new(0).await;
    t.add(HARBOUR).await;
    let last = t.app.events_after(0, 100).await.unwrap().last().unwrap().seq;
    assert!(t.app.events_after(last, 100).await.unwrap().is_empty());
    let anew = t.app.events_after(last + 500, 100).await.unwrap();
    assert_eq!(anew.len(), 6, "one for each tag that is stored");
    assert!(anew.iter().all(|event| event.seq == last), "and where to go on");
}
