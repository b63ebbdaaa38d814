use gleaner_app::view::{EraseData, PathInput};
use gleaner_app::{App, Config};
use gleaner_domain::Code;

use crate::test_app::{HARBOUR, TestApp, public};

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
    let pointer = std::fs::read_to_string(config.pointer.unwrap()).unwrap();
    assert!(pointer.contains("new home"));
    let moved = App::start(Config::for_tests(&to, &t.site.base_url()))
        .await
        .unwrap();
    assert_eq!(moved.list_sources().await.unwrap().len(), 1);
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
