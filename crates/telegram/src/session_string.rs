//! Session strings of Telethon and Pyrogram: packed fields in URL-safe base64.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use zeroize::Zeroizing;

use crate::imported::{FieldError, Imported, Origin, Raw};
use crate::keys::AuthKey;

/// Reads a session string, whichever of the two programs made it: their lengths tell.
///
/// Telethon: `1` and `>B{4|16}sH256s` (data centre, IP, port, key). Pyrogram: `>BI?256sQ?` (data
/// centre, api id, test servers, key, user, bot), of old `>B?256sI?` or `>B?256sQ?`. Spaces, line
/// ends and quotes around it and lost padding are forgiven.
pub fn parse(text: &str) -> Result<Imported, SessionStringError> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    let bare = text.trim_end_matches('=');
    match bare.len() {
        0 => Err(SessionStringError::Empty),
        TELETHON_V4 | TELETHON_V6 => telethon(bare),
        PYROGRAM | PYROGRAM_OLD | PYROGRAM_OLD_64 => pyrogram(bare),
        _ => Err(SessionStringError::WrongLength(text.chars().count())),
    }
}

// Characters without padding.
const TELETHON_V4: usize = 352;
const TELETHON_V6: usize = 368;
const PYROGRAM: usize = 362;
const PYROGRAM_OLD: usize = 351;
const PYROGRAM_OLD_64: usize = 356;

/// As lenient as Python's about the bits that are left over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

fn telethon(bare: &str) -> Result<Imported, SessionStringError> {
    let bare = bare.strip_prefix('1').ok_or(SessionStringError::UnknownVersion)?;
    let bytes = decode(bare)?;
    let mut fields = Fields(&bytes);
    let dc_id = fields.byte()?;
    let ip = if fields.0.len() < AuthKey::LENGTH + 16 {
        IpAddr::from(Ipv4Addr::from(fields.take::<4>()?))
    } else {
        IpAddr::from(Ipv6Addr::from(fields.take::<16>()?))
    };
    let port = u16::from_be_bytes(fields.take()?);
    let key = fields.key()?;
    let raw = Raw {
        origin: Origin::TelethonString,
        dc_id: Some(dc_id.into()),
        address: Some((&ip.to_string(), Some(port.into()))),
        test: false,
        key,
        user_id: None,
        api_id: None,
        is_bot: None,
    };
    Ok(raw.parse()?)
}

fn pyrogram(bare: &str) -> Result<Imported, SessionStringError> {
    let bytes = decode(bare)?;
    let mut fields = Fields(&bytes);
    let dc_id = fields.byte()?;
    let api_id = match bare.len() {
        PYROGRAM => Some(u32::from_be_bytes(fields.take()?).into()),
        _ => None,
    };
    let test = fields.byte()? != 0;
    let key = fields.key()?;
    let user_id = match bare.len() {
        PYROGRAM_OLD => u32::from_be_bytes(fields.take()?).into(),
        _ => u64::from_be_bytes(fields.take()?),
    };
    let raw = Raw {
        origin: Origin::PyrogramString,
        dc_id: Some(dc_id.into()),
        address: None,
        test,
        key,
        user_id: i64::try_from(user_id).ok(),
        api_id,
        is_bot: Some(fields.byte()? != 0),
    };
    Ok(raw.parse()?)
}

fn decode(bare: &str) -> Result<Zeroizing<Vec<u8>>, SessionStringError> {
    let bytes = BASE64.decode(bare).map(Zeroizing::new);
    bytes.map_err(|_| SessionStringError::NotBase64)
}

/// What is left of the packed fields.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], SessionStringError> {
        let (field, rest) = self.0.split_first_chunk().ok_or(SessionStringError::NotBase64)?;
        self.0 = rest;
        Ok(*field)
    }

    fn byte(&mut self) -> Result<u8, SessionStringError> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn key(&mut self) -> Result<&'a [u8], SessionStringError> {
        let split = self.0.split_at_checked(AuthKey::LENGTH);
        let (key, rest) = split.ok_or(SessionStringError::NotBase64)?;
        self.0 = rest;
        Ok(key)
    }
}

/// Why a text is no session string. Says nothing of its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionStringError {
    /// Nothing there.
    #[error("the session string is empty")]
    Empty,
    /// Cut off, or something else; how many characters there are.
    #[error(
        "the session string has {0} characters; Telethon's have 353 or 369, Pyrogram's 351, 356 or 362: \
         was a part of it lost?"
    )]
    WrongLength(usize),
    /// As long as Telethon's, but of a version nobody knows.
    #[error("the session string is as long as Telethon's, which begin with 1; this one does not")]
    UnknownVersion,
    /// Characters no session string has.
    #[error("the session string has characters that no session string has")]
    NotBase64,
    /// A field that makes no sense.
    #[error(transparent)]
    Field(#[from] FieldError),
}
