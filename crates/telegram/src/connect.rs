//! How Telegram is reached: as whom, from where, through what.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use futures::future::BoxFuture;
use grammers_tl_types as tl;
use secrecy::SecretString;

use crate::data_centres;
use crate::failure::{Failure, Unreachable};
use crate::keys::{AuthKey, SessionKeys};
use crate::link::Link;
use crate::patience::Patience;
use crate::proxy::Proxy;
use crate::session::PinnedSession;

/// All it takes to open links. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connector {
    /// The application that asks.
    pub api: Api,
    /// The machine it says it runs on.
    pub device: Device,
    /// The way round a closed network; `None` goes straight.
    pub proxy: Option<Proxy>,
    /// Where new logins start and move to.
    pub centres: Arc<dyn DataCentres>,
    /// Bounds on every request.
    pub patience: Patience,
}

/// An application registered at <https://my.telegram.org>.
#[derive(Debug, Clone)]
pub struct Api {
    /// `api_id`.
    pub id: i32,
    /// `api_hash`.
    pub hash: SecretString,
}

/// What the account's list of devices shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// `device_model`.
    pub model: String,
    /// `system_version`.
    pub system: String,
    /// `app_version`.
    pub app_version: String,
}

/// Where data centres are, for logins that begin. A login that is kept carries its own address.
pub trait DataCentres: fmt::Debug + Send + Sync {
    /// Where a login starts that does not know its data centre yet.
    fn first(&self) -> i32;

    /// Where a data centre is; `None` for one that does not exist. Asked once for each login and
    /// each move of one.
    fn find(&self, dc_id: i32) -> BoxFuture<'_, Option<Centre>>;
}

/// One data centre, for one new login.
#[derive(Debug, Clone)]
pub struct Centre {
    /// Where it listens.
    pub address: SocketAddr,
    /// A key it knows already. Without one, a key is agreed on by Diffie and Hellman's method, which
    /// only Telegram's own servers can take part in.
    pub auth_key: Option<AuthKey>,
}

/// Telegram's own data centres, from number 2 on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Production;

impl DataCentres for Production {
    fn first(&self) -> i32 {
        2
    }

    fn find(&self, dc_id: i32) -> BoxFuture<'_, Option<Centre>> {
        let centre = data_centres::address(dc_id, false, false).map(|address| Centre {
            address,
            auth_key: None,
        });
        Box::pin(std::future::ready(centre))
    }
}

impl Connector {
    /// A link under the key of a login that exists. Nothing is sent before the first request.
    ///
    /// Never open a second one of the same key: Telegram destroys keys that are used twice at once.
    /// Whoever uses a key holds its lease.
    pub fn link(&self, keys: &SessionKeys) -> Link {
        let key = Some(keys.auth_key.clone());
        Link::new(self.clone(), PinnedSession::new(keys.dc_id, keys.address, key))
    }

    /// A link for a login that begins in this data centre.
    pub(crate) async fn link_to(&self, dc_id: i32) -> Result<Link, Failure> {
        let centre = self.centres.find(dc_id).await;
        let Centre { address, auth_key } = centre.ok_or(Unreachable::DataCentre(dc_id))?;
        Ok(Link::new(
            self.clone(),
            PinnedSession::new(dc_id, address, auth_key),
        ))
    }

    /// What every connection starts with.
    pub(crate) fn introduce<R>(
        &self,
        query: R,
    ) -> tl::functions::InvokeWithLayer<tl::functions::InitConnection<R>> {
        tl::functions::InvokeWithLayer {
            layer: tl::LAYER,
            query: tl::functions::InitConnection {
                api_id: self.api.id,
                device_model: self.device.model.clone(),
                system_version: self.device.system.clone(),
                app_version: self.device.app_version.clone(),
                system_lang_code: LANGUAGE.to_owned(),
                lang_pack: String::new(),
                lang_code: LANGUAGE.to_owned(),
                proxy: None,
                params: None,
                query,
            },
        }
    }
}

/// Telegram's own messages, such as the one with the code, come in this language.
pub(crate) const LANGUAGE: &str = "en";
