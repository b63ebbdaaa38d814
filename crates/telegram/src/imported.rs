//! What a session made by another program comes down to.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::data_centres;
use crate::keys::{AuthKey, SessionKeys};

/// A session of another program, read but not tried: nothing here has spoken to Telegram.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The login itself.
    pub keys: SessionKeys,
    /// Which program made it.
    pub origin: Origin,
    /// The id of the application the key was made for, where it was written down. Telethon never
    /// writes it.
    pub api_id: Option<i32>,
    /// Whether the account is a bot, where it was written down.
    pub is_bot: Option<bool>,
    /// True when the address comes from the session, false when it is our own for that data centre.
    pub address_stated: bool,
}

/// The program a session comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A file of Telethon's; the version is that of its schema, 1 to 8 so far.
    Telethon {
        /// As the file says.
        version: i64,
    },
    /// A file of Pyrogram's; the schema's version is at most 3.
    Pyrogram {
        /// As the file says.
        version: i64,
    },
    /// A file of Kurigram's or another heir of Pyrogram's; the schema's version is 4 or more.
    Kurigram {
        /// As the file says.
        version: i64,
    },
    /// A string of Telethon's.
    TelethonString,
    /// A string of Pyrogram's or its heirs'.
    PyrogramString,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Telethon { version } => write!(f, "Telethon file (schema {version})"),
            Self::Pyrogram { version } => write!(f, "Pyrogram file (schema {version})"),
            Self::Kurigram { version } => write!(f, "Kurigram file (schema {version})"),
            Self::TelethonString => write!(f, "Telethon string"),
            Self::PyrogramString => write!(f, "Pyrogram string"),
        }
    }
}

/// A session's fields, before they are known to make sense.
pub(crate) struct Raw<'a> {
    pub(crate) origin: Origin,
    pub(crate) dc_id: Option<i64>,
    /// `None` where the session names no address.
    pub(crate) address: Option<(&'a str, Option<i64>)>,
    pub(crate) test: bool,
    pub(crate) key: &'a [u8],
    pub(crate) user_id: Option<i64>,
    pub(crate) api_id: Option<i64>,
    pub(crate) is_bot: Option<bool>,
}

impl Raw<'_> {
    pub(crate) fn parse(self) -> Result<Imported, FieldError> {
        // First of all: what has never logged in has no sensible data centre either.
        let auth_key = AuthKey::parse(self.key)?;
        let dc_id = self.dc_id.and_then(|id| u8::try_from(id).ok());
        let dc_id = dc_id.filter(|id| *id > 0).map(i32::from);
        let dc_id = dc_id.ok_or(FieldError::UnknownDc(self.dc_id.unwrap_or(0)))?;
        let address = match self.address {
            Some((host, port)) => stated(host, port)?,
            None => {
                data_centres::address(dc_id, self.test, false).ok_or(FieldError::UnknownDc(dc_id.into()))?
            }
        };
        Ok(Imported {
            keys: SessionKeys {
                dc_id,
                address,
                auth_key,
                user_id: self.user_id.filter(|id| *id > 0),
            },
            origin: self.origin,
            api_id: self
                .api_id
                .and_then(|id| i32::try_from(id).ok())
                .filter(|id| *id > 0),
            is_bot: self.is_bot,
            address_stated: self.address.is_some(),
        })
    }
}

fn stated(host: &str, port: Option<i64>) -> Result<SocketAddr, FieldError> {
    let ip: IpAddr = host.parse().map_err(|_| FieldError::NotAnAddress(shown(host)))?;
    let port = port.unwrap_or(0);
    let known = u16::try_from(port).ok().filter(|port| *port > 0);
    Ok(SocketAddr::new(ip, known.ok_or(FieldError::NotAPort(port))?))
}

/// Why a session's fields make no login.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// No key, or none of Telegram's.
    #[error(transparent)]
    Key(#[from] crate::keys::AuthKeyError),
    /// A number no data centre has, or one we have no address for.
    #[error("it belongs to data centre {0}, which does not exist")]
    UnknownDc(i64),
    /// Not an IP address; what stands there instead.
    #[error("its server address is not an IP address: {0}")]
    NotAnAddress(String),
    /// Not a port of a server.
    #[error("its server port is {0}; ports go from 1 to 65535")]
    NotAPort(i64),
}

/// Foreign text, fit to be shown: short, and without anything that moves the cursor.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let mut shown: String = text
        .chars()
        .take(MOST)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}
