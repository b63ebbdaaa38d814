//! Bodies of every shape: too big, of the wrong kind, nonsense. Never a 5xx.

use std::collections::BTreeSet;
use std::path::PathBuf;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, StatusCode, header};
use gleaner_http::{Access, Hosts};
use gleaner_testkit::size::pick;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::server::{TestServer, app_in, send};

#[tokio::test]
async fn a_body_that_is_not_said_to_be_json_is_refused() {
    let server = TestServer::start_dev().await;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
    ] {
        let request = server
            .request(Method::POST, "/sources/")
            .header("content-type", kind)
            .body("{}");
        let answer = send(request).await;
        assert_eq!(answer.status, 415, "{kind}");
        assert!(!answer.detail().is_empty());
    }
}

#[tokio::test]
async fn a_body_that_is_too_big_is_refused() {
    let server = TestServer::start_dev().await;
    let big = json!({ "name": "x".repeat(1_100_000) });
    let answer = server.post("/sources/", &big).await;
    assert_eq!(
        (answer.status, answer.header("x-error-code")),
        (413, "INVALID_INPUT")
    );
    // A pasted list may be longer than any form.
    let list = json!({ "text": "#".repeat(1_900_000), "target": "LOCAL", "dry_run": true });
    let answer = server.post("/api/sources/import", &list).await;
    assert_ne!(answer.status, 413, "{}", answer.body);
    let list = json!({ "text": "#".repeat(2_200_000), "target": "LOCAL", "dry_run": true });
    assert_eq!(server.post("/api/sources/import", &list).await.status, 413);
}

#[test]
fn nonsense_is_never_answered_with_a_5xx() {
    let house = House::build();
    house.never_hurt_by((bodies(), operations()), |(body, (method, path))| {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
    });
}

#[test]
fn an_upload_of_nonsense_is_never_answered_with_a_5xx() {
    let house = House::build();
    house.never_hurt_by(uploads(), upload_of);
    let kept = house.runtime.block_on(house.app.list_sessions());
    assert!(kept.expect("a list").is_empty(), "nonsense is no session");
}

/// The router without a socket, in development mode.
struct House {
    runtime: tokio::runtime::Runtime,
    app: gleaner_app::App,
    router: Router,
    _dir: tempfile::TempDir,
}

impl House {
    fn build() -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let dir = tempfile::tempdir().expect("a folder");
        let app = runtime.block_on(app_in(&dir));
        Self {
            router: router(&app),
            app,
            runtime,
            _dir: dir,
        }
    }

    /// Whatever comes is answered, and a refusal has the contract's form.
    fn never_hurt_by<S: Strategy>(
        &self,
        inputs: S,
        request: impl Fn(S::Value) -> axum::http::Result<Request<Body>>,
    ) {
        let cases = Config {
            cases: pick(200, 2_000),
            failure_persistence: None,
            ..Config::default()
        };
        TestRunner::new(cases)
            .run(&inputs, |input| {
                let request = request(input).expect("a request");
                let (status, told) = self.runtime.block_on(ask(&self.router, request));
                prop_assert!(
                    status.as_u16() < 500,
                    "{status} {}",
                    String::from_utf8_lossy(&told)
                );
                if !status.is_success() {
                    let problem: Value = serde_json::from_slice(&told).expect("JSON");
                    prop_assert!(problem["detail"].is_string(), "{problem}");
                }
                Ok(())
            })
            .expect("no nonsense hurts");
    }
}

fn router(app: &gleaner_app::App) -> Router {
    let address = "127.0.0.1:8000".parse().expect("an address");
    gleaner_http::router(app.clone(), Access::dev(Hosts::of(address, &[]), 8000))
}

async fn ask(router: &Router, mut request: Request<Body>) -> (StatusCode, Bytes) {
    let host = header::HeaderValue::from_static("127.0.0.1:8000");
    request.headers_mut().insert(header::HOST, host);
    let response = router.clone().oneshot(request).await.expect("an answer");
    let status = response.status();
    let body = to_bytes(response.into_body(), 10_000_000).await;
    (status, body.expect("a body"))
}

