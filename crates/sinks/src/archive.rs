//! One archive, open for writing by the holder of the source's lease.
//!
//! A commit writes segments, makes their names last, and then swaps the manifest. Until
//! the swap nothing has happened; after it everything has.

use std::collections::BTreeSet;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use gleaner_domain::record::Revision;
use gleaner_domain::{Channel, Checkpoint, MessageId, Record};
use gleaner_scrape::{Archive, ArchiveIdentity, Batch, FileBody, FileFacts, Filed, SinkError, SinkErrorKind};
use serde::Serialize;
use uuid::Uuid;

use crate::error::{failed_io, plain};
use crate::layout::{self, CHANNEL, MANIFEST, Shelf, TEMP, free_key};
use crate::manifest::{Manifest, Segment};
use crate::place::{Only, Place};
use crate::segment::{Encoded, encode};
use crate::swap::{Held, put_segment, still_held, swap};
use crate::{merge, read};

/// The archive of one source in a target.
pub struct DalArchive {
    place: Place,
    manifest: Manifest,
    held: Held,
    /// As in `channel.json`, to write it only when it changes.
    channel: Option<Channel>,
    /// True once the manifest's epoch is this writer's.
    claimed: bool,
    /// True once a swap failed: whether it happened is only known by opening the archive again.
    in_doubt: bool,
}

impl DalArchive {
    /// Opens or claims the archive in `place`, and removes what its manifest does not name.
    pub(crate) async fn open(place: Place, identity: &ArchiveIdentity) -> Result<Self, SinkError> {
        place.check_mounted().await?;
        place
            .refuse_links(&["", "messages", "revisions", "samples", "media", TEMP])
            .await?;
        let Some(stored) = place.read(MANIFEST).await? else {
            return Self::found(place, identity).await;
        };
        let manifest = Manifest::parse(&stored.bytes, place.name())?;
        check_owner(&manifest, identity, &place)?;
        let strays = strays(&place, &manifest).await?;
        let channel = place
            .read(CHANNEL)
            .await?
            .and_then(|stored| serde_json::from_slice(&stored.bytes).ok());
        let mut archive = Self {
            place,
            manifest,
            held: stored.into(),
            channel,
            claimed: false,
            in_doubt: false,
        };
        archive.tidy(strays).await?;
        Ok(archive)
    }

    /// The manifest comes first, so that segments without one are never the trace of a crash.
    async fn found(place: Place, identity: &ArchiveIdentity) -> Result<Self, SinkError> {
        for shelf in Shelf::ALL {
            if !place.list(shelf.folder()).await?.is_empty() {
                return Err(plain(
                    SinkErrorKind::Damaged,
                    format!(
                        "{} holds {} but no manifest.json: restore it from a backup, or choose an empty folder",
                        place.name(),
                        shelf.folder()
                    ),
                ));
            }
        }
        if identity.kept {
            return Err(plain(
                SinkErrorKind::Missing,
                format!(
                    "The archive of this source is not in {}: a disk that is not mounted, or a folder that was moved, \
                     renamed or deleted",
                    place.name()
                ),
            ));
        }
        let mut manifest = Manifest::empty(identity.source, identity.channel);
        manifest.epoch = Uuid::now_v7();
        let bytes = Bytes::from(manifest.to_bytes());
        let held = swap(&place, None, bytes).await?;
        Ok(Self {
            place,
            manifest,
            held,
            channel: None,
            claimed: true,
            in_doubt: false,
        })
    }

    /// Makes this the writer, before anything is written or deleted. Of two that opened the archive one
    /// fails here, and one that was faster fails at its next swap. Runs without news never come here.
    async fn claim(&mut self) -> Result<(), SinkError> {
        if self.claimed {
            return Ok(());
        }
        let next = Manifest {
            epoch: Uuid::now_v7(),
            ..self.manifest.clone()
        };
        self.publish(next).await?;
        self.claimed = true;
        Ok(())
    }

    /// Removes what an interrupted run left behind: its writer, should it still live, cannot name it any more.
    async fn tidy(&mut self, strays: Vec<String>) -> Result<(), SinkError> {
        if strays.is_empty() {
            return Ok(());
        }
        tracing::info!(
            count = strays.len(),
            place = self.place.name(),
            "removing what an interrupted run left behind"
        );
        self.claim().await?;
        self.delete(strays).await
    }

    /// Deletes what the manifest does not name, provided that it is still this writer's manifest.
    async fn delete(&self, keys: Vec<String>) -> Result<(), SinkError> {
        still_held(&self.place, &self.held).await?;
        self.place.delete(keys).await
    }

