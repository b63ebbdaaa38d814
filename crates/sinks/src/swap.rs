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
        place.check_mounted().await?;
        let now = place.read(MANIFEST).await?;
        if now.map(|stored| stored.bytes) != held.map(|held| held.bytes.clone()) {
            return Err(raced(place));
        }
    }
    match place.put(MANIFEST, bytes.clone(), only).await {
        Ok(etag) => {
            place.sync().await?;
            Ok(Held { bytes, etag })
        }
        // The answer to our own write may have been lost, and its repetition then meets our own work.
        Err(error) if error.kind == SinkErrorKind::Raced => match place.read(MANIFEST).await? {
            Some(stored) if stored.bytes == bytes => Ok(stored.into()),
            _ => Err(raced(place)),
        },
        Err(error) => Err(error),
    }
}

/// Fails when the manifest is not the one held any more: whoever changed it is the writer now.
pub(crate) async fn still_held(place: &Place, held: &Held) -> Result<(), SinkError> {
    // A manifest that went away with its whole share was not changed by anybody.
    place.check_mounted().await?;
    match place.read(MANIFEST).await? {
        Some(now) if now.bytes == held.bytes => Ok(()),
        _ => Err(raced(place)),
    }
}

/// Writes a segment under a name that the held manifest does not give to another one.
///
/// A slow writer must not overwrite what a later one has committed under the same name. A bucket writes
/// only where nothing is; what is there is then our own repetition, or the trace of a crash as long as
/// the manifest is ours. A disk renames over what is there, so the manifest is looked at right before.
pub(crate) async fn put_segment(
    place: &Place,
    held: &Held,
    key: &str,
    bytes: Bytes,
) -> Result<(), SinkError> {
    if place.disk.is_some() {
        still_held(place, held).await?;
        return place.put(key, bytes, Only::Always).await.map(drop);
    }
    match place.put(key, bytes.clone(), Only::IfAbsent).await {
        Err(error) if error.kind == SinkErrorKind::Raced => {}
        other => return other.map(drop),
    }
    let there = place.read(key).await?;
    if there.as_ref().is_some_and(|stored| stored.bytes == bytes) {
        return Ok(());
    }
    still_held(place, held).await?;
    let only = match there.as_ref().map(|stored| &stored.etag) {
        Some(Some(etag)) => Only::IfStill(etag),
        Some(None) => Only::Always,
        None => Only::IfAbsent,
    };
    match place.put(key, bytes, only).await {
        Err(error) if error.kind == SinkErrorKind::Raced => Err(raced(place)),
        other => other.map(drop),
    }
}

fn raced(place: &Place) -> SinkError {
    plain(
        SinkErrorKind::Raced,
        format!(
            "Another writer changed the manifest in {} meanwhile: nothing of theirs was overwritten",
            place.name()
        ),
    )
}
