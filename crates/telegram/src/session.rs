//! What grammers keeps of a session, held in memory and pinned to one data centre.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::sync::{Mutex, MutexGuard, PoisonError};

use grammers_session::types::{DcOption, PeerId, PeerInfo, UpdateState, UpdatesState};
use grammers_session::{BoxFuture, Session};

use crate::keys::{AuthKey, SessionKeys};

/// One data centre at one address.
///
/// `help.getConfig` makes grammers rewrite the addresses of its session: this one takes nothing but
/// a first key. A second key means that the server did not know the first one (transport error 404)
/// and that grammers silently agreed on another, under which nobody is logged in: it is refused, which
/// ends the connection.
pub(crate) struct PinnedSession {
    dc_id: i32,
    address: SocketAddr,
    auth_key: Mutex<Option<AuthKey>>,
}

/// The server made grammers agree on another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session's key was replaced")]
pub(crate) struct KeyReplaced;

impl PinnedSession {
    /// `auth_key`: the one agreed on before; without it the first connection agrees on one.
    pub(crate) fn new(dc_id: i32, address: SocketAddr, auth_key: Option<AuthKey>) -> Self {
        Self {
            dc_id,
            address,
            auth_key: Mutex::new(auth_key),
        }
    }

    pub(crate) fn dc_id(&self) -> i32 {
        self.dc_id
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to seal; `None` before a key is agreed on.
    pub(crate) fn keys(&self, user_id: Option<i64>) -> Option<SessionKeys> {
        Some(SessionKeys {
            dc_id: self.dc_id,
            address: self.address,
            auth_key: self.key().clone()?,
            user_id,
        })
    }

    fn key(&self) -> MutexGuard<'_, Option<AuthKey>> {
        self.auth_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session for PinnedSession {
    type Error = KeyReplaced;

    fn home_dc_id(&self) -> Result<i32, KeyReplaced> {
        Ok(self.dc_id)
    }

    fn set_home_dc_id(&self, _: i32) -> BoxFuture<'_, Result<(), KeyReplaced>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn dc_option(&self, dc_id: i32) -> Result<Option<DcOption>, KeyReplaced> {
        if dc_id != self.dc_id {
            return Ok(None);
        }
        let (ipv4, ipv6) = match self.address {
            SocketAddr::V4(ipv4) => {
                let mapped = ipv4.ip().to_ipv6_mapped();
                (ipv4, SocketAddrV6::new(mapped, ipv4.port(), 0, 0))
            }
            SocketAddr::V6(ipv6) => (SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0), ipv6),
        };
        debug_assert_ne!(ipv6.ip(), &Ipv6Addr::UNSPECIFIED);
        let auth_key = self.key().as_ref().map(|key| *key.bytes());
        Ok(Some(DcOption {
            id: dc_id,
            ipv4,
            ipv6,
            auth_key,
        }))
    }

    fn set_dc_option(&self, option: &DcOption) -> BoxFuture<'_, Result<(), KeyReplaced>> {
        let mut taken = Ok(());
        if let (true, Some(offered)) = (option.id == self.dc_id, &option.auth_key) {
            let mut key = self.key();
            match key.as_ref() {
                Some(known) if known.bytes() != offered => taken = Err(KeyReplaced),
                Some(_) => {}
                None => *key = AuthKey::parse(offered).ok(),
            }
        }
        Box::pin(std::future::ready(taken))
    }

    fn peer(&self, _: PeerId) -> BoxFuture<'_, Result<Option<PeerInfo>, KeyReplaced>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn cache_peer(&self, _: PeerInfo) -> BoxFuture<'_, Result<(), KeyReplaced>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn updates_state(&self) -> BoxFuture<'_, Result<UpdatesState, KeyReplaced>> {
        Box::pin(std::future::ready(Ok(UpdatesState::default())))
    }

    fn set_update_state(&self, _: UpdateState) -> BoxFuture<'_, Result<(), KeyReplaced>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> SocketAddr {
        "127.0.0.1:4443".parse().unwrap()
    }

    fn option(id: i32, address: &str, key: Option<u8>) -> DcOption {
        let ipv4: SocketAddrV4 = address.parse().unwrap();
        DcOption {
            id,
            ipv4,
            ipv6: SocketAddrV6::new(ipv4.ip().to_ipv6_mapped(), ipv4.port(), 0, 0),
            auth_key: key.map(|byte| [byte; 256]),
        }
    }

    #[tokio::test]
    async fn addresses_a_server_hands_out_change_nothing() {
        let session = PinnedSession::new(2, here(), None);
        session
            .set_dc_option(&option(2, "10.0.0.1:9", None))
            .await
            .unwrap();
        session
            .set_dc_option(&option(4, "10.0.0.1:9", Some(1)))
            .await
            .unwrap();
        assert_eq!(
            session.dc_option(2).unwrap().unwrap(),
            option(2, "127.0.0.1:4443", None)
        );
        assert_eq!(session.dc_option(4).unwrap(), None);
        assert!(session.keys(None).is_none());
    }

    #[tokio::test]
    async fn a_first_key_is_kept_and_a_second_refused() {
        let session = PinnedSession::new(2, here(), None);
        session
            .set_dc_option(&option(2, "10.0.0.1:9", Some(7)))
            .await
            .unwrap();
        session
            .set_dc_option(&option(2, "10.0.0.1:9", Some(7)))
            .await
            .unwrap();
        let second = session.set_dc_option(&option(2, "10.0.0.1:9", Some(8))).await;
        assert_eq!(second, Err(KeyReplaced));
        let keys = session.keys(Some(5)).unwrap();
        assert_eq!((keys.dc_id, keys.address, keys.user_id), (2, here(), Some(5)));
        assert_eq!(keys.auth_key.bytes(), &[7; 256]);
    }

    #[tokio::test]
    async fn an_ipv6_address_is_offered_as_one() {
        let address: SocketAddr = "[2001:67c:4e8:f002::a]:443".parse().unwrap();
        let session = PinnedSession::new(2, address, None);
        let option = session.dc_option(2).unwrap().unwrap();
        assert_eq!(SocketAddr::V6(option.ipv6), address);
    }
}
