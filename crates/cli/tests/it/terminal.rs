//! What a person sees on a terminal, where bars move while results come.

use std::path::Path;
use std::time::Duration;

use gleaner_testkit::{ChannelSpec, Faults, Mix, PreviewSite, World};

use crate::gleaner::Gleaner;

#[tokio::test]
async fn a_result_stays_on_the_screen_while_other_bars_move() {
    if !Path::new("/usr/bin/script").is_file() {
        eprintln!("SKIPPED: script (util-linux), which lends a terminal, is not installed");
        return;
    }
    let channel = |name: &str, id, posts| ChannelSpec::new(name, id).posts(posts).mix(Mix::Text);
    let world = World::new()
        .channel(channel("quick_news", 1_100_000_001, 20))
        .channel(channel("slow_news", 1_100_000_002, 800));
    let site = PreviewSite::start(world.into_handle()).await;
    let gleaner = Gleaner::asking(&site);
    gleaner.run("source add @quick_news --path out").await.must(0);
    gleaner.run("source add @slow_news --path out").await.must(0);
    site.faults().pages(Faults {
        latency: Duration::from_millis(150),
        ..Faults::default()
    });
    let written = gleaner.run_on_a_terminal("run --all").await;
    assert!(written.contains('\u{1b}'), "bars were drawn: {written:?}");
    let screen = screen_after(&written);
    for result in ["quick_news: ", "slow_news: "] {
        let shown = screen.iter().filter(|line| line.starts_with(result)).count();
        assert_eq!(shown, 1, "{result} of {screen:#?}, after {written:?}");
    }
}

/// What a terminal shows in the end: as much of one as bars need.
fn screen_after(written: &str) -> Vec<String> {
    let (mut rows, mut row, mut column) = (vec![Vec::new()], 0usize, 0usize);
    let mut rest = written.chars();
    while let Some(c) = rest.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' => {
                let mut sequence = String::new();
                for c in rest.by_ref().skip_while(|c| *c == '[') {
                    sequence.push(c);
                    if c.is_ascii_alphabetic() {
                        break;
                    }
                }
                let (figures, order) = sequence.split_at(sequence.len().saturating_sub(1));
                let times: usize = figures.parse().unwrap_or(1);
                match order {
                    "A" => row = row.saturating_sub(times),
                    "B" => row += times,
                    "K" if figures == "2" => rows[row].clear(),
                    "K" => rows[row].truncate(column),
                    _ => {}
                }
            }
            c => {
                let line: &mut Vec<char> = &mut rows[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
        rows.resize(rows.len().max(row + 1), Vec::new());
    }
    rows.into_iter().map(String::from_iter).collect()
}
