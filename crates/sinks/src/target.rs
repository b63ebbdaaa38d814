//! A target's settings made into a [`DalSink`].

use std::path::Path;

use gleaner_domain::TargetSettings;
use gleaner_scrape::{SinkError, SinkErrorKind};
use opendal::{Operator, services};
use uuid::Uuid;

use crate::error::{failed, failed_io, plain};
use crate::place::{Disk, Place, blocking, patiently};
use crate::s3::{self, Bucket, S3Credentials};
use crate::sink::DalSink;

/// Start of the name of a NAS's marker file.
const MARKER: &str = ".gleaner-root-";

/// Opens a target. LOCAL creates its folder. NAS refuses a folder without the `marker` of an earlier
/// run, and writes one at first use: save [`DalSink::marker`] then. S3 sends nothing yet.
///
/// # Errors
/// Besides the errors of the target itself: `Denied` for S3 without `credentials`.
pub async fn open_target(
    settings: &TargetSettings,
    credentials: Option<&S3Credentials>,
    marker: Option<Uuid>,
) -> Result<DalSink, SinkError> {
    let place = match settings {
        TargetSettings::Local { .. } | TargetSettings::S3 { .. } => {
            reach(settings, credentials, None).await?
        }
        TargetSettings::Nas { .. } if marker.is_some() => reach(settings, credentials, marker).await?,
        TargetSettings::Nas { path } => {
            require_folder(path).await?;
            let marker = adopt_marker(path).await?;
            reach(settings, credentials, Some(marker)).await?
        }
    };
    Ok(DalSink::new(place))
}

/// As [`open_target`], where something is known to be kept: no folder is made.
///
/// # Errors
/// `Missing` when a LOCAL folder is not there.
pub async fn reopen_target(
    settings: &TargetSettings,
    credentials: Option<&S3Credentials>,
    marker: Option<Uuid>,
) -> Result<DalSink, SinkError> {
    if let TargetSettings::Local { path } = settings {
        let there = patiently(tokio::fs::try_exists(path)).await;
        let there = there.map_err(|cause| failed_io(format_args!("look for {}", path.display()), cause))?;
        if !there {
            let detail = format!(
                "The folder {} with this source's archive is not there: its disk is not mounted, or it was moved, \
                 renamed or deleted",
                path.display()
            );
            return Err(plain(SinkErrorKind::Missing, detail));
        }
    }
    open_target(settings, credentials, marker).await
}

/// Makes a place of the settings, without leaving a marker anywhere.
pub(crate) async fn reach(
    settings: &TargetSettings,
    credentials: Option<&S3Credentials>,
    marker: Option<Uuid>,
) -> Result<Place, SinkError> {
    match settings {
        TargetSettings::Local { path } => {
            let made = patiently(tokio::fs::create_dir_all(path)).await;
            made.map_err(|cause| failed_io(format_args!("create the folder {}", path.display()), cause))?;
            disk(path, None).await
        }
        TargetSettings::Nas { path } => {
            require_folder(path).await?;
            let place = disk(path, marker).await?;
            place.check_mounted().await?;
            Ok(place)
        }
        TargetSettings::S3 {
            bucket,
            endpoint,
            region,
            prefix,
            allow_http,
        } => s3::place(
            Bucket {
                name: bucket,
                endpoint: endpoint.as_deref(),
                region: region.as_deref(),
                prefix,
                allow_http: *allow_http,
            },
            credentials,
        ),
    }
}

/// Name of the marker file at the root of a NAS.
pub(crate) fn marker_name(marker: Uuid) -> String {
    format!("{MARKER}{marker}")
}

async fn disk(path: &Path, marker: Option<Uuid>) -> Result<Place, SinkError> {
    let shown = path.display().to_string();
    let path = path.to_owned();
    let root = blocking(move || std::fs::canonicalize(path)).await;
    let root = root.map_err(|cause| failed_io(format_args!("open {shown}"), cause))?;
    let Some(text) = root.to_str().map(str::to_owned) else {
        // OpenDAL takes text; a lossy one would be another folder.
        let detail = format!("{shown} cannot be used: its path is not valid Unicode");
        return Err(plain(SinkErrorKind::Denied, detail));
    };
    let built = blocking(move || Ok(Operator::new(services::Fs::default().root(&text)))).await;
    let operator = built
        .map_err(|cause| failed_io(format_args!("open {shown}"), cause))?
        .map_err(|cause| failed(format_args!("open {shown}"), cause))?;
    Ok(Place::on_disk(operator, Disk { root, marker }, shown))
}

/// A share is never created: where it is not mounted there is nothing.
async fn require_folder(path: &Path) -> Result<(), SinkError> {
    let meta = patiently(tokio::fs::metadata(path)).await;
    let meta =
        meta.map_err(|cause| failed_io(format_args!("find the share at {}", path.display()), cause))?;
    if meta.is_dir() {
        return Ok(());
    }
    Err(plain(
        SinkErrorKind::Denied,
        format!("{} is a file, not the folder of a share", path.display()),
    ))
}

/// The marker that is there, of another machine perhaps; else a fresh one.
async fn adopt_marker(path: &Path) -> Result<Uuid, SinkError> {
    let root = path.to_owned();
    let found = blocking(move || {
        for entry in std::fs::read_dir(&root)? {
            let name = entry?.file_name();
            let uuid = name
                .to_str()
                .and_then(|name| name.strip_prefix(MARKER))
                .map(str::parse::<Uuid>);
            if let Some(Ok(uuid)) = uuid {
                return Ok(uuid);
            }
        }
        let uuid = Uuid::now_v7();
        let file = std::fs::File::create_new(root.join(marker_name(uuid)))?;
        file.sync_all()?;
        Ok(uuid)
    });
    found
        .await
        .map_err(|cause| failed_io(format_args!("mark the share at {}", path.display()), cause))
}
