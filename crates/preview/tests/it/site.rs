//! A simulated t.me and a client for it.

use std::sync::{Arc, Once};
use std::time::Duration;

use gleaner_domain::{Clock, MessageId};
use gleaner_preview::{PreviewClient, PreviewConfig, PreviewFiles, PreviewHistory};
use gleaner_scrape::{History, Item, Pacer, Unpaced};
use gleaner_testkit::preview::SiteOptions;
use gleaner_testkit::{ChannelSpec, PreviewSite, World};

/// A clock that stands still: what the pages say themselves must win over it anyway.
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::UNIX_EPOCH
    }
}

pub(crate) async fn site_of(specs: impl IntoIterator<Item = ChannelSpec>) -> PreviewSite {
    let world = specs.into_iter().fold(World::new(), World::channel);
    let options = SiteOptions {
        realistic_weight: false,
        ..SiteOptions::default()
    };
    PreviewSite::start_with(world.into_handle(), options)
        .await
        .expect("loopback has a free port")
}

/// Quick to lose patience, so that faults cost milliseconds.
pub(crate) fn config(site: &PreviewSite) -> PreviewConfig {
    PreviewConfig {
        base: site.base_url().parse().expect("a site has an address"),
        base_delay: Duration::from_millis(1),
        ..PreviewConfig::default()
    }
}

pub(crate) fn client_with(config: PreviewConfig) -> PreviewClient {
    client_paced(config, Arc::new(Unpaced))
}

pub(crate) fn client_paced(config: PreviewConfig, pacer: Arc<dyn Pacer>) -> PreviewClient {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .expect("the only one in this process");
    });
    PreviewClient::new(config, pacer, Arc::new(Still)).expect("a client")
}

pub(crate) fn client(site: &PreviewSite) -> PreviewClient {
    client_with(config(site))
}

pub(crate) fn history(site: &PreviewSite, name: &str) -> PreviewHistory {
    PreviewHistory::new(client(site), name)
}

pub(crate) fn files(site: &PreviewSite) -> PreviewFiles {
    PreviewFiles::new(client(site))
}

/// Everything a channel has, read backwards page by page, and how many requests were repeated.
pub(crate) async fn read_all(history: &PreviewHistory) -> (Vec<Item>, u32) {
    let opening = history.open().await.expect("a readable channel");
    let (mut items, mut at, mut retries) = (
        opening.newest.items,
        opening.newest.covers_from,
        opening.newest.retries,
    );
    while at > 1 {
        let page = history.page_before(MessageId(at)).await.expect("a readable page");
        assert!(page.covers_from < at, "{} must be below {at}", page.covers_from);
        assert!(page.items.iter().all(|item| item.record.id.0 < at));
        (at, retries) = (page.covers_from, retries + page.retries);
        items.splice(0..0, page.items);
    }
    (items, retries)
}

pub(crate) fn ids(items: &[Item]) -> Vec<u32> {
    items.iter().map(|item| item.record.id.0).collect()
}
