//! Segments: JSON lines in one complete zstd frame, immutable once written. Pure.

use std::io::{BufRead, BufReader, Read, Write as _};
use std::ops::Range;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// Compression level: chat becomes about a fifth; higher levels cost time and gain little.
const LEVEL: i32 = 6;

/// A segment ready to be written.
pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
    /// Lowest id.
    pub(crate) first: u32,
    /// Highest id.
    pub(crate) last: u32,
    pub(crate) count: u64,
    /// Bytes before compression.
    pub(crate) raw: u64,
    pub(crate) sha256: String,
}

/// The id every line has.
#[derive(serde::Deserialize)]
struct Id {
    id: u32,
}

/// Encodes lines that have an id.
pub(crate) fn encode<T: Serialize>(items: &[T], id: impl Fn(&T) -> u32) -> std::io::Result<Encoded> {
    let mut raw = Vec::with_capacity(items.len() * 1024);
    for item in items {
        serde_json::to_writer(&mut raw, item)?;
        raw.push(b'\n');
    }
    seal(&raw, items.iter().map(id))
}

/// Joins segments into one, keeping the order of lines; `by_id` sorts them by id instead.
pub(crate) fn join(members: &[Bytes], by_id: bool) -> std::io::Result<Encoded> {
    // One buffer for all lines: a merge must not cost several times what it writes.
    let mut raw = Vec::new();
    let mut lines = Vec::new();
    for member in members {
        for line in lines_of(member)? {
            let line = line?;
            let start = raw.len();
            raw.extend_from_slice(&line);
            raw.push(b'\n');
            lines.push((id_of(&line)?, start..raw.len()));
        }
    }
    let ids = |lines: &[(u32, Range<usize>)]| lines.iter().map(|(id, _)| *id).collect::<Vec<_>>();
    if !by_id || lines.is_sorted_by_key(|(id, _)| *id) {
        return seal(&raw, ids(&lines).into_iter());
    }
    lines.sort_by_key(|(id, _)| *id);
    let mut sorted = Vec::with_capacity(raw.len());
    for (_, line) in &lines {
        sorted.extend_from_slice(&raw[line.clone()]);
    }
    drop(raw);
    seal(&sorted, ids(&lines).into_iter())
}

/// Decodes the lines whose id is wanted.
pub(crate) fn decode<T: DeserializeOwned>(
    segment: &[u8],
    wanted: impl Fn(u32) -> bool,
) -> std::io::Result<Vec<T>> {
    let mut items = Vec::new();
    for line in lines_of(segment)? {
        let line = line?;
        if wanted(id_of(&line)?) {
            items.push(serde_json::from_slice(&line)?);
        }
    }
    Ok(items)
}

/// The ids of all lines, in order.
pub(crate) fn ids(segment: &[u8]) -> std::io::Result<Vec<u32>> {
    lines_of(segment)?.map(|line| id_of(&line?)).collect()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn seal(raw: &[u8], ids: impl Iterator<Item = u32>) -> std::io::Result<Encoded> {
    let (mut first, mut last, mut count) = (u32::MAX, 0, 0);
    for id in ids {
        first = first.min(id);
        last = last.max(id);
        count += 1;
    }
    let mut encoder = zstd::Encoder::new(Vec::with_capacity(raw.len() / 4), LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.set_pledged_src_size(Some(raw.len() as u64))?;
    encoder.write_all(raw)?;
    let bytes = Bytes::from(encoder.finish()?);
    let sha256 = sha256(&bytes);
    Ok(Encoded {
        bytes,
        first,
        last,
        count,
        raw: raw.len() as u64,
        sha256,
    })
}

fn lines_of(segment: &[u8]) -> std::io::Result<impl Iterator<Item = std::io::Result<Vec<u8>>>> {
    let decoder: Box<dyn Read + '_> = Box::new(zstd::Decoder::new(segment)?);
    Ok(BufReader::with_capacity(64 * 1024, decoder).split(b'\n'))
}

fn id_of(line: &[u8]) -> std::io::Result<u32> {
    Ok(serde_json::from_slice::<Id>(line)?.id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn segment(ids: &[u32]) -> Encoded {
        let lines: Vec<Value> = ids
            .iter()
            .map(|id| json!({"id": id, "text": "x".repeat(200)}))
            .collect();
        encode(&lines, |line| line["id"].as_u64().expect("an id") as u32).expect("encodes")
    }

    #[test]
    fn what_is_encoded_can_be_decoded() {
        let encoded = segment(&[3, 5, 9]);
        assert_eq!((encoded.first, encoded.last, encoded.count), (3, 9, 3));
        let back: Vec<Value> = decode(&encoded.bytes, |id| id != 5).expect("decodes");
        assert_eq!(
            back.iter().map(|line| line["id"].as_u64()).collect::<Vec<_>>(),
            [Some(3), Some(9)]
        );
    }

    #[test]
    fn the_same_lines_give_the_same_bytes() {
        assert_eq!(segment(&[1, 2]).bytes, segment(&[1, 2]).bytes);
    }

    #[test]
    fn a_torn_segment_is_an_error_and_never_a_shorter_list() {
        let bytes = segment(&(1..500).collect::<Vec<_>>()).bytes;
        for cut in [0, 1, 10, bytes.len() / 2, bytes.len() - 1] {
            assert!(cut == 0 || ids(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let mut flipped = bytes.to_vec();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        assert!(ids(&flipped).is_err(), "the frame has a checksum");
    }

    #[test]
    fn joined_messages_are_sorted_and_joined_revisions_keep_their_order() {
        let members = [segment(&[7, 9]).bytes, segment(&[2, 8]).bytes];
        let sorted = join(&members, true).expect("joins");
        assert_eq!(ids(&sorted.bytes).expect("decodes"), [2, 7, 8, 9]);
        assert_eq!((sorted.first, sorted.last, sorted.count), (2, 9, 4));
        let kept = join(&members, false).expect("joins");
        assert_eq!(ids(&kept.bytes).expect("decodes"), [7, 9, 2, 8]);
    }
}
