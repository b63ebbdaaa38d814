//! *Test* of a target: tries everything a run will do, and explains what does not work.

use bytes::Bytes;
use gleaner_domain::TargetSettings;
use gleaner_scrape::{SinkError, SinkErrorKind};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{advice, plain};
use crate::layout::TEMP;
use crate::place::{Only, Place};
use crate::s3::S3Credentials;
use crate::target::reach;

/// What a test found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetReport {
    /// In the order they were tried; nothing comes after the first failure.
    pub steps: Vec<TestStep>,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestStep {
    /// What: `connect`, `write`, `read back`, `conditional write`, `delete`, `free space`.
    pub name: String,
    /// Whether it worked.
    pub ok: bool,
    /// A sentence; on failure with what helps.
    pub detail: String,
}

impl TargetReport {
    /// True when everything worked.
    pub fn ok(&self) -> bool {
        self.steps.iter().all(|step| step.ok)
    }

    fn note(&mut self, name: &str, result: Result<String, SinkError>) -> bool {
        let ok = result.is_ok();
        let detail = result.unwrap_or_else(|error| match advice(&error) {
            Some(advice) => format!("{error}. {advice}"),
            None => format!("{error}."),
        });
        self.steps.push(TestStep {
            name: name.to_owned(),
            ok,
            detail,
        });
        ok
    }
}

/// Tries a target out: writes, reads and deletes a small file of a name nobody else uses.
pub async fn test_target(
    settings: &TargetSettings,
    credentials: Option<&S3Credentials>,
    marker: Option<Uuid>,
) -> TargetReport {
    let mut report = TargetReport { steps: Vec::new() };
    let place = match reach(settings, credentials, marker).await {
        Ok(place) => place,
        Err(error) => {
            report.note("connect", Err(error));
            return report;
        }
    };
    let folder = format!(".gleaner-test-{}", Uuid::now_v7().simple());
    let trial = Trial {
        place: place.within(&folder),
        target: &place,
        folder: &folder,
    };
    if report.note("connect", trial.connect().await) {
        let written = trial.run(&mut report).await;
        // Also after a failure: nothing of a test stays behind.
        let deleted = trial.clean().await;
        if written {
            report.note("delete", deleted);
            report.note("free space", trial.free_space().await);
        }
    }
    report
}

struct Trial<'a> {
    /// The folder of this test.
    place: Place,
    target: &'a Place,
    folder: &'a str,
}

const FILE: &str = "test.txt";
const TEXT: &[u8] = b"Gleaner tests whether it can write here. This file may be deleted.\n";

impl Trial<'_> {
    async fn connect(&self) -> Result<String, SinkError> {
        // The first request of a bucket: tells wrong keys, regions and names apart.
        self.place.read(FILE).await?;
        Ok(match &self.target.disk {
            Some(_) => format!("{} is there.", self.target.name()),
            None => format!("{} answers.", self.target.name()),
        })
    }

    /// Everything but cleaning; false after the first failure.
    async fn run(&self, report: &mut TargetReport) -> bool {
        let written = self.place.put(FILE, Bytes::from_static(TEXT), Only::Always).await;
        let etag = written.as_ref().ok().cloned().flatten();
        report.note(
            "write",
            written.map(|_| format!("Wrote a file of {} bytes.", TEXT.len())),
        ) && report.note("read back", self.read_back().await)
            && (self.target.disk.is_some()
                || report.note("conditional write", self.conditional(etag.as_deref()).await))
    }

    async fn read_back(&self) -> Result<String, SinkError> {
        match self.place.read(FILE).await? {
            Some(stored) if stored.bytes == TEXT => Ok("Read the same bytes back.".to_owned()),
            Some(_) => Err(plain(
                SinkErrorKind::Damaged,
                "Other bytes came back than were written",
            )),
            None => Err(plain(
                SinkErrorKind::Damaged,
                "The file was gone right after it was written",
            )),
        }
    }

    /// A bucket must refuse to overwrite: two writers are told apart by that alone.
    async fn conditional(&self, etag: Option<&str>) -> Result<String, SinkError> {
        let bytes = Bytes::from_static(TEXT);
        let Some(etag) = etag else {
            let detail = "The server names no version (ETag) of what it stores, so two writers could not be told apart";
            return Err(plain(SinkErrorKind::Denied, detail));
        };
        let ignored = || {
            let detail = "The server ignores conditions (If-Match, If-None-Match): two machines that scrape the same \
                          source could overwrite each other. Use a server that honours them";
            Err(plain(SinkErrorKind::Denied, detail))
        };
        for only in [
            Only::IfAbsent,
            Only::IfStill("\"00000000000000000000000000000000\""),
        ] {
            match self.place.put(FILE, bytes.clone(), only).await {
                Ok(_) => return ignored(),
                Err(error) if error.kind == SinkErrorKind::Raced => {}
                Err(error) => return Err(error),
            }
        }
        self.place.put(FILE, bytes, Only::IfStill(etag)).await?;
        Ok("The server refuses to overwrite what another writer changed.".to_owned())
    }

    async fn clean(&self) -> Result<String, SinkError> {
        self.place.delete([FILE.to_owned()]).await?;
        if self.target.disk.is_some() {
            for folder in [format!("{}/{TEMP}/", self.folder), format!("{}/", self.folder)] {
                self.target.delete([folder]).await?;
            }
        }
        Ok("Deleted the file again.".to_owned())
    }

    async fn free_space(&self) -> Result<String, SinkError> {
        Ok(match self.target.free_bytes().await? {
            Some(free) => format!("{} are free.", readable(free)),
            None => "This target does not say how much space is free.".to_owned(),
        })
    }
}

/// `1.5 GB`, as disks are sold.
fn readable(bytes: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} bytes")
    } else {
        format!("{value:.1} {}", units[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        assert_eq!(readable(999), "999 bytes");
        assert_eq!(readable(1_500_000_000), "1.5 GB");
    }
}
