//! The outer door: is this request meant for us, and does it come from our own pages?
//!
//! A web page that points its own name at this machine (DNS rebinding) is stopped by its Host;
//! one that posts from elsewhere is stopped by its Origin. Neither reaches any handler.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use gleaner_app::ApiError;
use gleaner_domain::Code;

use crate::auth::Access;
use crate::error::HttpError;

/// The names under which this server may be asked, exact to the port.
#[derive(Debug, Clone)]
pub struct Hosts {
    /// Our own names: `127.0.0.1:8000`.
    own: Vec<String>,
    /// Names given by the owner, such as that of a proxy in front; these may be behind TLS.
    given: Vec<String>,
    /// Bound to every address: any IP literal with this port is ours. A name could be anybody's,
    /// an IP address cannot be rebound.
    any_ip: Option<u16>,
}

impl Hosts {
    /// Names of a server bound to `address`, and those the owner gave.
    pub fn of(address: SocketAddr, given: &[String]) -> Self {
        let port = address.port();
        let mut own = vec![address.to_string()];
        if address.ip().is_loopback() || address.ip().is_unspecified() {
            own.push(format!("localhost:{port}"));
        }
        if port == 80 {
            own.push(bare(address.ip()));
            own.push("localhost".to_owned());
        }
        Self {
            own,
            given: given.iter().map(|name| name.to_ascii_lowercase()).collect(),
            any_ip: address.ip().is_unspecified().then_some(port),
        }
    }

    fn admit(&self, host: &str) -> bool {
        let known = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case(host));
        known(&self.own) || known(&self.given) || self.any_ip.is_some_and(|port| is_ip_at(host, port))
    }

    /// Pages are ours when they come from the very host that is asked.
    fn own_origin(&self, origin: &str, host: &str) -> bool {
        let same = |scheme: &str| {
            origin
                .strip_prefix(scheme)
                .is_some_and(|authority| authority.eq_ignore_ascii_case(host))
        };
        same("http://") || (same("https://") && self.given.iter().any(|name| name.eq_ignore_ascii_case(host)))
    }
}

/// Refuses what is not meant for us, before anything else looks at it.
pub(crate) async fn check(State(access): State<Access>, request: Request, next: Next) -> Response {
    match refusal(&access, request.uri(), request.headers()) {
        Some(reason) => HttpError::from(ApiError::new(Code::Forbidden, reason)).into_response(),
        None => next.run(request).await,
    }
}

fn refusal(access: &Access, uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    let hosts = access.hosts();
    let Ok(Some(host)) = single(headers, &header::HOST) else {
        return Some("Exactly one Host header is needed");
    };
    if !hosts.admit(host)
        || uri
            .authority()
            .is_some_and(|a| !a.as_str().eq_ignore_ascii_case(host))
    {
        return Some("This server does not go by that Host");
    }
    match single(headers, &header::ORIGIN) {
        Ok(None) => None,
        Ok(Some(origin)) if hosts.own_origin(origin, host) => None,
        Ok(Some(origin)) if access.is_dev() && is_loopback_origin(origin) => None,
        _ => Some("Requests from that Origin are not honoured"),
    }
}

/// The one value of a header; an error when there are several or it is no plain text.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, ()> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    match (first, values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// A page on this machine, whatever its port: who develops a UI runs it there.
pub(crate) fn is_loopback_origin(origin: &str) -> bool {
    let Some(authority) = ["http://", "https://"]
        .iter()
        .find_map(|s| origin.strip_prefix(s))
    else {
        return false;
    };
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|host| match authority.strip_prefix(host) {
            Some("") => true,
            Some(rest) => rest.strip_prefix(':').is_some_and(is_port),
            None => false,
        })
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

fn is_ip_at(host: &str, port: u16) -> bool {
    // Browsers leave away the port that goes without saying.
    let whole = if port == 80 && host.parse::<SocketAddr>().is_err() {
        Cow::Owned(format!("{host}:80"))
    } else {
        Cow::Borrowed(host)
    };
    // Printed again, so that only the plain spelling passes.
    whole
        .parse::<SocketAddr>()
        .is_ok_and(|a| a.port() == port && a.to_string() == whole)
}

fn bare(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn hosts(address: &str) -> Hosts {
        Hosts::of(
            address.parse().expect(address),
            &["Archive.example.org".to_owned()],
        )
    }

    #[rstest]
    #[case("127.0.0.1:8000", "127.0.0.1:8000", true)]
    #[case("127.0.0.1:8000", "LocalHost:8000", true)]
    #[case("127.0.0.1:8000", "archive.example.org", true)]
    #[case("127.0.0.1:8000", "127.0.0.1", false)]
    #[case("127.0.0.1:8000", "127.0.0.1:80", false)]
    #[case("127.0.0.1:8000", "127.0.0.1:80000", false)]
    #[case("127.0.0.1:8000", "localhost.:8000", false)]
    #[case("127.0.0.1:8000", "evil.example:8000", false)]
    #[case("127.0.0.1:8000", "192.168.0.7:8000", false)]
    #[case("[::1]:8000", "[::1]:8000", true)]
    #[case("0.0.0.0:8000", "192.168.0.7:8000", true)]
    #[case("0.0.0.0:8000", "[fe80::1]:8000", true)]
    #[case("0.0.0.0:8000", "evil.example:8000", false)]
    #[case("0.0.0.0:8000", "192.168.0.7:08000", false)]
    #[case("127.0.0.1:80", "localhost", true)]
    #[case("0.0.0.0:80", "192.168.0.7", true)]
    #[case("0.0.0.0:80", "192.168.0.7:80", true)]
    #[case("0.0.0.0:80", "[fe80::1]", true)]
    #[case("0.0.0.0:80", "fe80::1", false)]
    #[case("0.0.0.0:80", "192.168.0.7:8000", false)]
    #[case("0.0.0.0:80", "192.168.0.07", false)]
    #[case("0.0.0.0:80", "evil.example", false)]
    #[case("0.0.0.0:8000", "192.168.0.7", false)]
    fn only_our_names_are_admitted(#[case] bound: &str, #[case] host: &str, #[case] admitted: bool) {
        assert_eq!(hosts(bound).admit(host), admitted, "{host}");
    }

    #[rstest]
    #[case("http://127.0.0.1:8000", "127.0.0.1:8000", true)]
    #[case("http://localhost:8000", "127.0.0.1:8000", false)]
    #[case("https://127.0.0.1:8000", "127.0.0.1:8000", false)]
    #[case("https://archive.example.org", "archive.example.org", true)]
    #[case("null", "127.0.0.1:8000", false)]
    #[case("http://127.0.0.1:8000.evil.example", "127.0.0.1:8000", false)]
    fn only_pages_of_the_host_that_is_asked_are_ours(
        #[case] origin: &str,
        #[case] host: &str,
        #[case] ours: bool,
    ) {
        assert_eq!(hosts("127.0.0.1:8000").own_origin(origin, host), ours);
    }

    #[rstest]
    #[case("http://localhost:5173", true)]
    #[case("https://127.0.0.1", true)]
    #[case("http://[::1]:3000", true)]
    #[case("http://localhost.evil.example", false)]
    #[case("http://localhost:", false)]
    #[case("http://localhost:99999", false)]
    #[case("http://127.0.0.1@evil.example", false)]
    #[case("file://localhost", false)]
    fn development_pages_live_on_this_machine(#[case] origin: &str, #[case] here: bool) {
        assert_eq!(is_loopback_origin(origin), here, "{origin}");
    }
}
