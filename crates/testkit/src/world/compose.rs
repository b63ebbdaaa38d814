//! From a recipe to a post: every detail drawn from the channel's seed and the id.

use gleaner_domain::text::EntityKind;

use super::channel::{Channel, Language};
use super::draw::Draw;
use super::layout::{Recipe, Slot};
use super::post::{
    Body, Button, Forward, Frame, LinkCard, Poll, Post, Reaction, ReactionKind, Reply, Service, StickerKind,
};
use super::prose;
use super::text::RichText;

const REACTIONS: &[ReactionKind] = &[
    ReactionKind::Emoji("❤️"),
    ReactionKind::Emoji("👍"),
    ReactionKind::Emoji("🔥"),
    ReactionKind::Emoji("😁"),
    ReactionKind::Custom("5359785904535774578", "🎉"),
    ReactionKind::Paid,
];

pub(crate) fn compose(channel: &Channel, id: u32, slot: &Slot) -> Post {
    let mut draw = Draw::of(&[channel.seed, u64::from(id)]);
    let language = channel.spec.language;
    let mut post = Post::new(RichText::default());
    post.id = id;
    post.date = slot.date();
    post.views = Some(views(&mut draw, channel.spec.subscribers));
    post.edited = draw.chance(4);
    dress(&mut post, slot, channel, language, &mut draw);
    if matches!(post.body, Body::Service(_)) {
        (post.views, post.edited) = (None, false);
    } else if slot.album.is_none_or(|head| head == id) && draw.chance(60) {
        post.reactions = reactions(&mut draw);
    }
    post
}

