//! What a run sees of a channel that can be read, against the truth.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use gleaner_domain::{ChannelId, Code, Count, MessageId, Record, RecordKind, Retry};
use gleaner_preview::{PreviewFiles, PreviewHistory};
use gleaner_scrape::{History, MediaFetcher, Pacer};
use gleaner_testkit::world::Post;
use gleaner_testkit::world::post::{Body, Service};
use gleaner_testkit::{ChannelSpec, Mix};

use crate::site::{client, client_paced, config, history, ids, read_all, site_of};

#[tokio::test]
async fn a_channel_read_backwards_is_complete_and_says_what_was_written() {
    let site = site_of([ChannelSpec::new("harbour", 1_100_000_001).posts(600)]).await;
    let (items, retries) = read_all(&history(&site, "harbour")).await;
    assert_eq!(retries, 0);
    assert_eq!(ids(&items), site.world().live_ids("harbour"));
    for item in &items {
        let record = &item.record;
        let truth = site.world().post("harbour", record.id.0).expect("a live post");
        let at = format!("{} of {truth:?}", record.id);
        assert_eq!(record.channel_id, ChannelId(1_100_000_001));
        assert_eq!(record.date, truth.date, "date {at}");
        assert_eq!(record.album_id, truth.album.map(MessageId), "album {at}");
        check_body(record, &truth, &at);
        match &truth.body {
            Body::Service(service) => {
                assert_eq!(record.kind, RecordKind::Service, "{at}");
                let words = match service {
                    Service::Created => "Channel created".to_owned(),
                    Service::Renamed(title) => format!("Channel name was changed to «{title}»"),
                    Service::PhotoUpdated => "Channel photo updated".to_owned(),
                    Service::Pinned(excerpt) => format!("pinned «{excerpt}»"),
                    Service::LiveStream(minutes) => format!("Live stream finished ({minutes} minutes)"),
                };
                assert!(record.text.ends_with(&words), "{:?} {at}", record.text);
                assert_eq!(record.views, None, "views {at}");
            }
            Body::AppOnly | Body::Giveaway => assert_eq!(record.kind, RecordKind::Unsupported, "{at}"),
            _ => {
                assert_eq!(record.kind, RecordKind::Message, "{at}");
                let text = site.world().text("harbour", record.id.0).expect("a live post");
                // A caption is the first member's; others have none.
                let is_head = record.album_id.is_none_or(|head| head == record.id);
                assert_eq!(
                    record.text,
                    if is_head { text } else { String::new() },
                    "text {at}"
                );
                if is_head {
                    check_views(record, truth.views, &at);
                    let entities = site
                        .world()
                        .entities("harbour", record.id.0)
                        .expect("a live post");
                    assert_eq!(record.entities, entities, "entities {at}");
                    assert_eq!(record.edited, truth.edited, "edited {at}");
                    assert_eq!(record.author, truth.signature, "author {at}");
                    assert_eq!(record.via_bot, truth.via_bot, "via bot {at}");
                    assert_eq!(record.reactions.len(), truth.reactions.len(), "reactions {at}");
                    assert_eq!(record.reply_to.is_some(), truth.reply.is_some(), "reply {at}");
                    assert_eq!(record.forward.is_some(), truth.forward.is_some(), "forward {at}");
                    assert_eq!(
                        record.link_preview.is_some(),
                        truth.link_card.is_some(),
                        "link {at}"
                    );
                    let buttons: Vec<_> = truth
                        .buttons
                        .iter()
                        .flatten()
                        .map(|b| (b.text.as_str(), b.url.as_deref()))
                        .collect();
                    let shown: Vec<_> = record
                        .buttons
                        .iter()
                        .map(|b| (b.text.as_str(), b.url.as_deref()))
                        .collect();
                    assert_eq!(shown, buttons, "buttons {at}");
                }
            }
        }
    }
}

