//! A simulated Telegram: MTProto data centres on loopback, with faults on demand.
//!
//! Clients come with a pre-shared key ([`TelegramServer::new_key`]) instead of agreeing on one, and
//! find the demo's accounts ([`demo_accounts`]) and the channels of a [`World`](crate::World). Dates
//! and lifetimes follow the world's clock; message ids follow the machine's, as clients expect.
//! Absent: key exchange (such a connection is closed), obfuscation, uploads.

mod accounts;
mod answer;
mod channels;
mod connection;
pub(crate) mod control;
mod dispatch;
mod envelope;
mod faults;
mod journal;
mod keys;
mod login;
mod messages;
mod network;
mod password;
mod qr;
mod request;
mod service;
mod transport;
mod users;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub use accounts::{Account, demo_accounts};
pub use faults::{Mishap, TelegramFault, TelegramFaults};
pub use journal::Call;
pub use keys::{KeyStanding, LoginKey};
pub use login::CodeWay;
pub use qr::AcceptError;

use crate::WorldHandle;
use answer::{RpcError, refuse};
use keys::Login;

/// How the simulated Telegram is started.
#[derive(Debug, Clone)]
pub struct TelegramOptions {
    /// Data centres there are; the first is where new clients begin.
    pub dc_ids: Vec<i32>,
    /// Port of the first; 0 takes a free one. The others always take free ones.
    pub port: u16,
    /// Who has an account.
    pub accounts: Vec<Account>,
    /// The only application that may log in (`API_ID_INVALID` to others); any when `None`.
    pub api: Option<(i32, String)>,
    /// Seconds a login code is good for.
    pub code_ttl_s: i64,
    /// Seconds after which a code may be sent another way.
    pub resend_after_s: i32,
    /// Seconds a QR code is good for.
    pub login_token_ttl_s: i64,
    /// Long answers go out compressed.
    pub gzip: bool,
}

impl Default for TelegramOptions {
    fn default() -> Self {
        Self {
            dc_ids: vec![2, 4],
            port: 0,
            accounts: demo_accounts(),
            api: None,
            code_ttl_s: 300,
            resend_after_s: 60,
            login_token_ttl_s: 30,
            gzip: true,
        }
    }
}

impl TelegramOptions {
    fn check_api(&self, id: i32, hash: &str) -> Result<(), RpcError> {
        let is_known = match &self.api {
            Some((known, secret)) => id == *known && hash == secret,
            None => id > 0 && !hash.is_empty(),
        };
        is_known
            .then_some(())
            .ok_or_else(|| refuse(400, "API_ID_INVALID"))
    }
}

/// A running Telegram. Dropping it ends it at once, connections included.
#[derive(Debug)]
pub struct TelegramServer {
    shared: Arc<Shared>,
    listeners: Vec<JoinHandle<()>>,
}

/// What connections share.
pub(crate) struct Shared {
    world: WorldHandle,
    options: TelegramOptions,
    addresses: BTreeMap<i32, SocketAddr>,
    faults: TelegramFaults,
    journal: journal::Journal,
    state: Mutex<State>,
    /// Told when a connection ends.
    connected: watch::Sender<usize>,
}

/// What changes while it runs.
#[derive(Default)]
struct State {
    keys: keys::Keys,
    accounts: accounts::Accounts,
    codes: login::SentCodes,
    code_way: CodeWay,
    puzzles: HashMap<i64, password::Puzzle>,
    tokens: qr::Tokens,
    /// Accepted tokens on their way to the data centre of their account.
    arrivals: login::Exports,
    exports: login::Exports,
    connections: connection::Connections,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telegram")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Unix seconds by the world's clock.
    fn now(&self) -> i64 {
        self.world.read().now().timestamp()
    }

    fn has_dc(&self, dc_id: i32) -> bool {
        self.addresses.contains_key(&dc_id)
    }

    fn home_dc(&self) -> i32 {
        self.options.dc_ids.first().copied().unwrap_or(2)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in a test that held the lock is that test's failure, not everybody's.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn login_key(&self, dc_id: i32, login: Login) -> Option<LoginKey> {
        let address = *self.addresses.get(&dc_id)?;
        let auth_key = self.state().keys.mint(dc_id, login);
        Some(LoginKey {
            dc_id,
            address,
            auth_key,
        })
    }
}

impl TelegramServer {
    /// Data centres 2 and 4 on free ports, with the demo's accounts.
    pub async fn start(world: WorldHandle) -> Self {
        Self::start_with(world, TelegramOptions::default())
            .await
            .expect("loopback has free ports")
    }

    /// As `options` say; fails when the port is taken.
    pub async fn start_with(world: WorldHandle, options: TelegramOptions) -> io::Result<Self> {
        let mut bound = Vec::new();
        let mut port = options.port;
        for dc_id in &options.dc_ids {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            bound.push((*dc_id, listener.local_addr()?, listener));
            port = 0;
        }
        let shared = Arc::new(Shared {
            world,
            addresses: bound
                .iter()
                .map(|(dc_id, address, _)| (*dc_id, *address))
                .collect(),
            faults: TelegramFaults::default(),
            journal: journal::Journal::default(),
            state: Mutex::new(State {
                accounts: accounts::Accounts::new(options.accounts.clone()),
                ..State::default()
            }),
            connected: watch::Sender::new(0),
            options,
        });
        let listeners = bound
            .into_iter()
            .map(|(dc_id, _, listener)| tokio::spawn(accept(shared.clone(), dc_id, listener)))
            .collect();
        Ok(Self { shared, listeners })
    }

    /// Where a data centre listens.
    pub fn address(&self, dc_id: i32) -> SocketAddr {
        let address = self.shared.addresses.get(&dc_id);
        *address.unwrap_or_else(|| panic!("there is no data centre {dc_id}"))
    }

