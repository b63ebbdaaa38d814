//! The swap of the manifest: the one moment at which a commit happens.
//!
//! A bucket compares and swaps (`If-Match`, `If-None-Match`). A disk cannot; there the old
//! manifest is read again right before the rename, which catches a second writer but not
//! one within the same instant: the lease keeps those apart.

use bytes::Bytes;
use gleaner_scrape::{SinkError, SinkErrorKind};

use crate::error::plain;
use crate::layout::MANIFEST;
use crate::place::{Only, Place, Stored};

/// The manifest as this writer last saw it in the target.
pub(crate) struct Held {
    bytes: Bytes,
    etag: Option<String>,
}

impl From<Stored> for Held {
    fn from(stored: Stored) -> Self {
        Self {
            bytes: stored.bytes,
            etag: stored.etag,
        }
    }
}

/// Replaces the manifest, provided that it is still the one held (`None`: absent).
pub(crate) async fn swap(place: &Place, held: Option<&Held>, bytes: Bytes) -> Result<Held, SinkError> {
    let only = match held {
        None => Only::IfAbsent,
        Some(Held { etag: Some(etag), .. }) => Only::IfStill(etag),
        Some(_) => Only::Always,
    };
    if matches!(only, Only::Always) || place.disk.is_some() {
        let now = place.read(MANIFEST).await?;
        if now.map(|stored| stored.bytes) != held.map(|held| held.bytes.clone()) {
            return Err(foreign(place));
        }
    }
    match place.put(MANIFEST, bytes.clone(), only).await {
        Ok(etag) => {
            place.sync().await?;
            Ok(Held { bytes, etag })
        }
        // The answer to our own write may have been lost, and its repetition then meets our own work.
        Err(error) if error.kind == SinkErrorKind::Foreign => match place.read(MANIFEST).await? {
            Some(stored) if stored.bytes == bytes => Ok(stored.into()),
            _ => Err(foreign(place)),
        },
        Err(error) => Err(error),
    }
}

fn foreign(place: &Place) -> SinkError {
    plain(
        SinkErrorKind::Foreign,
        format!(
            "Another writer changed the manifest in {} meanwhile: nothing of theirs was overwritten",
            place.name()
        ),
    )
}
