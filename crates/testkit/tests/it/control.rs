//! The control port: changes show on the pages, and the truth is told.

use gleaner_testkit::world::demo;
use gleaner_testkit::{ControlPort, PreviewSite, World};
use serde_json::{Value, json};

use crate::web::{all, client, get};

async fn post(base: &str, path: &str, body: Value) -> (u16, Value) {
    let request = client().post(format!("{base}/control/{path}")).json(&body);
    let answer = request.send().await.expect("the control port answers");
    (
        answer.status().as_u16(),
        answer.json().await.expect("answers are JSON"),
    )
}

#[tokio::test]
async fn a_world_is_changed_and_asked_over_http() {
    let world = demo::furnish(World::new(), 3, 50).into_handle();
    let site = PreviewSite::start(world.clone()).await;
    let control = ControlPort::start(&site, 0).await.unwrap();
    let base = control.base_url();
    let name = "night_ferry";

    let (_, answer) = post(&base, "append", json!({ "channel": name, "text": "Ahoy 🚢" })).await;
    assert_eq!(answer, json!({ "ids": [51] }));
    let page = get(&client(), &format!("{}/s/{name}", site.base_url())).await;
    let last: String = all(&page, ".tgme_widget_message_text")
        .last()
        .unwrap()
        .text()
        .collect();
    assert_eq!(last, "Ahoy 🚢");

    post(
        &base,
        "edit",
        json!({ "channel": name, "id": 51, "text": "Land ho" }),
    )
    .await;
    assert_eq!(world.text(name, 51).as_deref(), Some("Land ho"));
    let truth: Value = client()
        .get(format!("{base}/control/truth?channel={name}"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let rows = truth["messages"].as_array().unwrap();
    assert_eq!(rows.len(), world.live_ids(name).len());
    assert!(rows.iter().any(|row| row["media"]["sha256"].is_string()));

    assert_eq!(
        post(&base, "delete", json!({ "channel": name, "id": 51 }))
            .await
            .0,
        200
    );
    assert_eq!(
        post(&base, "delete", json!({ "channel": name, "id": 51 }))
            .await
            .0,
        404
    );
    assert_eq!(
        post(&base, "append", json!({ "channel": "nobody_here" })).await.0,
        404
    );

    let faults = json!({ "scope": "pages", "faults": { "status_every": [1, 503] } });
    assert_eq!(post(&base, "faults", faults).await.0, 200);
    assert_eq!(
        client()
            .get(format!("{}/s/{name}", site.base_url()))
            .send()
            .await
            .unwrap()
            .status(),
        503
    );
    let journal: Value = client()
        .get(format!("{base}/control/journal"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(journal["faults"]["statuses"], 1);
}

#[tokio::test]
async fn the_demo_has_public_channels_one_without_preview_and_a_group() {
    let world = demo::furnish(World::new(), 10, 40).into_handle();
    let site = PreviewSite::start(world.clone()).await;
    let mut open = 0;
    for name in world.names() {
        let answer = client()
            .get(format!("{}/s/{name}", site.base_url()))
            .send()
            .await
            .unwrap();
        open += usize::from(answer.status() == 200);
    }
    assert_eq!((open, world.names().len()), (10, 12));
}
