//! Storage targets: list, save, test, delete.

use std::path::{Path, PathBuf};

use gleaner_domain::{Code, Source, Target, TargetKind, TargetSettings, TargetUid};
use gleaner_scrape::{ArchiveIdentity, SinkError};
use gleaner_sinks::DalSink;
use gleaner_store::StoreError;

use crate::view::{Message, SaveTarget, Tag, TargetReport, TargetRow, TargetStep};
use crate::{ApiError, ApiResult, App};

impl App {
    /// All targets.
    pub async fn list_targets(&self) -> ApiResult<Vec<TargetRow>> {
        let targets = self.0.store.targets().await?;
        Ok(targets
            .into_iter()
            .map(|(target, sources)| row(target, sources))
            .collect())
    }

    /// Saves a new target or new settings of one.
    pub async fn save_target(&self, wish: SaveTarget) -> ApiResult<TargetRow> {
        self.open_for_writing()?;
        let settings = checked(wish.settings)?;
        let name = wish.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 200 {
            return Err(ApiError::field("name", "1 to 200 characters"));
        }
        let saved = match wish.uid {
            Some(uid) => {
                let before = self.0.store.target(uid).await?;
                let target = Target {
                    name,
                    settings,
                    is_default: wish.is_default || before.is_default,
                    ..before
                };
                self.refuse_other_kind(uid, target.kind()).await?;
                self.0.store.update_target(&target).await?;
                target
            }
            None => self.insert_target(name, settings, wish.is_default).await?,
        };
        self.changed(Tag::Targets, None, None).await;
        let sources = self.0.store.targets().await?;
        let sources = sources
            .into_iter()
            .find(|(t, _)| t.uid == saved.uid)
            .map_or(0, |(_, n)| n);
        Ok(row(saved, sources))
    }

    /// Deletes a target no source uses.
    pub async fn delete_target(&self, uid: TargetUid) -> ApiResult<Message> {
        self.open_for_writing()?;
        self.0.store.delete_target(uid).await?;
        self.changed(Tag::Targets, None, None).await;
        Ok(Message {
            message: "Target deleted successfully".to_owned(),
        })
    }

    /// Writes, reads and deletes in a target, saved or not, and explains what it saw.
    pub async fn test_target(&self, wish: SaveTarget) -> ApiResult<TargetReport> {
        let settings = checked(wish.settings)?;
        let marker = match wish.uid {
            Some(uid) => self.0.store.nas_marker(uid).await?,
            None => None,
        };
        let report = gleaner_sinks::test_target(&settings, self.0.config.s3.as_ref(), marker).await;
        let steps: Vec<TargetStep> = report
            .steps
            .into_iter()
            .map(|step| TargetStep {
                name: step.name,
                ok: step.ok,
                detail: step.detail,
            })
            .collect();
        Ok(TargetReport {
            ok: steps.iter().all(|step| step.ok),
            steps,
        })
    }

    /// The target a new source goes to.
    pub(crate) async fn choose_target(
        &self,
        kind: TargetKind,
        uid: Option<TargetUid>,
        path: Option<&str>,
    ) -> ApiResult<Target> {
        match (uid, path) {
            (Some(uid), _) => {
                let target = self.0.store.target(uid).await?;
                if target.kind() != kind {
                    return Err(ApiError::field(
                        "target_uid",
                        format!("is not a {} target", kind.as_str()),
                    ));
                }
                Ok(target)
            }
            (None, Some(path)) => self.target_at(kind, path).await,
            (None, None) => self.0.store.default_target(kind).await?.ok_or_else(|| {
                ApiError::field(
                    "target",
                    format!("no {} target is set up yet: add one in Settings", kind.as_str()),
                )
            }),
        }
    }

    /// Opens a source's target, keeping the marker of a NAS that was written for the first time. One that
    /// holds something already (`kept`) is not made anew when it is not there.
    pub(crate) async fn open_sink(&self, target: &Target, kept: bool) -> Result<DalSink, OpenSinkError> {
        let marker = self.0.store.nas_marker(target.uid).await?;
        let credentials = self.0.config.s3.as_ref();
        let sink = if kept {
            gleaner_sinks::reopen_target(&target.settings, credentials, marker).await?
        } else {
            gleaner_sinks::open_target(&target.settings, credentials, marker).await?
        };
        if let (Some(written), None) = (sink.marker(), marker) {
            self.0.store.set_nas_marker(target.uid, written).await?;
        }
        Ok(sink)
    }

    pub(crate) async fn remove_archive(&self, source: &Source) -> ApiResult<()> {
        let (Some(channel), Some(folder)) = (source.channel_id, source.folder.clone()) else {
            return Ok(());
        };
        let target = self.0.store.target(source.target).await?;
        let identity = ArchiveIdentity {
            source: source.uid,
            channel,
            folder,
            kept: false,
        };
        // A disk that is not mounted must not pass for an archive that is gone.
        let kept = self.expects_archive(source).await?;
        let sink = self.open_sink(&target, kept).await?;
        sink.remove(&identity)
            .await
            .map_err(|e| ApiError::new(e.code(), e.detail))
    }

    /// Whether the source has an archive in its target: a checkpoint is stored once there is a manifest, and
    /// is deleted when the source leaves the target on purpose.
    pub(crate) async fn expects_archive(&self, source: &Source) -> Result<bool, StoreError> {
        Ok(source.folder.is_some() && self.0.store.checkpoint(source.id).await?.is_some())
    }

