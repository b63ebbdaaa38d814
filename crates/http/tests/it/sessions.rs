//! Every example of the contract's sessions, and every row of their errors, against a simulated Telegram.

use gleaner_testkit::ControlPort;
use gleaner_testkit::telegram::TelegramServer;
use gleaner_testkit::world::World;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::server::{Answer, TestServer, send};

pub(crate) struct Stage {
    pub(crate) server: TestServer,
    telegram: TelegramServer,
    _control: ControlPort,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let telegram = TelegramServer::start(World::new().into_handle()).await;
        let control = ControlPort::of_telegram(&telegram, 0).await.expect("a free port");
        let address = control
            .base_url()
            .trim_start_matches("http://")
            .parse()
            .expect("an address");
        Self {
            server: TestServer::start_with_telegram(address).await,
            telegram,
            _control: control,
        }
    }

    async fn send_otp(&self, phone: &str, name: &str) -> Answer {
        let wish = json!({ "phone_number": phone, "session_name": name });
        self.server.post("/sessions/send-otp", &wish).await
    }

    async fn verify(&self, id: &str, code: &str) -> Answer {
        let wish = json!({ "temp_session_id": id, "code": code });
        self.server.post("/sessions/verify-otp", &wish).await
    }

    async fn finalize(&self, id: &str) -> Answer {
        self.server
            .post("/sessions/finalize", &json!({ "temp_session_id": id }))
            .await
    }

    pub(crate) async fn upload(&self, name: &str, phone: &str, file: Vec<u8>) -> Answer {
        let form = Form::new()
            .text("session_name", name.to_owned())
            .text("phone_number", phone.to_owned())
            .part("session_file", Part::bytes(file).file_name("my.session"));
        send(
            self.server
                .request(Method::POST, "/sessions/upload-file")
                .multipart(form),
        )
        .await
    }

    /// A `.session` file of a login of its own.
    pub(crate) async fn session_file(&self, phone: &str) -> Vec<u8> {
        let sent = self.send_otp(phone, "to export").await.json();
        let id = sent["temp_session_id"].as_str().expect("an id").to_owned();
        self.verify(&id, "12345").await;
        let kept = self.finalize(&id).await.json()["id"].as_i64().expect("a number");
        let path = self.server.folder().join("exported.session");
        let kept = gleaner_domain::SessionId(kept);
        self.server
            .app
            .export_session_file(kept, &path)
            .await
            .expect("written");
        self.server
            .app
            .delete_session(kept, false)
            .await
            .expect("deleted");
        std::fs::read(path).expect("it is there")
    }
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

fn assert_session(answer: &Answer, id: i64, name: &str, phone: &str) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let session = answer.json();
    assert_eq!(
        keys(&session),
        ["created_at", "id", "phone_number", "session_name"]
    );
    assert_eq!(session["id"], id);
    assert_eq!(session["session_name"], name);
    assert_eq!(session["phone_number"], phone);
    let created = session["created_at"].as_str().expect("a time");
    let form: String = created
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(form, "0000-00-00T00:00:00Z");
}

#[tokio::test]
async fn the_three_steps_answer_as_the_contract_says() {
    let stage = Stage::set().await;
    let sent = stage.send_otp("+15550002", "my_telegram_session").await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    let sent = sent.json();
    assert_eq!(keys(&sent), ["message", "phone_code_hash", "temp_session_id"]);
    assert_eq!(sent["message"], "OTP sent to +15550002");
    assert!(!sent["phone_code_hash"].as_str().expect("a text").is_empty());
    let id = sent["temp_session_id"].as_str().expect("a text");
    assert!(id.parse::<uuid::Uuid>().is_ok());

    let wrong = stage.verify(id, "00000").await;
    assert_eq!((wrong.status, wrong.detail().as_str()), (400, "Invalid OTP code"));
    let needed = stage.verify(id, "12345").await;
    assert_eq!(
        (needed.status, needed.json()),
        (
            200,
            json!({ "message": "2FA password required", "requires_password": true })
        )
    );
    let early = stage.finalize(id).await;
    assert_eq!(
        (early.status, early.detail().as_str()),
        (400, "Session not verified yet")
    );
    let with = |password: &str| json!({ "temp_session_id": id, "code": "12345", "password": password });
    let wrong = stage.server.post("/sessions/verify-otp", &with("wrong")).await;
    assert_eq!((wrong.status, wrong.detail().as_str()), (400, "Invalid password"));
    let right = stage
        .server
        .post("/sessions/verify-otp", &with("harbour lights"))
        .await;
    assert_eq!(
        (right.status, right.json()),
        (
            200,
            json!({ "message": "Authentication successful. Ready to finalize.", "requires_password": false })
        )
    );
    assert_session(&stage.finalize(id).await, 1, "my_telegram_session", "+15550002");
    let over = stage.finalize(id).await;
    assert_eq!(
        (over.status, over.detail().as_str()),
        (404, "Temp session not found")
    );

    let list = stage.server.get("/sessions/").await;
    assert_eq!(list.json().as_array().map(Vec::len), Some(1));
    assert_eq!(
        keys(&list.json()[0]),
        ["created_at", "id", "phone_number", "session_name"]
    );
    let deleted = stage.server.delete("/sessions/1").await;
    assert_eq!(
        (deleted.status, deleted.json()),
        (200, json!({ "message": "Session deleted successfully" }))
    );
    let gone = stage.server.delete("/sessions/1").await;
    assert_eq!((gone.status, gone.detail().as_str()), (404, "Session not found"));
    assert_eq!(stage.server.get("/sessions/").await.json(), json!([]));
}

