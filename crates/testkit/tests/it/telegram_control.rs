//! The simulated Telegram over its control port, and as a program.

use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gleaner_testkit::telegram::LoginKey;
use gleaner_testkit::{ControlPort, TelegramServer, World};
use grammers_tl_types::{enums, functions};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::mtproto::Client;
use crate::web::client;

async fn ask(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("the control port answers");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("answers are JSON"))
}

async fn post(base: &str, path: &str, body: Value) -> (u16, Value) {
    ask(client()
        .post(format!("{base}/control/telegram/{path}"))
        .json(&body))
    .await
}

fn key_of(told: &Value) -> LoginKey {
    let text = |name: &str| told[name].as_str().expect("a string");
    let auth_key = STANDARD.decode(text("auth_key")).expect("base64");
    LoginKey {
        dc_id: told["dc_id"].as_i64().expect("a number") as i32,
        address: format!("{}:{}", text("host"), told["port"])
            .parse()
            .expect("an address"),
        auth_key: auth_key.try_into().expect("256 bytes"),
    }
}

fn nearest() -> functions::help::GetNearestDc {
    functions::help::GetNearestDc {}
}

fn me() -> functions::users::GetUsers {
    functions::users::GetUsers {
        id: vec![enums::InputUser::UserSelf],
    }
}

#[tokio::test]
async fn keys_are_handed_out_watched_and_taken_back() {
    let server = TelegramServer::start(World::new().into_handle()).await;
    let control = ControlPort::of_telegram(&server, 0).await.unwrap();
    let base = control.base_url();
    let (status, told) = post(&base, "key", json!({ "dc": 4 })).await;
    assert_eq!((status, &told["dc_id"]), (200, &json!(4)));
    let key = key_of(&told);
    assert_eq!(told["key_id"], key.id().to_string());
    assert!(Client::connect(&key).await.call(&nearest()).await.is_ok());
    assert_eq!(post(&base, "key", json!({ "dc": 9 })).await.0, 404);

    let (_, told) = post(&base, "logged-in-key", json!({ "phone": "+15550005" })).await;
    let key = key_of(&told);
    assert_eq!(key.dc_id, 4);
    let mut tg = Client::connect(&key).await;
    assert_eq!(tg.call(&me()).await.unwrap().len(), 1);
    let order = json!({ "phone": "+15550005", "standing": "revoked" });
    assert_eq!(post(&base, "standing", order).await.1, json!({ "changed": 1 }));
    assert_eq!(tg.refusal(&me()).await, "401 SESSION_REVOKED");
    let order = json!({ "key_id": key.id().to_string(), "standing": "good" });
    assert_eq!(post(&base, "standing", order).await.1, json!({ "changed": 1 }));

    let order = json!({ "method": "users.getUsers", "mishap": { "flood_s": 9 } });
    assert_eq!(post(&base, "fault", order).await.0, 200);
    assert_eq!(tg.refusal(&me()).await, "420 FLOOD_WAIT_9");
    let (_, journal) = ask(client().get(format!("{base}/control/telegram/journal"))).await;
    assert_eq!(journal["faults_struck"], 1);
    let last = journal["calls"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["method"], &last["dc_id"]),
        (&json!("users.getUsers"), &json!(4))
    );
    let keys = journal["keys"].as_array().unwrap();
    let entry = json!({ "key_id": key.id().to_string(), "open": 1, "most": 1 });
    assert!(keys.contains(&entry), "{keys:?}");
}

#[tokio::test]
async fn a_qr_code_is_scanned_over_the_control_port() {
    let server = TelegramServer::start(World::new().into_handle()).await;
    let control = ControlPort::of_telegram(&server, 0).await.unwrap();
    let base = control.base_url();
    assert_eq!(
        post(&base, "accept", json!({ "phone": "+15550001" })).await.0,
        404
    );
    for by_url in [true, false] {
        let key = server.new_key(2);
        let mut tg = Client::connect(&key).await;
        let show = functions::auth::ExportLoginToken {
            api_id: 1,
            api_hash: "hash".to_owned(),
            except_ids: Vec::new(),
        };
        let enums::auth::LoginToken::Token(shown) = tg.call(&show).await.unwrap() else {
            panic!("a token is shown");
        };
        let url = format!("tg://login?token={}", URL_SAFE_NO_PAD.encode(&shown.token));
        let mut order = json!({ "phone": "+15550001" });
        if by_url {
            order["url"] = json!(url);
        }
        assert_eq!(post(&base, "accept", order).await.0, 200);
        let again = json!({ "phone": "+15550001", "url": url });
        assert_eq!(
            post(&base, "accept", again).await,
            (409, json!({ "detail": "AUTH_TOKEN_ALREADY_ACCEPTED" }))
        );
        tg.call(&show).await.unwrap();
        assert_eq!(server.user_of(&key), Some(5_000_001));
    }
}

#[tokio::test]
async fn the_program_prints_pages_control_port_and_data_centres() {
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_gleaner-testkit"))
        .args([
            "site",
            "--posts",
            "5",
            "--control-port",
            "0",
            "--telegram-port",
            "0",
        ])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut printed = Vec::new();
    for _ in 0..4 {
        printed.push(lines.next_line().await.unwrap().unwrap());
    }
    let [pages, control, home, other] = &printed[..] else {
        panic!("{printed:?}");
    };
    assert!(pages.starts_with("http://127.0.0.1:") && control.starts_with("http://127.0.0.1:"));
    assert!(home.starts_with("telegram 2 127.0.0.1:") && other.starts_with("telegram 4 127.0.0.1:"));
    let (_, told) = post(control, "key", json!({ "dc": 2 })).await;
    let key = key_of(&told);
    assert_eq!(*home, format!("telegram 2 {}", key.address));
    assert!(Client::connect(&key).await.call(&nearest()).await.is_ok());
    let (_, overview) = ask(client().get(format!("{control}/control/telegram"))).await;
    assert_eq!(overview["accounts"].as_array().unwrap().len(), 5);
    // The site's own routes are there too.
    assert_eq!(
        ask(client().get(format!("{control}/control/channels"))).await.0,
        200
    );
}
