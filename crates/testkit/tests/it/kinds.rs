//! Every kind of post shows itself by the elements readers look for.

use std::collections::BTreeMap;

use gleaner_domain::MediaKind;
use gleaner_testkit::world::Post;
use gleaner_testkit::world::post::{Body, ReactionKind, Service, StickerKind};
use gleaner_testkit::{ChannelSpec, PreviewSite, World};
use scraper::{ElementRef, Selector};

use crate::web::{all, client, get};

type Kind = (&'static str, fn(&Post) -> bool, &'static str);

/// Kinds of facts, and the selector that must find them inside their message.
const KINDS: &[Kind] = &[
    (
        "photo",
        |p| matches!(p.body, Body::Photo(_)) && p.album.is_none(),
        "a.tgme_widget_message_photo_wrap[style*='background-image']",
    ),
    (
        "album",
        |p| p.album.is_some(),
        ".tgme_widget_message_grouped_layer .grouped_media_wrap[href$='?single']",
    ),
    (
        "video",
        |p| matches!(p.body, Body::Video { too_big: false, .. }),
        "video.tgme_widget_message_video[src*='.mp4?token=']",
    ),
    (
        "big video",
        |p| matches!(p.body, Body::Video { too_big: true, .. }),
        ".tgme_widget_message_video_player.not_supported .message_video_duration",
    ),
    (
        "animation",
        |p| matches!(p.body, Body::Animation(_)),
        "video.tgme_widget_message_video[autoplay][loop]",
    ),
    (
        "round",
        |p| matches!(p.body, Body::Round { .. }),
        "video.tgme_widget_message_roundvideo[src]",
    ),
    (
        "voice",
        |p| matches!(p.body, Body::Voice { .. }),
        "audio.tgme_widget_message_voice[data-waveform]",
    ),
    (
        "audio",
        |p| matches!(p.body, Body::Audio { .. }),
        ".tgme_widget_message_document_icon.audio",
    ),
    (
        "document",
        |p| matches!(p.body, Body::Document { .. }),
        ".tgme_widget_message_document_title",
    ),
    (
        "still sticker",
        |p| p.body == Body::Sticker(StickerKind::Still),
        "i.tgme_widget_message_sticker[data-webp]",
    ),
    (
        "animated sticker",
        |p| p.body == Body::Sticker(StickerKind::Animated),
        "source[type='application/x-tgsticker'][srcset]",
    ),
    (
        "video sticker",
        |p| p.body == Body::Sticker(StickerKind::Video),
        "video.js-videosticker_video[src*='.webm']",
    ),
    (
        "poll",
        |p| matches!(p.body, Body::Poll(_)),
        ".tgme_widget_message_poll_option_percent",
    ),
    (
        "voters",
        |p| matches!(p.body, Body::Poll(_)),
        ".tgme_widget_message_footer .tgme_widget_message_voters",
    ),
    (
        "location",
        |p| matches!(p.body, Body::Location { .. }),
        "a.tgme_widget_message_location_wrap[href*='maps?q=']",
    ),
    (
        "venue",
        |p| matches!(p.body, Body::Location { venue: Some(_), .. }),
        ".tgme_widget_message_location_title",
    ),
    (
        "contact",
        |p| matches!(p.body, Body::Contact { .. }),
        ".tgme_widget_message_contact_phone",
    ),
    (
        "new picture",
        |p| p.body == Body::Service(Service::PhotoUpdated),
        "a.tgme_widget_message_service_photo img[src]",
    ),
    (
        "pinned",
        |p| matches!(p.body, Body::Service(Service::Pinned(_))),
        ".tgme_widget_service_strong_text",
    ),
    (
        "app only",
        |p| p.body == Body::AppOnly,
        ".message_media_not_supported_label",
    ),
    (
        "giveaway",
        |p| p.body == Body::Giveaway,
        ".message_media_not_supported_label",
    ),
    (
        "text",
        |p| !p.text.is_empty(),
        ".tgme_widget_message_text.js-message_text",
    ),
    ("views", |p| p.views.is_some(), ".tgme_widget_message_views"),
    (
        "signed",
        |p| p.signature.is_some(),
        ".tgme_widget_message_meta .tgme_widget_message_from_author",
    ),
    ("via bot", |p| p.via_bot.is_some(), ".tgme_widget_message_via_bot"),
    (
        "reply",
        |p| p.reply.is_some(),
        "a.tgme_widget_message_reply[href] .js-message_reply_text",
    ),
    (
        "reply to a file",
        |p| p.reply.as_ref().is_some_and(|r| r.of_media),
        ".tgme_widget_message_metatext",
    ),
    (
        "forward",
        |p| p.forward.as_ref().is_some_and(|f| f.link.is_some()),
        "a.tgme_widget_message_forwarded_from_name[href]",
    ),
    (
        "hidden forward",
        |p| p.forward.as_ref().is_some_and(|f| f.link.is_none()),
        "span.tgme_widget_message_forwarded_from_name",
    ),
    (
        "reactions",
        |p| !p.reactions.is_empty(),
        ".tgme_widget_message_reactions .tgme_reaction",
    ),
    (
        "stars",
        |p| p.reactions.iter().any(|r| r.kind == ReactionKind::Paid),
        ".tgme_reaction_paid .icon-telegram-stars",
    ),
    (
        "link preview",
        |p| p.link_card.is_some(),
        "a.tgme_widget_message_link_preview .link_preview_title",
    ),
    (
        "buttons",
        |p| !p.buttons.is_empty(),
        "a.url_button .tgme_widget_message_inline_button_text",
    ),
];

