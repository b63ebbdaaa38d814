//! One post: its subtree is walked once, and the class of each element says what it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use gleaner_domain::record::{Button, Contact, Forward, LinkPreview, Location, Poll, Reaction, Reply};
use gleaner_domain::{ChannelId, Count};
use scraper::ElementRef;
use serde::Deserialize;

use super::Skipped;
use super::media::Found;
use super::text::Formatted;
use super::{attachments, footer, media, text};
use crate::dom::{Step, Then, attr, classes, has_class, some_text, walk};

/// A post as printed; an album is one post over several messages.
#[derive(Default)]
pub(super) struct Post {
    pub(super) slug: String,
    pub(super) id: u32,
    pub(super) view: DataView,
    pub(super) is_service: bool,
    pub(super) date: DateTime<Utc>,
    pub(super) edited: bool,
    pub(super) author: Option<String>,
    pub(super) via_bot: Option<String>,
    pub(super) text: Formatted,
    /// Captions of single members of an album.
    pub(super) more_texts: Vec<(u32, Formatted)>,
    pub(super) files: Vec<Found>,
    /// What the page says in place of media that it cannot show.
    pub(super) unsupported: Option<String>,
    /// The page does show what `unsupported` is about, to clients that can.
    pub(super) has_supported_part: bool,
    pub(super) reply: Option<Reply>,
    pub(super) forward: Option<Forward>,
    pub(super) views: Option<Count>,
    pub(super) voters: Option<Count>,
    pub(super) reactions: Vec<Reaction>,
    pub(super) poll: Option<Poll>,
    pub(super) location: Option<Location>,
    pub(super) contact: Option<Contact>,
    pub(super) link_preview: Option<LinkPreview>,
    pub(super) buttons: Vec<Button>,
}

/// What `data-view` says.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct DataView {
    /// The channel's number.
    pub(super) channel: Option<ChannelId>,
    /// Whether the post is an album.
    pub(super) is_album: bool,
    /// When the server rendered the post.
    pub(super) rendered: Option<DateTime<Utc>>,
}

impl DataView {
    fn parse(raw: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Wire {
            c: Option<i64>,
            p: Option<serde_json::Value>,
            t: Option<i64>,
        }
        let json = URL_SAFE_NO_PAD.decode(raw.trim().trim_end_matches('=')).ok()?;
        let wire: Wire = serde_json::from_slice(&json).ok()?;
        Some(Self {
            channel: wire.c.and_then(ChannelId::parse),
            is_album: wire
                .p
                .is_some_and(|p| p.as_str().is_some_and(|p| p.ends_with('g'))),
            rendered: wire.t.and_then(|t| DateTime::from_timestamp(t, 0)),
        })
    }
}

/// Reads the post in `root`. Posts found inside it are added to `others`. The error is the
/// reason why the post cannot be kept.
pub(super) fn read<'a>(root: ElementRef<'a>, others: &mut Vec<ElementRef<'a>>) -> Result<Post, Skipped> {
    let address = attr(root, "data-post").unwrap_or_default();
    let mut reader = Reader {
        others,
        strays: Vec::new(),
        date: None,
        post: Post::default(),
    };
    reader.read(root);
    let (date, mut post) = (reader.date, reader.post);

    let parsed = address
        .rsplit_once('/')
        .and_then(|(slug, id)| Some((slug, id.parse::<u32>().ok()?)));
    let (slug, id) = parsed
        .filter(|(slug, id)| !slug.is_empty() && *id > 0)
        .ok_or_else(|| Skipped::new(address, "it has no number"))?;
    post.date = date.ok_or_else(|| Skipped::new(address, "it has no date"))?;
    slug.clone_into(&mut post.slug);
    post.id = id;
    post.view = attr(root, "data-view")
        .and_then(DataView::parse)
        .unwrap_or_default();
    post.is_service = has_class(root, "service_message");
    if let (Some(poll), Some(voters)) = (&mut post.poll, post.voters) {
        (poll.voters, poll.voters_rounded) = (Some(voters.value), voters.rounded);
    }
    Ok(post)
}

struct Reader<'a, 'o> {
    others: &'o mut Vec<ElementRef<'a>>,
    strays: Vec<ElementRef<'a>>,
    date: Option<DateTime<Utc>>,
    post: Post,
}

