//! Damaged and invented session files and strings: none of them stops us, writes, or takes long.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gleaner_telegram::{Imported, session_file, session_string};
use gleaner_testkit::size::pick;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use sqlx::Connection as _;

use crate::{made, strings};

/// The longest one file may take. Most take less than a millisecond.
const LONGEST: Duration = Duration::from_secs(1);

/// How much more memory the process may hold after all of them, in KiB.
const MOST_GROWTH: u64 = 64 << 10;

static PANICS: AtomicUsize = AtomicUsize::new(0);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutated_sessions_are_refused_or_read_and_never_written() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // Also those of SQLite's thread, which nobody else would see.
        PANICS.fetch_add(1, Ordering::Relaxed);
        before(panic);
    }));
    let cases = pick(5_000, 100_000);
    let mut random = SmallRng::seed_from_u64(20_261_124);
    let seeds = seeds().await;
    let left = left_by_killed_programs().await;
    let texts = [
        strings::telethon(2, &[127, 0, 0, 1], 4430, &made::key()),
        strings::telethon(2, &[1; 16], 443, &made::key()),
        strings::pyrogram(4, Some(12345), 0, &[0, 0, 0, 1, 2, 3, 4, 5]),
        strings::pyrogram(4, None, 0, &[1, 2, 3, 4]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::default();
    let mut settled = None;
    for case in 0..cases {
        // What the first ones take is there to stay: caches, threads' stacks, the allocator's own.
        if case == cases / 20 {
            settled = memory();
        }
        let one = match case % 10 {
            0..7 => One::Bytes(mutate(&seeds, &mut random)),
            7 => One::OnDisk(mutate_left(&left, &mut random)),
            _ => One::Text(mutate_text(&texts, &mut random)),
        };
        let (mut seen, mut took) = one.read(folder.path()).await;
        if took > LONGEST {
            // The machine may have been elsewhere; what really takes long does so again.
            println!("case {case} took {took:?}; once more");
            (seen, took) = one.read(folder.path()).await;
        }
        assert!(took < LONGEST, "case {case} took {took:?}: {seen:?}");
        tally.count(&seen, took);
    }
    println!("{}", tally.report(cases));
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "something panicked");
    assert!(
        tally.read > 0 && tally.refused.len() > 5,
        "the mutations are too wild or too tame"
    );
    if let (Some((before, _)), Some((after, peak))) = (settled, memory()) {
        println!("memory: {before} KiB at first, {after} KiB at last, {peak} KiB at most");
        assert!(
            peak < before + MOST_GROWTH,
            "{before} KiB at first, {peak} KiB at most"
        );
    }
}

/// One of each version, with some rows more, in pages small and large.
async fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let made = (1..9).map(made::telethon).chain((1..8).map(made::pyrogram));
    for (sql, page) in made.zip([512, 1024, 4096].into_iter().cycle()) {
        seeds.push(made::bytes(&format!("PRAGMA page_size = {page}; {sql}")).await);
        let mut wal = made::bytes(&sql).await;
        wal[18..20].copy_from_slice(&[2, 2]);
        seeds.push(wal);
    }
    for bytes in &seeds {
        session_file::read_bytes(bytes).await.unwrap();
    }
    seeds
}