/// What a post holds beside its text, number by number.
fn check_body(record: &Record, truth: &Post, at: &str) {
    let media = record.media.first();
    let seconds = media.and_then(|media| media.duration_s);
    match &truth.body {
        Body::Video { duration_s, .. } | Body::Round { duration_s } => {
            assert_eq!(seconds, Some(*duration_s), "seconds {at}");
            let thumbnail = media.and_then(|media| media.thumbnail.as_deref());
            assert!(
                thumbnail.is_some_and(|url| url.contains("/file/")),
                "thumbnail {at}"
            );
        }
        Body::Voice { duration_s, waveform } => {
            assert_eq!(seconds, Some(*duration_s), "seconds {at}");
            assert_eq!(
                media.map(|media| &media.waveform),
                Some(waveform),
                "waveform {at}"
            );
        }
        Body::Poll(facts) => {
            let poll = record.poll.as_ref().expect(at);
            let options: Vec<_> = poll.options.iter().map(|o| (o.text.clone(), o.percent)).collect();
            let expected: Vec<_> = facts
                .options
                .iter()
                .map(|(text, p)| (text.clone(), Some(*p)))
                .collect();
            assert_eq!(
                (&poll.question, &poll.kind, options),
                (&facts.question, &facts.kind, expected),
                "poll {at}"
            );
            let voters = poll.voters.expect(at);
            assert!(
                is_near(voters, poll.voters_rounded, facts.voters),
                "{voters} voters {at}"
            );
        }
        Body::Location {
            latitude,
            longitude,
            venue,
        } => {
            let place = record.location.as_ref().expect(at);
            assert_eq!(
                (&place.latitude, &place.longitude),
                (latitude, longitude),
                "place {at}"
            );
            let told = place.title.clone().zip(place.address.clone());
            assert_eq!(&told, venue, "venue {at}");
        }
        _ => {}
    }
}

fn check_views(record: &Record, truth: Option<u64>, at: &str) {
    assert_eq!(record.views.is_some(), truth.is_some(), "views {at}");
    if let (Some(views), Some(truth)) = (record.views, truth) {
        assert_eq!(record.views_rounded, truth >= 1_000, "rounding of {truth} {at}");
        assert!(
            is_near(views, record.views_rounded, truth),
            "{views} for {truth} views {at}"
        );
    }
}

/// An exact figure is the truth; a rounded one is off by less than a tenth.
fn is_near(shown: u64, rounded: bool, truth: u64) -> bool {
    let printed = Count {
        value: shown,
        rounded,
    };
    printed == Count::exact(truth) || (rounded && shown.abs_diff(truth) * 10 <= truth)
}

#[tokio::test]
async fn the_opening_has_the_header_and_the_newest_posts() {
    let spec = ChannelSpec::new("harbour", 77)
        .title("Harbour 🎯")
        .description("a\nb")
        .verified()
        .posts(50);
    let site = site_of([spec.mix(Mix::Text).gap_percent(0)]).await;
    let opening = history(&site, "@harbour")
        .open()
        .await
        .expect("a readable channel");
    assert_eq!(
        (opening.channel.id, opening.channel.title.as_str()),
        (ChannelId(77), "Harbour 🎯")
    );
    assert_eq!(opening.channel.username.as_deref(), Some("harbour"));
    assert_eq!(opening.channel.description.as_deref(), Some("a\nb"));
    assert!(opening.channel.verified);
    assert_eq!(ids(&opening.newest.items), (31..=50).collect::<Vec<_>>());
    assert_eq!(opening.newest.covers_from, 31);
    assert!(opening.newest.bytes > 1_000);
}

#[tokio::test]
async fn computed_cursors_answer_for_every_id_below_them() {
    let site = site_of([ChannelSpec::new("harbour", 1).posts(300)]).await;
    let history = history(&site, "harbour");
    let live = site.world().live_ids("harbour");
    for before in [2, 3, 20, 21, 22, 57, 100, 155, 299, 301] {
        let page = history
            .page_before(MessageId(before))
            .await
            .expect("a readable page");
        let expected: Vec<u32> = live
            .iter()
            .copied()
            .filter(|id| (page.covers_from..before).contains(id))
            .collect();
        let got: Vec<u32> = ids(&page.items)
            .into_iter()
            .filter(|id| *id >= page.covers_from)
            .collect();
        assert_eq!(got, expected, "before {before}");
        assert!(page.items.iter().all(|item| item.record.id.0 < before));
    }
}

#[tokio::test]
async fn below_the_first_id_nothing_is_asked() {
    let site = site_of([ChannelSpec::new("harbour", 1).posts(30)]).await;
    let page = history(&site, "harbour")
        .page_before(MessageId(1))
        .await
        .expect("an empty page");
    assert_eq!((page.items.len(), page.covers_from), (0, 1));
    assert_eq!(site.served().len(), 0);
}

#[tokio::test]
async fn a_page_whose_cursor_is_forgotten_is_looked_below_once() {
    let spec = ChannelSpec::new("harbour", 1)
        .posts(100)
        .mix(Mix::Text)
        .gap_percent(0)
        .hides_prev_at_gaps();
    let site = site_of([spec]).await;
    for id in 41..=80 {
        site.world().delete("harbour", id);
    }
    let (items, _) = read_all(&history(&site, "harbour")).await;
    assert_eq!(ids(&items), site.world().live_ids("harbour"));
}