/// Gives the post what its recipe says.
fn dress(post: &mut Post, slot: &Slot, channel: &Channel, language: Language, draw: &mut Draw) {
    let short = |draw: &mut Draw| RichText::plain(&prose::sentence(draw, language));
    match slot.recipe {
        Recipe::Text | Recipe::Scripted => post.text = text(draw, language),
        Recipe::LongText => post.text = long_text(draw, language),
        Recipe::Formatted => post.text = formatted(draw, language),
        Recipe::RightToLeft => {
            let language = *draw.pick(&[Language::Arabic, Language::Hebrew]);
            let sentences = draw.between(1, 4);
            post.text = RichText::plain(&prose::sentences(draw, language, sentences))
                .then("\n")
                .styled(EntityKind::Bold, &prose::sentence(draw, language))
                .then(" ")
                .hashtag(prose::tag(draw, language));
        }
        Recipe::Links => post.text = links(draw, language),
        Recipe::LinkPreview => {
            let card = link_card(draw, language);
            post.text = short(draw).then("\n").styled(EntityKind::Url, &card.url);
            post.link_card = Some(card);
        }
        Recipe::Reply => {
            post.text = short(draw);
            post.reply = reply_here(channel, post.id, draw);
        }
        Recipe::ReplyElsewhere => {
            post.text = short(draw);
            post.reply = Some(Reply {
                id: draw.between(2, 900) as u32,
                elsewhere: Some("harbour_archive".to_owned()),
                author: "Harbour Archive".to_owned(),
                excerpt: prose::headline(draw, Language::English),
                of_media: false,
            });
        }
        Recipe::Forward => {
            post.text = text(draw, language);
            post.forward = Some(Forward {
                from: "Night Ferry & Friends".to_owned(),
                link: Some(format!("https://t.me/night_ferry/{}", draw.between(2, 5_000))),
                author: draw.chance(50).then(|| prose::person(draw).to_owned()),
            });
        }
        Recipe::ForwardHidden => {
            post.text = short(draw);
            post.forward = Some(Forward {
                from: prose::person(draw).to_owned(),
                link: None,
                author: None,
            });
        }
        Recipe::Signed => {
            post.text = text(draw, language);
            post.signature = Some(prose::person(draw).to_owned());
            post.edited = draw.chance(50);
        }
        Recipe::ViaBot => {
            post.text = short(draw);
            post.via_bot = Some("tide_table_bot".to_owned());
        }
        Recipe::Buttons => {
            post.text = short(draw);
            post.buttons = vec![
                vec![
                    Button {
                        text: "Timetable 🚢".to_owned(),
                        url: Some("https://example.org/ferry?day=1&lang=en".to_owned()),
                    },
                    Button {
                        text: "Map".to_owned(),
                        url: Some("https://example.org/map".to_owned()),
                    },
                ],
                vec![Button {
                    text: format!("👍 {}", draw.between(1, 90)),
                    url: None,
                }],
            ];
        }
        Recipe::CustomEmoji => {
            post.text = short(draw)
                .then(" ")
                .styled(
                    EntityKind::CustomEmoji {
                        emoji_id: "5368324170671202286".to_owned(),
                    },
                    "👍",
                )
                .then(" ")
                .styled(
                    EntityKind::CustomEmoji {
                        emoji_id: "5210952531676504517".to_owned(),
                    },
                    "🌊",
                );
        }
        Recipe::Photo => {
            post.body = Body::Photo(frame(draw));
            post.text = caption(draw, language);
        }
        Recipe::Album => {
            post.body = if draw.chance(80) {
                Body::Photo(frame(draw))
            } else {
                Body::Video {
                    frame: frame(draw),
                    duration_s: draw.between(3, 90) as u32,
                    too_big: false,
                }
            };
            if slot.album == Some(post.id) {
                post.text = caption(draw, language);
            }
        }
        Recipe::Video | Recipe::BigVideo => {
            let too_big = slot.recipe == Recipe::BigVideo;
            let longest = if too_big { 7_200 } else { 600 };
            post.body = Body::Video {
                frame: frame(draw),
                duration_s: draw.between(4, longest) as u32,
                too_big,
            };
            post.text = caption(draw, language);
        }
        Recipe::Animation => {
            post.body = Body::Animation(frame(draw));
            post.text = caption(draw, language);
        }
        Recipe::Round => {
            post.body = Body::Round {
                duration_s: draw.between(3, 60) as u32,
            }
        }
        Recipe::Voice => {
            let waveform = (0..100).map(|_| draw.between(0, 32) as u8).collect();
            post.body = Body::Voice {
                duration_s: draw.between(1, 400) as u32,
                waveform,
            };
        }
        Recipe::Audio => {
            post.body = Body::Audio {
                title: prose::headline(draw, language),
                performer: prose::person(draw).to_owned(),
            };
        }
        Recipe::Document => {
            let name = draw.pick(&[
                "tide-table.pdf",
                "Observations <2026>.csv",
                "карта залива.zip",
                "ملاحظات.docx",
            ]);
            post.body = Body::Document {
                name: (*name).to_owned(),
            };
            post.text = caption(draw, language);
        }
        Recipe::Sticker => {
            post.body =
                Body::Sticker(*draw.pick(&[StickerKind::Still, StickerKind::Animated, StickerKind::Video]));
        }
        Recipe::Poll => post.body = Body::Poll(poll(draw, language)),
        Recipe::Location | Recipe::Venue => {
            let degrees = |draw: &mut Draw, whole: u64| {
                format!(
                    "{}.{:012}",
                    draw.between(0, whole),
                    draw.between(0, 1_000_000_000_000)
                )
            };
            post.body = Body::Location {
                latitude: degrees(draw, 90),
                longitude: format!("-{}", degrees(draw, 180)),
                venue: (slot.recipe == Recipe::Venue)
                    .then(|| ("Harbour Observatory".to_owned(), "1 Breakwater Road".to_owned())),
            };
        }
        Recipe::Contact => {
            post.body = Body::Contact {
                name: prose::person(draw).to_owned(),
                phone: format!("+99 900 {:07}", draw.between(0, 10_000_000)),
            };
        }
        Recipe::Created => post.body = Body::Service(Service::Created),
        Recipe::Pinned => post.body = Body::Service(Service::Pinned(prose::headline(draw, language))),
        Recipe::Renamed => post.body = Body::Service(Service::Renamed(channel.spec.title.clone())),
        Recipe::PhotoUpdated => post.body = Body::Service(Service::PhotoUpdated),
        Recipe::LiveStream => post.body = Body::Service(Service::LiveStream(draw.between(2, 120) as u32)),
        Recipe::Unsupported => post.body = Body::AppOnly,
        Recipe::Giveaway => post.body = Body::Giveaway,
    }
}

fn text(draw: &mut Draw, language: Language) -> RichText {
    let sentences = draw.between(1, 5);
    let text = RichText::plain(&prose::sentences(draw, language, sentences));
    match draw.between(0, 3) {
        0 => text.then(&format!(" {}", prose::emoji(draw))),
        1 => text.then("\n\n").hashtag(prose::tag(draw, language)),
        _ => text,
    }
}

fn long_text(draw: &mut Draw, language: Language) -> RichText {
    let mut text = RichText::default().styled(EntityKind::Bold, &prose::headline(draw, language));
    for _ in 0..draw.between(6, 14) {
        let sentences = draw.between(2, 7);
        text = text
            .then("\n\n")
            .then(&prose::sentences(draw, language, sentences));
    }
    text
}

fn caption(draw: &mut Draw, language: Language) -> RichText {
    if draw.chance(25) {
        RichText::default()
    } else {
        text(draw, language)
    }
}