/// A file with its neighbours, as (ending, content).
type Left = Vec<(&'static str, Vec<u8>)>;

async fn left_by_killed_programs() -> [Left; 2] {
    let half_done = "PRAGMA cache_size = 5; BEGIN; UPDATE sessions SET auth_key = randomblob(256);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO entities SELECT i, i, 'user' || i, NULL, 'Somebody', NULL FROM n;";
    let rolled_back = leave("PRAGMA page_size = 1024;", half_done).await;
    let logged = leave("PRAGMA page_size = 1024; PRAGMA journal_mode = WAL;", "SELECT 1;").await;
    [rolled_back, logged]
}

async fn leave(before: &str, after: &str) -> Left {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("left");
    let mut database = made::open(&path).await;
    for sql in [before, &made::telethon(8), after] {
        made::run(&mut database, sql).await;
    }
    let end = |end| {
        fs::read(folder.path().join(format!("left{end}")))
            .ok()
            .map(|bytes| (end, bytes))
    };
    let left: Left = ["", "-journal", "-wal"].into_iter().filter_map(end).collect();
    database.close_hard().await.unwrap();
    assert_eq!(left.len(), 2);
    left
}

enum One {
    Bytes(Vec<u8>),
    OnDisk(Left),
    Text(String),
}

impl One {
    async fn read(&self, folder: &Path) -> (Result<Imported, String>, Duration) {
        let started = Instant::now();
        match self {
            Self::Bytes(bytes) => {
                let read = session_file::read_bytes(bytes).await;
                let took = started.elapsed();
                (read.map_err(|why| variant(&why)), took)
            }
            Self::Text(text) => {
                let read = session_string::parse(text);
                let took = started.elapsed();
                (read.map_err(|why| variant(&why)), took)
            }
            Self::OnDisk(left) => on_disk(folder, left).await,
        }
    }
}

async fn on_disk(folder: &Path, left: &Left) -> (Result<Imported, String>, Duration) {
    for (end, bytes) in left {
        fs::write(folder.join(format!("one.session{end}")), bytes).unwrap();
    }
    let before = made::everything(folder);
    let started = Instant::now();
    let read = session_file::read(&folder.join("one.session")).await;
    let took = started.elapsed();
    assert!(made::everything(folder) == before, "reading wrote something");
    for path in before.keys() {
        fs::remove_file(path).unwrap();
    }
    (read.map_err(|why| variant(&why)), took)
}

fn mutate_left(left: &[Left; 2], random: &mut SmallRng) -> Left {
    let mut left = left[random.random_range(0..2)].clone();
    let spoilt = random.random_range(0..left.len());
    spoil(&mut left[spoilt].1, random);
    left
}

fn mutate(seeds: &[Vec<u8>], random: &mut SmallRng) -> Vec<u8> {
    let mut bytes = seeds[random.random_range(0..seeds.len())].clone();
    if random.random_ratio(1, 8) {
        // A piece of another file, page by page.
        let other = &seeds[random.random_range(0..seeds.len())];
        let from = random.random_range(0..other.len() / 512) * 512;
        let to = random.random_range(0..bytes.len() / 512) * 512;
        let size = (other.len() - from)
            .min(bytes.len() - to)
            .min(512 << random.random_range(0..4));
        bytes[to..to + size].copy_from_slice(&other[from..from + size]);
    } else {
        spoil(&mut bytes, random);
    }
    bytes
}

fn spoil(bytes: &mut Vec<u8>, random: &mut SmallRng) {
    const NASTY: [u8; 8] = [0, 1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff];
    for _ in 0..random.random_range(1..9) {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        // Headers of the file, the schema and the pages are hit more often than cells.
        let at = match random.random_range(0..4) {
            0 => random.random_range(0..len.min(120)),
            1 => (random.random_range(0..len) / 512 * 512 + random.random_range(0..24)).min(len - 1),
            _ => random.random_range(0..len),
        };
        match random.random_range(0..10) {
            0..4 => bytes[at] ^= 1 << random.random_range(0..8),
            4..6 => bytes[at] = NASTY[random.random_range(0..NASTY.len())],
            6 => bytes[at] = random.random(),
            7 => {
                let end = (at + random.random_range(1..65)).min(len);
                bytes[at..end].fill(NASTY[random.random_range(0..NASTY.len())]);
            }
            8 => {
                let end = (at + random.random_range(1..17)).min(len);
                let from = random.random_range(0..=len - (end - at));
                bytes.copy_within(from..from + (end - at), at);
            }
            _ if random.random_ratio(1, 8) => bytes.truncate(at),
            _ => bytes.insert(at, random.random()),
        }
    }
}

fn mutate_text(texts: &[String], random: &mut SmallRng) -> String {
    const OTHERS: [char; 12] = [
        'A',
        '_',
        '-',
        '+',
        '/',
        '=',
        '1',
        ' ',
        '\n',
        'ä',
        '\u{1f600}',
        '\0',
    ];
    let mut text: Vec<char> = texts[random.random_range(0..texts.len())].chars().collect();
    for _ in 0..random.random_range(1..6) {
        let at = random
            .random_range(0..text.len().max(1))
            .min(text.len().saturating_sub(1));
        let other = OTHERS[random.random_range(0..OTHERS.len())];
        match random.random_range(0..8) {
            _ if text.is_empty() => text.push(other),
            0..5 => text[at] = other,
            5 => text.insert(at, other),
            6 => _ = text.remove(at),
            _ if random.random_ratio(1, 4) => text.truncate(at),
            _ => text[0] = other,
        }
    }
    text.into_iter().collect()
}

/// The variant's name: what is counted.
fn variant(why: &impl std::fmt::Debug) -> String {
    let shown = format!("{why:?}");
    let end = shown.find("Damaged(").map_or(shown.len(), |at| at + 7);
    let name: String = shown[..end]
        .chars()
        .filter(|c| !c.is_ascii_digit() && *c != '-')
        .collect();
    name.split('"').next().unwrap_or_default().to_owned()
}

#[derive(Default)]
struct Tally {
    read: usize,
    refused: std::collections::BTreeMap<String, usize>,
    times: Vec<Duration>,
}

impl Tally {
    fn count(&mut self, seen: &Result<Imported, String>, took: Duration) {
        match seen {
            Ok(imported) => {
                assert!(imported.keys.auth_key.bytes().iter().any(|byte| *byte != 0));
                self.read += 1;
            }
            Err(why) => *self.refused.entry(why.clone()).or_default() += 1,
        }
        self.times.push(took);
    }

    fn report(&mut self, cases: usize) -> String {
        self.times.sort_unstable();
        let at = |part: usize| self.times[(cases - 1) * part / 1000];
        let (p50, p99, longest) = (at(500), at(990), at(1000));
        let mut lines = vec![format!(
            "{cases} cases: {} read; time p50 {p50:?}, p99 {p99:?}, longest {longest:?}",
            self.read
        )];
        lines.extend(self.refused.iter().map(|(why, count)| format!("{count:7} {why}")));
        lines.join("\n")
    }
}

/// Resident memory now and at most, in KiB, where the system tells.
fn memory() -> Option<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let figure = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some((figure("VmRSS:")?, figure("VmHWM:")?))
}
