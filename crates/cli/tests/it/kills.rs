//! `kill -9` at random moments of a scrape: nothing lost, nothing doubled, nothing half written,
//! and no more read again than the open batch and what was in flight.
//!
//! A moment is drawn as a number of requests, so that moments spread over the work on any machine,
//! and some milliseconds on top, so that they also fall between two requests.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gleaner_testkit::preview::SiteOptions;
use gleaner_testkit::s3::S3Server;
use gleaner_testkit::size::pick;
use gleaner_testkit::{ChannelSpec, Mix, PreviewSite, World};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::archive::{Posted, assert_all_is_there, assert_nothing_is_half_written, assert_whole};
use crate::gleaner::Gleaner;

const CHANNEL: &str = "long_history";
const SEED: u64 = 20_250_131;
/// What a kill may cost: the messages of an open batch …
const OPEN_BATCH: f64 = 1_000.0;
/// … and the pages in flight.
const IN_FLIGHT: f64 = 8.0;
/// What every run asks for anyway: the newest page, and once an hour the window of 100 ids.
const PAGES_OF_A_START: f64 = 1.0 + 100.0 / 20.0;
/// A page of albums and gaps answers for more or fewer ids than the average one, which every run learns
/// anew; and a batch is closed after the page that fills it.
const UNEVEN: f64 = 8.0;
/// A resumed run reads on by then.
const RESUME: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_mins(5);

#[tokio::test]
async fn kills_cost_a_local_archive_nothing() {
    let rounds = Rounds::start().await;
    let report = rounds
        .play("LOCAL", |site| {
            let gleaner = Gleaner::asking(site);
            let archive = gleaner.path("out").join(format!("{CHANNEL}-1100000001"));
            (gleaner, "--target LOCAL --path out".to_owned(), archive)
        })
        .await;
    println!("{report}");
}

#[tokio::test]
async fn kills_cost_an_archive_in_a_bucket_nothing() {
    let store = tempfile::tempdir().expect("a folder");
    let server = S3Server::start(store.path(), "key", "secret")
        .await
        .expect("an S3 server");
    let rounds = Rounds::start().await;
    let mut round = 0;
    let report = rounds
        .play("S3", |site| {
            round += 1;
            let bucket = format!("round-{round}");
            server.create_bucket(&bucket).expect("a bucket");
            let keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
            let gleaner = Gleaner::asking(site).with(keys.0, "key").with(keys.1, "secret");
            let place = format!(
                "--target S3 --bucket {bucket} --prefix deep/down --endpoint {}",
                server.endpoint()
            );
            let archive = store
                .path()
                .join(bucket)
                .join("deep/down")
                .join(format!("{CHANNEL}-1100000001"));
            (gleaner, place, archive)
        })
        .await;
    println!("{report}");
}

struct Rounds {
    site: PreviewSite,
    posts: f64,
    /// Requests of a scrape that nobody disturbs, of any kind and for pages.
    requests: usize,
    pages: usize,
    undisturbed: String,
}

/// What was seen over all scrapes.
#[derive(Default)]
struct Toll {
    scrapes: usize,
    /// Pages that each kill cost.
    costs: Vec<f64>,
    /// Kills after more pages than one may cost: only these tell a build that commits in time from one
    /// that commits at the end.
    telling: usize,
    /// Resumed runs that came to their first commit or to their end, and the slowest of them.
    resumes: usize,
    slowest_resume: Duration,
}

impl Rounds {
    async fn start() -> Self {
        // More than two open batches, so that a run that commits only at its end costs too much.
        let posts = pick(2_500, 5_000);
        let spec = ChannelSpec::new(CHANNEL, 1_100_000_001)
            .posts(posts)
            .mix(Mix::News);
        let light = SiteOptions {
            realistic_weight: false,
            ..SiteOptions::default()
        };
        let world = World::new().channel(spec).into_handle();
        let site = PreviewSite::start_with(world, light).await.expect("a site");
        let gleaner = Gleaner::asking(&site);
        gleaner
            .run(&format!("source add @{CHANNEL} --path out"))
            .await
            .must(0);
        let begun = Instant::now();
        gleaner.run("run 1").await.must(0);
        let asked = site.requests();
        let undisturbed = format!("{posts} posts undisturbed: {asked:?}, {:.1?}", begun.elapsed());
        assert_whole(&gleaner.archive(), site.world(), CHANNEL);
        let (requests, pages) = (asked.total(), asked.pages);
        Self {
            site,
            posts: f64::from(posts),
            requests,
            pages,
            undisturbed,
        }
    }