    /// All data centres and where they listen.
    pub fn addresses(&self) -> &BTreeMap<i32, SocketAddr> {
        &self.shared.addresses
    }

    /// A fresh key for a data centre, logged in to nothing.
    pub fn new_key(&self, dc_id: i32) -> LoginKey {
        let key = self.shared.login_key(dc_id, Login::Nobody);
        key.unwrap_or_else(|| panic!("there is no data centre {dc_id}"))
    }

    /// A fresh key for the home of an account, logged in to it: what session files hold.
    pub fn logged_in_key(&self, phone: &str) -> LoginKey {
        let (user, home) = self.account(phone);
        let key = self.shared.login_key(home, Login::User(user));
        key.unwrap_or_else(|| panic!("there is no data centre {home}"))
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// The account a key is logged in to.
    pub fn user_of(&self, key: &LoginKey) -> Option<i64> {
        let state = self.shared.state();
        state.keys.get(key.id())?.user().ok()
    }

    /// Changes what is said about a key from now on; open connections stay.
    pub fn set_standing(&self, key: &LoginKey, standing: KeyStanding) {
        self.shared.state().keys.set_standing(key.id(), standing);
    }

    /// The same for every key that is logged in to an account, as when its owner ends all sessions.
    pub fn set_standing_of(&self, phone: &str, standing: KeyStanding) {
        let (user, _) = self.account(phone);
        self.shared.state().keys.set_standing_of(user, standing);
    }

    /// Messages with a key's old salt are refused from now on (`bad_server_salt`).
    pub fn change_salt(&self, key: &LoginKey) {
        self.shared.state().keys.change_salt(key.id());
    }

    /// Another device of the account scans a QR code. The token is what follows
    /// `tg://login?token=`, decoded.
    pub fn accept_login(&self, token: &[u8], phone: &str) -> Result<(), AcceptError> {
        self.shared.accept(token, phone)
    }

    /// Another device of the account scans the newest QR code; false when none is shown.
    pub fn accept_newest_login(&self, phone: &str) -> Result<bool, AcceptError> {
        match qr::newest(&self.shared) {
            Some(token) => self.shared.accept(&token, phone).map(|()| true),
            None => Ok(false),
        }
    }

    /// Adds an account, in place of one with the same phone.
    pub fn put_account(&self, account: Account) {
        self.shared.state().accounts.put(account);
    }

    /// How codes travel from now on; by the app unless said.
    pub fn send_codes_by(&self, way: CodeWay) {
        self.shared.state().code_way = way;
    }

    /// Every login code and QR code under way has expired.
    pub fn expire_logins(&self) {
        self.shared.expire_logins();
    }

    /// The switch of its faults.
    pub fn faults(&self) -> &TelegramFaults {
        &self.shared.faults
    }

    /// Every call since the start, in order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.journal.calls()
    }

    /// How often a method such as `auth.sendCode` was called.
    pub fn count(&self, method: &str) -> usize {
        self.shared.journal.count(method)
    }

    /// Waits until a method was called so often since the start.
    pub async fn called(&self, method: &str, times: usize) {
        self.shared.journal.until(method, times).await;
    }

    /// Forgets the calls so far.
    pub fn reset_calls(&self) {
        self.shared.journal.reset();
    }

    /// Connections open now, of all clients.
    pub fn open_connections(&self) -> usize {
        self.shared.state().connections.open()
    }

    /// Connections open now with this key.
    pub fn connections_of(&self, key: &LoginKey) -> usize {
        self.shared.state().connections.of_key(key.id())
    }

    /// Most connections open with this key at one moment; at most one is good manners.
    pub fn most_connections_of(&self, key: &LoginKey) -> usize {
        self.shared.state().connections.most_of_key(key.id())
    }

    /// Waits until no connection is open with this key.
    pub async fn gone(&self, key: &LoginKey) {
        let mut connected = self.shared.connected.subscribe();
        while self.connections_of(key) > 0 {
            if connected.changed().await.is_err() {
                return;
            }
        }
    }

    /// Closes every connection; clients may come again.
    pub fn drop_connections(&self) {
        self.shared.state().connections.end(None);
    }

    /// Serves until the process ends.
    pub async fn forever(mut self) {
        for listener in &mut self.listeners {
            let _ = listener.await;
        }
    }

    fn account(&self, phone: &str) -> (i64, i32) {
        let found = self.shared.find(phone);
        found.unwrap_or_else(|| panic!("nobody has the phone {phone}"))
    }
}

impl Shared {
    /// Number and home of who has this phone.
    fn find(&self, phone: &str) -> Option<(i64, i32)> {
        let digits = accounts::digits(phone)?;
        let state = self.state();
        let account = state.accounts.by_phone(&digits)?;
        Some((account.user_id, account.home_dc))
    }

    fn accept(&self, token: &[u8], phone: &str) -> Result<(), AcceptError> {
        let (user, _) = self.find(phone).ok_or(AcceptError::NoAccount)?;
        qr::accept(self, token, user)
    }

    fn expire_logins(&self) {
        let mut state = self.state();
        for code in state.codes.values_mut() {
            code.expires = 0;
        }
        for token in state.tokens.values_mut() {
            token.expires = 0;
        }
    }
}

impl Drop for TelegramServer {
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.abort();
        }
    }
}

async fn accept(shared: Arc<Shared>, dc_id: i32, listener: TcpListener) {
    // Connections live and die with this set.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection::serve(shared.clone(), stream, dc_id));
                }
                Err(error) => {
                    tracing::debug!(%error, "accept failed");
                    tokio::task::yield_now().await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
