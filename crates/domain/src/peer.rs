//! What a person types to name a channel, parsed once into a closed type.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ChannelId;

/// The address of a channel. Nothing illegal passes [`PeerAddress::from_str`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PeerAddress {
    /// A public name, as typed, without `@`. Telegram ignores its case.
    Name(String),
    /// A numeric id; only a session can resolve it.
    Id(ChannelId),
    /// The hash of an invite link; only a session can use it.
    Invite(String),
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeerAddressError {
    /// Nothing was typed.
    #[error("enter a channel name such as @channel, a t.me link or a numeric id")]
    Empty,
    /// The link leads somewhere else.
    #[error("not a Telegram link: expected t.me/…")]
    ForeignLink,
    /// The name breaks Telegram's rules.
    #[error("not a channel name: 4 to 32 letters, digits or _, starting with a letter")]
    BadName,
    /// The number is no channel id.
    #[error("not a channel id")]
    BadId,
    /// The invite link has no usable hash.
    #[error("not an invite link")]
    BadInvite,
}

impl PeerAddress {
    /// The public name, if that is what it is.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Id(_) | Self::Invite(_) => None,
        }
    }

    /// A key equal for all spellings of one address: names ignore case.
    pub fn key(&self) -> String {
        self.to_string().to_lowercase()
    }
}

impl FromStr for PeerAddress {
    type Err = PeerAddressError;

    /// Accepts `@name`, `name`, `t.me/name[/12]`, `t.me/s/name`, `name.t.me`, `tg://resolve?domain=name`,
    /// `t.me/c/123[/4]`, `123`, `-100123`, `t.me/+hash`, `t.me/joinchat/hash`; with or without scheme.
    fn from_str(raw: &str) -> Result<Self, PeerAddressError> {
        let text = raw.trim();
        if text.is_empty() {
            return Err(PeerAddressError::Empty);
        }
        if let Some(name) = text.strip_prefix('@') {
            return parse_name(name);
        }
        if text.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit()) {
            return parse_id(text);
        }
        if let Some(query) = text.strip_prefix("tg://") {
            return parse_tg(query);
        }
        let without_scheme = ["https://", "http://"].iter().find_map(|s| {
            text.get(..s.len())
                .filter(|p| p.eq_ignore_ascii_case(s))
                .map(|_| &text[s.len()..])
        });
        let had_scheme = without_scheme.is_some();
        let link = without_scheme.unwrap_or(text);
        match link.split_once('/') {
            Some((host, path)) if is_telegram_host(host) => parse_path(path),
            None if had_scheme || link.contains('.') => parse_subdomain(link),
            Some((host, _)) if host.contains('.') && !had_scheme => parse_subdomain(host),
            Some((host, _)) if had_scheme => parse_subdomain(host),
            Some(_) => Err(PeerAddressError::BadName),
            None => parse_name(link),
        }
    }
}

fn is_telegram_host(host: &str) -> bool {
    [
        "t.me",
        "www.t.me",
        "telegram.me",
        "www.telegram.me",
        "telegram.dog",
    ]
    .iter()
    .any(|known| host.eq_ignore_ascii_case(known))
}

fn parse_path(path: &str) -> Result<PeerAddress, PeerAddressError> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut parts = path.split('/').filter(|p| !p.is_empty());
    match parts.next() {
        Some("s") => parse_name(parts.next().unwrap_or_default()),
        Some("c") => parse_id(parts.next().unwrap_or_default()),
        Some("joinchat") => parse_invite(parts.next().unwrap_or_default()),
        Some(first) => match first.strip_prefix('+') {
            Some(hash) => parse_invite(hash),
            None => parse_name(first),
        },
        None => Err(PeerAddressError::BadName),
    }
}

/// `name.t.me`, which Telegram serves beside `t.me/name`.
fn parse_subdomain(host: &str) -> Result<PeerAddress, PeerAddressError> {
    let lower = host.to_ascii_lowercase();
    let name = lower.strip_suffix(".t.me").ok_or(PeerAddressError::ForeignLink)?;
    parse_name(name)
}