#[tokio::test]
async fn an_uploaded_file_answers_as_the_contract_says() {
    let stage = Stage::set().await;
    let file = stage.session_file("+15550001").await;
    let kept = stage.upload("my_session", "+1234567890", file.clone()).await;
    assert_session(&kept, 2, "my_session", "+1234567890");
    assert!(stage.telegram.count("users.getUsers") >= 1, "it is checked");
    let twice = stage.upload("other", "", file).await;
    assert_eq!(
        (twice.status, twice.detail().as_str()),
        (409, "This login is kept already, as my_session")
    );
    let junk = stage.upload("junk", "", b"no session at all".to_vec()).await;
    assert_eq!((junk.status, junk.header("x-error-code")), (400, "NOT_A_SESSION"));
    let phone = stage.upload("x", "12", Vec::new()).await;
    assert_eq!(
        (phone.status, phone.detail().as_str()),
        (400, "Invalid phone number")
    );
    let no_form = stage.server.post("/sessions/upload-file", &json!({})).await;
    assert_eq!(no_form.status, 415);
    let form = Form::new().text("session_name", "x").text("phone_number", "");
    let short = send(
        stage
            .server
            .request(Method::POST, "/sessions/upload-file")
            .multipart(form),
    )
    .await;
    assert_eq!(
        (short.status, short.detail().as_str()),
        (422, "session_file: is required")
    );
}

#[tokio::test]
async fn every_error_of_a_login_is_a_row_of_the_table() {
    let stage = Stage::set().await;
    for (phone, status, detail, code) in [
        ("1234567890", 400, "Invalid phone number", "INVALID_PHONE"),
        ("+15550003", 400, "Invalid phone number", "PHONE_BANNED"),
        (
            "+15550004",
            429,
            "Too many attempts. Try again in 30 seconds",
            "FLOOD_WAIT",
        ),
    ] {
        let refused = stage.send_otp(phone, "x").await;
        assert_eq!((refused.status, refused.detail().as_str()), (status, detail));
        assert_eq!(refused.header("x-error-code"), code);
    }
    assert_eq!(stage.send_otp("+15550004", "x").await.header("retry-after"), "30");
    let unknown = "0198f7e2-0000-7000-8000-000000000000";
    for path in ["/sessions/verify-otp", "/sessions/finalize"] {
        let wish = json!({ "temp_session_id": unknown, "code": "1" });
        let refused = stage.server.post(path, &wish).await;
        assert_eq!(
            (refused.status, refused.detail().as_str()),
            (404, "Temp session not found")
        );
    }
    let unset = TestServer::start_dev().await;
    let wish = json!({ "phone_number": "+15550001", "session_name": "x" });
    let refused = unset.post("/sessions/send-otp", &wish).await;
    assert_eq!(
        (refused.status, refused.detail().as_str()),
        (409, "Telegram API id and hash are not set")
    );
}

#[tokio::test]
async fn a_session_in_use_is_409_and_names_its_sources() {
    let stage = Stage::set().await;
    let file = stage.session_file("+15550001").await;
    stage.upload("mine", "", file).await;
    for (name, channel) in [("Harbour", "@harbour_talks"), ("Lights", "@harbour_lights")] {
        let source = json!({
            "name": name, "identifier": channel, "channel_title": name,
            "access_level": "private", "target": "LOCAL", "session_ref": 2
        });
        let created = stage.server.post("/sources/", &source).await;
        assert_eq!(
            (created.status, &created.json()["session_ref"]),
            (200, &json!(2)),
            "{}",
            created.body
        );
    }
    let refused = stage.server.delete("/sessions/2").await;
    assert_eq!(
        (refused.status, refused.detail().as_str()),
        (409, "Session is used by: Harbour, Lights")
    );
    let public = json!({
        "name": "P", "identifier": "@public_pier", "channel_title": "",
        "access_level": "public", "target": "LOCAL", "session_ref": 2
    });
    assert_eq!(
        stage.server.post("/sources/", &public).await.json()["session_ref"],
        Value::Null
    );
}