    async fn play(
        &self,
        kind: &str,
        mut fresh: impl FnMut(&PreviewSite) -> (Gleaner, String, PathBuf),
    ) -> String {
        let wanted = pick(20, 200);
        let mut chance = StdRng::seed_from_u64(SEED);
        let mut toll = Toll::default();
        let posted = Posted::by(self.site.world(), CHANNEL);
        while toll.costs.len() < wanted {
            let (gleaner, place, archive) = fresh(&self.site);
            gleaner
                .run(&format!("source add @{CHANNEL} {place}"))
                .await
                .must(0);
            self.site.reset_counts();
            self.scrape(&gleaner, &archive, &posted, &mut chance, wanted, &mut toll)
                .await;
            assert_all_is_there(&archive, &posted);
            toll.scrapes += 1;
        }
        self.report(kind, &toll)
    }

    /// One scrape from nothing to the end, killed on the way as often as chance has it.
    async fn scrape(
        &self,
        gleaner: &Gleaner,
        archive: &Path,
        posted: &Posted<'_>,
        chance: &mut StdRng,
        wanted: usize,
        toll: &mut Toll,
    ) {
        let mut resumed = false;
        loop {
            let (asked, kept) = (self.site.requests(), ids_answered(archive).unwrap_or_default());
            let begun = Instant::now();
            let mut child = gleaner.start("run 1 --quiet");
            let moment = asked.total() + chance.random_range(0..self.requests);
            let extra = Duration::from_millis(chance.random_range(0..60));
            let spared = toll.costs.len() >= wanted;
            let ended = tokio::select! {
                status = tokio::time::timeout(PATIENCE, child.wait()) => Some(status.expect("it ends in time")),
                () = self.asked(moment, extra), if !spared => None,
            };
            if ended.is_none() {
                child.kill().await.expect("SIGKILL");
                assert_nothing_is_half_written(archive, posted);
            }
            // A run that was killed before it was at work tells nothing about resuming.
            let resume = self
                .at_work(asked.total(), begun)
                .or_else(|| ended.is_some().then(|| begun.elapsed()));
            if let Some(resume) = resume.filter(|_| resumed) {
                toll.resumes += 1;
                toll.slowest_resume = toll.slowest_resume.max(resume);
            }
            if let Some(status) = ended {
                assert!(
                    status.expect("it ran").success(),
                    "a scrape that is left alone completes"
                );
                return;
            }
            let pages = (self.site.requests().pages - asked.pages) as f64;
            let answered = ids_answered(archive).unwrap_or_default();
            let useful = (answered - kept) * self.pages as f64 / self.posts;
            let cost = (pages - PAGES_OF_A_START - useful).max(0.0);
            assert!(
                cost <= self.bound(),
                "a kill cost {cost:.1} pages, at most {:.1} may be; {pages} were read for {answered} ids after {kept}",
                self.bound()
            );
            toll.costs.push(cost);
            toll.telling += usize::from(pages - PAGES_OF_A_START > self.bound());
            resumed = true;
        }
    }

    /// Pages of an open batch and in flight, in this channel with its gaps and albums.
    fn bound(&self) -> f64 {
        let live = self.site.world().live_ids(CHANNEL).len() as f64;
        OPEN_BATCH * self.pages as f64 / live + IN_FLIGHT + UNEVEN
    }

    async fn asked(&self, requests: usize, extra: Duration) {
        while self.site.requests().total() < requests {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(extra).await;
    }

    /// How long a run took to be at work: until its second request (the first opens the channel).
    fn at_work(&self, before: usize, begun: Instant) -> Option<Duration> {
        let served = self.site.served();
        served
            .get(before + 1)
            .map(|second| second.at.saturating_duration_since(begun))
    }

    fn report(&self, kind: &str, toll: &Toll) -> String {
        let Toll {
            scrapes,
            costs,
            telling,
            resumes,
            slowest_resume,
        } = toll;
        assert!(*telling > 0, "no kill came late enough to cost too much");
        assert!(*resumes > 0, "no resumed run came to work");
        assert!(*slowest_resume < RESUME, "{slowest_resume:?}");
        let mean = costs.iter().sum::<f64>() / costs.len() as f64;
        let worst = costs.iter().copied().fold(0.0, f64::max);
        format!(
            "{}\n{kind}: seed {SEED}, {} kills in {scrapes} scrapes: 0 lost, 0 doubled, 0 half written; pages read \
             again a kill: mean {mean:.1}, worst {worst:.1}, bound {:.1} ({telling} kills could have broken it); slowest of {resumes} resumes {slowest_resume:.2?}",
            self.undisturbed,
            costs.len(),
            self.bound(),
        )
    }
}

/// Ids that the manifest says are answered for; nothing while there is none.
fn ids_answered(archive: &Path) -> Option<f64> {
    let bytes = std::fs::read(archive.join("manifest.json")).ok()?;
    let manifest: Value = serde_json::from_slice(&bytes).expect("a manifest is whole at any moment");
    let seen = &manifest["checkpoint"]["seen"];
    let ends = |range: &Value| Some((range[0].as_f64()?, range[1].as_f64()?));
    let ranges = seen
        .as_array()
        .expect("ranges")
        .iter()
        .map(|range| ends(range).expect("two ids"));
    Some(ranges.map(|(first, last)| last - first + 1.0).sum())
}
