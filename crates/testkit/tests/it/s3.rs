//! The S3 server: signatures are checked, objects outlive it, faults happen.

use gleaner_domain::{Clock as _, SystemClock};
use gleaner_testkit::{S3Faults, S3Server};
use reqwest::{Method, Response};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::web::client;

const KEY: &str = "AKIAEXAMPLE";
const SECRET: &str = "correct horse";

/// One request signed as AWS asks (Signature Version 4, body left out of the signature).
async fn signed(
    server: &str,
    method: Method,
    path: &str,
    body: &'static str,
    secret: &str,
) -> reqwest::Result<Response> {
    let host = server.trim_start_matches("http://");
    let now = SystemClock.now();
    let (day, time) = (
        now.format("%Y%m%d").to_string(),
        now.format("%Y%m%dT%H%M%SZ").to_string(),
    );
    let canonical = format!(
        "{method}\n{path}\n\nhost:{host}\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:{time}\n\n\
         host;x-amz-content-sha256;x-amz-date\nUNSIGNED-PAYLOAD"
    );
    let scope = format!("{day}/us-east-1/s3/aws4_request");
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
        hex(&Sha256::digest(canonical))
    );
    let key = ["us-east-1", "s3", "aws4_request"]
        .into_iter()
        .fold(hmac(format!("AWS4{secret}").as_bytes(), &day), |key, part| {
            hmac(&key, part)
        });
    let signature = hex(&hmac(&key, &to_sign));
    client()
        .request(method, format!("{server}{path}"))
        .header("x-amz-date", &time)
        .header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        .header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={KEY}/{scope}, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"
            ),
        )
        .body(body)
        .send()
        .await
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat()
}

async fn server() -> S3Server {
    let server = S3Server::temporary(KEY, SECRET)
        .await
        .expect("loopback has a free port");
    server.create_bucket("archive").expect("the folder is ours");
    server
}

#[tokio::test]
async fn the_right_secret_writes_and_reads_and_a_wrong_one_is_refused() {
    let server = server().await;
    let url = server.endpoint();
    let put = signed(&url, Method::PUT, "/archive/a/b.txt", "hello", SECRET)
        .await
        .unwrap();
    assert_eq!(put.status(), 200);
    let got = signed(&url, Method::GET, "/archive/a/b.txt", "", SECRET)
        .await
        .unwrap();
    assert_eq!(got.text().await.unwrap(), "hello");
    assert_eq!(
        std::fs::read_to_string(server.dir().join("archive/a/b.txt")).unwrap(),
        "hello"
    );

    let refused = signed(&url, Method::GET, "/archive/a/b.txt", "", "wrong battery")
        .await
        .unwrap();
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("SignatureDoesNotMatch"));
    let anonymous = client()
        .get(format!("{url}/archive/a/b.txt"))
        .send()
        .await
        .unwrap();
    assert_eq!(anonymous.status(), 403);
}

#[tokio::test]
async fn objects_outlive_the_server_and_it_comes_back_where_it_was() {
    let folder = TempDir::new().unwrap();
    let first = S3Server::start(folder.path(), KEY, SECRET).await.unwrap();
    first.create_bucket("archive").unwrap();
    let (url, port) = (first.endpoint(), first.port());
    signed(&url, Method::PUT, "/archive/kept", "still here", SECRET)
        .await
        .unwrap();
    first.stop().await;
    assert!(
        signed(&url, Method::GET, "/archive/kept", "", SECRET)
            .await
            .is_err()
    );
    let _second = S3Server::start_on(port, folder.path(), KEY, SECRET)
        .await
        .unwrap();
    let got = signed(&url, Method::GET, "/archive/kept", "", SECRET)
        .await
        .unwrap();
    assert_eq!(got.text().await.unwrap(), "still here");
}

#[tokio::test]
async fn faults_happen_to_every_nth_request() {
    let server = server().await;
    let url = server.endpoint();
    server.set_faults(S3Faults {
        refuse_every: Some(2),
        ..S3Faults::default()
    });
    assert_eq!(
        signed(&url, Method::PUT, "/archive/x", "1", SECRET)
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(
        signed(&url, Method::PUT, "/archive/y", "1", SECRET)
            .await
            .unwrap()
            .status(),
        503
    );
    assert!(!server.dir().join("archive/y").exists());

    server.set_faults(S3Faults {
        reset_every: Some(1),
        ..S3Faults::default()
    });
    assert!(
        signed(&url, Method::PUT, "/archive/y", "1", SECRET)
            .await
            .is_err()
    );
    assert!(!server.dir().join("archive/y").exists());

    server.set_faults(S3Faults {
        lose_answer_every: Some(1),
        ..S3Faults::default()
    });
    assert!(
        signed(&url, Method::PUT, "/archive/y", "1", SECRET)
            .await
            .is_err()
    );
    assert!(
        server.dir().join("archive/y").exists(),
        "the work was done, only the answer was lost"
    );
    assert_eq!((server.requests(), server.faults_injected()), (4, 3));
}
