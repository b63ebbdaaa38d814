//! A target as a [`Sink`]: opens the archives in it.

use async_trait::async_trait;
use gleaner_scrape::{Archive, ArchiveIdentity, Sink, SinkError, SinkErrorKind};
use opendal::{Operator, services};
use uuid::Uuid;

use crate::archive::DalArchive;
use crate::error::plain;
use crate::layout::is_component;
use crate::place::Place;

/// A target behind OpenDAL. Clones share the target.
#[derive(Debug, Clone)]
pub struct DalSink {
    place: Place,
}

impl DalSink {
    pub(crate) fn new(place: Place) -> Self {
        Self { place }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// A target that forgets: for tests.
    pub fn memory() -> Self {
        let operator = Operator::new(services::Memory::default()).expect("memory needs no settings");
        Self::new(Place::objects(operator, "memory".to_owned()))
    }

    /// The marker of a NAS, to be saved with the target.
    pub fn marker(&self) -> Option<Uuid> {
        self.place.disk.as_ref().and_then(|disk| disk.marker)
    }

    /// As [`Sink::open`], for those who want to see the manifest.
    pub async fn open_archive(&self, identity: &ArchiveIdentity) -> Result<DalArchive, SinkError> {
        if !is_component(&identity.folder) {
            let detail = format!("{:?} is no name for a folder of an archive", identity.folder);
            return Err(plain(SinkErrorKind::Foreign, detail));
        }
        DalArchive::open(self.place.within(&identity.folder), identity).await
    }
}

#[async_trait]
impl Sink for DalSink {
    async fn open(&self, identity: &ArchiveIdentity) -> Result<Box<dyn Archive>, SinkError> {
        Ok(Box::new(self.open_archive(identity).await?))
    }
}
