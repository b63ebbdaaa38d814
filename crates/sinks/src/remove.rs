//! Removes an archive, when its owner asks for it.

use gleaner_scrape::{ArchiveIdentity, SinkError, SinkErrorKind};

use crate::archive::check_owner;
use crate::error::plain;
use crate::layout::{MANIFEST, is_component};
use crate::manifest::Manifest;
use crate::sink::DalSink;

impl DalSink {
    /// Deletes a source's whole archive: messages, files, manifest. One that belongs to another source is
    /// refused; a folder without a manifest is nobody's archive and left alone.
    pub async fn remove(&self, identity: &ArchiveIdentity) -> Result<(), SinkError> {
        if !is_component(&identity.folder) {
            let detail = format!("{:?} is no name for a folder of an archive", identity.folder);
            return Err(plain(SinkErrorKind::Foreign, detail));
        }
        let place = self.place().within(&identity.folder);
        place.check_mounted().await?;
        let Some(stored) = place.read(MANIFEST).await? else {
            return Ok(());
        };
        let manifest = Manifest::parse(&stored.bytes, place.name())?;
        check_owner(&manifest, identity, &place)?;
        place.remove_all(MANIFEST).await
    }
}
