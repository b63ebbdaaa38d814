//! Where archives are kept.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::TargetUid;

/// The contract's three kinds of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum TargetKind {
    /// A folder on this machine.
    Local,
    /// A mounted network share.
    Nas,
    /// A bucket that speaks S3.
    S3,
}

impl TargetKind {
    /// The contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "LOCAL",
            Self::Nas => "NAS",
            Self::S3 => "S3",
        }
    }
}

impl std::str::FromStr for TargetKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "LOCAL" => Ok(Self::Local),
            "NAS" => Ok(Self::Nas),
            "S3" => Ok(Self::S3),
            _ => Err(()),
        }
    }
}

/// A named place for archives. The contract's LOCAL, NAS and S3 mean the default of that kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its identity.
    pub uid: TargetUid,
    /// The user's name for it.
    pub name: String,
    /// Whether the contract's word for its kind means this one.
    pub is_default: bool,
    /// What it is.
    pub settings: TargetSettings,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

impl Target {
    /// The contract's word for it.
    pub fn kind(&self) -> TargetKind {
        match self.settings {
            TargetSettings::Local { .. } => TargetKind::Local,
            TargetSettings::Nas { .. } => TargetKind::Nas,
            TargetSettings::S3 { .. } => TargetKind::S3,
        }
    }
}

/// What a target needs to be reached. No secret is in here: S3 credentials come from the
/// standard AWS environment or profile until the vault exists (docs/decisions/0004).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind")]
pub enum TargetSettings {
    /// A folder on this machine.
    #[serde(rename = "LOCAL")]
    Local {
        /// Absolute path.
        #[schema(value_type = String)]
        path: PathBuf,
    },
    /// A mounted network share.
    #[serde(rename = "NAS")]
    Nas {
        /// Absolute path of a folder on the share.
        #[schema(value_type = String)]
        path: PathBuf,
    },
    /// A bucket that speaks S3.
    #[serde(rename = "S3")]
    S3 {
        /// Name of the bucket.
        bucket: String,
        /// Address of the server; `null` means Amazon's.
        endpoint: Option<String>,
        /// Region; `null` means `us-east-1`.
        region: Option<String>,
        /// Key prefix inside the bucket, without slashes at its ends; may be empty.
        #[serde(default)]
        prefix: String,
        /// Must be true for an `http://` endpoint that is not on this machine.
        #[serde(default)]
        allow_http: bool,
    },
}
