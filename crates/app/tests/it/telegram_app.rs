//! An app over a simulated Telegram with accounts, and a keyring in memory.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use gleaner_app::view::TempStep;
use gleaner_app::{App, Config, SecretString};
use gleaner_domain::{AccessLevel, Clock, SessionId, SourceUid, SystemClock};
use gleaner_store::{NewSource, Store};
use gleaner_telegram::{Api, AuthKey, Centre, DataCentres};
use gleaner_testkit::FixedClock;
use gleaner_testkit::telegram::TelegramServer;
use gleaner_testkit::world::World;
use gleaner_vault::testing::MemoryKeyring;
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const ADA: &str = "+15550001";
pub(crate) const BORIS: &str = "+15550002";
pub(crate) const BANNED: &str = "+15550003";
pub(crate) const FLOODED: &str = "+15550004";
pub(crate) const DANA: &str = "+15550005";
pub(crate) const PASSWORD: &str = "harbour lights";

/// Longest wait for anything in a story.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct TelegramApp {
    pub(crate) app: App,
    pub(crate) telegram: Arc<TelegramServer>,
    pub(crate) keyring: MemoryKeyring,
    pub(crate) dir: TempDir,
}

impl TelegramApp {
    pub(crate) async fn new() -> Self {
        Self::build(Arc::new(SystemClock), World::new(), true).await
    }

    /// All times are the clock's, Telegram's included.
    pub(crate) async fn on(clock: &FixedClock) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        Self::build(clock.clone(), World::new().clock(clock), true).await
    }

    /// Nobody has entered an API id.
    pub(crate) async fn without_api() -> Self {
        Self::build(Arc::new(SystemClock), World::new(), false).await
    }

    async fn build(clock: Arc<dyn Clock>, world: World, api: bool) -> Self {
        let telegram = Arc::new(TelegramServer::start(world.into_handle()).await);
        let (dir, keyring) = (tempfile::tempdir().unwrap(), MemoryKeyring::new());
        let mut config = Self::config_in(dir.path(), &telegram, &keyring);
        if !api {
            config.default_api = None;
        }
        let app = App::start_with(config, clock).await.unwrap();
        Self {
            app,
            telegram,
            keyring,
            dir,
        }
    }

    fn config_in(dir: &Path, telegram: &Arc<TelegramServer>, keyring: &MemoryKeyring) -> Config {
        let mut config = Config::for_tests(&dir.join("data"), "http://127.0.0.1:9");
        config.keyring = Some(keyring.keyring());
        config.centres = Arc::new(Centres(telegram.clone()));
        config.default_api = Some(Api {
            id: 1,
            hash: SecretString::from("0".repeat(32)),
        });
        config
    }

    /// Another process on the same data folder and keyring.
    pub(crate) async fn second(&self) -> App {
        let config = Self::config_in(self.dir.path(), &self.telegram, &self.keyring);
        App::start(config).await.unwrap()
    }

    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.dir.path().join("data/gleaner.db"))
            .await
            .unwrap()
    }

    /// The keyring loses what it kept, as when somebody resets it.
    pub(crate) async fn forget_keys(&self) {
        let workspace: Uuid = self.store().await.setting("workspace").await.unwrap().unwrap();
        self.keyring.delete(&workspace.to_string());
    }

    /// Waits until a login in progress has come so far.
    pub(crate) async fn until(&self, id: Uuid, step: TempStep) {
        let reached = async {
            while self.app.get_temp_session(id).await.unwrap().step != step {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached)
            .await
            .expect("it comes so far");
    }

    /// A private source that uses a session: made in the database, since its channel is not looked for here.
    pub(crate) async fn use_session(&self, id: SessionId, name: &str, channel: u32) {
        let store = self.store().await;
        let target = self.app.list_targets().await.unwrap()[0].uid;
        let now = SystemClock.now();
        let source = NewSource {
            uid: SourceUid::new(),
            name: name.to_owned(),
            identifier: format!("@private_{channel}").parse().unwrap(),
            channel_title: name.to_owned(),
            access_level: AccessLevel::Private,
            target,
            session_ref: Some(id.0),
            schedule: gleaner_domain::Schedule::default(),
            policy: gleaner_domain::ScrapePolicy::default(),
            paused_at: Some(now),
            next_run_at: None,
            channel_id: None,
            folder: None,
            created_at: now,
        };
        store.insert_source(&source).await.unwrap();
    }

    pub(crate) async fn delete_sources(&self) {
        for row in self.app.list_sources().await.unwrap() {
            self.app.delete_source(row.id, false).await.unwrap();
        }
    }
}

/// The simulated data centres, each new login with a key of its own.
struct Centres(Arc<TelegramServer>);

impl DataCentres for Centres {
    fn first(&self) -> i32 {
        2
    }

    fn find(&self, dc_id: i32) -> BoxFuture<'_, Option<Centre>> {
        let key = self.0.new_key(dc_id);
        Box::pin(std::future::ready(Some(Centre {
            address: key.address,
            auth_key: AuthKey::parse(&key.auth_key).ok(),
        })))
    }
}

impl fmt::Debug for Centres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Centres")
    }
}
