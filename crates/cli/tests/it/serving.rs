//! `gleaner serve`: one line to open, then everything over HTTP, with the scheduler at work.

use std::time::Duration;

use gleaner_testkit::{ChannelSpec, Mix, PreviewSite, World};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::gleaner::{Gleaner, done};

const PATIENCE: Duration = Duration::from_mins(1);

async fn site() -> PreviewSite {
    let spec = ChannelSpec::new("daily_news", 1_100_000_001)
        .title("Daily News")
        .posts(45)
        .mix(Mix::Text);
    PreviewSite::start(World::new().channel(spec).into_handle()).await
}

/// Starts it and reads the line it prints.
async fn serve(gleaner: &Gleaner, line: &str) -> (Child, String) {
    let mut child = gleaner.start(line);
    let mut out = BufReader::new(child.stdout.take().expect("piped")).lines();
    let first = tokio::time::timeout(PATIENCE, out.next_line())
        .await
        .expect("a line in time");
    (child, first.expect("readable").expect("one line"))
}

fn client() -> reqwest::Client {
    // Fails when another test of this process did it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .expect("a client")
}

#[tokio::test]
async fn a_source_made_over_http_is_scraped_by_the_server_itself() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    let (child, url) = serve(&gleaner, "serve --dev --port 0").await;
    let base = url.trim_end_matches('/');
    assert!(base.starts_with("http://127.0.0.1:"), "{url}");
    let client = client();
    let new = json!({
        "name": "News", "identifier": "@daily_news", "channel_title": "", "access_level": "public",
        "target": "LOCAL", "session_ref": null
    });
    let mut events = client
        .get(format!("{base}/api/events?after=0"))
        .send()
        .await
        .expect("a stream");
    let created = client
        .post(format!("{base}/sources/"))
        .json(&new)
        .send()
        .await
        .expect("an answer");
    assert_eq!(created.status(), 200);

    let kept = site.world().live_ids("daily_news").len();
    let done_scraping = async {
        loop {
            events
                .chunk()
                .await
                .expect("a living stream")
                .expect("more to come");
            let runs = client
                .get(format!("{base}/api/runs"))
                .send()
                .await
                .expect("an answer");
            let runs: Value = runs.json().await.expect("JSON");
            if runs[0]["state"] == "completed" {
                break runs[0]["counts"]["messages"].clone();
            }
        }
    };
    let messages = tokio::time::timeout(PATIENCE, done_scraping)
        .await
        .expect("scraped in time");
    assert_eq!(messages, kept);
    drop(events);
    stop(child).await;
}

#[tokio::test]
async fn the_printed_address_signs_a_browser_in() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    let (child, line) = serve(&gleaner, "serve --port 0 --json").await;
    let line: Value = serde_json::from_str(&line).expect("one line of JSON");
    let base = line["address"]
        .as_str()
        .expect("an address")
        .trim_end_matches('/');
    let (_, code) = line["url"]
        .as_str()
        .expect("an address")
        .split_once("#code=")
        .expect("a code");
    let client = client();
    let closed = client
        .get(format!("{base}/sources/"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(closed.status(), 401);
    let signed = client
        .post(format!("{base}/api/auth/exchange"))
        .json(&json!({"code": code}));
    let signed = signed.send().await.expect("an answer");
    assert_eq!(signed.status(), 200);
    let cookie = signed.headers()["set-cookie"]
        .to_str()
        .expect("text")
        .split(';')
        .next()
        .expect("a pair")
        .to_owned();
    let open = client
        .get(format!("{base}/sources/"))
        .header("cookie", cookie)
        .send()
        .await
        .expect("an answer");
    assert_eq!(open.status(), 200);

    let token =
        std::fs::read_to_string(gleaner.path("d/http.token")).expect("the token is in the data folder");
    let script = client
        .get(format!("{base}/sources/"))
        .bearer_auth(token)
        .send()
        .await
        .expect("an answer");
    assert_eq!(script.status(), 200);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(gleaner.path("d/http.token"))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    stop(child).await;
}

#[tokio::test]
async fn development_mode_is_said_aloud_and_stays_on_this_computer() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    let refused = gleaner.run("serve --dev --bind 0.0.0.0 --port 0").await.must(2);
    assert!(refused.err.contains("this machine only"), "{refused:?}");
    for manner in ["", "--quiet"] {
        let (child, _) = serve(&gleaner, &format!("serve --dev --port 0 {manner}")).await;
        let stopped = stop(child).await;
        assert!(stopped.contains("without a token"), "{manner}: {stopped}");
    }
    let (child, line) = serve(&gleaner, "serve --dev --port 0 --json").await;
    let line: Value = serde_json::from_str(&line).expect("one line of JSON");
    assert_eq!(line["dev"], true);
    let stopped = stop(child).await;
    assert!(stopped.contains("without a token"), "{stopped}");
}

/// Asks it to stop, and hears what it said meanwhile.
#[cfg(unix)]
async fn stop(child: Child) -> String {
    crate::gleaner::signal(&child, "-TERM");
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    done(output.expect("it stops in time").expect("it ran"))
        .must(0)
        .err
}

/// Windows has no signal to ask with.
#[cfg(not(unix))]
async fn stop(mut child: Child) -> String {
    child.start_kill().expect("still running");
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    done(output.expect("it stops in time").expect("it ran")).err
}