/// Every kind of formatting, one or two nested, in an order of its own.
fn formatted(draw: &mut Draw, language: Language) -> RichText {
    let mut text = RichText::plain(prose::emoji(draw)).then(" ").wrapped(
        EntityKind::Bold,
        RichText::plain(&prose::headline(draw, language))
            .then(" ")
            .styled(EntityKind::Italic, "(live)"),
    );
    for _ in 0..draw.between(2, 6) {
        let words = prose::sentence(draw, language);
        text = text.then("\n");
        text = match draw.between(0, 9) {
            0 => text.styled(EntityKind::Italic, &words),
            1 => text.styled(EntityKind::Underline, &words),
            2 => text.styled(EntityKind::Strikethrough, &words),
            3 => text.styled(EntityKind::Spoiler, &words),
            4 => text.styled(
                EntityKind::Blockquote {
                    collapsed: draw.chance(40),
                },
                &words,
            ),
            5 => text
                .then(&words)
                .then(" ")
                .styled(EntityKind::Code, "tide --at 54.3 <now>"),
            6 => text.styled(
                EntityKind::Pre {
                    language: draw.chance(50).then(|| "python".to_owned()),
                },
                "def tide(at):\n    return sea[at] & 0xff",
            ),
            7 => text.wrapped(
                EntityKind::Underline,
                RichText::plain(&words)
                    .then(" ")
                    .link("details", "https://example.org/log?a=1&b=2"),
            ),
            _ => text.then(&words),
        };
    }
    text.then("\n").hashtag(prose::tag(draw, language))
}

fn links(draw: &mut Draw, language: Language) -> RichText {
    RichText::plain(&prose::sentence(draw, language))
        .then(" ")
        .link(
            "the report",
            &format!("https://example.org/report?id={}&from=tg", draw.between(1, 9_000)),
        )
        .then(" • ")
        .styled(EntityKind::Url, "https://example.org/a?b=1&c=2")
        .then("\n")
        .styled(EntityKind::Mention, "@harbour_archive")
        .then(" – ")
        .styled(EntityKind::Email, "post@example.org")
        .then(" ")
        .hashtag(prose::tag(draw, language))
}

fn link_card(draw: &mut Draw, language: Language) -> LinkCard {
    LinkCard {
        url: format!(
            "https://example.org/news/{}?ref=tg&lang=xx",
            draw.between(1_000, 99_999)
        ),
        site: "Harbour Gazette".to_owned(),
        title: prose::headline(draw, language),
        description: prose::sentences(draw, language, 2),
        small: draw.chance(40),
    }
}

/// An answer to one of the last thirty living posts; an answer to nothing if all are gone.
fn reply_here(channel: &Channel, id: u32, draw: &mut Draw) -> Option<Reply> {
    let back = draw.between(1, 30) as u32;
    let target = (1..=id.saturating_sub(back).max(1))
        .rev()
        .take(30)
        .find(|target| channel.is_live(*target))?;
    let shown = channel.slot(target).and_then(|slot| match slot.recipe {
        Recipe::Photo => Some("Photo"),
        Recipe::Album => Some("Album"),
        Recipe::Video | Recipe::BigVideo => Some("Video"),
        Recipe::Animation => Some("GIF"),
        _ => None,
    });
    let of_media = shown.is_some();
    let excerpt = shown.map_or_else(|| prose::headline(draw, channel.spec.language), str::to_owned);
    Some(Reply {
        id: target,
        elsewhere: None,
        author: channel.spec.title.clone(),
        excerpt,
        of_media,
    })
}

fn poll(draw: &mut Draw, language: Language) -> Poll {
    let first = draw.between(10, 80) as u8;
    let second = draw.between(0, u64::from(100 - first)) as u8;
    Poll {
        question: format!("{}?", prose::headline(draw, language)),
        kind: (*draw.pick(&["Anonymous Poll", "Anonymous Quiz", "Public Poll", "Final Results"])).to_owned(),
        options: vec![
            ("Yes, certainly 👍".to_owned(), first),
            ("Not before <spring>".to_owned(), second),
            ("Ask the seals".to_owned(), 100 - first - second),
        ],
        voters: draw.between(0, 9_000_000),
    }
}

fn frame(draw: &mut Draw) -> Frame {
    let (width, height) = *draw.pick(&[
        (800, 600),
        (600, 800),
        (1280, 720),
        (720, 1280),
        (800, 800),
        (1920, 1080),
        (450, 600),
    ]);
    Frame { width, height }
}

fn views(draw: &mut Draw, subscribers: u64) -> u64 {
    let reach = subscribers.max(10);
    // Some posts are read by few, so that exact and rounded figures both occur.
    if draw.chance(25) {
        draw.between(1, reach.min(999) + 1)
    } else {
        draw.between(reach / 10, reach * 3)
    }
}

fn reactions(draw: &mut Draw) -> Vec<Reaction> {
    let kinds = draw.between(1, REACTIONS.len() as u64 + 1) as usize;
    REACTIONS[..kinds]
        .iter()
        .map(|kind| Reaction {
            kind: kind.clone(),
            count: draw.between(1, 4_000),
        })
        .collect()
}
