//! A file on its way to a target: streamed, hashed, verified, and gone again when anything fails.

use chrono::{DateTime, Utc};
use filetime::FileTime;
use futures::StreamExt as _;
use gleaner_scrape::{FileBody, SinkError, SinkErrorKind};
use opendal::Writer;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::error::{failed, failed_io, plain};
use crate::place::{Disk, Place, blocking};
use crate::segment::hex;

/// Bytes of one part in a bucket: ten thousand of them are 80 GB.
const PART: usize = 8 * 1024 * 1024;

/// Parts of one file under way at once.
const PARTS_IN_FLIGHT: usize = 2;

/// Bytes of one write to a disk.
const BLOCK: usize = 256 * 1024;

/// What arrived.
pub(crate) struct Poured {
    pub(crate) size: u64,
    pub(crate) sha256: String,
}

impl Place {
    /// Writes a stream to `key`. Whoever stops waiting stops the upload, and it cleans up after itself.
    pub(crate) async fn upload(
        &self,
        key: String,
        modified: DateTime<Utc>,
        body: FileBody,
    ) -> Result<Poured, SinkError> {
        self.check_mounted().await?;
        let stop = CancellationToken::new();
        let _stops_when_dropped = stop.clone().drop_guard();
        let place = self.clone();
        // A task of its own, because a dropped future could not abort what it has begun.
        let task = tokio::spawn(async move {
            match place.disk.clone() {
                Some(disk) => place.upload_to_disk(&disk, &key, modified, body, &stop).await,
                None => place.upload_to_bucket(&key, body, &stop).await,
            }
        });
        task.await.unwrap_or_else(|cause| {
            Err(plain(
                SinkErrorKind::Unreachable,
                format!("An upload broke: {cause}"),
            ))
        })
    }

    async fn upload_to_disk(
        &self,
        disk: &Disk,
        key: &str,
        modified: DateTime<Utc>,
        body: FileBody,
        stop: &CancellationToken,
    ) -> Result<Poured, SinkError> {
        let temp = self.temp_path();
        let written = async {
            let doing = format!("write {key} in {}", self.name());
            let opened = self.once.writer_with(&temp).chunk(BLOCK).await;
            let mut writer = opened.map_err(|cause| failed(&doing, cause))?;
            let poured = pour(&mut writer, body, stop, &doing).await?;
            let meta = writer.close().await.map_err(|cause| failed(&doing, cause))?;
            drop(writer);
            if meta.content_length() != poured.size {
                return Err(plain(
                    SinkErrorKind::Unreachable,
                    format!("Cannot {doing}: the disk kept another length"),
                ));
            }
            let time = FileTime::from_unix_time(modified.timestamp(), modified.timestamp_subsec_nanos());
            let path = disk.root.join(&temp);
            let timed = blocking(move || filetime::set_file_mtime(path, time)).await;
            timed.map_err(|cause| {
                failed_io(format_args!("set the time of {key} in {}", self.name()), cause)
            })?;
            self.once
                .rename(&temp, &self.path(key))
                .await
                .map_err(|cause| failed(&doing, cause))?;
            Ok(poured)
        };
        let written = written.await;
        match &written {
            Ok(_) => self.note_new_name(key),
            Err(_) => drop(self.once.delete(&temp).await),
        }
        written
    }

    async fn upload_to_bucket(
        &self,
        key: &str,
        body: FileBody,
        stop: &CancellationToken,
    ) -> Result<Poured, SinkError> {
        let doing = format!("write {key} in {}", self.name());
        let opened = self
            .once
            .writer_with(&self.path(key))
            .chunk(PART)
            .concurrent(PARTS_IN_FLIGHT)
            .await;
        let mut writer = opened.map_err(|cause| failed(&doing, cause))?;
        let written = async {
            let poured = pour(&mut writer, body, stop, &doing).await?;
            writer.close().await.map_err(|cause| failed(&doing, cause))?;
            Ok(poured)
        };
        let written = written.await;
        if written.is_err() {
            // Parts that were sent would lie in the bucket, unseen and paid for.
            drop(writer.abort().await);
        }
        written
    }
}

/// Sends a stream into a writer, and holds it against what was announced.
async fn pour(
    writer: &mut Writer,
    body: FileBody,
    stop: &CancellationToken,
    doing: &str,
) -> Result<Poured, SinkError> {
    let broken = |retryable: bool, why: String| {
        plain(
            SinkErrorKind::Body { retryable },
            format!("Cannot {doing}: {why}"),
        )
    };
    let FileBody {
        mut stream,
        size: announced,
    } = body;
    let mut hash = Sha256::new();
    let mut size = 0_u64;
    loop {
        let piece = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(broken(true, "it was stopped".to_owned())),
            piece = stream.next() => piece,
        };
        let Some(piece) = piece else { break };
        let piece = piece.map_err(|cause| broken(cause.retryable, cause.detail))?;
        size += piece.len() as u64;
        if let Some(announced) = announced
            && size > announced
        {
            return Err(broken(
                true,
                format!("more than the announced {announced} bytes came"),
            ));
        }
        hash.update(&piece);
        writer.write(piece).await.map_err(|cause| failed(doing, cause))?;
    }
    match announced {
        Some(announced) if announced != size => Err(broken(
            true,
            format!("{size} bytes came instead of the announced {announced}"),
        )),
        _ if size == 0 => Err(broken(true, "the file is empty".to_owned())),
        _ => Ok(Poured {
            size,
            sha256: hex(&hash.finalize()),
        }),
    }
}
