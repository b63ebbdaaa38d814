//! Answers that the simulated t.me is too well-behaved to give: one fixed page per cursor.

use std::time::Duration;

use gleaner_domain::{Code, MessageId};
use gleaner_preview::{PreviewConfig, PreviewHistory};
use gleaner_scrape::{History, HistoryError, Page};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::site::{client_with, ids};

const HEADER: &str = "<div class=tgme_channel_info><div class=tgme_channel_info_header_title>H</div></div>";
const VIEW: &str = "eyJjIjotMTU5MTUzNzY3NCwicCI6MTMsInQiOjE2NzcyMjg3MzMsImgiOiJ4In0";

fn post(id: u32, inner: &str) -> String {
    format!(
        "<div class=tgme_widget_message data-post=\"h/{id}\" data-view={VIEW}>{inner}\
         <time datetime=2026-04-09T07:01:44+00:00></time></div>"
    )
}

fn posts(ids: impl IntoIterator<Item = u32>) -> String {
    let posts: Vec<String> = ids.into_iter().map(|id| post(id, "")).collect();
    format!("<html><body>{HEADER}{}</body></html>", posts.concat())
}

/// Reads below `before` from a server that gives `answer` of the cursor it is asked for.
async fn read(
    before: u32,
    answer: impl Fn(Option<u32>) -> String + Send + 'static,
) -> Result<Page, HistoryError> {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback has a free port");
    let base = format!("http://{}", listener.local_addr().expect("a bound address"));
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4_096];
            let length = stream.read(&mut request).await.unwrap_or_default();
            let line = String::from_utf8_lossy(&request[..length])
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            let cursor = line
                .split_once("before=")
                .and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
            let page = answer(cursor);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                page.len()
            );
            let _ = stream.write_all((head + &page).as_bytes()).await;
        }
    });
    let config = PreviewConfig {
        base: base.parse().expect("an address"),
        attempts: 2,
        base_delay: Duration::from_millis(1),
        ..PreviewConfig::default()
    };
    let history = PreviewHistory::new(client_with(config), "h");
    let page = match before {
        u32::MAX => history.open().await.map(|opening| opening.newest),
        before => history.page_before(MessageId(before)).await,
    };
    server.abort();
    page
}

/// In place of a cursor: the newest page, as opening a channel reads it.
const NEWEST: u32 = u32::MAX;

/// Those ids of the page about which it could say nothing.
fn unread(page: &Page) -> Vec<u32> {
    page.unread.iter().flat_map(|part| part.ids.clone()).collect()
}

#[tokio::test]
async fn a_post_that_stays_unreadable_does_not_hide_the_others() {
    let undated = post(45, "").replace("datetime", "date");
    let page = read(50, move |_| {
        let html = posts((40..=44).chain(48..=49));
        html.replace(
            "</body>",
            &format!("{undated}<a class=tme_messages_more data-before=40></a></body>"),
        )
    })
    .await
    .expect("the readable posts");
    assert_eq!(ids(&page.items), (40..=44).chain(48..=49).collect::<Vec<_>>());
    assert_eq!(page.covers_from, 40);
    assert_eq!(unread(&page), [45, 46, 47], "it may be an album of three");
    assert!(
        page.unread[0].reason.contains("it has no date"),
        "{:?}",
        page.unread
    );
    assert_eq!(page.retries, 1, "not believed at once");
}

#[tokio::test]
async fn a_post_without_a_number_may_be_any_that_is_missing() {
    let nameless = post(45, "").replace("h/45", "h/x");
    let page = read(50, move |_| {
        let html = posts((41..=44).chain(47..=49));
        html.replace(
            "</body>",
            &format!("{nameless}<a class=tme_messages_more data-before=41></a></body>"),
        )
    })
    .await
    .expect("the readable posts");
    assert_eq!(unread(&page), [45, 46]);
}

#[tokio::test]
async fn an_unreadable_newest_post_is_still_the_newest() {
    let undated = post(101, "").replace("datetime", "date");
    let page = read(NEWEST, move |_| {
        let html = posts(81..=100);
        html.replace(
            "</body>",
            &format!("{undated}<a class=tme_messages_more data-before=81></a></body>"),
        )
    })
    .await
    .expect("the readable posts");
    assert_eq!((page.highest(), unread(&page)), (101, vec![101]));
}

#[tokio::test]
async fn a_page_of_unreadable_posts_alone_is_not_understood() {
    for cursor in [50, NEWEST] {
        let error = read(cursor, |_| posts(40..=49).replace("datetime", "date")).await;
        let error = error.expect_err("a format nobody knows");
        assert_eq!(error.code, Code::UnexpectedPage);
        assert!(error.detail.contains("it has no date"), "{error}");
    }
}