#[tokio::test]
async fn a_channel_whose_first_posts_are_gone_ends_with_one_question_more() {
    let site = site_of([ChannelSpec::new("harbour", 1)
        .posts(15)
        .mix(Mix::Text)
        .gap_percent(0)])
    .await;
    for id in 1..=4 {
        site.world().delete("harbour", id);
    }
    let newest = history(&site, "harbour")
        .open()
        .await
        .expect("a readable channel")
        .newest;
    assert_eq!((ids(&newest.items), newest.covers_from), ((5..=15).collect(), 1));
    assert_eq!(
        site.cursors(),
        [None, Some(5), Some(5)],
        "that nothing is there is heard twice"
    );
}

#[tokio::test]
async fn a_channel_without_posts_is_looked_at_again_later() {
    let site = site_of([ChannelSpec::new("harbour", 1)]).await;
    let error = history(&site, "harbour")
        .open()
        .await
        .expect_err("no number without posts");
    assert!(error.is_no_posts_yet(), "{error:?}");
    assert!(error.detail.contains("@harbour has no posts yet"), "{error}");
}

#[tokio::test]
async fn a_cursor_above_the_newest_post_gives_the_newest_posts() {
    let site = site_of([ChannelSpec::new("harbour", 1).posts(30)]).await;
    let page = history(&site, "harbour")
        .page_before(MessageId(500))
        .await
        .expect("the newest page");
    let live = site.world().live_ids("harbour");
    assert_eq!(
        ids(&page.items),
        live.into_iter()
            .filter(|id| *id >= page.covers_from)
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_name_that_changes_hands_stops_the_reading() {
    let site = site_of([ChannelSpec::new("harbour", 1).posts(60)]).await;
    let history = history(&site, "harbour");
    let opening = history.open().await.expect("a readable channel");
    site.world().set_channel_id("harbour", 2);
    let error = history
        .page_before(MessageId(opening.newest.covers_from))
        .await
        .expect_err("another channel");
    assert_eq!((error.code, error.retry), (Code::ChannelReplaced, Retry::Never));
}

#[tokio::test]
async fn other_spellings_of_a_name_read_the_same_channel() {
    let site = site_of([ChannelSpec::new("harbour", 1).posts(10).also_named("port")]).await;
    let (items, _) = read_all(&history(&site, "Port")).await;
    assert_eq!(ids(&items), site.world().live_ids("harbour"));
    assert!(items.iter().all(|item| {
        item.record
            .link
            .as_ref()
            .is_some_and(|link| link.contains("/harbour/"))
    }));
}

/// Spaces turns by [`STEP`] from the first one on.
#[derive(Default)]
struct Spaced(Mutex<Option<(Instant, u32)>>);

const STEP: Duration = Duration::from_millis(25);

#[async_trait]
impl Pacer for Spaced {
    async fn turn(&self, host: &str) -> Duration {
        assert!(host.starts_with("127.0.0.1:"), "{host}");
        let mut state = self.0.lock().expect("no panic while held");
        let (first, turns) = state.get_or_insert_with(|| (Instant::now(), 0));
        let due = STEP * *turns;
        *turns += 1;
        due.saturating_sub(first.elapsed())
    }
}

#[tokio::test]
async fn every_request_for_a_page_waits_its_turn_repetitions_too() {
    let site = site_of([ChannelSpec::new("harbour", 1).posts(100)]).await;
    let _ = client(&site);
    site.faults().pages(gleaner_testkit::Faults {
        status_every: Some((2, 503)),
        ..Default::default()
    });
    let pacer = Arc::new(Spaced::default());
    let client = client_paced(config(&site), pacer.clone());
    let (items, retries) = read_all(&PreviewHistory::new(client.clone(), "harbour")).await;
    assert!(retries > 0);
    let times = site.request_times();
    let turns = |pacer: &Spaced| {
        pacer
            .0
            .lock()
            .expect("no panic while held")
            .map_or(0, |(_, turns)| turns as usize)
    };
    assert_eq!(turns(&pacer), times.len());
    let (first, _) = pacer
        .0
        .lock()
        .expect("no panic while held")
        .expect("turns were taken");
    for (n, time) in times.iter().enumerate() {
        let since = *time - first;
        assert!(since >= STEP * n as u32, "request {n} came after {since:?}");
    }

    // Files of the pages' own server take turns, too.
    let files = PreviewFiles::new(client);
    let shown: Vec<_> = items.iter().flat_map(|item| &item.files).take(3).collect();
    for file in &shown {
        files.fetch(file).await.expect("a file");
    }
    assert_eq!(turns(&pacer), times.len() + shown.len());
}