    /// The manifest as of the last commit.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Encodes and writes one segment; returns its row of the manifest.
    async fn write_segment<T: Serialize + Send + 'static>(
        &self,
        items: Vec<T>,
        id: impl Fn(&T) -> u32 + Send + 'static,
        key: impl FnOnce(&Encoded) -> Result<String, SinkError>,
    ) -> Result<Segment, SinkError> {
        let encoded = tokio::task::spawn_blocking(move || encode(&items, id))
            .await
            .map_err(std::io::Error::other);
        let encoded = encoded
            .flatten()
            .map_err(|cause| failed_io(format_args!("encode a segment for {}", self.place.name()), cause))?;
        let path = key(&encoded)?;
        put_segment(&self.place, &self.held, &path, encoded.bytes.clone()).await?;
        Ok(Segment::new(path, &encoded))
    }

    /// Writes the segments of a batch and adds them to `next`.
    async fn write_batch(&self, batch: Batch, next: &mut Manifest) -> Result<(), SinkError> {
        let Batch {
            records,
            revisions,
            samples,
        } = batch;
        let live = &self.manifest.segments;
        let free = |key| free_key(key, |key| live.names(key));
        if !records.is_empty() {
            self.refuse_doubles(&records).await?;
            let name = |encoded: &Encoded| {
                let key = layout::messages_key(encoded.first, encoded.last);
                // The same first id in two segments is the same message twice.
                if live.names(&key) {
                    Err(self.kept_already(encoded.first))
                } else {
                    Ok(key)
                }
            };
            let segment = self
                .write_segment(records, |record: &Record| record.id.0, name)
                .await?;
            next.segments.add(Shelf::Messages, segment);
        }
        if let Some(at) = revisions.iter().map(observed_at).min() {
            let name = |encoded: &Encoded| {
                Ok(free(layout::dated_key(
                    Shelf::Revisions,
                    at,
                    encoded.first,
                    encoded.last,
                )))
            };
            let segment = self.write_segment(revisions, revised_id, name).await?;
            next.segments.add(Shelf::Revisions, segment);
        }
        if let Some(at) = samples.iter().map(|sample| sample.observed_at).min() {
            let name = |encoded: &Encoded| {
                Ok(free(layout::dated_key(
                    Shelf::Samples,
                    at,
                    encoded.first,
                    encoded.last,
                )))
            };
            let segment = self.write_segment(samples, |sample| sample.id.0, name).await?;
            next.segments.add(Shelf::Samples, segment);
        }
        Ok(())
    }

    /// One record per message id: refuses ids out of order and ids that are kept already.
    async fn refuse_doubles(&self, records: &[Record]) -> Result<(), SinkError> {
        if let Some(pair) = records.windows(2).find(|pair| pair[0].id >= pair[1].id) {
            let detail = format!(
                "Message {} came twice or out of order: a defect of Gleaner",
                pair[1].id
            );
            return Err(plain(SinkErrorKind::Damaged, detail));
        }
        // Ids never seen before cannot be kept, so in good order no segment is read here.
        let seen = &self.manifest.checkpoint.seen;
        let known: BTreeSet<u32> = records
            .iter()
            .map(|record| record.id.0)
            .filter(|id| seen.contains(*id))
            .collect();
        for segment in &self.manifest.segments.messages {
            if known.range(segment.first..=segment.last).next().is_none() {
                continue;
            }
            let kept = read::ids(&self.place, segment).await?;
            if let Some(id) = known.intersection(&kept).next() {
                return Err(self.kept_already(*id));
            }
        }
        Ok(())
    }

    fn kept_already(&self, id: u32) -> SinkError {
        plain(
            SinkErrorKind::Damaged,
            format!(
                "Message {id} is in {} already: the run's checkpoint does not fit the archive",
                self.place.name()
            ),
        )
    }

    /// Swaps in the next manifest.
    async fn publish(&mut self, mut next: Manifest) -> Result<(), SinkError> {
        let bytes = Bytes::from(next.to_bytes());
        match swap(&self.place, Some(&self.held), bytes).await {
            Ok(held) => {
                self.held = held;
                self.manifest = next;
                Ok(())
            }
            Err(error) => {
                self.in_doubt = true;
                Err(error)
            }
        }
    }

    /// Merges small segments where there are many.
    async fn merge(&mut self) -> Result<(), SinkError> {
        let merged = match merge::merge(&self.place, &self.held, &self.manifest.segments).await {
            Ok(None) => return Ok(()),
            Ok(Some(merged)) => merged,
            Err(error) => {
                // Nothing is lost: the small ones still count, and the next commit tries again.
                tracing::warn!(%error, "small segments could not be merged");
                return Ok(());
            }
        };
        let old: Vec<_> = self
            .manifest
            .segments
            .iter()
            .map(|segment| segment.path.clone())
            .collect();
        let next = Manifest {
            segments: merged,
            ..self.manifest.clone()
        };
        self.place.sync().await?;
        self.publish(next).await?;
        let old = old.into_iter().filter(|path| !self.manifest.segments.names(path));
        if let Err(error) = self.delete(old.collect()).await {
            tracing::warn!(%error, "merged segments are left to the next run's cleaning");
        }
        Ok(())
    }
}