    /// There is always a LOCAL target, so that a first source needs no settings.
    pub(crate) async fn default_local_target(&self) -> ApiResult<()> {
        if self.0.store.default_target(TargetKind::Local).await?.is_none() {
            let settings = TargetSettings::Local {
                path: self.0.config.archive_dir.clone(),
            };
            self.insert_target("This computer".to_owned(), settings, true)
                .await?;
        }
        Ok(())
    }

    async fn target_at(&self, kind: TargetKind, path: &str) -> ApiResult<Target> {
        let path = PathBuf::from(path);
        let settings = match kind {
            TargetKind::Local => TargetSettings::Local { path },
            TargetKind::Nas => TargetSettings::Nas { path },
            TargetKind::S3 => return Err(ApiError::field("path", "an S3 target has a bucket, not a path")),
        };
        let settings = checked(settings)?;
        if let Some(target) = self.0.store.target_at(&settings).await? {
            return Ok(target);
        }
        let name = folder_of(&settings).map_or_else(String::new, |p| p.display().to_string());
        self.insert_target(name, settings, false).await
    }

    async fn insert_target(&self, name: String, settings: TargetSettings, wished: bool) -> ApiResult<Target> {
        let mut target = Target {
            uid: TargetUid::new(),
            name,
            is_default: wished,
            settings,
            created_at: self.0.clock.now(),
        };
        // The first of its kind is what the contract's word means.
        target.is_default |= self.0.store.default_target(target.kind()).await?.is_none();
        self.0.store.insert_target(&target).await?;
        self.changed(Tag::Targets, None, None).await;
        Ok(target)
    }

    async fn refuse_other_kind(&self, uid: TargetUid, kind: TargetKind) -> ApiResult<()> {
        let before = self.0.store.target(uid).await?.kind();
        if before == kind {
            return Ok(());
        }
        Err(ApiError::field(
            "settings",
            format!("a {} target stays one: add a new target", before.as_str()),
        ))
    }
}

/// Why a source's target cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenSinkError {
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Store(#[from] gleaner_store::StoreError),
}

impl From<OpenSinkError> for ApiError {
    fn from(error: OpenSinkError) -> Self {
        match error {
            OpenSinkError::Sink(error) => Self::new(error.code(), error.detail),
            OpenSinkError::Store(error) => error.into(),
        }
    }
}

impl OpenSinkError {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Sink(error) => error.code(),
            Self::Store(_) => Code::Database,
        }
    }
}

/// Parses and checks settings. A path must be absolute: where this process stands is not where the caller does.
fn checked(settings: TargetSettings) -> ApiResult<TargetSettings> {
    Ok(match settings {
        TargetSettings::Local { path } => TargetSettings::Local {
            path: absolute(&path)?,
        },
        TargetSettings::Nas { path } => TargetSettings::Nas {
            path: absolute(&path)?,
        },
        TargetSettings::S3 {
            bucket,
            endpoint,
            region,
            prefix,
            allow_http,
        } => {
            let bucket = bucket.trim().to_owned();
            let legal = (3..=63).contains(&bucket.len())
                && bucket
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
            if !legal {
                return Err(ApiError::field(
                    "bucket",
                    "3 to 63 lower-case letters, digits, dots or hyphens",
                ));
            }
            let endpoint = endpoint
                .map(|e| e.trim().trim_end_matches('/').to_owned())
                .filter(|e| !e.is_empty());
            if let Some(endpoint) = &endpoint {
                check_endpoint(endpoint, allow_http)?;
            }
            let region = region.map(|r| r.trim().to_owned()).filter(|r| !r.is_empty());
            let prefix = prefix.trim().trim_matches('/').to_owned();
            if prefix.split('/').any(|part| part == "..") {
                return Err(ApiError::field("prefix", "must not contain .."));
            }
            TargetSettings::S3 {
                bucket,
                endpoint,
                region,
                prefix,
                allow_http,
            }
        }
    })
}

fn check_endpoint(endpoint: &str, allow_http: bool) -> ApiResult<()> {
    let url: url::Url = endpoint
        .parse()
        .map_err(|_| ApiError::field("endpoint", "must be an address such as https://s3.example.org"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ApiError::field(
            "endpoint",
            "must not hold a user or password: credentials come from the AWS environment",
        ));
    }
    let on_this_machine = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err(ApiError::field("endpoint", "has no host")),
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if on_this_machine || allow_http => Ok(()),
        "http" => Err(ApiError::field(
            "endpoint",
            "sends everything unencrypted: use https or allow http explicitly",
        )),
        _ => Err(ApiError::field("endpoint", "must start with https://")),
    }
}

fn absolute(path: &Path) -> ApiResult<PathBuf> {
    if path.as_os_str().is_empty() {
        return Err(ApiError::field("path", "must not be empty"));
    }
    if !path.is_absolute() {
        return Err(ApiError::field("path", "must be an absolute path"));
    }
    // Spelled in one way, so that one folder is one target.
    std::path::absolute(path).map_err(|e| ApiError::field("path", e.to_string()))
}

fn folder_of(settings: &TargetSettings) -> Option<&Path> {
    match settings {
        TargetSettings::Local { path } | TargetSettings::Nas { path } => Some(path),
        TargetSettings::S3 { .. } => None,
    }
}

fn row(target: Target, sources: u32) -> TargetRow {
    TargetRow {
        uid: target.uid,
        name: target.name,
        is_default: target.is_default,
        settings: target.settings,
        sources,
    }
}
