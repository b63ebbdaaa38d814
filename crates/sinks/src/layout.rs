//! Where things lie in an archive: names as pure functions of what they hold.
//!
//! A repeat after a crash therefore overwrites itself. `docs/DATA-LAYOUT.md` documents
//! these names for readers.

use chrono::{DateTime, Utc};
use gleaner_domain::ChannelId;
use gleaner_scrape::FileFacts;

use crate::safe_name::{self, MAX_COMPONENT, safe_piece, slug};
use crate::segment::sha256;

/// The only file that changes.
pub const MANIFEST: &str = "manifest.json";

/// The channel's header as last read.
pub const CHANNEL: &str = "channel.json";

/// Files on their way, on targets that are disks.
pub const TEMP: &str = ".tmp";

/// Hexadecimal digits that tell a later file of a message from an earlier one: 48 bits of a hash.
const VERSION: usize = 12;

/// Most bytes of a slug, so that names stay readable.
const MAX_SLUG: usize = 80;

/// The three kinds of segments, each in a folder of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// Records as first kept.
    Messages,
    /// What changed since.
    Revisions,
    /// Counters over time.
    Samples,
}

impl Shelf {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Messages, Self::Revisions, Self::Samples];

    /// Its folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Revisions => "revisions",
            Self::Samples => "samples",
        }
    }
}

/// Folder of a channel under its target: `<slug>-<channel id>`, fixed at the first run.
pub fn folder_name(username: Option<&str>, title: &str, channel: ChannelId) -> String {
    let slug = [username.unwrap_or_default(), title]
        .into_iter()
        .map(|text| slug(text, MAX_SLUG))
        .find(|slug| !slug.is_empty())
        .unwrap_or_else(|| "channel".to_owned());
    format!("{slug}-{channel}")
}

/// True for one harmless path component, such as [`folder_name`] makes.
pub fn is_component(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_COMPONENT && safe_piece(name, MAX_COMPONENT) == name
}

/// Key of a segment of messages.
pub fn messages_key(first: u32, last: u32) -> String {
    format!("messages/{first:010}-{last:010}.jsonl.zst")
}

/// Key of a segment of revisions or samples, the first of which was observed at `at`.
pub fn dated_key(shelf: Shelf, at: DateTime<Utc>, first: u32, last: u32) -> String {
    stamped_key(shelf, &at.format("%Y%m%dT%H%M%S").to_string(), first, last)
}

/// As [`dated_key`], with a stamp taken from another key.
pub(crate) fn stamped_key(shelf: Shelf, stamp: &str, first: u32, last: u32) -> String {
    format!("{}/{stamp}-{first:010}-{last:010}.jsonl.zst", shelf.folder())
}

/// The time stamp in a key made by [`dated_key`].
pub(crate) fn stamp_of(key: &str) -> &str {
    let name = key.rsplit('/').next().unwrap_or(key);
    name.split('-').next().unwrap_or(name)
}

/// `key`, or `key` with a number where `taken` says that another segment has that name.
///
/// Two segments can share first and last id (an edit and a late file of one message within a
/// second, or a merged segment that spans as much as its widest member).
pub(crate) fn free_key(key: String, taken: impl Fn(&str) -> bool) -> String {
    if !taken(&key) {
        return key;
    }
    let stem = key.strip_suffix(".jsonl.zst").unwrap_or(&key);
    (2..=u32::MAX)
        .map(|n| format!("{stem}-{n}.jsonl.zst"))
        .find(|key| !taken(key))
        .expect("there are more numbers than segments")
}

