//! A long history needs no more memory than a short one.

use std::time::Duration;

use gleaner_testkit::preview::SiteOptions;
use gleaner_testkit::size::pick;
use gleaner_testkit::{ChannelSpec, Mix, PreviewSite, World};
use tokio::process::Child;

use crate::gleaner::Gleaner;

const PATIENCE: Duration = Duration::from_mins(40);

#[tokio::test]
async fn memory_stays_flat_however_long_the_history() {
    if !cfg!(target_os = "linux") {
        println!("SKIPPED: the peak is read from /proc");
        return;
    }
    // At soak size the short one is past the first merging of small segments, too: that costs some tens of
    // megabytes for a moment, however long the history is.
    let (short, long) = pick((4_000, 10_000), (70_000, 140_000));
    let (short_peak, long_peak) = (peak(short).await, peak(long).await);
    println!("peak of {short} messages: {short_peak} KiB; of {long}: {long_peak} KiB");
    // A tenth on top and 16 MiB are what allocators and caches may do.
    assert!(
        long_peak < short_peak + short_peak / 10 + 16 * 1024,
        "{long_peak} KiB after {short_peak} KiB"
    );
}

async fn peak(posts: u32) -> u64 {
    let spec = ChannelSpec::new("endless", 1_100_000_001)
        .posts(posts)
        .mix(Mix::Text);
    let light = SiteOptions {
        realistic_weight: false,
        ..SiteOptions::default()
    };
    let site = PreviewSite::start_with(World::new().channel(spec).into_handle(), light)
        .await
        .expect("a site");
    let gleaner = Gleaner::asking(&site);
    gleaner.run("source add @endless --path out").await.must(0);
    let mut child = gleaner.start("run 1 --quiet");
    let watched = tokio::time::timeout(PATIENCE, watch(&mut child))
        .await
        .expect("it ends in time");
    let kept = gleaner.run("source show 1 --json").await.must(0).json();
    assert_eq!(kept["messages"], site.world().live_ids("endless").len());
    watched
}

/// The kernel's high-water mark, read until the end.
async fn watch(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id().expect("running"));
    let mut peak = 0;
    loop {
        if let Some(now) = high_water(&status) {
            peak = now;
        }
        tokio::select! {
            ended = child.wait() => {
                assert!(ended.expect("it ran").success());
                return peak;
            }
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }
}

fn high_water(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