fn upload_of(body: Vec<u8>) -> axum::http::Result<Request<Body>> {
    upload_as("multipart/form-data; boundary=pier", body)
}

fn upload_as(kind: &str, body: Vec<u8>) -> axum::http::Result<Request<Body>> {
    Request::post("/sessions/upload-file")
        .header(header::CONTENT_TYPE, kind)
        .body(Body::from(body))
}

/// Parts between the boundaries `pier`; each is what stands after `form-data; ` and its content.
fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (disposition, content) in parts {
        body.extend(format!("--pier\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").into_bytes());
        body.extend_from_slice(content);
        body.extend(b"\r\n");
    }
    body.extend(b"--pier--\r\n");
    body
}

const NAME: (&str, &[u8]) = (r#"name="session_name""#, b"mine");
const PHONE: (&str, &[u8]) = (r#"name="phone_number""#, b"");
const FILE: (&str, &[u8]) = (r#"name="session_file"; filename="a.session""#, b"no session");

async fn refusal(router: &Router, request: axum::http::Result<Request<Body>>) -> (u16, String) {
    let (status, told) = ask(router, request.expect("a request")).await;
    let problem: Value = serde_json::from_slice(&told).expect("JSON");
    let detail = problem["detail"].as_str().expect("a sentence").to_owned();
    (status.as_u16(), detail)
}

#[rstest]
#[case::a_name_twice(form(&[NAME, NAME, PHONE, FILE]), 422, "session_name: is given twice")]
#[case::a_number_twice(form(&[PHONE, NAME, PHONE, FILE]), 422, "phone_number: is given twice")]
#[case::a_file_twice(form(&[NAME, PHONE, FILE, FILE]), 422, "session_file: is given twice")]
#[case::no_name(form(&[PHONE, FILE]), 422, "session_name: is required")]
#[case::no_number(form(&[NAME, FILE]), 422, "phone_number: is required")]
#[case::no_file(form(&[NAME, PHONE]), 422, "session_file: is required")]
#[case::no_part_at_all(form(&[]), 422, "session_name: is required")]
#[case::a_part_without_a_name(form(&[NAME, PHONE, ("", b"x")]), 422, "session_file: is required")]
#[case::a_long_name(form(&[(NAME.0, &[b'x'; 4097]), PHONE, FILE]), 422, "session_name: at most 4096 bytes")]
#[case::a_long_stranger(form(&[(r#"name="x""#, &[b'x'; 4097]), NAME, PHONE, FILE]), 422, "form: at most 4096 bytes")]
#[case::a_name_of_bytes(form(&[(NAME.0, b"\xff\xfe"), PHONE, FILE]), 422, "session_name: must be UTF-8")]
#[case::nothing(Vec::new(), 400, CUT)]
#[case::another_boundary(b"--quay\r\n\r\nx\r\n--quay--\r\n".to_vec(), 400, CUT)]
#[tokio::test]
async fn a_wrong_upload_is_told_what_is_wrong(
    #[case] body: Vec<u8>,
    #[case] status: u16,
    #[case] detail: &str,
) {
    let dir = tempfile::tempdir().expect("a folder");
    let router = router(&app_in(&dir).await);
    assert_eq!(
        refusal(&router, upload_of(body)).await,
        (status, detail.to_owned())
    );
}

const CUT: &str = "The form cannot be read: it is cut short or malformed";

#[rstest]
#[case("application/json")]
#[case("application/x-www-form-urlencoded")]
#[case("application/octet-stream")]
#[case("text/plain")]
#[case("multipart/mixed; boundary=pier")]
#[case("multipart/form-data")]
#[case("multipart/form-data; boundary")]
#[case("")]
#[tokio::test]
async fn an_upload_that_is_not_said_to_be_a_form_or_names_no_boundary_is_refused(#[case] kind: &str) {
    let dir = tempfile::tempdir().expect("a folder");
    let router = router(&app_in(&dir).await);
    let told = refusal(&router, upload_as(kind, form(&[NAME, PHONE, FILE]))).await;
    let expected = "Send the form as Content-Type: multipart/form-data, with its boundary";
    assert_eq!(told, (415, expected.to_owned()));
}

#[tokio::test]
async fn a_session_file_may_have_fifty_megabytes_and_a_form_little_more() {
    const MOST: usize = 50 * 1024 * 1024;
    let dir = tempfile::tempdir().expect("a folder");
    let router = router(&app_in(&dir).await);
    for (size, status, detail) in [
        (MOST, 400, None),
        (MOST + 1, 422, Some("session_file: at most 52428800 bytes")),
        (
            MOST + 128 * 1024,
            413,
            Some("The form is larger than this server accepts"),
        ),
    ] {
        // The file first: the whole of it is read before anything is missed.
        let body = form(&[(FILE.0, &vec![b'x'; size]), NAME, PHONE]);
        let told = refusal(&router, upload_of(body)).await;
        assert_eq!(told.0, status, "{size}: {}", told.1);
        assert!(detail.is_none_or(|detail| detail == told.1), "{size}: {}", told.1);
    }
}

#[tokio::test]
async fn an_upload_that_is_cut_short_keeps_nothing() {
    let server = TestServer::start_dev().await;
    let file = server.session_file().await;
    let whole = form(&[NAME, PHONE, (FILE.0, &file)]);
    let router = router(&server.app);
    let end = b"\r\n--pier--\r\n".len();
    let inside = whole.len() - end;
    for cut in (0..inside).step_by(inside / 100) {
        let (status, detail) = refusal(&router, upload_of(whole[..cut].to_vec())).await;
        assert_eq!((status, detail.as_str()), (400, CUT), "cut at {cut}");
    }
    // A client that says how much will come, and hangs up before.
    let head = format!(
        "POST /sessions/upload-file HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\
         Content-Type: multipart/form-data; boundary=pier\r\n\r\n",
        server.address,
        whole.len()
    );
    for cut in [0, 40, inside / 2, inside, inside + 6] {
        server.hang_up_after(head.as_bytes(), &whole[..cut]).await;
    }
    assert!(server.app.list_sessions().await.expect("a list").is_empty());
    let (status, told) = ask(&router, upload_of(whole).expect("a request")).await;
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&told));
}

#[tokio::test]
async fn the_name_of_an_uploaded_file_counts_for_nothing() {
    let server = TestServer::start_dev().await;
    let file = server.session_file().await;
    let router = router(&server.app);
    let before = files_in(server.folder());
    let long = format!("filename=\"{}\"", "../".repeat(3_000));
    for name in [
        r#"filename="../../../../tmp/planted.session""#,
        r#"filename="/etc/passwd""#,
        r#"filename="C:\\Windows\\System32\\planted.dll""#,
        r#"filename="..\\..\\planted""#,
        r#"filename="CON""#,
        r#"filename="""#,
        r#"filename="a\"; name=\"session_name""#,
        r#"filename="<script>alert(1)</script>""#,
        "filename=\"null\u{0}byte\"",
        "filename=\"\u{202e}noisses.exe\"",
        "filename*=UTF-8''..%2F..%2Fplanted",
        "filename*=UTF-8''%00",
        long.as_str(),
        "x=1",
    ] {
        let disposition = format!("name=\"session_file\"; {name}");
        let body = form(&[NAME, PHONE, (&disposition, &file)]);
        let (status, told) = ask(&router, upload_of(body).expect("a request")).await;
        let told = String::from_utf8_lossy(&told);
        assert!(!told.contains("planted") && !told.contains("script"), "{told}");
        // A header that holds a NUL is no header; all others are the same file.
        let expected = if name.contains('\0') { 400 } else { 200 };
        assert_eq!(status.as_u16(), expected, "{name}: {told}");
        for session in server.app.list_sessions().await.expect("a list") {
            assert_eq!(session.session_name, "mine");
            server
                .app
                .delete_session(session.id, false)
                .await
                .expect("deleted");
        }
    }
    assert_eq!(
        files_in(server.folder()),
        before,
        "no file is left of any of them"
    );
}

/// Every file under a folder.
fn files_in(folder: &std::path::Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path);
            }
        }
    }
    files
}

