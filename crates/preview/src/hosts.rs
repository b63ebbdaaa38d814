//! Which hosts may be asked for files. A page is written by strangers: without this list an
//! address in it could make us call any machine in reach.

use url::{Host, Url};

/// Telegram's own hosts and those of its CDN, with all their subdomains.
const TELEGRAM: [&str; 6] = [
    "telegram.org",
    "telesco.pe",
    "telegram-cdn.org",
    "cdn-telegram.org",
    "t.me",
    "telegram.me",
];

/// Whether a file may be fetched from `url`: over https from Telegram, or in whatever way
/// the pages themselves are read from `base`.
pub(crate) fn may_fetch(url: &Url, base: &Url) -> bool {
    url.username().is_empty() && url.password().is_none() && (same_origin(url, base) || is_telegram(url))
}

/// Whether the server of `url` also serves pages, here or for everybody.
pub(crate) fn serves_pages(url: &Url, base: &Url) -> bool {
    same_origin(url, base)
        || url.host_str().is_some_and(|host| {
            ["t.me", "telegram.me"]
                .iter()
                .any(|known| is_at_or_below(host, known))
        })
}

/// Whether two addresses have scheme, host and port in common.
pub(crate) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}

fn is_telegram(url: &Url) -> bool {
    url.scheme() == "https"
        && url.port().is_none()
        && match url.host() {
            Some(Host::Domain(host)) => TELEGRAM.iter().any(|known| is_at_or_below(host, known)),
            _ => false,
        }
}

/// `cdn1.telesco.pe` is below `telesco.pe`, `eviltelesco.pe` is not.
pub(crate) fn is_at_or_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://cdn1.telesco.pe/file/a.jpg", true)]
    #[case("https://telegram.org/img/x.png", true)]
    #[case("https://CDN4.telegram-cdn.org/file/a.mp4?token=x", true)]
    #[case("http://127.0.0.1:8080/file/a.mp4", true)]
    #[case("http://127.0.0.1:8081/file/a.mp4", false)]
    #[case("http://127.0.0.1/file/a.mp4", false)]
    #[case("https://127.0.0.1:8080/file/a.mp4", false)]
    #[case("http://cdn1.telesco.pe/file/a.jpg", false)]
    #[case("https://cdn1.telesco.pe:8443/file/a.jpg", false)]
    #[case("https://eviltelesco.pe/a", false)]
    #[case("https://telesco.pe.evil.example/a", false)]
    #[case("https://user:pw@cdn1.telesco.pe/a", false)]
    #[case("http://169.254.169.254/latest/meta-data", false)]
    #[case("https://[::1]/a", false)]
    #[case("file:///etc/passwd", false)]
    #[case("data:text/plain,a", false)]
    fn files_come_from_telegram_or_from_the_pages_own_host(#[case] url: &str, #[case] allowed: bool) {
        let base = Url::parse("http://127.0.0.1:8080").expect("a base");
        assert_eq!(may_fetch(&Url::parse(url).expect(url), &base), allowed);
    }
}
