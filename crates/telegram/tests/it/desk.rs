//! A simulated Telegram, and a connector that begins its logins there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use gleaner_telegram::{Api, AuthKey, Centre, Connector, DataCentres, Device, Login, Patience, SessionKeys};
use gleaner_testkit::telegram::{LoginKey, TelegramOptions};
use gleaner_testkit::{TelegramServer, World};

/// No account, API hash or key of these tests is anybody's.
pub(crate) const ADA: &str = "+15550001";
pub(crate) const BORIS: &str = "+15550002";
pub(crate) const BORIS_PASSWORD: &str = "harbour lights";
pub(crate) const BANNED: &str = "+15550003";
pub(crate) const FLOODED: &str = "+15550004";
pub(crate) const DANA: &str = "+15550005";
pub(crate) const CODE: &str = "12345";

/// One test's Telegram.
pub(crate) struct Desk {
    pub(crate) server: Arc<TelegramServer>,
    pub(crate) connector: Connector,
    minted: Arc<Minted>,
}

/// Hands out a fresh key for each login and each move of one, and keeps them for the test to ask about.
#[derive(Debug)]
struct Minted {
    server: Arc<TelegramServer>,
    keys: Mutex<Vec<LoginKey>>,
}

impl DataCentres for Minted {
    fn first(&self) -> i32 {
        2
    }

    fn find(&self, dc_id: i32) -> BoxFuture<'_, Option<Centre>> {
        let known = self.server.addresses().contains_key(&dc_id);
        let centre = known.then(|| {
            let key = self.server.new_key(dc_id);
            self.keys
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(key.clone());
            Centre {
                address: key.address,
                auth_key: Some(AuthKey::parse(&key.auth_key).expect("256 bytes")),
            }
        });
        Box::pin(std::future::ready(centre))
    }
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_with(TelegramOptions::default()).await
    }

    pub(crate) async fn open_with(options: TelegramOptions) -> Self {
        let world = World::new().into_handle();
        let server = TelegramServer::start_with(world, options)
            .await
            .expect("loopback has free ports");
        let server = Arc::new(server);
        let minted = Arc::new(Minted {
            server: server.clone(),
            keys: Mutex::default(),
        });
        let connector = Connector {
            api: Api {
                id: 4242,
                hash: "not-a-real-hash".into(),
            },
            device: Device {
                model: "Test bench".into(),
                system: "1".into(),
                app_version: "0.1".into(),
            },
            proxy: None,
            centres: minted.clone(),
            patience: Patience {
                // Long enough for a machine that is busy with other tests.
                attempt: Duration::from_secs(20),
                pause: Duration::from_millis(20),
                ..Patience::default()
            },
        };
        Self {
            server,
            connector,
            minted,
        }
    }

    /// A connector that soon takes silence for an answer.
    pub(crate) fn hasty(&self) -> Connector {
        Connector {
            patience: Patience {
                attempt: Duration::from_millis(700),
                tries: 3,
                pause: Duration::from_millis(20),
                close: Duration::from_millis(500),
                farewell: Duration::from_millis(500),
            },
            ..self.connector.clone()
        }
    }

    pub(crate) async fn login(&self, phone: &str) -> Login {
        let (login, _) = Login::start(self.connector.clone(), phone)
            .await
            .expect("a code is sent");
        login
    }

    /// The keys logins were given, in that order.
    pub(crate) fn minted(&self) -> Vec<LoginKey> {
        self.minted
            .keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The key of the newest login.
    pub(crate) fn newest(&self) -> LoginKey {
        self.minted().pop().expect("a login began")
    }

    /// No key was ever used on two connections at once, and none is still.
    pub(crate) async fn tidy(&self) {
        for key in self.minted() {
            self.server.gone(&key).await;
            assert!(self.server.most_connections_of(&key) <= 1);
        }
    }
}

pub(crate) fn keys_of(key: &LoginKey) -> SessionKeys {
    SessionKeys {
        dc_id: key.dc_id,
        address: key.address,
        auth_key: AuthKey::parse(&key.auth_key).expect("256 bytes"),
        user_id: None,
    }
}

/// No test of a login takes longer, however busy the machine is.
pub(crate) async fn in_time<F: Future>(test: F) -> F::Output {
    tokio::time::timeout(Duration::from_mins(2), test)
        .await
        .expect("it ends in time")
}
