//! Addresses of files: printed on pages, read back when somebody asks.
//!
//! As on the real CDN there are two forms: `<hex>.<ext>?token=…` for films, sounds and stickers, and
//! one long opaque name for pictures. Both carry the generation they were printed in, so links can expire.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Shared;
use crate::world::draw::Draw;
use crate::world::media::{FileKey, Part};

const HEAVY: usize = 256;
const LIGHT: usize = 16;

impl Shared {
    /// Address of a file with its kind in the name.
    pub(crate) fn file_url(&self, key: FileKey, extension: &str) -> String {
        format!(
            "{}/file/{:012x}.{extension}?token={}",
            self.base,
            key.to_number(),
            self.opaque(key)
        )
    }

    /// Address of a picture: nothing in it stays the same once links have expired.
    pub(crate) fn picture_url(&self, key: FileKey) -> String {
        format!("{}/file/{}.jpg", self.base, self.opaque(key))
    }

    /// Address of the channel's picture.
    pub(crate) fn avatar_url(&self, channel: u16) -> String {
        self.picture_url(FileKey {
            channel,
            message: 0,
            part: Part::Avatar,
            version: 0,
        })
    }

    /// The file an address leads to; `None` for garbage and for expired ones.
    pub(crate) fn resolve(&self, name: &str, token: Option<&str>) -> Option<FileKey> {
        let (stem, _) = name.rsplit_once('.')?;
        let hex = (stem.len() == 12)
            .then(|| u64::from_str_radix(stem, 16).ok())
            .flatten();
        match hex {
            Some(number) => {
                let key = FileKey::from_number(number)?;
                (self.read_opaque(token?)? == key).then_some(key)
            }
            None => self.read_opaque(stem),
        }
    }

    fn opaque(&self, key: FileKey) -> String {
        let generation = self.generation.load(std::sync::atomic::Ordering::SeqCst);
        let number = key.to_number();
        let mut draw = Draw::of(&[number, u64::from(generation)]);
        let mut bytes = vec![0; if self.realistic_weight { HEAVY } else { LIGHT }];
        draw.fill(&mut bytes);
        // The filling also hides the number, so that old and new names have nothing in common.
        let mask = u64::from_be_bytes(bytes[8..16].try_into().expect("eight bytes"));
        bytes[..4].copy_from_slice(&(generation ^ (mask >> 32) as u32).to_be_bytes());
        bytes.splice(4..4, (number ^ mask.rotate_left(17)).to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn read_opaque(&self, opaque: &str) -> Option<FileKey> {
        let bytes = URL_SAFE_NO_PAD.decode(opaque).ok()?;
        let generation = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
        let number = u64::from_be_bytes(bytes.get(4..12)?.try_into().ok()?);
        let mask = u64::from_be_bytes(bytes.get(16..24)?.try_into().ok()?);
        let current = self.generation.load(std::sync::atomic::Ordering::SeqCst);
        if generation ^ (mask >> 32) as u32 != current {
            return None;
        }
        FileKey::from_number(number ^ mask.rotate_left(17))
    }
}