impl<'a> Reader<'a, '_> {
    fn read(&mut self, root: ElementRef<'a>) {
        self.read_below(root);
        // Parts of the post that an unclosed tag drew into its text.
        while let Some(stray) = self.strays.pop() {
            if self.visit(stray) == Then::Descend {
                self.read_below(stray);
            }
        }
    }

    fn read_below(&mut self, root: ElementRef<'a>) {
        walk(*root, |step| match step {
            Step::Open(element) => self.visit(element),
            Step::Text(_) | Step::Close(_) => Then::Descend,
        });
    }

    fn visit(&mut self, element: ElementRef<'a>) -> Then {
        match element.value().name() {
            "time" => {
                self.date = self.date.or_else(|| footer::date(element));
                return Then::Skip;
            }
            "svg" | "script" | "style" => return Then::Skip,
            _ => {}
        }
        for class in classes(element) {
            if let Some(then) = self.visit_class(class, element) {
                return then;
            }
        }
        Then::Descend
    }

    /// The table of what a class means. `None`: nothing by itself, ask the next class.
    fn visit_class(&mut self, class: &'a str, element: ElementRef<'a>) -> Option<Then> {
        let post = &mut self.post;
        match class {
            "tgme_widget_message" if attr(element, "data-post").is_some() => self.others.push(element),

            // Frame of the post, and what stands in for content on clients that cannot show it.
            "tgme_widget_message_user"
            | "tgme_widget_message_bubble_tail"
            | "tgme_widget_message_owner_name" => {}
            // Players have such a label, too, but are read as a whole.
            "media_not_supported_cont"
            | "message_media_not_supported_wrap"
            | "message_media_not_supported" => {
                post.unsupported = post.unsupported.take().or_else(|| media::label(element));
            }
            "media_supported_cont" => {
                post.has_supported_part = true;
                return None;
            }

            // Where it comes from.
            "tgme_widget_message_reply" => post.reply = Some(attachments::reply(element)),
            "js-message_reply_text" => {
                if let Some(reply) = &mut post.reply {
                    reply.excerpt = reply.excerpt.take().or_else(|| some_text(element));
                }
            }
            "tgme_widget_message_forwarded_from" => post.forward = attachments::forward(element),
            "tgme_widget_message_via_bot" => {
                post.via_bot = some_text(element).map(|name| name.trim_start_matches('@').to_owned());
            }

            "tgme_widget_message_text" if has_class(element, "js-message_reply_text") => return None,
            "tgme_widget_message_text" => {
                let text = text::read(element, &mut self.strays);
                self.add_text(text);
            }

            // Files.
            "tgme_widget_message_photo_wrap" => post.files.push(media::photo(element)),
            "tgme_widget_message_video_player" => post.files.push(media::video(element)),
            "tgme_widget_message_roundvideo_player" => post.files.push(media::round_video(element)),
            "tgme_widget_message_voice_player" => post.files.push(media::voice(element)),
            "tgme_widget_message_document_wrap" => post.files.push(media::document(element)),
            "tgme_widget_message_sticker" => post.files.push(media::sticker(element)),
            "tgme_widget_message_tgsticker" | "tgme_widget_message_videosticker" => {
                post.files.push(media::moving_sticker(element));
            }
            "tgme_widget_message_service_photo" => post.files.push(media::channel_photo(element)),

            // Attachments.
            "tgme_widget_message_poll" => post.poll = Some(attachments::poll(element)),
            "tgme_widget_message_location_wrap" => post.location = attachments::location(element),
            "tgme_widget_message_contact_wrap" => post.contact = Some(attachments::contact(element)),
            "tgme_widget_message_link_preview" => {
                post.link_preview = Some(attachments::link_preview(element));
            }
            "tgme_widget_message_game" => post.link_preview = Some(attachments::card(element, "Game")),
            "tgme_widget_message_invoice" => post.link_preview = Some(attachments::card(element, "Invoice")),
            "tgme_widget_message_inline_button" => post.buttons.extend(attachments::button(element)),

            // Footer.
            "tgme_widget_message_views" => post.views = footer::count(element),
            "tgme_widget_message_voters" => post.voters = footer::count(element),
            "tgme_reaction" => post.reactions.extend(footer::reaction(element)),
            "tgme_widget_message_from_author" => post.author = some_text(element),
            "tgme_widget_message_meta" => {
                post.edited |= footer::says_edited(element);
                return Some(Then::Descend);
            }
            _ => return None,
        }
        Some(Then::Skip)
    }

    /// A text is the post's, or the caption of the document it follows, where that is a message
    /// of its own: documents of an album have one each, pictures one for all.
    fn add_text(&mut self, text: Formatted) {
        let post = &mut self.post;
        let of_member = post
            .files
            .last()
            .filter(|file| !file.is_grouped)
            .and_then(|file| file.member);
        match of_member {
            Some(member) => post.more_texts.push((member, text)),
            None if text != post.text => post.text.append(text),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(json: &str) -> Option<DataView> {
        DataView::parse(&URL_SAFE_NO_PAD.encode(json))
    }

    #[test]
    fn data_view_names_channel_album_and_time() {
        let album = view(r#"{"c":-1591537674,"p":"14g","t":1677228733,"h":"x"}"#).expect("a data-view");
        assert_eq!(album.channel, Some(ChannelId(1_591_537_674)));
        assert!(album.is_album);
        assert_eq!(album.rendered, DateTime::from_timestamp(1_677_228_733, 0));
        let plain = view(r#"{"c":-1591537674,"p":13,"t":1677228733,"h":"x"}"#).expect("a data-view");
        assert!(!plain.is_album);
    }

    #[test]
    fn an_old_data_view_without_channel_still_tells_the_time() {
        let old = view(r#"{"t":1500000000,"h":"x"}"#).expect("a data-view");
        assert_eq!((old.channel, old.rendered.is_some()), (None, true));
    }

    #[test]
    fn a_broken_data_view_says_nothing() {
        assert_eq!(DataView::parse("???"), None);
        assert_eq!(view("[1,2]"), None);
        assert_eq!(
            view(r#"{"c":0,"t":9223372036854775807}"#),
            Some(DataView::default())
        );
    }
}
