//! The proxy on the way to Telegram: SOCKS5, the only kind grammers speaks.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::lookup_host;
use url::Url;
use zeroize::Zeroizing;

/// A SOCKS5 proxy, with a name and a password where it wants them.
#[derive(Clone)]
pub struct Proxy {
    host: String,
    port: u16,
    user: Option<(String, SecretString)>,
}

/// Why a text is no proxy. Says nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Not an address at all.
    #[error("a proxy is written as socks5://host:port or socks5://user:password@host:port")]
    NotAnAddress,
    /// An HTTP proxy, a SOCKS4 proxy, an MTProto proxy.
    #[error("only SOCKS5 proxies can be used for Telegram")]
    NotSocks5,
    /// No host.
    #[error("the proxy's address has no host")]
    NoHost,
    /// No port.
    #[error("the proxy's address has no port")]
    NoPort,
    /// grammers passes user and password on as they stand in its address, where many characters
    /// cannot stand.
    #[error("the proxy's user name and password may hold only letters, digits and -._~!$&'()*+,")]
    Credentials,
}

impl Proxy {
    /// A proxy from its parts. `user` is a name, with a password where it has one.
    pub fn new(
        host: &str,
        port: u16,
        user: Option<(&str, Option<&SecretString>)>,
    ) -> Result<Self, ProxyError> {
        let host = host.trim();
        if host.is_empty() {
            return Err(ProxyError::NoHost);
        }
        // Anything else would make another address of it.
        if !host.chars().all(|c| c.is_alphanumeric() || "-.:[]".contains(c)) {
            return Err(ProxyError::NotAnAddress);
        }
        if port == 0 {
            return Err(ProxyError::NoPort);
        }
        let user = match user {
            Some((name, password)) => {
                let password = password.cloned().unwrap_or_default();
                if name.is_empty() || !plain(name) || !plain(password.expose_secret()) {
                    return Err(ProxyError::Credentials);
                }
                Some((name.to_owned(), password))
            }
            None => None,
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            user,
        })
    }

    /// Reads `socks5://user:password@host:port`.
    pub fn parse(text: &SecretString) -> Result<Self, ProxyError> {
        let url = Url::parse(text.expose_secret().trim()).map_err(|_| ProxyError::NotAnAddress)?;
        if url.scheme() != "socks5" {
            // `host:port` alone reads as an address with the scheme `host`.
            return Err(if url.has_host() {
                ProxyError::NotSocks5
            } else {
                ProxyError::NotAnAddress
            });
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(ProxyError::NoHost)?.to_owned();
        let port = url.port().ok_or(ProxyError::NoPort)?;
        let (name, password) = (url.username(), url.password().map(SecretString::from));
        let user = match (name, password) {
            ("", None) => None,
            (name, password) => Some((name.to_owned(), password)),
        };
        let user = user
            .as_ref()
            .map(|(name, password)| (name.as_str(), password.as_ref()));
        Self::new(&host, port, user)
    }

    /// The address grammers takes, with the host's name looked up by the system: grammers' own
    /// resolver panics where there is no `resolv.conf`.
    pub(crate) async fn resolve(&self) -> std::io::Result<Zeroizing<String>> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let address = lookup_host((host, self.port)).await?.next();
        let address = address.ok_or(std::io::ErrorKind::NotFound)?;
        Ok(Zeroizing::new(match &self.user {
            Some((name, password)) => format!("socks5://{name}:{}@{address}", password.expose_secret()),
            None => format!("socks5://{address}"),
        }))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy(socks5://{}:{})", self.host, self.port)
    }
}

fn plain(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,".contains(&b))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn parse(text: &str) -> Result<Proxy, ProxyError> {
        Proxy::parse(&SecretString::from(text))
    }

    #[rstest]
    #[case("", ProxyError::NotAnAddress)]
    #[case("127.0.0.1:1080", ProxyError::NotAnAddress)]
    #[case("localhost:1080", ProxyError::NotAnAddress)]
    #[case("http://127.0.0.1:8080", ProxyError::NotSocks5)]
    #[case("socks4://127.0.0.1:8080", ProxyError::NotSocks5)]
    #[case("socks5://127.0.0.1", ProxyError::NoPort)]
    #[case("socks5://user:p%40ss@127.0.0.1:1", ProxyError::Credentials)]
    #[case("socks5://:pass@127.0.0.1:1", ProxyError::Credentials)]
    fn what_cannot_be_used_is_refused(#[case] text: &str, #[case] error: ProxyError) {
        assert_eq!(parse(text).unwrap_err(), error);
    }

    #[rstest]
    #[case("socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080")]
    #[case("socks5://me:secret@[::1]:1080", "socks5://me:secret@[::1]:1080")]
    #[tokio::test]
    async fn grammers_gets_an_address_without_a_name_to_look_up(#[case] text: &str, #[case] url: &str) {
        assert_eq!(parse(text).unwrap().resolve().await.unwrap().as_str(), url);
    }

    #[test]
    fn debug_shows_no_password() {
        let shown = format!("{:?}", parse("socks5://me:secret@127.0.0.1:1080").unwrap());
        assert_eq!(shown, "Proxy(socks5://127.0.0.1:1080)");
    }
}
