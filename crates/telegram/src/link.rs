//! One link: one pool of grammers with one connection, watched, bounded in time and rebuilt.

use std::sync::Arc;
use std::time::Duration;

use grammers_mtsender::{ConnectionParams, NoRetries, SenderPool, SenderPoolHandle};
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{self as tl, Deserializable as _, RemoteCall};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::connect::{Connector, LANGUAGE};
use crate::failure::{Failure, Unreachable};
use crate::keys::SessionKeys;
use crate::patience::Repeat;
use crate::session::PinnedSession;

/// A connection to the data centre of one login, made when first needed and again when lost.
///
/// There is at most one socket at any time: a pool is rebuilt only after the old one has ended.
/// Requests may run side by side. Dropping a link cuts it; [`Link::disconnect`] also waits.
pub struct Link {
    connector: Connector,
    session: Arc<PinnedSession>,
    state: Mutex<State>,
    stirred: Arc<Notify>,
}

#[derive(Default)]
struct State {
    pool: Option<Pool>,
    /// The end of the pool before; in a task, so that nobody who stops waiting leaves it half done.
    ending: Option<JoinHandle<()>>,
    /// How many pools there were.
    pools: u64,
    closed: bool,
}

struct Pool {
    handle: SenderPoolHandle,
    runner: JoinHandle<()>,
}

impl Link {
    pub(crate) fn new(connector: Connector, session: PinnedSession) -> Self {
        Self {
            connector,
            session: Arc::new(session),
            state: Mutex::default(),
            stirred: Arc::default(),
        }
    }

    /// Sends a request that may be repeated without harm, and waits for its answer for `limit` at the
    /// most, all tries, pauses and reconnects included. Flood waits come back at once.
    pub async fn invoke<R: RemoteCall>(&self, request: &R, limit: Duration) -> Result<R::Return, Failure> {
        self.send(request.to_bytes(), Repeat::Safe, limit)
            .await
            .and_then(|answer| read::<R>(&answer))
    }

    /// Sends a request once: after [`Failure::Unreachable`] it may or may not have arrived.
    pub async fn invoke_once<R: RemoteCall>(
        &self,
        request: &R,
        limit: Duration,
    ) -> Result<R::Return, Failure> {
        self.send(request.to_bytes(), Repeat::Never, limit)
            .await
            .and_then(|answer| read::<R>(&answer))
    }

    /// What to seal; `None` before a key is agreed on.
    pub fn keys(&self, user_id: Option<i64>) -> Option<SessionKeys> {
        self.session.keys(user_id)
    }

    /// The data centre at the other end.
    pub fn dc_id(&self) -> i32 {
        self.session.dc_id()
    }

    /// Closes the connection and returns when it is closed. Requests under way and later ones fail.
    pub async fn disconnect(&self) {
        let mut state = self.state.lock().await;
        state.closed = true;
        state.retire(self.connector.patience.close);
        state.settle().await;
    }

    /// Returns when Telegram has news about a login by QR code, or when the connection broke and news
    /// may have been missed.
    pub(crate) async fn stirred(&self) {
        self.stirred.notified().await;
    }

    async fn send(&self, body: Vec<u8>, repeat: Repeat, limit: Duration) -> Result<Vec<u8>, Failure> {
        let patience = self.connector.patience;
        patience
            .exhaust(repeat, limit, |within| self.attempt(body.clone(), within))
            .await
    }

    async fn attempt(&self, body: Vec<u8>, within: Duration) -> Result<Vec<u8>, Failure> {
        let end = Instant::now() + within;
        let pool = timeout_at(end, self.pool()).await;
        let (handle, number) = pool.map_err(|_| Unreachable::Timeout)??;
        let answer = timeout_at(end, handle.raw_invoke_in_dc(self.session.dc_id(), body)).await;
        if let Ok(answer) = answer {
            return answer.map_err(Failure::of);
        }
        // The pool may wait for a connection that never comes, or hold one that is dead and does not
        // know it. The next try gets a new one.
        let mut state = self.state.lock().await;
        if state.pools == number {
            state.retire(self.connector.patience.close);
        }
        Err(Unreachable::Timeout.into())
    }