fn parse_tg(rest: &str) -> Result<PeerAddress, PeerAddressError> {
    let query = rest.split_once('?').map(|(_, q)| q).unwrap_or_default();
    let value = |key: &str| {
        query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(k, _)| *k == key))
    };
    match (value("domain"), value("invite")) {
        (Some((_, name)), _) => parse_name(name),
        (None, Some((_, hash))) => parse_invite(hash),
        (None, None) => Err(PeerAddressError::ForeignLink),
    }
}

fn parse_name(name: &str) -> Result<PeerAddress, PeerAddressError> {
    let legal = (4..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    legal
        .then(|| PeerAddress::Name(name.to_owned()))
        .ok_or(PeerAddressError::BadName)
}

fn parse_id(digits: &str) -> Result<PeerAddress, PeerAddressError> {
    let raw: i64 = digits.parse().map_err(|_| PeerAddressError::BadId)?;
    ChannelId::parse(raw)
        .map(PeerAddress::Id)
        .ok_or(PeerAddressError::BadId)
}

fn parse_invite(hash: &str) -> Result<PeerAddress, PeerAddressError> {
    let legal = (8..=64).contains(&hash.len())
        && hash
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    legal
        .then(|| PeerAddress::Invite(hash.to_owned()))
        .ok_or(PeerAddressError::BadInvite)
}

impl fmt::Display for PeerAddress {
    /// The canonical spelling: `@name`, `123`, `https://t.me/+hash`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "@{name}"),
            Self::Id(id) => write!(f, "{id}"),
            Self::Invite(hash) => write!(f, "https://t.me/+{hash}"),
        }
    }
}

impl TryFrom<String> for PeerAddress {
    type Error = PeerAddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PeerAddress> for String {
    fn from(address: PeerAddress) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("@euronews_eng", "@euronews_eng")]
    #[case("euronews_eng", "@euronews_eng")]
    #[case("https://t.me/euronews_eng", "@euronews_eng")]
    #[case("t.me/s/euronews_eng?before=20", "@euronews_eng")]
    #[case("HTTP://T.ME/euronews_eng/77", "@euronews_eng")]
    #[case("https://euronews.t.me", "@euronews")]
    #[case("euronews.t.me/15", "@euronews")]
    #[case("tg://resolve?domain=durov", "@durov")]
    #[case("  @durov\n", "@durov")]
    #[case("https://t.me/c/1591537674/5", "1591537674")]
    #[case("-1001591537674", "1591537674")]
    #[case("1591537674", "1591537674")]
    #[case("https://t.me/+AbCdEf_12-x", "https://t.me/+AbCdEf_12-x")]
    #[case("t.me/joinchat/AAAAAEjo", "https://t.me/+AAAAAEjo")]
    fn every_spelling_becomes_its_canonical_form(#[case] typed: &str, #[case] canonical: &str) {
        let address: PeerAddress = typed.parse().expect(typed);
        assert_eq!(address.to_string(), canonical);
        assert_eq!(canonical.parse(), Ok(address), "the canonical form reads back");
    }

    #[rstest]
    #[case("", PeerAddressError::Empty)]
    #[case("@", PeerAddressError::BadName)]
    #[case("@ab", PeerAddressError::BadName)]
    #[case("@1abc", PeerAddressError::BadName)]
    #[case("@../etc/passwd", PeerAddressError::BadName)]
    #[case("a/b", PeerAddressError::BadName)]
    #[case("https://evil.example/durov", PeerAddressError::ForeignLink)]
    #[case("https://t.me.evil.example/durov", PeerAddressError::ForeignLink)]
    #[case("0", PeerAddressError::BadId)]
    #[case("t.me/c/x", PeerAddressError::BadId)]
    #[case("t.me/+x", PeerAddressError::BadInvite)]
    fn what_is_no_address_says_why(#[case] typed: &str, #[case] error: PeerAddressError) {
        assert_eq!(typed.parse::<PeerAddress>(), Err(error));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_a_name_is_always_safe_in_a_path(text in "\\PC*") {
            if let Ok(PeerAddress::Name(name)) = text.parse() {
                prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
            }
        }
    }
}