#[tokio::test]
async fn posts_that_fell_out_above_the_cursor_are_not_declared_missing() {
    let page = read(101, |_| {
        posts(90..=100).replace("</body>", "<a class=tme_messages_more data-before=81></a></body>")
    })
    .await
    .expect("what is shown");
    assert_eq!(page.covers_from, 90, "81 to 89 are asked for again");
}

#[tokio::test]
async fn a_cursor_without_posts_answers_for_nothing() {
    let error = read(101, |_| {
        format!("<html><head><link rel=prev href='/s/h?before=81'></head><body>{HEADER}</body></html>")
    })
    .await
    .expect_err("81 to 100 are not known");
    assert_eq!(error.code, Code::UnexpectedPage);
}

const NO_POSTS: &str = "<div class=tme_no_messages_found>No posts found</div>";

#[tokio::test]
async fn that_there_are_no_posts_is_believed_when_it_is_said_twice() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let page = read(50, move |_| {
        if asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            format!("<html><body>{HEADER}{NO_POSTS}</body></html>")
        } else {
            posts(30..=49).replace("</body>", "<a class=tme_messages_more data-before=30></a></body>")
        }
    })
    .await
    .expect("the second answer");
    assert_eq!((ids(&page.items), page.covers_from), ((30..=49).collect(), 30));
    let page = read(50, |_| format!("<html><body>{HEADER}{NO_POSTS}</body></html>")).await;
    assert_eq!(page.expect("the beginning").covers_from, 1);
}

#[tokio::test]
async fn posts_without_the_channels_number_are_told_apart_from_no_posts() {
    let error = read(NEWEST, |_| {
        posts(81..=100).replace(&format!("data-view={VIEW}"), "")
    })
    .await;
    let error = error.expect_err("nobody knows whose posts these are");
    assert_eq!(error.code, Code::UnexpectedPage);
    assert!(
        error.detail.contains("not the number of their channel"),
        "{error}"
    );
    let error = read(NEWEST, |_| {
        format!("<html><body>{HEADER}{NO_POSTS}</body></html>")
    })
    .await;
    assert!(error.expect_err("no number yet").is_no_posts_yet());
}

#[tokio::test]
async fn the_newest_page_in_place_of_the_asked_one_is_refused() {
    let error = read(50, |_| posts(81..=100)).await.expect_err("newer posts");
    assert_eq!(error.code, Code::UnexpectedPage);
    assert!(error.detail.contains("asked for posts before 50"), "{error}");
}

#[tokio::test]
async fn the_newest_page_below_a_page_without_cursor_means_the_beginning() {
    let page = read(50, |cursor| {
        if cursor == Some(50) {
            posts(40..=49)
        } else {
            posts(81..=100)
        }
    })
    .await;
    let page = page.expect("the beginning");
    assert_eq!((ids(&page.items), page.covers_from), ((40..=49).collect(), 1));
}

#[tokio::test]
async fn an_empty_page_below_a_page_without_cursor_means_the_beginning() {
    let page = read(50, |cursor| {
        if cursor == Some(50) {
            posts(40..=49)
        } else {
            posts([])
        }
    })
    .await;
    assert_eq!(page.expect("the beginning").covers_from, 1);
}

#[tokio::test]
async fn an_empty_page_that_does_not_say_so_is_no_beginning() {
    let error = read(50, |_| posts([])).await.expect_err("nothing is said");
    assert_eq!(error.code, Code::UnexpectedPage);
}

#[tokio::test]
async fn older_posts_below_a_page_without_cursor_are_kept() {
    let page = read(50, |cursor| {
        if cursor == Some(50) {
            posts(40..=49)
        } else {
            posts(20..=25)
        }
    })
    .await;
    let page = page.expect("both pages");
    assert_eq!(ids(&page.items), (20..=25).chain(40..=49).collect::<Vec<_>>());
    assert_eq!(page.covers_from, 20, "what is below them is not known yet");
}

#[tokio::test]
async fn album_members_at_and_above_the_cursor_are_left_to_the_page_above() {
    let member = |id: u32| {
        format!(
            "<a class=tgme_widget_message_photo_wrap href='https://t.me/h/{id}?single' style=\"background:url('/{id}.jpg')\"></a>"
        )
    };
    let album = post(1, &(1..=4).map(member).collect::<Vec<_>>().concat());
    let page = read(3, move |_| format!("<html>{HEADER}{album}</html>"))
        .await
        .expect("the album");
    assert_eq!((ids(&page.items), page.covers_from), (vec![1, 2], 1));
}

#[tokio::test]
async fn a_page_that_leads_to_itself_is_refused() {
    let error = read(50, |_| {
        format!("<html>{HEADER}<a class=tme_messages_more data-before=50></a></html>")
    })
    .await;
    assert_eq!(error.expect_err("no way on").code, Code::UnexpectedPage);
}