/// Forms with one part spoiled, cut or turned into something else, and bytes that are no form.
fn uploads() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(NAME.0.to_owned()),
        Just(PHONE.0.to_owned()),
        Just(FILE.0.to_owned()),
        "name=\"[ -~]{0,20}\"",
        "[ -~]{0,40}",
    ];
    let content = prop::collection::vec(any::<u8>(), 0..300);
    let parts = prop::collection::vec((part, content), 0..6).prop_map(|parts| {
        let parts: Vec<_> = parts
            .iter()
            .map(|(head, content)| (&**head, &**content))
            .collect();
        form(&parts)
    });
    let whole = prop::collection::vec(any::<u8>(), 0..300)
        .prop_map(|content| form(&[NAME, PHONE, (FILE.0, &[b"SQLite format 3\0", &*content].concat())]));
    let form = prop_oneof![parts, whole];
    let spoiled = (
        form,
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    )
        .prop_map(|(mut body, flips)| {
            for (at, byte) in flips {
                let at = at.index(body.len());
                body[at] = byte;
            }
            body
        });
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        spoiled.clone(),
        (spoiled, any::<prop::sample::Index>()).prop_map(|(mut body, cut)| {
            body.truncate(cut.index(body.len()));
            body
        }),
    ]
}

/// Operations that take a body and touch nothing outside the data folder.
fn operations() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(vec![
        ("POST", "/sources/"),
        ("PATCH", "/api/sources/1"),
        ("POST", "/api/sources/bulk"),
        ("POST", "/api/sources/import"),
        ("PATCH", "/api/settings"),
        ("POST", "/api/data/erase"),
        ("POST", "/api/auth/exchange"),
        ("POST", "/sessions/send-otp"),
        ("POST", "/sessions/verify-otp"),
        ("POST", "/sessions/finalize"),
        ("POST", "/sessions/upload-file"),
        ("PATCH", "/api/sessions/1"),
        ("POST", "/api/sessions/import-string"),
        ("POST", "/api/temp-sessions/qr"),
        (
            "POST",
            "/api/temp-sessions/0197b5f0-0000-7000-8000-000000000000/password",
        ),
        ("PATCH", "/api/settings/telegram"),
    ])
}

