use std::sync::Arc;
use std::time::{Duration, Instant};

use gleaner_domain::{MessageId, SystemClock};
use gleaner_preview::{PreviewClient, PreviewConfig, PreviewHistory};
use gleaner_scrape::{History, Unpaced};
use gleaner_testkit::preview::Faults;
use gleaner_testkit::world::{ChannelSpec, Mix, World};

use crate::test_app::{HARBOUR, TestApp, completed};

/// Prints how much faster a backfill is than reading page after page at 100 ms a page.
/// The reader only reads; the backfill keeps everything, too. Figures are printed, not asserted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backfill_ratio_against_a_sequential_reader() {
    let posts = 2_000;
    let channel = ChannelSpec::new(HARBOUR, 1_100_000_001)
        .posts(posts)
        .mix(Mix::Text)
        .gap_percent(0);
    let t = TestApp::with(World::new().channel(channel)).await;
    t.site.faults().pages(Faults {
        latency: Duration::from_millis(100),
        ..Faults::default()
    });

    let begun = Instant::now();
    let read = read_page_after_page(&t.site.base_url()).await;
    let sequential = begun.elapsed();

    let source = t.add(HARBOUR).await;
    let begun = Instant::now();
    let run = t.run(source.id).await;
    let ours = begun.elapsed();

    completed(&run);
    assert_eq!(run.counts.messages, read, "both saw the same channel");
    println!(
        "backfill_ratio: {read} messages at 100 ms: sequential {:.2} s, ours {:.2} s with {} pages in flight: {:.1} times",
        sequential.as_secs_f64(),
        ours.as_secs_f64(),
        t.site.max_in_flight(),
        sequential.as_secs_f64() / ours.as_secs_f64()
    );
}

async fn read_page_after_page(base: &str) -> u64 {
    let config = PreviewConfig {
        base: base.parse().unwrap(),
        ..PreviewConfig::default()
    };
    let client = PreviewClient::new(config, Arc::new(Unpaced), Arc::new(SystemClock)).unwrap();
    let history = PreviewHistory::new(client, HARBOUR);
    let opening = history.open().await.unwrap();
    let mut read = opening.newest.items.len() as u64;
    let mut from = opening.newest.covers_from;
    while from > 1 {
        let page = history.page_before(MessageId(from)).await.unwrap();
        read += page.items.len() as u64;
        from = page.covers_from;
    }
    read
}
