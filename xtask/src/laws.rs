//! The architecture's laws, judged over the manifests and the text of the sources.
//!
//! [`rooms`] looks at who depends on whom, [`sources`] at what stands in the files. Both take what
//! they judge as arguments, so that their tests show them houses that break a law.

mod rooms;
mod sources;

use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;

/// What one law found.
pub(crate) struct Verdict {
    /// The law, for people.
    pub(crate) law: &'static str,
    /// Where it is broken.
    pub(crate) broken: Result<Vec<String>>,
}

/// Judges every law.
pub(crate) fn judge() -> Vec<Verdict> {
    let mut verdicts = rooms::judge(&house());
    verdicts.extend(sources::judge());
    verdicts
}

/// What the workspace's manifests declare. Direct dependencies only, so no network is needed.
fn house() -> Result<Vec<rooms::Room>> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .context("cargo metadata")?;
    Ok(metadata.packages.iter().map(rooms::Room::from).collect())
}
