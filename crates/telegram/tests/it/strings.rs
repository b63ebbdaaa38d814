//! Session strings of both programs, packed here as their sources pack them.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use gleaner_telegram::session_string::{SessionStringError as Error, parse};
use gleaner_telegram::{AuthKeyError, FieldError, Origin};

use crate::made;

pub(crate) fn telethon(dc_id: u8, ip: &[u8], port: u16, key: &[u8]) -> String {
    let packed = [&[dc_id], ip, &port.to_be_bytes(), key].concat();
    format!("1{}", URL_SAFE.encode(packed))
}

pub(crate) fn pyrogram(dc_id: u8, api_id: Option<u32>, test: u8, user_id: &[u8]) -> String {
    let api_id = api_id.map(u32::to_be_bytes);
    let api_id = api_id.as_ref().map_or(&[][..], |id| id);
    let packed = [&[dc_id], api_id, &[test], &made::key(), user_id, &[0]].concat();
    URL_SAFE_NO_PAD.encode(packed)
}

const SIX: [u8; 16] = [
    0x20, 0x01, 0x06, 0x7c, 0x04, 0xe8, 0xf0, 0x02, 0, 0, 0, 0, 0, 0, 0, 0x0a,
];

#[test]
fn both_lengths_of_telethon_read() {
    let four = telethon(2, &[127, 0, 0, 1], 4430, &made::key());
    let six = telethon(2, &SIX, 443, &made::key());
    assert_eq!((four.len(), six.len()), (353, 369));
    for (text, address) in [(four, "127.0.0.1:4430"), (six, "[2001:67c:4e8:f002::a]:443")] {
        for text in [
            format!("  \"{text}\"\r\n"),
            text.trim_end_matches('=').to_owned(),
            text,
        ] {
            let imported = parse(&text).unwrap();
            assert_eq!(imported.origin, Origin::TelethonString);
            assert_eq!(imported.keys.address, address.parse().unwrap());
            assert_eq!(imported.keys.auth_key.bytes(), &made::key());
            assert!(imported.address_stated);
            assert_eq!((imported.keys.dc_id, imported.keys.user_id), (2, None));
        }
    }
}

#[test]
fn all_three_of_pyrogram_read() {
    let new = pyrogram(4, Some(12345), 0, &6_000_000_000_u64.to_be_bytes());
    let old = pyrogram(4, None, 0, &7_u32.to_be_bytes());
    let old_64 = pyrogram(4, None, 0, &6_000_000_000_u64.to_be_bytes());
    assert_eq!((new.len(), old.len(), old_64.len()), (362, 351, 356));
    let cases = [
        (new, Some(12345), 6_000_000_000),
        (old, None, 7),
        (old_64, None, 6_000_000_000),
    ];
    for (text, api_id, user_id) in cases {
        let imported = parse(&text).unwrap();
        assert_eq!(imported.origin, Origin::PyrogramString);
        assert_eq!((imported.api_id, imported.keys.user_id), (api_id, Some(user_id)));
        assert_eq!(imported.keys.auth_key.bytes(), &made::key());
        assert_eq!(imported.keys.address, "149.154.167.91:443".parse().unwrap());
        assert_eq!((imported.is_bot, imported.address_stated), (Some(false), false));
    }
    let test = parse(&pyrogram(2, Some(1), 1, &[0; 8])).unwrap();
    assert_eq!(test.keys.address, "149.154.167.40:80".parse().unwrap());
    assert_eq!(test.keys.user_id, None);
}

#[test]
fn what_is_no_session_string_says_why() {
    let good = telethon(2, &[127, 0, 0, 1], 4430, &made::key());
    let refused = |text: &str| parse(text).unwrap_err();
    assert_eq!(refused(" \n"), Error::Empty);
    assert_eq!(refused(&good[..300]), Error::WrongLength(300));
    assert_eq!(refused(&format!("2{}", &good[1..])), Error::UnknownVersion);
    assert_eq!(
        refused(&format!("{}!{}", &good[..50], &good[51..])),
        Error::NotBase64
    );
    assert_eq!(refused(&"ä".repeat(176)), Error::UnknownVersion);
    let key = |why| Error::Field(FieldError::Key(why));
    assert_eq!(
        refused(&telethon(2, &[127, 0, 0, 1], 1, &[0; 256])),
        key(AuthKeyError::Zeros)
    );
    let field = |text: &str| refused(text).to_string();
    assert!(field(&telethon(0, &[127, 0, 0, 1], 1, &made::key())).contains("data centre 0,"));
    assert!(field(&telethon(2, &[127, 0, 0, 1], 0, &made::key())).contains("port is 0"));
    assert!(field(&pyrogram(9, Some(1), 0, &[0; 8])).contains("data centre 9,"));
    assert!(field(&pyrogram(4, Some(1), 1, &[0; 8])).contains("data centre 4,"));
}
