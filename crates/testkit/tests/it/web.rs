//! A plain client, and pages cut into what tests compare.

use std::time::Duration;

use scraper::{ElementRef, Html, Selector};

/// A client that follows nothing and waits ten seconds at most.
pub(crate) fn client() -> reqwest::Client {
    // Installing twice is refused and harmless: tests of one binary share the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10))
        .build()
        .expect("a client without files or certificates")
}

/// Fetches a page that must be there.
pub(crate) async fn get(client: &reqwest::Client, url: &str) -> Html {
    let response = client.get(url).send().await.expect("the site answers");
    assert_eq!(response.status(), 200, "{url}");
    Html::parse_document(&response.text().await.expect("pages are text"))
}

/// All elements a selector finds.
pub(crate) fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    html.select(&Selector::parse(selector).expect("a valid selector"))
        .collect()
}

/// An attribute of the first element a selector finds.
pub(crate) fn attr<'a>(html: &'a Html, selector: &str, name: &str) -> Option<&'a str> {
    all(html, selector).first()?.attr(name)
}

/// Text of the first element a selector finds.
pub(crate) fn text(html: &Html, selector: &str) -> Option<String> {
    Some(all(html, selector).first()?.text().collect())
}

/// Every message id of a page: album members by their own addresses.
pub(crate) fn ids(html: &Html) -> Vec<u32> {
    let last_number = |href: &str| {
        href.trim_end_matches("?single")
            .rsplit_once('/')?
            .1
            .parse::<u32>()
            .ok()
    };
    all(html, ".tgme_widget_message[data-post]")
        .into_iter()
        .flat_map(|message| {
            let grouped = Selector::parse(".grouped_media_wrap").expect("a valid selector");
            let members: Vec<u32> = message
                .select(&grouped)
                .filter_map(|item| last_number(item.attr("href")?))
                .collect();
            if members.is_empty() {
                message
                    .attr("data-post")
                    .and_then(last_number)
                    .into_iter()
                    .collect()
            } else {
                members
            }
        })
        .collect()
}
