//! Real pages in a folder named by `GLEANER_SAMPLES_DIR`: each `.html` beside an `index.json`
//! that says what a correct parse yields. They are not part of the project.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use gleaner_domain::{Count, MediaKind, MediaStatus, Record, RecordKind};
use gleaner_preview::{PreviewPage, parse_page};
use serde_json::Value;

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the folder of samples is named from outside"
)]
fn every_sample_parses_as_its_index_says() {
    let Some(folder) = std::env::var_os("GLEANER_SAMPLES_DIR") else {
        println!("SKIPPED: GLEANER_SAMPLES_DIR is not set");
        return;
    };
    let folder = Path::new(&folder);
    let index = std::fs::read_to_string(folder.join("index.json")).expect("the folder has an index.json");
    let samples: Vec<Value> = serde_json::from_str(&index).expect("index.json is a list");
    let mut wrong = Vec::new();
    let mut messages = 0;
    for sample in &samples {
        let file = sample["file"].as_str().expect("every sample names its file");
        let html = std::fs::read_to_string(folder.join(file)).expect(file);
        let page = parse_page(&html, DateTime::UNIX_EPOCH).expect(file);
        messages += sample["messages"].as_array().map_or(0, Vec::len);
        wrong.extend(
            differences(&page, sample)
                .into_iter()
                .map(|difference| format!("{file}: {difference}")),
        );
    }
    println!(
        "{} samples with {messages} messages, {} differences",
        samples.len(),
        wrong.len()
    );
    assert!(!samples.is_empty(), "the index lists no samples");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn differences(page: &PreviewPage, sample: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: &str, found: String, expected: String| {
        if found != expected {
            wrong.push(format!("{what} is {found}, expected {expected}"));
        }
    };
    let expected = sample["messages"].as_array().cloned().unwrap_or_default();
    // Albums are one message in the index.
    let mut posts: BTreeMap<u32, Vec<&Record>> = BTreeMap::new();
    for item in &page.items {
        posts
            .entry(item.record.album_id.unwrap_or(item.record.id).0)
            .or_default()
            .push(&item.record);
    }
    check(
        "the number of posts",
        posts.len().to_string(),
        expected.len().to_string(),
    );
    check("what was skipped", format!("{:?}", page.skipped), "[]".to_owned());
    for message in &expected {
        let address = message["data_post"].as_str().unwrap_or_default();
        let id: u32 = address
            .rsplit('/')
            .next()
            .and_then(|id| id.parse().ok())
            .unwrap_or_default();
        let Some(records) = posts.get(&id) else {
            check(address, "missing".to_owned(), "a post".to_owned());
            continue;
        };
        let first = records[0];
        let mut field = |name: &str, found: Value| {
            check(
                &format!("{name} of {address}"),
                found.to_string(),
                message[name].to_string(),
            );
        };
        field(
            "date",
            first.date.format("%Y-%m-%dT%H:%M:%S+00:00").to_string().into(),
        );
        field("views", first.views.into());
        field(
            "text",
            Some(first.text.clone()).filter(|text| !text.is_empty()).into(),
        );
        field("service", (first.kind == RecordKind::Service).into());
        field("edited", first.edited.into());
        field("signature", first.author.clone().into());
        field(
            "reply_to",
            first
                .reply_to
                .as_ref()
                .and_then(|reply| reply.link.clone())
                .into(),
        );
        field(
            "forwarded_from",
            first
                .forward
                .as_ref()
                .and_then(|forward| forward.link.clone())
                .into(),
        );
        let mut kinds: Vec<String> = message["kinds"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|k| k.as_str().map(str::to_owned))
            .collect();
        kinds.sort();
        check(
            &format!("kinds of {address}"),
            format!("{:?}", self::kinds(records)),
            format!("{kinds:?}"),
        );
        if let Some(view) = message["data_view"].as_object() {
            let channel = view["c"].as_i64().map(i64::abs);
            check(
                "the channel",
                format!("{:?}", Some(first.channel_id.0)),
                format!("{channel:?}"),
            );
            let rendered = view["t"]
                .as_i64()
                .and_then(|t| DateTime::<Utc>::from_timestamp(t, 0));
            check(
                "when it was read",
                format!("{:?}", Some(first.observed_at)),
                format!("{rendered:?}"),
            );
        }
    }
    if let Some(channel) = sample["channel"].as_object() {
        let header = page.header.clone().unwrap_or_default();
        check(
            "the title",
            header.title,
            channel["title"].as_str().unwrap_or_default().into(),
        );
        let description = header.description.unwrap_or_default();
        check(
            "the description",
            description,
            channel["description"].as_str().unwrap_or_default().into(),
        );
        for (kind, printed) in channel["counters"].as_object().into_iter().flatten() {
            let found = match kind.trim_end_matches('s') {
                "subscriber" | "member" => header.subscribers,
                "photo" => header.photos,
                "video" => header.videos,
                "file" => header.files,
                "link" => header.links,
                _ => None,
            };
            let printed = printed.as_str().and_then(|text| text.parse::<Count>().ok());
            check(kind, format!("{found:?}"), format!("{printed:?}"));
        }
    }
    for cursor in sample["cursors"].as_array().into_iter().flatten() {
        for (name, found) in [("data-before", page.prev), ("data-after", page.next)] {
            if let Some(value) = cursor[name].as_str() {
                check(
                    name,
                    found.map(|id| id.to_string()).unwrap_or_default(),
                    value.to_owned(),
                );
            }
        }
    }
    check(
        "no posts",
        page.no_posts.to_string(),
        sample["no_posts_found"].as_bool().unwrap_or_default().to_string(),
    );
    wrong
}

/// What a post holds, in the index's words.
fn kinds(records: &[&Record]) -> Vec<String> {
    let mut kinds = Vec::new();
    for record in records {
        for media in &record.media {
            let kind = match media.kind {
                MediaKind::ChannelPhoto => "service_photo",
                MediaKind::Video if media.status == MediaStatus::NotInPreview => "video_too_big",
                kind => kind.as_str(),
            };
            let member = record
                .album_id
                .map(|_| format!(":{}", record.id))
                .unwrap_or_default();
            kinds.push(format!("{kind}{member}"));
        }
        let attached = [
            (record.poll.is_some(), "poll"),
            (record.location.is_some(), "location"),
            (record.contact.is_some(), "contact"),
            (record.link_preview.is_some(), "link_preview"),
            (record.reply_to.is_some(), "reply"),
            (record.forward.is_some(), "forward"),
            (record.kind == RecordKind::Unsupported, "unsupported"),
        ];
        kinds.extend(
            attached
                .into_iter()
                .filter(|(is, _)| *is)
                .map(|(_, kind)| kind.to_owned()),
        );
    }
    kinds.sort();
    kinds
}
