//! What lies on a disk: readable by others, tidied after a crash, honest about damage.

use std::fs;
use std::process::{Command, Stdio};

use gleaner_domain::SourceUid;
use gleaner_scrape::{Archive as _, ArchiveIdentity, Sink as _, SinkErrorKind};
use rstest::rstest;

use crate::bench::{Bench, Kind, body, channel, commit, facts, files_below, kept, messages};

#[rstest]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn what_the_manifest_does_not_name_is_removed_and_files_of_messages_stay(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let mut archive = bench.open().await;
    archive
        .store_file(&facts(3, "a.txt"), body(b"abc", Some(3)))
        .await
        .expect("stores");
    commit(&mut archive, messages(1..=10)).await.expect("commits");
    let folder = bench.folder();
    let before = files_below(&folder);

    // What a kill leaves: a whole segment before its manifest, and a file on its way.
    let strays = [
        "messages/0000000011-0000000020.jsonl.zst",
        "revisions/x.jsonl.zst",
        "samples/y.jsonl.zst",
    ];
    for stray in strays {
        fs::create_dir_all(folder.join(stray).parent().expect("a folder")).expect("creates");
        fs::write(folder.join(stray), "torn").expect("writes");
    }
    if kind == Kind::Local {
        fs::write(folder.join(".tmp/0190aaaa"), "half a file").expect("writes");
    }
    let archive = bench.open().await;
    assert_eq!(files_below(&folder), before);
    assert!(before.contains(&"media/2026-03/3_a.txt".to_owned()));
    assert_eq!(kept(&archive).await, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_but_what_is_documented_lies_in_the_folder() {
    let bench = Bench::new(Kind::Local).await;
    let mut archive = bench.open().await;
    archive
        .store_file(&facts(3, "a.txt"), body(b"abc", Some(3)))
        .await
        .expect("stores");
    commit(&mut archive, messages(1..=10)).await.expect("commits");
    let there = files_below(&bench.folder());
    let expected = [
        "channel.json",
        "manifest.json",
        "media/2026-03/3_a.txt",
        "messages/0000000001-0000000010.jsonl.zst",
    ];
    assert_eq!(there, expected);
    let header: serde_json::Value =
        serde_json::from_slice(&fs::read(bench.folder().join("channel.json")).expect("reads")).expect("JSON");
    assert_eq!(header, serde_json::to_value(channel()).expect("JSON"));
}

#[tokio::test]
async fn the_header_is_written_only_when_it_changes() {
    let bench = Bench::new(Kind::Local).await;
    commit(&mut bench.open().await, messages(1..=10))
        .await
        .expect("commits");
    let path = bench.folder().join("channel.json");
    fs::write(&path, fs::read(&path).expect("reads").repeat(1)).expect("writes");
    let old = filetime::FileTime::from_unix_time(1_000_000, 0);
    filetime::set_file_mtime(&path, old).expect("sets");
    let mtime = || filetime::FileTime::from_last_modification_time(&fs::metadata(&path).expect("there"));

    let mut archive = bench.open().await;
    commit(&mut archive, messages(11..=20)).await.expect("commits");
    assert_eq!(mtime(), old);
    let mut renamed = channel();
    renamed.title = "Another harbour".to_owned();
    let checkpoint = archive.checkpoint().clone();
    archive
        .commit(messages([21]), &renamed, &checkpoint)
        .await
        .expect("commits");
    assert_ne!(mtime(), old);
}

#[rstest]
#[case("manifest.json", "no manifest.json")]
#[case("messages/0000000001-0000000010.jsonl.zst", "it is missing")]
#[tokio::test]
async fn a_lost_file_is_named_and_nothing_else_is_touched(#[case] lost: &str, #[case] says: &str) {
    let bench = Bench::new(Kind::Local).await;
    commit(&mut bench.open().await, messages(1..=10))
        .await
        .expect("commits");
    fs::remove_file(bench.folder().join(lost)).expect("removes");
    let before = files_below(&bench.folder());
    let error = bench.sink.open(&bench.identity).await.err().expect("refused");
    assert_eq!(error.kind, SinkErrorKind::Damaged);
    assert!(error.detail.contains(says), "{error}");
    assert_eq!(files_below(&bench.folder()), before);
}

#[tokio::test]
async fn a_changed_segment_is_told_from_the_one_that_was_written() {
    let bench = Bench::new(Kind::Local).await;
    let mut archive = bench.open().await;
    commit(&mut archive, messages(1..=10)).await.expect("commits");
    let path = bench.folder().join("messages/0000000001-0000000010.jsonl.zst");
    let mut bytes = fs::read(&path).expect("reads");
    *bytes.last_mut().expect("a byte") ^= 1;
    fs::write(&path, bytes).expect("writes");
    let error = archive
        .read_latest(&[gleaner_domain::MessageId(3)])
        .await
        .expect_err("damaged");
    assert_eq!(error.kind, SinkErrorKind::Damaged, "{error}");
}

#[tokio::test]
async fn zstdcat_and_jq_read_every_line() {
    if Command::new("zstdcat")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err()
        || Command::new("jq")
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .is_err()
    {
        println!("SKIPPED: zstdcat or jq is not installed");
        return;
    }
    let bench = Bench::new(Kind::Local).await;
    let mut archive = bench.open().await;
    commit(&mut archive, messages(1..=1000)).await.expect("commits");
    commit(&mut archive, messages(1001..=1500))
        .await
        .expect("commits");
    let script =
        "set -o pipefail; zstdcat messages/*.jsonl.zst | jq -c 'select(.text | contains(\"\\\"\")) | .id'";
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(bench.folder())
        .output()
        .expect("runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let ids: Vec<u32> = String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .map(|id| id.parse().expect(id))
        .collect();
    assert_eq!(ids, (1..=1500).collect::<Vec<_>>());
}

#[rstest]
#[case(Kind::Memory)]
#[case(Kind::Local)]
#[case(Kind::S3)]
#[tokio::test]
async fn a_removed_archive_is_gone_and_its_neighbour_stays(#[case] kind: Kind) {
    let bench = Bench::new(kind).await;
    let neighbour = ArchiveIdentity {
        folder: format!("{}-2", bench.identity.folder),
        ..bench.identity.clone()
    };
    for identity in [&bench.identity, &neighbour] {
        let mut archive = bench.sink.open_archive(identity).await.expect("opens");
        archive
            .store_file(&facts(3, "a.txt"), body(b"abc", Some(3)))
            .await
            .expect("stores");
        commit(&mut archive, messages(1..=10)).await.expect("commits");
    }
    let stranger = ArchiveIdentity {
        source: SourceUid::new(),
        ..bench.identity.clone()
    };
    let error = bench.sink.remove(&stranger).await.expect_err("another source's");
    assert_eq!(error.kind, SinkErrorKind::Foreign);

    bench.sink.remove(&bench.identity).await.expect("removes");
    bench
        .sink
        .remove(&bench.identity)
        .await
        .expect("an absent one is fine");
    if kind != Kind::Memory {
        assert_eq!(files_below(&bench.folder()), Vec::<String>::new());
    }
    assert!(kind != Kind::Local || !bench.folder().exists());
    let other = bench.sink.open_archive(&neighbour).await.expect("opens");
    assert_eq!(kept(&other).await, (1..=10).collect::<Vec<_>>());
    assert_eq!(bench.open().await.messages(), 0, "the name is free again");
}

#[cfg(unix)]
#[rstest]
#[case("")]
#[case("media")]
#[case("messages")]
#[tokio::test]
async fn a_link_in_an_archive_is_not_followed(#[case] linked: &str) {
    let bench = Bench::new(Kind::Local).await;
    let elsewhere = tempfile::tempdir().expect("a folder");
    let link = bench.folder().join(linked);
    fs::create_dir_all(link.parent().expect("a folder")).expect("creates");
    let link = link.to_str().expect("text").trim_end_matches('/').to_owned();
    std::os::unix::fs::symlink(elsewhere.path(), &link).expect("links");
    let error = bench.sink.open(&bench.identity).await.err().expect("refused");
    assert_eq!(error.kind, SinkErrorKind::Foreign, "{error}");
    assert!(error.detail.contains("link"), "{error}");
    assert_eq!(fs::read_dir(elsewhere.path()).expect("there").count(), 0);
}

#[tokio::test]
async fn free_space_is_told_for_disks_only() {
    for (kind, told) in [(Kind::Local, true), (Kind::Memory, false)] {
        let bench = Bench::new(kind).await;
        let free = bench.open().await.free_bytes().await.expect("asks");
        assert_eq!(free.is_some_and(|free| free > 0), told);
    }
}

/// Unmounts when the test ends, however it ends.
#[cfg(target_os = "linux")]
struct Unmount(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_full_and_what_was_kept_stays_readable() {
    let bench = Bench::new(Kind::Local).await;
    let mount = bench.dir.path().join("out");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
        .arg(&mount)
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: mounting a tiny file system needs root");
        return;
    }
    let _unmount = Unmount(mount);

    let mut archive = bench.open().await;
    commit(&mut archive, messages(1..=10)).await.expect("commits");
    let large = vec![7; 512 * 1024];
    let error = archive
        .store_file(&facts(11, "large.bin"), body(&large, None))
        .await
        .expect_err("full");
    assert_eq!(error.kind, SinkErrorKind::Full, "{error}");
    assert!(error.detail.contains("no space is left"), "{error}");
    assert!(
        !files_below(&bench.folder())
            .iter()
            .any(|path| path.contains("large") || path.contains(".tmp/"))
    );

    // Noise does not compress, so this batch does not fit.
    let mut batch = messages(11..=20);
    for record in &mut batch.records {
        record.text = (0..6_000)
            .map(|_| uuid::Uuid::now_v7().simple().to_string())
            .collect();
    }
    let error = commit(&mut archive, batch).await.expect_err("full");
    assert_eq!(error.kind, SinkErrorKind::Full, "{error}");
    assert_eq!(kept(&bench.open().await).await, (1..=10).collect::<Vec<_>>());
    commit(&mut archive, messages(11..=12))
        .await
        .expect("a failed segment leaves the archive usable");
}
