//! How long one page takes: `parse_ratio PAGE.html [ROUNDS] [--texts]`.
//!
//! Prints the median in milliseconds; with `--texts` also the best and what was read, as JSON, in the form of
//! `benches/peer_bs4.py`, so that the two can be compared on the same page.

use std::time::Instant;

use anyhow::Context as _;
use chrono::DateTime;
use gleaner_preview::{PreviewPage, parse_page};
use serde_json::json;

#[expect(clippy::print_stdout, reason = "its answer goes to standard output")]
fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments
        .first()
        .context("usage: parse_ratio PAGE.html [ROUNDS] [--texts]")?;
    let rounds = arguments
        .get(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(200_usize)
        .max(1);
    let html = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;

    let mut page = PreviewPage::default();
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let start = Instant::now();
        page = parse_page(&html, DateTime::UNIX_EPOCH)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let median = times[rounds / 2];

    if arguments.iter().any(|argument| argument == "--texts") {
        let texts: Vec<_> = page
            .items
            .iter()
            .map(|item| &item.record)
            // The peer reads posts, not messages: of an album the first member.
            .filter(|record| record.album_id.is_none_or(|head| head == record.id))
            .map(|record| json!({ "id": record.id.0, "text": record.text }))
            .collect();
        println!(
            "{}",
            json!({ "ms": median, "best_ms": times[0], "messages": page.items.len(), "texts": texts })
        );
    } else {
        println!("{median:.3}");
    }
    Ok(())
}