    async fn pool(&self) -> Result<(SenderPoolHandle, u64), Failure> {
        let mut state = self.state.lock().await;
        if state.closed {
            return Err(Failure::Closed);
        }
        if state.pool.as_ref().is_some_and(|pool| pool.runner.is_finished()) {
            tracing::warn!("the connection's task ended by itself; making another");
            state.retire(Duration::ZERO);
        }
        state.settle().await;
        if let Some(pool) = &state.pool {
            return Ok((pool.handle.clone(), state.pools));
        }
        let pool = self.start().await?;
        let handle = pool.handle.clone();
        state.pools += 1;
        state.pool = Some(pool);
        Ok((handle, state.pools))
    }

    async fn start(&self) -> Result<Pool, Failure> {
        let Connector {
            api, device, proxy, ..
        } = &self.connector;
        let proxy_url = match proxy {
            None => None,
            Some(proxy) => Some(proxy.resolve().await.map_err(|_| Unreachable::Proxy)?.to_string()),
        };
        let SenderPool {
            runner,
            handle,
            mut updates,
        } = SenderPool::with_configuration(
            Arc::clone(&self.session),
            api.id,
            ConnectionParams {
                device_model: device.model.clone(),
                system_version: device.system.clone(),
                app_version: device.app_version.clone(),
                system_lang_code: LANGUAGE.to_owned(),
                lang_code: LANGUAGE.to_owned(),
                proxy_url,
                use_ipv6: self.session.address().is_ipv6(),
                retry_policy: Box::new(NoRetries),
                ..ConnectionParams::default()
            },
        );
        let stirred = Arc::clone(&self.stirred);
        let runner = tokio::spawn(async move {
            let mut run = std::pin::pin!(runner.run());
            loop {
                tokio::select! {
                    () = &mut run => return,
                    Some(update) = updates.recv() => if stirs(&update) {
                        stirred.notify_one();
                    },
                }
            }
        });
        Ok(Pool {
            handle: handle.thin,
            runner,
        })
    }
}

impl State {
    /// Starts to end the pool, where there is one.
    fn retire(&mut self, patience: Duration) {
        if let Some(pool) = self.pool.take() {
            self.ending = Some(tokio::spawn(pool.end(patience)));
        }
    }

    /// Waits until the pool before has ended.
    async fn settle(&mut self) {
        if let Some(ending) = &mut self.ending {
            // It has no way to fail, short of the runtime's end.
            let _ = ending.await;
            self.ending = None;
        }
    }
}

impl Pool {
    async fn end(mut self, patience: Duration) {
        self.handle.quit();
        let mut ended = timeout(patience, &mut self.runner).await;
        if ended.is_err() {
            // It waits for a connection that does not come: there is nothing to close.
            self.runner.abort();
            ended = Ok((&mut self.runner).await);
        }
        if let Ok(Err(error)) = ended
            && error.is_panic()
        {
            tracing::warn!("the connection's task broke on what Telegram sent");
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.runner.abort();
    }
}

fn read<R: RemoteCall>(answer: &[u8]) -> Result<R::Return, Failure> {
    R::Return::from_bytes(answer).map_err(|_| Failure::NotUnderstood)
}

fn stirs(update: &UpdatesLike) -> bool {
    let is_token = |update: &tl::enums::Update| matches!(update, tl::enums::Update::LoginToken);
    match update {
        UpdatesLike::ConnectionClosed => true,
        UpdatesLike::Updates(tl::enums::Updates::UpdateShort(short)) => is_token(&short.update),
        UpdatesLike::Updates(tl::enums::Updates::Updates(several)) => several.updates.iter().any(is_token),
        UpdatesLike::Updates(tl::enums::Updates::Combined(several)) => several.updates.iter().any(is_token),
        _ => false,
    }
}
