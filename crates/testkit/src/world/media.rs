//! Files: their addresses as numbers, and their bytes.
//!
//! A file's bytes are a function of the channel's seed, the message id and the file's version, so
//! a test can ask for the truth without anybody keeping it.

use bytes::Bytes;

use super::channel::Channel;
use super::draw::Draw;
use super::picture;
use super::post::{Body, Frame, Post};

/// How many channels fit into a file's address.
pub const MOST_CHANNELS: usize = 1 << 16;

/// Which file of which message: what a file's address says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileKey {
    /// Position in the world's table: stays when ids and names change.
    pub(crate) channel: u16,
    pub(crate) message: u32,
    pub(crate) part: Part,
    pub(crate) version: u8,
}

/// Which picture or file of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The file itself.
    Main,
    /// Its small picture, a reply's or a link's.
    Thumb,
    /// The channel's picture; the message is 0.
    Avatar,
}

const SCRAMBLE: u64 = 0x5bd1_e995_27d4_eb2f;
const BITS: u32 = 48;
const MASK: u64 = (1 << BITS) - 1;

impl FileKey {
    /// Sixteen bits of channel, 26 of message, 2 of part, 4 of version, well shaken: neighbours look unrelated.
    pub(crate) fn to_number(self) -> u64 {
        let packed = (u64::from(self.channel) << 32)
            | (u64::from(self.message & 0x03ff_ffff) << 6)
            | ((self.part as u64) << 4)
            | u64::from(self.version & 0xf);
        let shaken = packed.wrapping_mul(SCRAMBLE) & MASK;
        (shaken ^ (shaken >> 24)) & MASK
    }

    pub(crate) fn from_number(number: u64) -> Option<Self> {
        if number > MASK {
            return None;
        }
        let shaken = number ^ (number >> 24);
        let packed = shaken.wrapping_mul(inverse(SCRAMBLE)) & MASK;
        let part = match (packed >> 4) & 3 {
            0 => Part::Main,
            1 => Part::Thumb,
            2 => Part::Avatar,
            _ => return None,
        };
        Some(Self {
            channel: (packed >> 32) as u16,
            message: (packed >> 6) as u32 & 0x03ff_ffff,
            part,
            version: (packed & 0xf) as u8,
        })
    }
}

/// The number that undoes a multiplication by an odd one (Newton's iteration, doubling correct bits).
fn inverse(odd: u64) -> u64 {
    (0..6).fold(odd, |x, _| {
        x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x)))
    })
}

/// The bytes of a message's own file: 1 KiB to 200 KiB, beginning as files of their kind do.
pub(crate) fn file_bytes(channel: &Channel, post: &Post) -> Option<Bytes> {
    let extension = post.file_extension()?;
    let mut draw = Draw::of(&[
        channel.seed,
        u64::from(post.id),
        u64::from(post.file_version),
        0xf11e,
    ]);
    if let Body::Photo(Frame { width, height }) = post.body {
        return Some(picture(width, height, &mut draw));
    }
    let size = if draw.chance(80) {
        draw.between(1 << 10, 48 << 10)
    } else {
        draw.between(48 << 10, 200 << 10)
    };
    Some(with_magic(extension, size as usize, &mut draw))
}

/// A small picture: a thumbnail, or the channel's own when the message is 0.
pub(crate) fn thumb_bytes(channel: &Channel, message: u32) -> Bytes {
    let mut draw = Draw::of(&[channel.seed, u64::from(message), 0x7b]);
    picture::seascape(160, 160, &mut draw).into()
}

/// A picture that shows, made longer after its end, where viewers do not look: sizes vary as real ones do.
fn picture(width: u32, height: u32, draw: &mut Draw) -> Bytes {
    let mut file = picture::seascape(width, height, draw);
    let mut more = vec![0; draw.between(0, 64 << 10) as usize];
    draw.fill(&mut more);
    file.extend(more);
    file.into()
}

fn with_magic(extension: &str, size: usize, draw: &mut Draw) -> Bytes {
    let magic: &[u8] = match extension {
        "jpg" => b"\xff\xd8\xff\xe0",
        "mp4" => b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom",
        "ogg" => b"OggS\x00\x02",
        "mp3" => b"ID3\x04\x00\x00\x00\x00\x00\x00",
        "webp" => b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        "tgs" => b"\x1f\x8b\x08\x00",
        "webm" => b"\x1a\x45\xdf\xa3",
        "pdf" => b"%PDF-1.7\n",
        "zip" | "docx" => b"PK\x03\x04",
        _ => b"",
    };
    let mut bytes = vec![0; size.max(magic.len())];
    draw.fill(&mut bytes);
    bytes[..magic.len()].copy_from_slice(magic);
    if extension == "webp" {
        let length = (bytes.len() as u32 - 8).to_le_bytes();
        bytes[4..8].copy_from_slice(&length);
    }
    bytes.into()
}

/// The type a server would say for an extension.
pub(crate) fn mime_of(extension: &str) -> &'static str {
    match extension {
        "jpg" => "image/jpeg",
        "png" => "image/png",
        "mp4" => "video/mp4",
        "ogg" => "audio/ogg",
        "webp" => "image/webp",
        "webm" => "video/webm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_survives_the_way_through_its_number() {
        for channel in [0, 1, 65_535] {
            for message in [0, 1, 20, 99_999, 0x03ff_ffff] {
                for part in [Part::Main, Part::Thumb, Part::Avatar] {
                    let key = FileKey {
                        channel,
                        message,
                        part,
                        version: 3,
                    };
                    assert!(key.to_number() < 1 << 48);
                    assert_eq!(FileKey::from_number(key.to_number()), Some(key));
                }
            }
        }
    }

    #[test]
    fn neighbours_have_unlike_numbers() {
        let number = |message| {
            FileKey {
                channel: 1,
                message,
                part: Part::Main,
                version: 0,
            }
            .to_number()
        };
        assert!((number(1) ^ number(2)).count_ones() > 8);
    }
}
