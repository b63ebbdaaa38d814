//! A target, or one archive's folder in it, as reads, whole writes, lists and deletes.
//!
//! Everything written here appears complete or not at all: on a disk under a temporary
//! name, synced and renamed; in a bucket by one request. Streams of unknown length are
//! `upload`'s.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use bytes::Bytes;
use futures::TryStreamExt as _;
use futures::future::try_join_all;
use gleaner_scrape::{SinkError, SinkErrorKind};
use opendal::layers::{RetryLayer, TimeoutLayer};
use opendal::{ErrorKind, Operator};
use uuid::Uuid;

use crate::error::{failed, failed_io, plain};
use crate::layout::TEMP;
use crate::target::marker_name;

/// Longest wait for one request or one call of the file system.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest wait for one piece of data: 8 MiB at 1 Mbit/s, or a large file's way to a slow disk.
const DATA_TIMEOUT: Duration = Duration::from_secs(90);

/// Deletes under way at once.
const DELETES: usize = 8;

/// A target, or a folder in it. Clones share what they know.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// For what may be repeated: it retries.
    operator: Operator,
    /// For what may not be repeated blindly. On a disk that is a writer: after a half-written buffer a
    /// retry would write it twice, so only whole files are written again. A bucket's parts are safe.
    pub(crate) once: Operator,
    pub(crate) disk: Option<Disk>,
    /// True when the target compares and swaps.
    swaps: bool,
    /// For people: `/data/out`, `s3://bucket/prefix`.
    name: String,
    /// Key prefix with its `/`; empty for the target itself.
    prefix: String,
    /// Folders on the disk that have new names since the last [`Place::sync`].
    unsynced: Arc<Mutex<BTreeSet<PathBuf>>>,
}

/// Where a target is on a disk.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub(crate) root: PathBuf,
    /// The file `.gleaner-root-<uuid>` that must be there: without it the share is not mounted.
    pub(crate) marker: Option<Uuid>,
}

/// What was read, and the version of it where the target tells.
pub(crate) struct Stored {
    pub(crate) bytes: Bytes,
    pub(crate) etag: Option<String>,
}

/// When a write may happen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Only<'a> {
    Always,
    /// Nothing is there yet; disks cannot tell.
    IfAbsent,
    /// The version there is this one; disks cannot tell.
    IfStill(&'a str),
}

impl Place {
    pub(crate) fn on_disk(operator: Operator, disk: Disk, name: String) -> Self {
        let once = operator.layer(
            TimeoutLayer::new()
                .with_timeout(CALL_TIMEOUT)
                .with_io_timeout(DATA_TIMEOUT),
        );
        Self::new(once.clone().layer(retries()), once, Some(disk), name)
    }

    pub(crate) fn objects(operator: Operator, name: String) -> Self {
        let operator = operator
            .layer(
                TimeoutLayer::new()
                    .with_timeout(CALL_TIMEOUT)
                    .with_io_timeout(DATA_TIMEOUT),
            )
            .layer(retries());
        Self::new(operator.clone(), operator, None, name)
    }

    fn new(operator: Operator, once: Operator, disk: Option<Disk>, name: String) -> Self {
        let swaps = operator.info().capability().write_with_if_match;
        Self {
            operator,
            once,
            disk,
            swaps,
            name,
            prefix: String::new(),
            unsynced: Arc::default(),
        }
    }

    /// A folder of this place.
    pub(crate) fn within(&self, folder: &str) -> Self {
        Self {
            prefix: format!("{}{folder}/", self.prefix),
            name: format!("{}/{folder}", self.name.trim_end_matches('/')),
            unsynced: Arc::default(),
            ..self.clone()
        }
    }

    /// For people.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The operator's own path of a key.
    pub(crate) fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// A fresh path for a file on its way; on the same mount as its goal, and short enough anywhere.
    pub(crate) fn temp_path(&self) -> String {
        self.path(&format!("{TEMP}/{}", Uuid::now_v7().simple()))
    }

    /// Fails when the share is not mounted: nothing must be written into an empty mount point.
    pub(crate) async fn check_mounted(&self) -> Result<(), SinkError> {
        let Some(Disk {
            root,
            marker: Some(marker),
        }) = &self.disk
        else {
            return Ok(());
        };
        let file = root.join(marker_name(*marker));
        let found = patiently(tokio::fs::try_exists(file)).await;
        let found = found.map_err(|cause| failed_io(format_args!("look into {}", root.display()), cause))?;
        if found {
            return Ok(());
        }
        Err(plain(
            SinkErrorKind::Unreachable,
            format!(
                "The share is not mounted at {}: the marker file {} of an earlier run is missing. Mount it; if \
                 another share took its place for good, add that one as a new target",
                root.display(),
                marker_name(*marker)
            ),
        ))
    }