/// Path of a file: `media/<yyyy-mm>/<message id>[-<index>][-v<version>]_<safe name>[.<ext>]`.
///
/// The id leads, so names differ for different messages even where case does not count; index and
/// version stand before the first `_`, so no name can imitate them. Files that came after their message
/// was kept have a version: another photo in the place of the first one never overwrites it.
pub fn media_path(facts: &FileFacts) -> String {
    let id = facts.message;
    let index = match facts.index {
        0 => String::new(),
        index => format!("-{index}"),
    };
    let version = facts
        .version
        .as_deref()
        .map(|text| format!("-v{}", &sha256(text.as_bytes())[..VERSION]))
        .unwrap_or_default();
    let lead = format!("{id}{index}{version}_");
    let announced = facts.extension.as_deref().and_then(safe_name::extension);
    let (stem, own) = facts
        .name
        .as_deref()
        .map_or(("", None), safe_name::split_extension);
    let tail = own
        .or(announced)
        .map(|extension| format!(".{extension}"))
        .unwrap_or_default();
    let stem = match safe_piece(stem, MAX_COMPONENT - lead.len() - tail.len()) {
        stem if stem.is_empty() => facts.kind.as_str().to_owned(),
        stem => stem,
    };
    format!("media/{}/{lead}{stem}{tail}", facts.date.format("%Y-%m"))
}

#[cfg(test)]
mod tests {
    use gleaner_domain::{MediaKind, MessageId};
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn facts(message: u32, index: usize, name: Option<&str>, extension: Option<&str>) -> FileFacts {
        FileFacts {
            message: MessageId(message),
            index,
            date: "2026-03-01T10:00:00Z".parse().expect("a date"),
            kind: MediaKind::Photo,
            name: name.map(str::to_owned),
            extension: extension.map(str::to_owned),
            version: None,
        }
    }

    #[rstest]
    #[case(facts(7, 0, None, Some("jpg")), "media/2026-03/7_photo.jpg")]
    #[case(facts(7, 2, None, Some("jpg")), "media/2026-03/7-2_photo.jpg")]
    #[case(facts(7, 0, Some("Report.PDF"), Some("pdf")), "media/2026-03/7_Report.pdf")]
    #[case(facts(7, 0, Some("v1.2"), Some("zip")), "media/2026-03/7_v1.2.zip")]
    #[case(facts(7, 0, Some("CON"), None), "media/2026-03/7_CON")]
    #[case(facts(7, 0, Some("../../x"), Some("../sh")), "media/2026-03/7__.._x")]
    fn a_file_is_named_after_its_message(#[case] facts: FileFacts, #[case] path: &str) {
        assert_eq!(media_path(&facts), path);
    }

    #[test]
    fn a_file_that_came_later_has_a_name_of_its_own() {
        let version = |index, text: &str| {
            media_path(&FileFacts {
                version: Some(text.to_owned()),
                ..facts(7, index, Some("a/b.jpg"), None)
            })
        };
        assert_eq!(version(0, "5172"), "media/2026-03/7-ve1408471f3dd_a_b.jpg");
        let names = [
            media_path(&facts(7, 0, Some("a/b.jpg"), None)),
            media_path(&facts(7, 1, Some("a/b.jpg"), None)),
            version(0, "5172"),
            version(0, "5173"),
            version(1, "5172"),
        ];
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        assert_eq!(
            version(0, "5172"),
            version(0, "5172"),
            "a repeat overwrites itself"
        );
    }

    #[rstest]
    #[case(Some("Harbour_News"), "ignored", "harbour_news-42")]
    #[case(None, "Новости дня", "новости-дня-42")]
    #[case(None, "🙂", "channel-42")]
    fn a_folder_is_named_after_its_channel(
        #[case] username: Option<&str>,
        #[case] title: &str,
        #[case] name: &str,
    ) {
        let folder = folder_name(username, title, ChannelId(42));
        assert_eq!(folder, name);
        assert!(is_component(&folder));
    }

    #[test]
    fn only_one_harmless_component_is_a_folder() {
        for bad in ["", ".", "..", "a/b", "a\\b", "a.", " a", "a\u{202e}b", "C:"] {
            assert!(!is_component(bad), "{bad:?}");
        }
    }

