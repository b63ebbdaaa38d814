//! An archive as any other program reads it, and what must be true of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gleaner_testkit::WorldHandle;
use serde_json::Value;

/// Every line of every segment that the manifest names, in the manifest's order.
pub(crate) fn records(archive: &Path) -> Vec<Value> {
    let manifest = json(&archive.join("manifest.json"));
    let segments = manifest["segments"]["messages"].as_array().expect("a list");
    segments
        .iter()
        .flat_map(|segment| lines(&archive.join(text(&segment["path"]))))
        .collect()
}

/// The files that a channel's posts have in truth; each is drawn once.
pub(crate) struct Posted<'w> {
    world: &'w WorldHandle,
    channel: &'static str,
    drawn: RefCell<HashMap<u32, Option<Rc<[u8]>>>>,
    /// Files that were whole at this size.
    whole: RefCell<HashMap<PathBuf, u64>>,
    /// Paths of files that the records of a segment name.
    named: RefCell<HashMap<PathBuf, Rc<[String]>>>,
}

impl<'w> Posted<'w> {
    pub(crate) fn by(world: &'w WorldHandle, channel: &'static str) -> Self {
        Self {
            world,
            channel,
            drawn: RefCell::default(),
            whole: RefCell::default(),
            named: RefCell::default(),
        }
    }

    fn file(&self, id: u32) -> Option<Rc<[u8]>> {
        let draw = || {
            self.world
                .media_bytes(self.channel, id, 0)
                .map(|file| Rc::from(&*file))
        };
        self.drawn.borrow_mut().entry(id).or_insert_with(draw).clone()
    }

    /// Looks at a file unless it was found whole before and has the same size still.
    fn look(&self, path: &Path, look: impl FnOnce()) {
        let size = fs::metadata(path)
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
            .len();
        if self.whole.borrow().get(path) != Some(&size) {
            look();
            self.whole.borrow_mut().insert(path.to_owned(), size);
        }
    }

    fn named_by(&self, segment: &Path) -> Rc<[String]> {
        let read = || stored_files(&lines(segment)).into_keys().collect();
        Rc::clone(
            self.named
                .borrow_mut()
                .entry(segment.to_owned())
                .or_insert_with(read),
        )
    }
}

/// Nothing lost, nothing doubled, nothing half written, whatever happened while it was made.
pub(crate) fn assert_whole(archive: &Path, world: &WorldHandle, channel: &'static str) {
    assert_all_is_there(archive, &Posted::by(world, channel));
}

