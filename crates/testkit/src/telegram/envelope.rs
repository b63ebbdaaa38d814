//! The server's side of MTProto 2.0 encryption.
//!
//! `grammers-crypto` encrypts as clients do only; the server mirrors it with `x = 8` and `x = 0`
//! swapped (<https://core.telegram.org/mtproto/description>).

use grammers_crypto::aes::{ige_decrypt, ige_encrypt};
use sha2::{Digest as _, Sha256};

/// Where in the key each direction takes its bytes from.
const TO_SERVER: usize = 0;
const TO_CLIENT: usize = 8;

/// What lies in an opened packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) salt: i64,
    pub(super) session_id: i64,
    pub(super) msg_id: i64,
    pub(super) seq_no: i32,
    pub(super) body: Vec<u8>,
}

/// Opens a packet from a client; `None` when it was not sealed with this key.
pub(super) fn open(packet: &[u8], key: &[u8; 256]) -> Option<Message> {
    let msg_key: [u8; 16] = packet.get(8..24)?.try_into().ok()?;
    let mut plain = packet[24..].to_vec();
    if plain.len() < 48 || !plain.len().is_multiple_of(16) {
        return None;
    }
    let (aes, iv) = derive(key, &msg_key, TO_SERVER);
    ige_decrypt(&mut plain, &aes, &iv);
    if message_key(key, &plain, TO_SERVER) != msg_key {
        return None;
    }
    let length = u32::from_le_bytes(plain[28..32].try_into().ok()?) as usize;
    Some(Message {
        salt: long(&plain[0..8]),
        session_id: long(&plain[8..16]),
        msg_id: long(&plain[16..24]),
        seq_no: i32::from_le_bytes(plain[24..28].try_into().ok()?),
        body: plain.get(32..32 + length)?.to_vec(),
    })
}

/// Seals a packet for a client.
pub(super) fn seal(message: &Message, key: &[u8; 256], key_id: i64) -> Vec<u8> {
    let mut plain = Vec::with_capacity(message.body.len() + 64);
    plain.extend(message.salt.to_le_bytes());
    plain.extend(message.session_id.to_le_bytes());
    plain.extend(message.msg_id.to_le_bytes());
    plain.extend(message.seq_no.to_le_bytes());
    plain.extend((message.body.len() as u32).to_le_bytes());
    plain.extend(&message.body);
    // At least twelve bytes, and whole blocks.
    let padding = 12 + (16 - (plain.len() + 12) % 16) % 16;
    plain.extend(&rand::random::<[u8; 32]>()[..padding]);
    let msg_key = message_key(key, &plain, TO_CLIENT);
    let (aes, iv) = derive(key, &msg_key, TO_CLIENT);
    ige_encrypt(&mut plain, &aes, &iv);
    let mut packet = key_id.to_le_bytes().to_vec();
    packet.extend(msg_key);
    packet.extend(plain);
    packet
}

fn long(bytes: &[u8]) -> i64 {
    i64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}

fn message_key(key: &[u8; 256], plain: &[u8], x: usize) -> [u8; 16] {
    let large = sha256(&[&key[88 + x..120 + x], plain]);
    large[8..24].try_into().expect("sixteen bytes")
}

fn derive(key: &[u8; 256], msg_key: &[u8; 16], x: usize) -> ([u8; 32], [u8; 32]) {
    let a = sha256(&[msg_key, &key[x..x + 36]]);
    let b = sha256(&[&key[40 + x..76 + x], msg_key]);
    let woven = |outer: &[u8; 32], inner: &[u8; 32]| {
        let mut woven = *outer;
        woven[8..24].copy_from_slice(&inner[8..24]);
        woven
    };
    (woven(&a, &b), woven(&b, &a))
}

pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use grammers_crypto::{AuthKey, DequeBuffer, decrypt_data_v2, encrypt_data_v2};

    use super::*;

    #[test]
    fn a_client_and_this_server_open_each_others_packets() {
        let key: [u8; 256] = rand::random();
        let client = AuthKey::from_bytes(key);
        for length in [4_usize, 16, 52, 1000] {
            let message = Message {
                salt: 1,
                session_id: 2,
                msg_id: 3,
                seq_no: 4,
                body: vec![5; length],
            };
            let mut packet = seal(&message, &key, 77);
            packet[..8].copy_from_slice(&super::super::keys::key_id(&key).to_le_bytes());
            let plain = decrypt_data_v2(&mut packet, &client).unwrap();
            assert_eq!(&plain[32..32 + length], message.body);

            let mut buffer = DequeBuffer::with_capacity(plain.len(), 32);
            buffer.extend(plain[..32 + length].iter().copied());
            encrypt_data_v2(&mut buffer, &client);
            assert_eq!(open(&buffer[..], &key), Some(message));
            assert_eq!(open(&buffer[..], &[0; 256]), None);
        }
    }
}