    /// Fails when one of these folders is a link: what is written here stays here, and a rename cannot leave
    /// its disk.
    pub(crate) async fn refuse_links(&self, folders: &'static [&'static str]) -> Result<(), SinkError> {
        let Some(disk) = &self.disk else { return Ok(()) };
        // Without the last slash: with it the system looks behind the link.
        let base = disk.root.join(self.prefix.trim_end_matches('/'));
        let linked = blocking(move || {
            for folder in folders {
                let path = if folder.is_empty() {
                    base.clone()
                } else {
                    base.join(folder)
                };
                match std::fs::symlink_metadata(&path) {
                    Ok(meta) if meta.is_symlink() => return Ok(Some(path)),
                    Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => return Err(cause),
                    _ => {}
                }
            }
            Ok(None)
        });
        match linked.await {
            Ok(None) => Ok(()),
            Ok(Some(path)) => Err(plain(
                SinkErrorKind::Foreign,
                format!(
                    "{} is a link to elsewhere: an archive needs real folders on one disk",
                    path.display()
                ),
            )),
            Err(cause) => Err(failed_io(format_args!("look into {}", self.name), cause)),
        }
    }

    /// Reads a whole file; `None` when it is not there.
    pub(crate) async fn read(&self, key: &str) -> Result<Option<Stored>, SinkError> {
        let read = async {
            // One request for data and version, so that they belong together.
            let mut stream = self
                .operator
                .reader(&self.path(key))
                .await?
                .into_stream(..)
                .await?;
            let etag = match stream.metadata().await {
                Ok(meta) => meta.etag().filter(|_| self.swaps).map(str::to_owned),
                Err(cause) if cause.kind() == ErrorKind::Unsupported => None,
                Err(cause) => return Err(cause),
            };
            let pieces: Vec<_> = stream.try_collect().await?;
            let bytes = pieces
                .into_iter()
                .flatten()
                .collect::<opendal::Buffer>()
                .to_bytes();
            Ok(Stored { bytes, etag })
        };
        match read.await {
            Ok(stored) => Ok(Some(stored)),
            Err(cause) if is_absent(&cause) => Ok(None),
            Err(cause) => Err(failed(format_args!("read {key} in {}", self.name), cause)),
        }
    }

    /// Writes a whole file; returns its version where the target tells.
    pub(crate) async fn put(
        &self,
        key: &str,
        bytes: Bytes,
        only: Only<'_>,
    ) -> Result<Option<String>, SinkError> {
        self.check_mounted().await?;
        if self.disk.is_some() {
            let again = ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(100))
                .with_max_times(2)
                .with_jitter();
            (|| self.put_on_disk(key, bytes.clone()))
                .retry(again)
                .when(|error| error.kind == SinkErrorKind::Unreachable)
                .await?;
            return Ok(None);
        }
        let path = self.path(key);
        let write = self.operator.write_with(&path, bytes);
        let written = match only {
            Only::Always => write.await,
            Only::IfAbsent => write.if_not_exists(true).await,
            Only::IfStill(etag) => write.if_match(etag).await,
        };
        let meta = written.map_err(|cause| failed(format_args!("write {key} in {}", self.name), cause))?;
        Ok(meta.etag().filter(|_| self.swaps).map(str::to_owned))
    }

    async fn put_on_disk(&self, key: &str, bytes: Bytes) -> Result<(), SinkError> {
        let temp = self.temp_path();
        let length = bytes.len() as u64;
        let write = async {
            let meta = self.once.write(&temp, bytes).await?;
            if meta.content_length() != length {
                return Err(opendal::Error::new(
                    ErrorKind::Unexpected,
                    "the file has another length than written",
                ));
            }
            self.once.rename(&temp, &self.path(key)).await
        };
        if let Err(cause) = write.await {
            let _ = self.once.delete(&temp).await;
            return Err(failed(format_args!("write {key} in {}", self.name), cause));
        }
        self.note_new_name(key);
        Ok(())
    }

    /// Remembers that a name appeared, for the next [`Place::sync`].
    pub(crate) fn note_new_name(&self, key: &str) {
        let Some(disk) = &self.disk else { return };
        let path = self.path(key);
        // Any of the folders above may be new as well.
        let folders = Path::new(&path)
            .ancestors()
            .skip(1)
            .map(|folder| disk.root.join(folder));
        self.unsynced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(folders);
    }

    /// Makes the new names on a disk last; nothing to do in a bucket.
    pub(crate) async fn sync(&self) -> Result<(), SinkError> {
        let folders = std::mem::take(&mut *self.unsynced.lock().unwrap_or_else(PoisonError::into_inner));
        if folders.is_empty() {
            return Ok(());
        }
        let work = folders.clone();
        let synced = blocking(move || work.iter().try_for_each(|folder| sync_folder(folder))).await;
        synced.map_err(|cause| {
            self.unsynced
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(folders);
            failed_io(format_args!("make the new files in {} last", self.name), cause)
        })
    }

    /// Names of the files right under a folder; an absent folder is empty.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<String>, SinkError> {
        let entries = self.operator.list(&self.path(&format!("{folder}/"))).await;
        let entries =
            entries.map_err(|cause| failed(format_args!("list {folder} in {}", self.name), cause))?;
        let files = entries.into_iter().filter(|entry| entry.metadata().is_file());
        Ok(files.map(|entry| entry.name().to_owned()).collect())
    }

    /// Deletes files; absent ones are fine.
    pub(crate) async fn delete(&self, keys: impl IntoIterator<Item = String>) -> Result<(), SinkError> {
        let keys: Vec<String> = keys.into_iter().collect();
        for some in keys.chunks(DELETES) {
            try_join_all(some.iter().map(|key| self.delete_one(key))).await?;
        }
        Ok(())
    }

    async fn delete_one(&self, key: &str) -> Result<(), SinkError> {
        let deleted = self.operator.delete(&self.path(key)).await;
        deleted.map_err(|cause| failed(format_args!("delete {key} in {}", self.name), cause))
    }

    /// Deletes the folder and everything in it; `last` goes last, so that a deletion that is cut short
    /// can be begun again.
    pub(crate) async fn remove_all(&self, last: &str) -> Result<(), SinkError> {
        self.check_mounted().await?;
        let doing = |cause| failed(format_args!("delete {}", self.name), cause);
        let mut entries = self
            .operator
            .lister_with(&self.prefix)
            .recursive(true)
            .await
            .map_err(doing)?;
        let mut keys = Vec::new();
        while let Some(entry) = entries.try_next().await.map_err(doing)? {
            if let Some(key) = entry.path().strip_prefix(&self.prefix)
                && entry.metadata().is_file()
                && key != last
            {
                keys.push(key.to_owned());
            }
        }
        self.delete(keys).await?;
        self.delete([last.to_owned()]).await?;
        if self.disk.is_some() {
            // What is left are folders.
            self.operator
                .delete_with(&self.prefix)
                .recursive(true)
                .await
                .map_err(doing)?;
        }
        Ok(())
    }

    /// Bytes this user may still write, where the target can tell.
    pub(crate) async fn free_bytes(&self) -> Result<Option<u64>, SinkError> {
        let Some(disk) = &self.disk else { return Ok(None) };
        self.check_mounted().await?;
        let root = disk.root.clone();
        let free = blocking(move || fs4::available_space(root)).await;
        free.map(Some)
            .map_err(|cause| failed_io(format_args!("ask {} for its free space", self.name), cause))
    }
}

/// Runs what may block on a disk off the async threads, for a bounded time.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    patiently(async {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(std::io::Error::other)?
    })
    .await
}

/// Bounds a call of the file system: a hung share must not hang a run.
pub(crate) async fn patiently<T>(call: impl Future<Output = std::io::Result<T>>) -> std::io::Result<T> {
    tokio::time::timeout(CALL_TIMEOUT, call)
        .await
        .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}

fn retries() -> RetryLayer {
    RetryLayer::new()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(4)
        .with_jitter()
}

fn is_absent(cause: &opendal::Error) -> bool {
    cause.kind() == ErrorKind::NotFound
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    use std::io::ErrorKind as K;
    match std::fs::File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some network file systems know no sync of folders; they keep names in order themselves.
        Err(error)
            if matches!(
                error.kind(),
                K::InvalidInput | K::Unsupported | K::PermissionDenied
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as on Unix")]
fn sync_folder(_folder: &Path) -> std::io::Result<()> {
    Ok(()) // Windows offers no sync of folders; NTFS journals names.
}
