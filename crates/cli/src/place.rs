//! Where an archive goes: flags to a target.

use std::path::{Path, PathBuf};

use clap::Args;
use gleaner_app::view::{SaveTarget, TargetRow};
use gleaner_app::{ApiError, ApiResult, App};
use gleaner_domain::{Code, TargetKind, TargetSettings, TargetUid};

use crate::words;

/// A place of one's own instead of the default of its kind.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Place {
    /// A folder: for LOCAL and NAS
    #[arg(long, value_name = "DIR", conflicts_with = "bucket")]
    path: Option<PathBuf>,
    /// A bucket: for S3
    #[arg(long)]
    bucket: Option<String>,
    /// Address of the S3 server [default: Amazon's]
    #[arg(long, requires = "bucket", value_name = "URL")]
    endpoint: Option<String>,
    /// Key prefix inside the bucket
    #[arg(long, requires = "bucket", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Region of the bucket [default: us-east-1]
    #[arg(long, requires = "bucket")]
    region: Option<String>,
    /// Allow an http:// endpoint that is not on this computer: nothing is encrypted
    #[arg(long, requires = "bucket")]
    allow_http: bool,
}

impl Place {
    /// The settings that were said; `None` means the default of its kind.
    pub(crate) fn settings(self, kind: TargetKind) -> ApiResult<Option<TargetSettings>> {
        match (kind, self.path, self.bucket) {
            (_, None, None) => Ok(None),
            (TargetKind::Local, Some(path), _) => Ok(Some(TargetSettings::Local {
                path: absolute(&path)?,
            })),
            (TargetKind::Nas, Some(path), _) => Ok(Some(TargetSettings::Nas {
                path: absolute(&path)?,
            })),
            (TargetKind::S3, _, Some(bucket)) => Ok(Some(TargetSettings::S3 {
                // As they are stored, so that a place that is there is found again.
                bucket: bucket.trim().to_owned(),
                endpoint: said(self.endpoint, '/'),
                region: said(self.region, ' '),
                prefix: self.prefix.trim().trim_matches('/').to_owned(),
                allow_http: self.allow_http,
            })),
            (TargetKind::S3, Some(_), _) => Err(ApiError::field("path", "S3 takes --bucket, not --path")),
            (TargetKind::Local | TargetKind::Nas, None, Some(_)) => Err(ApiError::field(
                "bucket",
                "only S3 takes --bucket: say --target S3, or --path",
            )),
        }
    }

    /// The target that was said: the default of its kind, one that is there, or a new one.
    pub(crate) async fn target(self, app: &App, kind: TargetKind) -> ApiResult<TargetUid> {
        let targets = app.list_targets().await?;
        let Some(settings) = self.settings(kind)? else {
            return default_of(kind, &targets);
        };
        if let Some(known) = targets.iter().find(|target| target.settings == settings) {
            return Ok(known.uid);
        }
        let name = words::place(&settings);
        let saved = app
            .save_target(SaveTarget {
                uid: None,
                name,
                is_default: false,
                settings,
            })
            .await?;
        Ok(saved.uid)
    }

    /// True when nothing was said.
    pub(crate) fn is_default(&self) -> bool {
        self.path.is_none() && self.bucket.is_none()
    }
}

/// The contract's word for a target's kind.
pub(crate) fn kind_of(settings: &TargetSettings) -> TargetKind {
    match settings {
        TargetSettings::Local { .. } => TargetKind::Local,
        TargetSettings::Nas { .. } => TargetKind::Nas,
        TargetSettings::S3 { .. } => TargetKind::S3,
    }
}

fn default_of(kind: TargetKind, targets: &[TargetRow]) -> ApiResult<TargetUid> {
    let found = targets
        .iter()
        .find(|target| target.is_default && kind_of(&target.settings) == kind);
    found.map(|target| target.uid).ok_or_else(|| {
        let how = match kind {
            TargetKind::Local | TargetKind::Nas => "--path",
            TargetKind::S3 => "--bucket",
        };
        let detail = format!(
            "no {} target is set up yet: say {how}, or use gleaner target add",
            kind.as_str()
        );
        ApiError::new(Code::InvalidInput, detail)
    })
}

/// Without what nobody means at its end; nothing when nothing is left.
fn said(text: Option<String>, end: char) -> Option<String> {
    text.map(|text| text.trim().trim_end_matches(end).to_owned())
        .filter(|text| !text.is_empty())
}

fn absolute(path: &Path) -> ApiResult<PathBuf> {
    std::path::absolute(path).map_err(|e| ApiError::field("path", format!("{}: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_meant_from_where_one_stands() {
        let place = Place {
            path: Some("out".into()),
            ..Place::default()
        };
        let Ok(Some(TargetSettings::Local { path })) = place.settings(TargetKind::Local) else {
            panic!("a folder");
        };
        assert!(path.is_absolute() && path.ends_with("out"));
    }

    #[test]
    fn a_bucket_is_meant_whatever_stands_around_its_address() {
        let place = |endpoint: &str, prefix: &str, region: &str| {
            let place = Place {
                bucket: Some("archive".to_owned()),
                endpoint: Some(endpoint.to_owned()),
                prefix: prefix.to_owned(),
                region: Some(region.to_owned()),
                ..Place::default()
            };
            place.settings(TargetKind::S3).expect("sound")
        };
        let plain = place("https://s3.example.org", "news", "eu-1");
        assert_eq!(place(" https://s3.example.org/ ", "/news/", "eu-1 "), plain);
        let empty = place("", "", "");
        assert!(
            matches!(
                empty,
                Some(TargetSettings::S3 {
                    endpoint: None,
                    region: None,
                    ..
                })
            ),
            "{empty:?}"
        );
    }

    #[test]
    fn a_place_of_the_wrong_kind_is_refused() {
        let folder = Place {
            path: Some("out".into()),
            ..Place::default()
        };
        assert!(folder.settings(TargetKind::S3).is_err());
        let bucket = Place {
            bucket: Some("b".into()),
            ..Place::default()
        };
        assert!(bucket.settings(TargetKind::Nas).is_err());
    }
}