fn has(message: ElementRef<'_>, selector: &str) -> bool {
    message
        .select(&Selector::parse(selector).expect("a valid selector"))
        .next()
        .is_some()
}

#[tokio::test]
async fn every_kind_of_post_is_drawn_and_shows_itself() {
    let world = World::new()
        .channel(ChannelSpec::new("harbour", 1).posts(1_600))
        .into_handle();
    let site = PreviewSite::start(world.clone()).await;
    let client = client();
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    for before in (21..=1_601).step_by(20) {
        let page = get(&client, &format!("{}/s/harbour?before={before}", site.base_url())).await;
        for message in all(&page, ".tgme_widget_message[data-post]") {
            let id = message
                .attr("data-post")
                .unwrap()
                .rsplit_once('/')
                .unwrap()
                .1
                .parse()
                .unwrap();
            let post = world.post("harbour", id).expect("pages show living posts");
            for (kind, is, selector) in KINDS {
                if is(&post) {
                    assert!(
                        has(message, selector),
                        "{kind} of {id}: nothing matches {selector}"
                    );
                    *met.entry(*kind).or_default() += 1;
                }
            }
            let service = matches!(post.body, Body::Service(_));
            assert_eq!(
                message.attr("class").unwrap().contains("service_message"),
                service
            );
            assert_eq!(has(message, ".tgme_widget_message_views"), !service);
        }
    }
    let missing: Vec<_> = KINDS
        .iter()
        .filter(|(kind, ..)| !met.contains_key(kind))
        .map(|(kind, ..)| kind)
        .collect();
    assert!(missing.is_empty(), "never drawn: {missing:?}");
}

#[test]
fn files_are_between_one_and_two_hundred_kibibytes_and_start_as_their_kind_does() {
    let world = World::new()
        .channel(ChannelSpec::new("harbour", 1).posts(800))
        .into_handle();
    let mut kinds = BTreeMap::new();
    for id in world.live_ids("harbour") {
        let post = world.post("harbour", id).unwrap();
        assert_eq!(world.media_bytes("harbour", id, 1), None);
        let Some(kind) = post.media_kind() else { continue };
        let bytes = world
            .media_bytes("harbour", id, 0)
            .expect("what has a kind has bytes");
        assert!(
            (1 << 10..=200 << 10).contains(&bytes.len()),
            "{kind:?} {}",
            bytes.len()
        );
        let magic: &[u8] = match kind {
            MediaKind::Photo | MediaKind::ChannelPhoto => b"\xff\xd8\xff",
            MediaKind::Video | MediaKind::Animation | MediaKind::Round => b"\x00\x00\x00\x18ftyp",
            MediaKind::Voice => b"OggS",
            MediaKind::Audio => b"ID3",
            MediaKind::Document | MediaKind::Sticker => b"",
        };
        assert!(bytes.starts_with(magic));
        *kinds.entry(kind).or_insert(0) += 1;
    }
    assert!(kinds.len() >= 8, "{kinds:?}");
}