    #[test]
    fn segments_sort_by_name_as_by_id() {
        assert_eq!(messages_key(1, 1000), "messages/0000000001-0000001000.jsonl.zst");
        let key = dated_key(
            Shelf::Revisions,
            "2026-03-01T10:05:06Z".parse().expect("a date"),
            3,
            9,
        );
        assert_eq!(key, "revisions/20260301T100506-0000000003-0000000009.jsonl.zst");
        assert_eq!(stamp_of(&key), "20260301T100506");
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let taken = ["a-b.jsonl.zst", "a-b-2.jsonl.zst"];
        assert_eq!(
            free_key("a-b.jsonl.zst".into(), |key| taken.contains(&key)),
            "a-b-3.jsonl.zst"
        );
    }

    /// Pieces that have broken file names before.
    const PIECES: &[&str] = &[
        "../",
        "..\\",
        "/",
        "\\\\?\\",
        "C:",
        "CON",
        "nul.txt",
        "COM1",
        "\0",
        "\n",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{feff}",
        ". ",
        " .",
        "...",
        "%2e%2e%2f",
        "~",
        "e\u{301}",
        "\u{301}",
        "\u{1f469}\u{200d}\u{1f680}",
        "\u{f022}",
        "\u{fffe}",
        "_",
        "-1_",
        "$(rm)",
        ";",
        "日本語",
        "ﷺ",
        "\u{0}a",
        ".tar.gz",
        "\u{2028}",
        "\u{1100}\u{1161}",
    ];

    /// Numbers made into pieces, ASCII and any character: cheap enough for many cases.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = |n: u32| match n % 4 {
            0 => PIECES[(n / 4) as usize % PIECES.len()].to_owned(),
            1 => char::from((n / 4 % 95 + 32) as u8).to_string(),
            _ => char::from_u32(n / 4 % 0x11_0000)
                .map(String::from)
                .unwrap_or_default(),
        };
        prop::collection::vec(any::<u32>(), 0..60)
            .prop_map(move |numbers| numbers.into_iter().map(piece).collect())
    }

    fn assert_legal(component: &str) {
        assert!(
            !component.is_empty() && component.len() <= 143,
            "{} bytes: {component:?}",
            component.len()
        );
        assert!(
            !component.contains(['<', '>', ':', '"', '/', '\\', '|', '?', '*']),
            "{component:?}"
        );
        assert!(!component.chars().any(char::is_control), "{component:?}");
        assert!(
            !component.ends_with(['.', ' ']) && !component.starts_with(['.', ' ']),
            "{component:?}"
        );
        assert!(unicode_normalization::is_nfc(component), "{component:?}");
        let turns = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!component.contains(turns), "{component:?}");
        let base = component
            .split('.')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let numbered = |device: &str| base.strip_prefix(device).is_some_and(|n| n.len() == 1);
        assert!(
            !matches!(base.as_str(), "CON" | "PRN" | "AUX" | "NUL"),
            "{component:?}"
        );
        assert!(!numbered("COM") && !numbered("LPT"), "{component:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_hostile_name_escapes_or_collides(
            (one, other) in (hostile(), hostile()),
            extension in prop::option::of(hostile()),
            ids in (0_u32..50, 0_u32..50),
            indexes in (0_usize..12, 0_usize..12),
            versions in (prop::option::of("[ab]"), prop::option::of("[ab]")),
        ) {
            let a = FileFacts {
                version: versions.0.clone(),
                ..facts(ids.0, indexes.0, Some(&one), extension.as_deref())
            };
            let b = FileFacts { version: versions.1.clone(), ..facts(ids.1, indexes.1, Some(&other), None) };
            let (a, b) = (media_path(&a), media_path(&b));
            for path in [&a, &b] {
                let parts: Vec<_> = path.split('/').collect();
                prop_assert_eq!(parts.len(), 3);
                prop_assert_eq!(&parts[..2], ["media", "2026-03"]);
                assert_legal(parts[2]);
            }
            if (ids.0, indexes.0, versions.0) != (ids.1, indexes.1, versions.1) {
                prop_assert_ne!(a.to_lowercase(), b.to_lowercase());
            }
            let folder = folder_name(Some(&one), &other, ChannelId(i64::MAX));
            assert_legal(&folder);
            prop_assert!(is_component(&folder));
        }
    }
}
