//! Targets: defaults, places, what is in use.

use gleaner_domain::{TargetKind, TargetSettings, TargetUid};
use gleaner_store::StoreError;
use rstest::rstest;
use uuid::Uuid;

use crate::world::{World, local, target};

fn s3(bucket: &str, endpoint: Option<&str>, prefix: &str, region: Option<&str>) -> TargetSettings {
    TargetSettings::S3 {
        bucket: bucket.to_owned(),
        endpoint: endpoint.map(str::to_owned),
        region: region.map(str::to_owned),
        prefix: prefix.to_owned(),
        allow_http: true,
    }
}

#[tokio::test]
async fn a_new_default_takes_the_place_of_the_old_one_of_its_kind() {
    let World {
        store, target: first, ..
    } = &World::new().await;
    let nas = target(
        TargetSettings::Nas {
            path: "/mnt/share".into(),
        },
        true,
    );
    store.insert_target(&nas).await.expect("a share");
    let mut second = local("/elsewhere");
    second.is_default = false;
    store.insert_target(&second).await.expect("a second folder");
    assert_eq!(
        store.default_target(TargetKind::Local).await.expect("read"),
        Some(first.clone())
    );

    second.is_default = true;
    second.name = "elsewhere".to_owned();
    store.update_target(&second).await.expect("changed");
    assert_eq!(
        store.default_target(TargetKind::Local).await.expect("read"),
        Some(second.clone())
    );
    assert!(!store.target(first.uid).await.expect("read").is_default);
    assert_eq!(
        store.default_target(TargetKind::Nas).await.expect("read"),
        Some(nas)
    );
    assert_eq!(store.default_target(TargetKind::S3).await.expect("read"), None);
}

#[tokio::test]
async fn a_target_in_use_cannot_go_and_says_who_uses_it() {
    let world = World::new().await;
    let one = world.source("@news_one").await;
    world.source("@news_two").await;
    assert_eq!(
        world.store.targets().await.expect("targets"),
        [(world.target.clone(), 2)]
    );
    let error = world
        .store
        .delete_target(world.target.uid)
        .await
        .expect_err("in use");
    assert!(
        matches!(&error, StoreError::TargetInUse { sources } if *sources == ["news_one", "news_two"]),
        "{error:?}"
    );

    world.store.delete_source(one.id).await.expect("deleted");
    assert_eq!(world.store.targets().await.expect("targets")[0].1, 1);
}

#[tokio::test]
async fn a_target_nobody_uses_goes() {
    let world = World::new().await;
    world
        .store
        .delete_target(world.target.uid)
        .await
        .expect("deleted");
    assert!(world.store.targets().await.expect("targets").is_empty());
    let missing = TargetUid::new();
    assert!(matches!(
        world.store.delete_target(missing).await,
        Err(StoreError::TargetNotFound)
    ));
    assert!(matches!(
        world.store.target(missing).await,
        Err(StoreError::TargetNotFound)
    ));
    assert!(matches!(
        world.store.nas_marker(missing).await,
        Err(StoreError::TargetNotFound)
    ));
    assert!(matches!(
        world.store.update_target(&world.target).await,
        Err(StoreError::TargetNotFound)
    ));
}

#[rstest]
#[case::same_folder(TargetSettings::Local { path: "/a".into() }, TargetSettings::Local { path: "/a".into() }, true)]
#[case::other_folder(TargetSettings::Local { path: "/a".into() }, TargetSettings::Local { path: "/b".into() }, false)]
#[case::other_kind(TargetSettings::Local { path: "/a".into() }, TargetSettings::Nas { path: "/a".into() }, false)]
#[case::spelling(
    s3("b", Some("https://S3.example/"), "p", None),
    s3("b", Some("https://s3.example"), "p", Some("x")),
    true
)]
#[case::other_prefix(s3("b", None, "p", None), s3("b", None, "q", None), false)]
#[case::other_server(
    s3("b", None, "p", None),
    s3("b", Some("https://s3.example"), "p", None),
    false
)]
#[tokio::test]
async fn a_target_is_found_by_where_it_leads(
    #[case] kept: TargetSettings,
    #[case] asked: TargetSettings,
    #[case] same: bool,
) {
    let World { store, .. } = &World::new().await;
    let kept = target(kept, false);
    store.insert_target(&kept).await.expect("a target");
    assert_eq!(store.target_at(&asked).await.expect("read"), same.then_some(kept));
}

#[tokio::test]
async fn a_share_keeps_its_marker_when_its_name_changes() {
    let World { store, .. } = &World::new().await;
    let mut nas = target(
        TargetSettings::Nas {
            path: "/mnt/share".into(),
        },
        false,
    );
    store.insert_target(&nas).await.expect("a share");
    assert_eq!(store.nas_marker(nas.uid).await.expect("read"), None);
    let marker = Uuid::now_v7();
    store.set_nas_marker(nas.uid, marker).await.expect("set");
    nas.name = "the share".to_owned();
    store.update_target(&nas).await.expect("renamed");
    assert_eq!(store.nas_marker(nas.uid).await.expect("read"), Some(marker));
}