/// The same, for who looks often.
pub(crate) fn assert_all_is_there(archive: &Path, posted: &Posted<'_>) {
    let records = records(archive);
    let ids: Vec<u32> = records.iter().map(id).collect();
    let kept: BTreeSet<u32> = ids.iter().copied().collect();
    assert_eq!(ids.len(), kept.len(), "no message is there twice");
    let live: BTreeSet<u32> = posted.world.live_ids(posted.channel).into_iter().collect();
    let lost: Vec<_> = live.difference(&kept).collect();
    let foreign: Vec<_> = kept.difference(&live).collect();
    assert!(
        lost.is_empty() && foreign.is_empty(),
        "lost {lost:?}, foreign {foreign:?}"
    );

    for media in records.iter().flat_map(media_of) {
        let status = text(&media["status"]);
        assert!(
            matches!(status, "stored" | "not_in_preview" | "skipped"),
            "{media}"
        );
    }
    let stored = stored_files(&records);
    for (path, (id, size)) in &stored {
        let bytes = fs::read(archive.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!(bytes.len() as u64, *size, "{path}");
        let true_bytes = posted.file(*id).expect("the world has this file");
        assert!(*bytes == *true_bytes, "{path} is what the world posted");
    }
    assert_eq!(
        files_on_disk(archive),
        files_that_count(archive, &stored),
        "no stray file is left"
    );
}

/// What must be true at any moment, right after a kill too: under a final name there are whole files only,
/// and what the manifest names is there as it says.
pub(crate) fn assert_nothing_is_half_written(archive: &Path, posted: &Posted<'_>) {
    if !archive.join("manifest.json").exists() {
        return; // killed before its first write
    }
    let manifest = json(&archive.join("manifest.json"));
    for segment in manifest["segments"].as_object().expect("shelves").values() {
        for segment in segment.as_array().expect("a list") {
            let path = archive.join(text(&segment["path"]));
            let size = fs::metadata(&path)
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
                .len();
            assert_eq!(Some(size), segment["bytes"].as_u64(), "{}", path.display());
            posted.look(&path, || {
                let count = raw_lines(&path).len() as u64;
                assert_eq!(Some(count), segment["count"].as_u64(), "{}", path.display());
            });
        }
    }
    let there = files_on_disk(archive);
    for segment in manifest["segments"]["messages"].as_array().expect("a list") {
        for path in posted.named_by(&archive.join(text(&segment["path"]))).iter() {
            assert!(there.contains(Path::new(path)), "{path} is named by a record");
        }
    }
    for path in there {
        let name = path.to_string_lossy().replace('\\', "/");
        // On its way, ours or the server's.
        if name.split('/').any(|part| part.starts_with('.')) {
            continue;
        }
        if path.extension().is_some_and(|kind| kind == "zst") {
            let segment = archive.join(&path);
            posted.look(&segment, || _ = raw_lines(&segment)); // to its checksum
        } else if let Some(file) = name.strip_prefix("media/") {
            let file = file.rsplit('/').next().expect("a name");
            let id = file.split(['_', '-']).next().and_then(|id| id.parse().ok());
            let file = archive.join(&path);
            posted.look(&file, || {
                let true_bytes = posted.file(id.expect("an id"));
                let bytes = fs::read(&file).expect("it is there");
                assert!(true_bytes.is_some_and(|all| *bytes == *all), "{name} is whole");
            });
        }
    }
}

fn media_of(record: &Value) -> impl Iterator<Item = &Value> {
    record["media"].as_array().into_iter().flatten()
}

fn stored_files(records: &[Value]) -> BTreeMap<String, (u32, u64)> {
    let mut files = BTreeMap::new();
    for record in records {
        for media in media_of(record) {
            if media["status"] == "stored" {
                let size = media["size"].as_u64().expect("a stored file has a size");
                files.insert(text(&media["path"]).to_owned(), (id(record), size));
            }
        }
    }
    files
}

fn files_that_count(archive: &Path, stored: &BTreeMap<String, (u32, u64)>) -> BTreeSet<PathBuf> {
    let manifest = json(&archive.join("manifest.json"));
    let shelves = manifest["segments"].as_object().expect("shelves").values();
    let segments = shelves
        .flat_map(|shelf| shelf.as_array().expect("a list"))
        .map(|s| text(&s["path"]).to_owned());
    let own = ["manifest.json", "channel.json"].map(str::to_owned);
    segments
        .chain(own)
        .chain(stored.keys().cloned())
        .map(PathBuf::from)
        .collect()
}

fn files_on_disk(archive: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![archive.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if !is_servers_own(&path) {
                found.insert(path.strip_prefix(archive).expect("inside").to_owned());
            }
        }
    }
    found
}

/// The S3 server keeps what it knows about an object in a hidden file beside it.
fn is_servers_own(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(".bucket-") || name.starts_with(".upload")
}

fn lines(segment: &Path) -> Vec<Value> {
    raw_lines(segment)
        .iter()
        .map(|line| serde_json::from_slice(line).expect("a line is JSON"))
        .collect()
}

fn raw_lines(segment: &Path) -> Vec<Vec<u8>> {
    let packed = fs::read(segment).unwrap_or_else(|e| panic!("{}: {e}", segment.display()));
    let raw = zstd::decode_all(packed.as_slice()).unwrap_or_else(|e| panic!("{}: {e}", segment.display()));
    raw.split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

pub(crate) fn json(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn id(record: &Value) -> u32 {
    record["id"]
        .as_u64()
        .and_then(|id| u32::try_from(id).ok())
        .expect("an id")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