#[async_trait]
impl Archive for DalArchive {
    fn checkpoint(&self) -> &Checkpoint {
        &self.manifest.checkpoint
    }

    fn messages(&self) -> u64 {
        self.manifest
            .segments
            .messages
            .iter()
            .map(|segment| segment.count)
            .sum()
    }

    async fn store_file(&self, facts: &FileFacts, body: FileBody) -> Result<Filed, SinkError> {
        let path = layout::media_path(facts);
        let poured = self.place.upload(path.clone(), facts.date, body).await?;
        Ok(Filed {
            path,
            size: poured.size,
            sha256: poured.sha256,
        })
    }

    async fn commit(
        &mut self,
        batch: Batch,
        channel: &Channel,
        checkpoint: &Checkpoint,
    ) -> Result<(), SinkError> {
        if self.in_doubt {
            return Err(plain(
                SinkErrorKind::Unreachable,
                format!(
                    "An earlier write to {} has an unknown end: the next run sorts it out",
                    self.place.name()
                ),
            ));
        }
        let news = !batch.is_empty() || *checkpoint != self.manifest.checkpoint;
        self.claim().await?;
        let mut next = self.manifest.clone();
        self.write_batch(batch, &mut next).await?;
        if self.channel.as_ref() != Some(channel) {
            let mut json = serde_json::to_vec_pretty(channel).expect("plain data always serialises");
            json.push(b'\n');
            self.place.put(CHANNEL, json.into(), Only::Always).await?;
            self.channel = Some(channel.clone());
        }
        // Files and segments must last before a manifest names them.
        self.place.sync().await?;
        if news {
            next.checkpoint = checkpoint.clone();
            self.publish(next).await?;
            self.merge().await?;
        }
        Ok(())
    }

    async fn read_latest(&self, ids: &[MessageId]) -> Result<Vec<Record>, SinkError> {
        read::latest(&self.place, &self.manifest.segments, ids).await
    }

    async fn read_all(&self) -> Result<BoxStream<'_, Result<Batch, SinkError>>, SinkError> {
        Ok(read::all(&self.place, &self.manifest.segments))
    }

    async fn read_about(&self, ids: &[MessageId]) -> Result<Batch, SinkError> {
        read::about(&self.place, &self.manifest.segments, ids).await
    }

    async fn free_bytes(&self) -> Result<Option<u64>, SinkError> {
        self.place.free_bytes().await
    }
}

pub(crate) fn check_owner(
    manifest: &Manifest,
    identity: &ArchiveIdentity,
    place: &Place,
) -> Result<(), SinkError> {
    let foreign = |detail: String| Err(plain(SinkErrorKind::Foreign, detail));
    if manifest.source != identity.source {
        return foreign(format!(
            "{} belongs to another source ({}): choose another folder or target for this one",
            place.name(),
            manifest.source
        ));
    }
    if manifest.channel != identity.channel {
        return foreign(format!(
            "{} holds channel {}, and this source now reads channel {}: it needs a folder of its own",
            place.name(),
            manifest.channel,
            identity.channel
        ));
    }
    Ok(())
}

/// Temporary files and segments without a place in the manifest; files of messages are none.
async fn strays(place: &Place, manifest: &Manifest) -> Result<Vec<String>, SinkError> {
    let folders = Shelf::ALL
        .map(Shelf::folder)
        .into_iter()
        .chain(place.disk.as_ref().map(|_| TEMP));
    let listed = folders.map(|folder| async move {
        let names = place.list(folder).await?;
        Ok::<_, SinkError>(names.into_iter().map(move |name| format!("{folder}/{name}")))
    });
    let there: BTreeSet<_> = futures::future::try_join_all(listed)
        .await?
        .into_iter()
        .flatten()
        .collect();
    for segment in manifest
        .segments
        .iter()
        .filter(|segment| !there.contains(&segment.path))
    {
        read::fetch(place, segment).await?; // says what is missing, unless only the list was late
    }
    let named: BTreeSet<_> = manifest.segments.iter().map(|segment| &segment.path).collect();
    Ok(there
        .iter()
        .filter(|path| !named.contains(path))
        .cloned()
        .collect())
}

fn observed_at(revision: &Revision) -> chrono::DateTime<chrono::Utc> {
    match revision {
        Revision::Edit(record) | Revision::Media(record) => record.observed_at,
        Revision::Gone(gone) | Revision::Back(gone) => gone.observed_at,
    }
}

fn revised_id(revision: &Revision) -> u32 {
    match revision {
        Revision::Edit(record) | Revision::Media(record) => record.id.0,
        Revision::Gone(gone) | Revision::Back(gone) => gone.id.0,
    }
}
