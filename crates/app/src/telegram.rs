//! As whom Telegram is asked, and through what: API id and hash, the proxy.

use gleaner_domain::Code;
use gleaner_telegram::{Api, Connector, Device, Patience, Proxy};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::view::{EditProxy, EditTelegram, ProxyRow, Tag, TelegramSettings};
use crate::{ApiError, ApiResult, App};

const TELEGRAM: &str = "telegram";
const API_HASH: &str = "telegram.api_hash";
const PROXY_PASSWORD: &str = "telegram.proxy_password";

/// What of it is no secret.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Known {
    api_id: Option<i32>,
    proxy: Option<KnownProxy>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct KnownProxy {
    host: String,
    port: u16,
    username: Option<String>,
}

impl App {
    /// With what logins are made; secrets are never shown.
    pub async fn telegram_settings(&self) -> ApiResult<TelegramSettings> {
        let known = self.known_telegram().await?;
        let is_set = async |name| Ok::<_, ApiError>(self.0.store.sealed_setting(name).await?.is_some());
        let password_set = is_set(PROXY_PASSWORD).await?;
        Ok(TelegramSettings {
            api_id: known.api_id,
            api_hash_set: is_set(API_HASH).await?,
            proxy: known.proxy.map(|proxy| ProxyRow {
                host: proxy.host,
                port: proxy.port,
                username: proxy.username,
                password_set,
            }),
        })
    }

    /// Changes with what logins are made; what is absent stays.
    pub async fn edit_telegram_settings(&self, edit: EditTelegram) -> ApiResult<TelegramSettings> {
        self.open_for_writing()?;
        let mut known = self.known_telegram().await?;
        let api_id = edit.api_id.map(checked_id).transpose()?;
        let hash = edit.api_hash.as_deref().map(checked_hash).transpose()?;
        let proxy = edit.proxy.map(checked_proxy).transpose()?;
        if let Some(hash) = hash {
            self.keep_secret(API_HASH, Some(&hash)).await?;
        }
        known.api_id = api_id.or(known.api_id);
        match proxy {
            Some(Some((proxy, password))) => {
                let same = known
                    .proxy
                    .as_ref()
                    .is_some_and(|old| old.username == proxy.username);
                match password {
                    Some(password) => self.keep_secret(PROXY_PASSWORD, Some(&password)).await?,
                    // A password belongs to its name.
                    None if !same => self.keep_secret(PROXY_PASSWORD, None).await?,
                    None => {}
                }
                known.proxy = Some(proxy);
            }
            Some(None) => {
                self.keep_secret(PROXY_PASSWORD, None).await?;
                known.proxy = None;
            }
            None => {}
        }
        self.0.store.set_setting(TELEGRAM, &known).await?;
        self.changed(Tag::Settings, None, None).await;
        self.telegram_settings().await
    }

    /// All it takes to ask Telegram something.
    pub(crate) async fn connector(&self) -> ApiResult<Connector> {
        let known = self.known_telegram().await?;
        let hash = self.secret(API_HASH).await?;
        let api = match (known.api_id, hash) {
            (Some(id), Some(hash)) => Api { id, hash },
            _ => self
                .0
                .config
                .default_api
                .clone()
                .ok_or_else(|| ApiError::new(Code::ApiNotSet, "Telegram API id and hash are not set"))?,
        };
        let proxy = match known.proxy {
            Some(proxy) => Some(assembled(&proxy, self.secret(PROXY_PASSWORD).await?.as_ref())?),
            None => None,
        };
        Ok(Connector {
            api,
            device: Device {
                model: format!("Gleaner on {}", std::env::consts::OS),
                system: std::env::consts::OS.to_owned(),
                app_version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            proxy,
            centres: self.0.config.centres.clone(),
            patience: Patience::default(),
        })
    }

    async fn known_telegram(&self) -> ApiResult<Known> {
        Ok(self.0.store.setting(TELEGRAM).await?.unwrap_or_default())
    }

    async fn secret(&self, name: &str) -> ApiResult<Option<SecretString>> {
        let Some(sealed) = self.0.store.sealed_setting(name).await? else {
            return Ok(None);
        };
        let opened = self.open_sealed(&setting_binding(name), &sealed).await?;
        let text = std::str::from_utf8(opened.expose_secret())
            .map_err(|_| ApiError::new(Code::Database, "A sealed setting cannot be read"))?;
        Ok(Some(SecretString::from(text)))
    }

    async fn keep_secret(&self, name: &str, secret: Option<&SecretString>) -> ApiResult<()> {
        let sealed = match secret {
            Some(secret) => {
                let plain = secret.expose_secret().as_bytes();
                Some(self.seal(&setting_binding(name), plain).await?)
            }
            None => None,
        };
        Ok(self.0.store.set_sealed_setting(name, sealed.as_ref()).await?)
    }
}

/// What a sealed setting is bound to.
pub(crate) fn setting_binding(name: &str) -> String {
    format!("settings/{name}")
}

fn checked_id(id: i32) -> ApiResult<i32> {
    if id > 0 {
        Ok(id)
    } else {
        Err(ApiError::field(
            "api_id",
            "is a number above 0, as my.telegram.org shows it",
        ))
    }
}

fn checked_hash(hash: &str) -> ApiResult<SecretString> {
    let hash = hash.trim();
    if hash.len() == 32 && hash.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(SecretString::from(hash))
    } else {
        Err(ApiError::field(
            "api_hash",
            "is 32 characters from 0-9 and a-f, as my.telegram.org shows it",
        ))
    }
}

/// `None` for no proxy; else the proxy, and its password where one was given.
fn checked_proxy(edit: EditProxy) -> ApiResult<Option<(KnownProxy, Option<SecretString>)>> {
    let host = edit.host.trim().to_owned();
    if host.is_empty() {
        return Ok(None);
    }
    if edit.port == 0 {
        return Err(ApiError::field("proxy.port", "is a number from 1 to 65535"));
    }
    let username = edit.username.filter(|name| !name.is_empty());
    let proxy = KnownProxy {
        host,
        port: edit.port,
        username,
    };
    let password = edit
        .password
        .filter(|word| !word.is_empty())
        .map(SecretString::from);
    assembled(&proxy, password.as_ref())?;
    Ok(Some((proxy, password)))
}

fn assembled(proxy: &KnownProxy, password: Option<&SecretString>) -> ApiResult<Proxy> {
    let user = proxy.username.as_deref().map(|name| (name, password));
    Proxy::new(&proxy.host, proxy.port, user).map_err(|error| ApiError::field("proxy", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(
        host: &str,
        username: &str,
        password: &str,
    ) -> ApiResult<Option<(KnownProxy, Option<SecretString>)>> {
        checked_proxy(EditProxy {
            host: host.to_owned(),
            port: 1080,
            username: Some(username.to_owned()),
            password: Some(password.to_owned()),
        })
    }

    #[test]
    fn nothing_typed_can_make_another_address_of_a_proxy() {
        assert!(proxy("proxy.example.org", "ann", "pier-7!").is_ok());
        assert!(proxy("[::1]", "", "").is_ok());
        for (host, username, password) in [
            ("a/b", "", ""),
            ("a@b", "", ""),
            ("host", "ann", "123/x"),
            ("host", "ann", "x@y"),
            ("host", "a:b", "x"),
            ("host", "ann", "#"),
        ] {
            assert!(proxy(host, username, password).is_err(), "{host} {username}");
        }
    }
}