/// Bytes, JSON of any shape, and right forms with one wrong value.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        any_json().prop_map(|value| value.to_string().into_bytes()),
        (0..KEYS.len(), any_json()).prop_map(|(at, value)| spoiled(at, value)),
        (0..KEYS.len(), any_json(), 0_usize..200).prop_map(|(at, value, cut)| {
            let mut body = spoiled(at, value);
            body.truncate(cut);
            body
        }),
    ]
}

const KEYS: [&str; 23] = [
    "name",
    "identifier",
    "channel_title",
    "access_level",
    "target",
    "session_ref",
    "schedule",
    "policy",
    "path",
    "ids",
    "action",
    "text",
    "code",
    "confirm",
    "phone_number",
    "session_name",
    "session_id",
    "temp_session_id",
    "session_string",
    "password",
    "api_id",
    "api_hash",
    "proxy",
];

fn spoiled(at: usize, value: Value) -> Vec<u8> {
    let mut form = json!({
        "name": "n", "identifier": "@abcde", "access_level": "public", "target": "LOCAL",
        "ids": [1], "action": "pause", "text": "@abcde", "code": "c", "dry_run": true,
        "phone_number": "12", "session_name": "s", "session_string": "1AA", "password": "p",
        "temp_session_id": "0197b5f0-0000-7000-8000-000000000000",
        "api_id": 1, "proxy": { "host": "127.0.0.1", "port": 9 }
    });
    form[KEYS[at]] = value;
    form.to_string().into_bytes()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{0,12}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
