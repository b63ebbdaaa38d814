//! One question under a key that exists, on a connection of its own that never agrees on another key.
//!
//! grammers' pool answers "I do not know this key" (transport error 404) with a new key, silently; its
//! single connection reports it.

use std::time::Duration;

use grammers_mtproto::transport::Full;
use grammers_mtsender::{InvocationError, ServerAddr, connect_with_auth};
use grammers_tl_types::RemoteCall;
use tokio::time::timeout;

use crate::connect::Connector;
use crate::failure::{Failure, Unreachable};
use crate::keys::SessionKeys;
use crate::patience::Repeat;

/// Asks, with all the tries the connector allows; each on a new connection, after the last is closed.
pub(crate) async fn ask<R>(
    connector: &Connector,
    keys: &SessionKeys,
    request: R,
) -> Result<R::Return, Failure>
where
    R: RemoteCall + Clone + Send + Sync + 'static,
    R::Return: Send + 'static,
{
    let patience = connector.patience;
    patience
        .exhaust(Repeat::Safe, patience.total(), |within| {
            once(connector.clone(), keys.clone(), request.clone(), within)
        })
        .await
}

async fn once<R>(
    connector: Connector,
    keys: SessionKeys,
    request: R,
    within: Duration,
) -> Result<R::Return, Failure>
where
    R: RemoteCall + Send + Sync + 'static,
    R::Return: Send + 'static,
{
    // In a task: some bytes a server may send make grammers panic.
    let mut asking = tokio::spawn(timeout(within, async move {
        let address = keys.address;
        let server = match &connector.proxy {
            None => ServerAddr::Tcp { address },
            Some(proxy) => ServerAddr::Proxied {
                address,
                proxy: proxy.resolve().await.map_err(|_| Unreachable::Proxy)?.to_string(),
            },
        };
        let connection = connect_with_auth(Full::new(), server, *keys.auth_key.bytes()).await;
        let mut connection = connection.map_err(|error| Failure::of(InvocationError::Io(error)))?;
        let answer = connection.invoke(&connector.introduce(request)).await;
        // The answer counts, not how the connection took its leave.
        let _ = connection.disconnect().await;
        answer.map_err(Failure::of)
    }));
    let cut = Cut(asking.abort_handle());
    let outcome = (&mut asking).await;
    drop(cut);
    match outcome {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(Unreachable::Timeout.into()),
        Err(_) => Err(Failure::NotUnderstood),
    }
}

/// Ends the task when nobody waits for it any more.
struct Cut(tokio::task::AbortHandle);

impl Drop for Cut {
    fn drop(&mut self) {
        self.0.abort();
    }
}
