//! An app over a simulated Telegram, in folders of its own.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gleaner_app::view::{ContractSource, CreateSource, RunRow};
use gleaner_app::{App, Config};
use gleaner_domain::{Clock, RunState, SourceId, SystemClock};
use gleaner_store::Store;
use gleaner_testkit::FixedClock;
use gleaner_testkit::preview::PreviewSite;
use gleaner_testkit::world::{ChannelSpec, World, WorldHandle};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Longest wait for anything in a story.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const HARBOUR: &str = "harbour_news";

pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) world: WorldHandle,
    pub(crate) site: PreviewSite,
    pub(crate) dir: TempDir,
}

impl TestApp {
    /// A channel `@harbour_news` of so many posts, and an app that runs nothing by itself.
    pub(crate) async fn new(posts: u32) -> Self {
        Self::with(
            World::new().channel(
                ChannelSpec::new(HARBOUR, 1_100_000_001)
                    .title("Harbour")
                    .posts(posts),
            ),
        )
        .await
    }

    pub(crate) async fn with(world: World) -> Self {
        Self::under(world, Arc::new(SystemClock)).await
    }

    /// An app whose time stands still until the test turns the clock.
    pub(crate) async fn on_clock(world: World, clock: &FixedClock) -> Self {
        Self::under(world, Arc::new(clock.clone())).await
    }

    async fn under(world: World, clock: Arc<dyn Clock>) -> Self {
        let world = world.into_handle();
        let site = PreviewSite::start(world.clone()).await;
        let dir = tempfile::tempdir().unwrap();
        let config = Config::for_tests(&dir.path().join("data"), &site.base_url());
        let app = App::start_with(config, clock).await.unwrap();
        Self {
            app,
            world,
            site,
            dir,
        }
    }

    /// Another process on the same data folder.
    pub(crate) async fn second(&self) -> App {
        App::start(self.config()).await.unwrap()
    }

    /// Another process on the same data folder and the same clock.
    pub(crate) async fn second_on(&self, clock: &FixedClock) -> App {
        App::start_with(self.config(), Arc::new(clock.clone()))
            .await
            .unwrap()
    }

    /// The database behind the app.
    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.database()).await.unwrap()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.dir.path().join("data/gleaner.db")
    }

    pub(crate) fn config(&self) -> Config {
        Config::for_tests(&self.dir.path().join("data"), &self.site.base_url())
    }

    pub(crate) async fn add(&self, channel: &str) -> ContractSource {
        self.app.create_source(public(channel)).await.unwrap()
    }

    pub(crate) async fn run(&self, id: SourceId) -> RunRow {
        self.app
            .run_here(id, CancellationToken::new(), Arc::new(|_, _| {}))
            .await
            .unwrap()
    }

    /// The one archive under the default target.
    pub(crate) fn archive(&self) -> PathBuf {
        let root = self.dir.path().join("data/archive");
        let mut folders: Vec<PathBuf> = std::fs::read_dir(&root)
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.is_dir())
            .collect();
        folders.sort();
        folders.first().expect("an archive").clone()
    }
}

pub(crate) fn public(channel: &str) -> CreateSource {
    CreateSource {
        name: channel.to_owned(),
        identifier: format!("@{channel}"),
        access_level: "public".to_owned(),
        target: "LOCAL".to_owned(),
        ..CreateSource::default()
    }
}

/// Lines of all segments of a shelf, by message id; a doubled id is a failure.
pub(crate) fn kept(archive: &Path) -> BTreeMap<u32, serde_json::Value> {
    let mut all = BTreeMap::new();
    for line in lines(archive, "messages") {
        let id = line["id"].as_u64().unwrap() as u32;
        assert!(all.insert(id, line).is_none(), "message {id} is kept twice");
    }
    all
}

pub(crate) fn lines(archive: &Path, shelf: &str) -> Vec<serde_json::Value> {
    let Ok(entries) = std::fs::read_dir(archive.join(shelf)) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for entry in entries {
        let file = std::fs::File::open(entry.unwrap().path()).unwrap();
        let mut text = String::new();
        zstd::Decoder::new(file)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        all.extend(
            text.lines()
                .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()),
        );
    }
    all
}

/// Waits, by events, until the newest run of a source is over.
pub(crate) async fn last_run_over(app: &App, id: SourceId) -> RunRow {
    eventually(app, async || {
        let run = app.get_source_detail(id).await.unwrap().row.last_run?;
        run.state.is_over().then_some(run)
    })
    .await
}

/// Asks again at each event until there is an answer.
pub(crate) async fn eventually<T>(app: &App, ask: impl AsyncFn() -> Option<T>) -> T {
    let mut events = app.subscribe();
    tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            // Lagging is fine: we ask again anyway.
            let _ = tokio::time::timeout(Duration::from_millis(500), events.recv()).await;
        }
    })
    .await
    .expect("it happens in time")
}

pub(crate) fn completed(run: &RunRow) {
    assert_eq!(run.state, RunState::Completed, "{:?} {:?}", run.code, run.detail);
}
