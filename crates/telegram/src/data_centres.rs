//! Telegram's data centres: where each is reached when nobody said, and whose an address is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The address of a data centre, as clients ship it; `None` for a number that is none.
///
/// Test servers are the ones of Telegram's test environment, where accounts are others. The figures
/// are those of Pyrogram 2.0.106 (`session/internals/data_center.py`), ports included.
pub fn address(dc_id: i32, test: bool, ipv6: bool) -> Option<SocketAddr> {
    let table = if test { TEST } else { PRODUCTION };
    let port = if test { 80 } else { 443 };
    let (_, v4, v6) = table.iter().find(|(id, ..)| *id == dc_id)?;
    let ip = if ipv6 { IpAddr::V6(*v6) } else { IpAddr::V4(*v4) };
    Some(SocketAddr::new(ip, port))
}

/// Whether an address lies in the networks Telegram announces
/// (<https://core.telegram.org/resources/cidr.txt>).
pub(crate) fn is_telegrams(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => NETWORKS_V4
            .iter()
            .any(|(network, bits)| (ip.to_bits() ^ network.to_bits()) >> (32 - bits) == 0),
        IpAddr::V6(ip) => NETWORKS_V6
            .iter()
            .any(|(network, bits)| (ip.to_bits() ^ network.to_bits()) >> (128 - bits) == 0),
    }
}

type Centre = (i32, Ipv4Addr, Ipv6Addr);

const PRODUCTION: &[Centre] = &[
    (1, v4(149, 154, 175, 53), v6(0xb28, 0xf23d, 0xf001, 0xa)),
    (2, v4(149, 154, 167, 51), v6(0x67c, 0x4e8, 0xf002, 0xa)),
    (3, v4(149, 154, 175, 100), v6(0xb28, 0xf23d, 0xf003, 0xa)),
    (4, v4(149, 154, 167, 91), v6(0x67c, 0x4e8, 0xf004, 0xa)),
    (5, v4(91, 108, 56, 130), v6(0xb28, 0xf23f, 0xf005, 0xa)),
    // Only files; no account lives there, yet Pyrogram knows it.
    (
        203,
        v4(91, 105, 192, 100),
        Ipv6Addr::new(0x2a0a, 0xf280, 0x203, 0xa, 0x5000, 0, 0, 0x100),
    ),
];

const TEST: &[Centre] = &[
    (1, v4(149, 154, 175, 10), v6(0xb28, 0xf23d, 0xf001, 0xe)),
    (2, v4(149, 154, 167, 40), v6(0x67c, 0x4e8, 0xf002, 0xe)),
    (3, v4(149, 154, 175, 117), v6(0xb28, 0xf23d, 0xf003, 0xe)),
];

const NETWORKS_V4: &[(Ipv4Addr, u32)] = &[
    (v4(91, 108, 56, 0), 22),
    (v4(91, 108, 4, 0), 22),
    (v4(91, 108, 8, 0), 22),
    (v4(91, 108, 16, 0), 22),
    (v4(91, 108, 12, 0), 22),
    (v4(149, 154, 160, 0), 20),
    (v4(91, 105, 192, 0), 23),
    (v4(91, 108, 20, 0), 22),
    (v4(185, 76, 151, 0), 24),
];

const NETWORKS_V6: &[(Ipv6Addr, u32)] = &[
    (v6(0xb28, 0xf23d, 0, 0), 48),
    (v6(0xb28, 0xf23f, 0, 0), 48),
    (v6(0x67c, 0x4e8, 0, 0), 48),
    (v6(0xb28, 0xf23c, 0, 0), 48),
    (Ipv6Addr::new(0x2a0a, 0xf280, 0, 0, 0, 0, 0, 0), 32),
];

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

/// `2001:b:c:d::last`
const fn v6(b: u16, c: u16, d: u16, last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, b, c, d, 0, 0, 0, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_we_ship_is_telegrams() {
        for (dc_id, v4, v6) in PRODUCTION.iter().chain(TEST) {
            assert!(is_telegrams(IpAddr::V4(*v4)), "{dc_id}: {v4}");
            assert!(is_telegrams(IpAddr::V6(*v6)), "{dc_id}: {v6}");
        }
    }

    #[test]
    fn a_test_account_is_never_sent_to_the_real_telegram() {
        assert_eq!(
            address(2, true, false),
            Some("149.154.167.40:80".parse().unwrap())
        );
        assert_eq!(address(4, true, false), None);
        assert_eq!(
            address(4, false, true),
            Some("[2001:67c:4e8:f004::a]:443".parse().unwrap())
        );
        assert_eq!(address(0, false, false), None);
    }
}
