//! What hangs on a message, as HTML: pictures, films, sounds, files, polls, places, cards.

use super::Shared;
use super::html::{counter, duration, escape, line};
use crate::world::media::{FileKey, Part};
use crate::world::post::{Body, Frame, LinkCard, Poll, StickerKind};
use crate::world::{Channel, Post};

/// Everything a message's HTML is made from.
pub(crate) struct Scene<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) channel: &'a Channel,
    /// The channel's place in the world.
    pub(crate) index: u16,
}

const NOT_SUPPORTED: &str = "<div class=\"message_media_not_supported_wrap\">\n  \
    <div class=\"message_media_not_supported\">\n    \
    <div class=\"message_media_not_supported_label\">LABEL</div>\n    \
    <span class=\"message_media_view_in_telegram\">VIEW IN TELEGRAM</span>\n  </div>\n</div>";
const IN_BROWSER: &str = "This media is not supported in your browser";

impl Scene<'_> {
    /// Public address of a post.
    pub(crate) fn permalink(&self, id: u32) -> String {
        format!("https://t.me/{}/{id}", escape(self.channel.name()))
    }

    pub(crate) fn key(&self, message: u32, part: Part, version: u8) -> FileKey {
        FileKey {
            channel: self.index,
            message,
            part,
            version,
        }
    }

    fn file(&self, post: &Post) -> String {
        let extension = post.file_extension().expect("asked for posts with a file only");
        self.shared
            .file_url(self.key(post.id, Part::Main, post.file_version), extension)
    }

    /// The picture itself, for photos: they have no token.
    pub(crate) fn picture(&self, post: &Post) -> String {
        self.shared
            .picture_url(self.key(post.id, Part::Main, post.file_version))
    }

    pub(crate) fn thumb(&self, message: u32, version: u8) -> String {
        self.shared.picture_url(self.key(message, Part::Thumb, version))
    }

    /// What stands in the bubble above the text.
    pub(crate) fn body(&self, post: &Post) -> String {
        let link = self.permalink(post.id);
        match &post.body {
            Body::Photo(frame) => self.photo(post, *frame, &link),
            Body::Video {
                frame,
                duration_s,
                too_big,
            } => self.video(post, *frame, *duration_s, *too_big, &link),
            Body::Animation(frame) => self.animation(post, *frame, &link),
            Body::Round { duration_s } => self.round(post, *duration_s, &link),
            Body::Voice { duration_s, waveform } => self.voice(post, *duration_s, waveform, &link),
            Body::Audio { title, performer } => document(&link, " audio", title, performer),
            Body::Document { name } => document(&link, "", name, &size_of(post.id)),
            Body::Sticker(kind) => self.sticker(post, *kind, &link),
            Body::Poll(facts) => poll(facts, &link),
            Body::Location {
                latitude,
                longitude,
                venue,
            } => location(latitude, longitude, venue.as_ref()),
            Body::Contact { name, phone } => format!(
                "<div class=\"tgme_widget_message_contact_wrap\"><div class=\"tgme_widget_message_contact_name\" \
                 dir=\"auto\">{}</div><div class=\"tgme_widget_message_contact_phone\">{}</div></div>",
                line(name),
                escape(phone)
            ),
            Body::AppOnly => not_supported_cont(&link, "Please open Telegram to view this post"),
            Body::Giveaway => not_supported_cont(&link, "This media is not supported in the widget"),
            Body::Text | Body::Service(_) => String::new(),
        }
    }

    fn photo(&self, post: &Post, frame: Frame, link: &str) -> String {
        let Frame { width, height } = frame;
        format!(
            "<a class=\"tgme_widget_message_photo_wrap {} {}_{}\" href=\"{link}\" \
             style=\"width:{width}px;background-image:url('{}')\">\n  \
             <div class=\"tgme_widget_message_photo\" style=\"padding-top:{}%\"></div>\n</a>",
            5_000_000_000_000_000_000 + self.key(post.id, Part::Main, post.file_version).to_number(),
            1_189_642_119,
            460_000_000 + post.id,
            self.picture(post),
            percent(width, height),
        )
    }

    fn video(&self, post: &Post, frame: Frame, seconds: u32, too_big: bool, link: &str) -> String {
        let Frame { width, height } = frame;
        let percent = percent(width, height);
        let thumb = self.video_thumb(post);
        let (class, video, label) = if too_big {
            (" not_supported", String::new(), "Media is too big")
        } else {
            let file = self.file(post);
            let video = format!(
                "\n  <video src=\"{file}\" class=\"tgme_widget_message_video js-message_video\" \
                 width=\"100%\" height=\"100%\"></video>"
            );
            ("", video, IN_BROWSER)
        };
        format!(
            "<a class=\"tgme_widget_message_video_player{class} js-message_video_player\" href=\"{link}\">{thumb}\n\
             <div class=\"tgme_widget_message_video_wrap\" style=\"width:{width}px;padding-top:{percent}%\">{video}\n\
             </div>\n<div class=\"message_video_play js-message_video_play\"></div>\n\
             <time class=\"message_video_duration js-message_video_duration\">{}</time>\n{}</a>",
            duration(seconds),
            NOT_SUPPORTED.replace("LABEL", label),
        )
    }

    fn animation(&self, post: &Post, frame: Frame, link: &str) -> String {
        let Frame { width, height } = frame;
        format!(
            "<a class=\"tgme_widget_message_video_player js-message_video_player\" href=\"{link}\">{}\n\
             <div class=\"tgme_widget_message_video_wrap\" style=\"width:{width}px;padding-top:{}%\">\n  \
             <video src=\"{}\" class=\"tgme_widget_message_video js-message_video\" width=\"100%\" height=\"100%\" \
             preload muted autoplay loop playsinline></video>\n</div>\n{}</a>",
            self.video_thumb(post),
            percent(width, height),
            self.file(post),
            NOT_SUPPORTED.replace("LABEL", IN_BROWSER),
        )
    }

    fn video_thumb(&self, post: &Post) -> String {
        format!(
            "<i class=\"tgme_widget_message_video_thumb\" style=\"background-image:url('{}')\"></i>",
            self.thumb(post.id, post.file_version)
        )
    }

    fn round(&self, post: &Post, seconds: u32, link: &str) -> String {
        format!(
            "<a class=\"tgme_widget_message_roundvideo_player js-message_roundvideo_player\" href=\"{link}\">\
             <i class=\"tgme_widget_message_roundvideo_thumb\" style=\"background-image:url('{}')\"></i>\n\
             <div class=\"tgme_widget_message_roundvideo_wrap\"><video src=\"{}\" \
             class=\"tgme_widget_message_roundvideo js-message_roundvideo\" width=\"100%\" height=\"100%\" \
             muted loop playsinline></video></div>\n\
             <div class=\"tgme_widget_message_roundvideo_play js-message_roundvideo_play\"></div>\n\
             <time class=\"tgme_widget_message_roundvideo_duration js-message_roundvideo_duration\">{}</time>\n{}</a>",
            self.thumb(post.id, post.file_version),
            self.file(post),
            duration(seconds),
            NOT_SUPPORTED.replace("LABEL", IN_BROWSER),
        )
    }

    fn voice(&self, post: &Post, seconds: u32, waveform: &[u8], link: &str) -> String {
        let printed = waveform.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
        let bars = waveform
            .chunks(2)
            .map(|pair| format!("<s style=\"height:{}%;\"></s>", u32::from(pair[0]) * 100 / 31))
            .collect::<Vec<_>>()
            .concat();
        format!(
            "<a class=\"tgme_widget_message_voice_player js-message_voice_player\" href=\"{link}\">\n\
             <audio class=\"tgme_widget_message_voice js-message_voice\" src=\"{}\" data-ogg width=\"100%\" \
             data-waveform=\"{printed}\"></audio>\n\
             <div class=\"tgme_widget_message_voice_play accent_bghover\"></div>\n\
             <div class=\"tgme_widget_message_voice_wrap\">\
             <div class=\"tgme_widget_message_voice_progress_wrap js-message_voice_progress_wrap\">\
             <div class=\"tgme_widget_message_voice_progress_bg\"><div class=\"bar\">{bars}</div></div></div>\n\
             <time class=\"tgme_widget_message_voice_duration js-message_voice_duration\">{}</time></div></a>",
            self.file(post),
            duration(seconds),
        )
    }

    fn sticker(&self, post: &Post, kind: StickerKind, link: &str) -> String {
        let file = self.file(post);
        let thumb = self.thumb(post.id, post.file_version);
        let supported = match kind {
            StickerKind::Still => format!(
                "<div class=\"tgme_widget_message_sticker_wrap media_supported_cont\">\
                 <i class=\"tgme_widget_message_sticker js-sticker_image\" \
                 style=\"background-image:url('data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=');\
                 width:256px;\" data-webp=\"{file}\"><div style=\"padding-top:100%\"></div></i></div>"
            ),
            StickerKind::Animated => format!(
                "<div class=\"tgme_widget_message_sticker_wrap media_supported_cont\">\
                 <picture class=\"tgme_widget_message_tgsticker js-tgsticker_image\" style=\"width:256px;\">\
                 <source type=\"application/x-tgsticker\" srcset=\"{file}\"><img src=\"{thumb}\"></picture></div>"
            ),
            StickerKind::Video => format!(
                "<div class=\"tgme_widget_message_sticker_wrap media_supported_cont\">\
                 <div class=\"tgme_widget_message_videosticker js-videosticker\" style=\"width:256px;\">\
                 <video src=\"{file}\" class=\"js-videosticker_video\" width=\"100%\" height=\"100%\" muted autoplay loop \
                 playsinline><img src=\"{thumb}\"></video></div></div>"
            ),
        };
        format!("{}{supported}", not_supported_cont(link, IN_BROWSER))
    }

    /// Several pictures and films in one bubble.
    pub(crate) fn album(&self, members: &[Post]) -> String {
        let width = 453 / members.len().max(1);
        let items: String = members
            .iter()
            .enumerate()
            .map(|(at, post)| self.album_item(post, at * width, width))
            .collect();
        format!(
            "<div class=\"tgme_widget_message_grouped_wrap js-message_grouped_wrap\" data-margin-w=\"2\" \
             data-margin-h=\"2\" style=\"width:453px;\">\n  \
             <div class=\"tgme_widget_message_grouped js-message_grouped\" style=\"padding-top:47.682%\">\n    \
             <div class=\"tgme_widget_message_grouped_layer js-message_grouped_layer\" \
             style=\"width:453px;height:216px\">\n      {items}\n    </div>\n  </div>\n</div>"
        )
    }

    fn album_item(&self, post: &Post, left: usize, width: usize) -> String {
        let href = format!("{}?single", self.permalink(post.id));
        let place =
            format!("left:{left}px;top:0px;width:{width}px;height:216px;margin-right:2px;margin-bottom:0px;");
        match &post.body {
            Body::Video {
                frame, duration_s, ..
            } => format!(
                "<a class=\"tgme_widget_message_video_player grouped_media_wrap blured js-message_video_player\" \
                 style=\"{place}\" data-ratio=\"{}\" href=\"{href}\">{}\n\
                 <div class=\"grouped_media_helper\" style=\"top:0;bottom:0;left:-1px;right:-1px;\">\
                 <div class=\"tgme_widget_message_video_wrap grouped_media\" style=\"left:0;right:0;\">\
                 <video src=\"{}\" class=\"tgme_widget_message_video js-message_video\" width=\"100%\" height=\"100%\">\
                 </video></div></div>\n<div class=\"message_video_play js-message_video_play\"></div>\n\
                 <time class=\"message_video_duration js-message_video_duration\">{}</time>\n{}</a>",
                ratio(*frame),
                self.video_thumb(post),
                self.file(post),
                duration(*duration_s),
                NOT_SUPPORTED.replace("LABEL", IN_BROWSER),
            ),
            Body::Photo(frame) => format!(
                "<a class=\"tgme_widget_message_photo_wrap grouped_media_wrap blured js-message_photo\" \
                 style=\"{place}background-image:url('{}')\" data-ratio=\"{}\" href=\"{href}\">\
                 <div class=\"grouped_media_helper\" style=\"top:0;bottom:0;left:82px;right:83px;\">\
                 <div class=\"tgme_widget_message_photo grouped_media\" style=\"top:0;bottom:0;left:0px;right:0px;\">\
                 </div></div></a>",
                self.picture(post),
                ratio(*frame),
            ),
            _ => self.body(post),
        }
    }

    /// The page shown under a link.
    pub(crate) fn link_card(&self, id: u32, card: &LinkCard) -> String {
        let picture = self.thumb(id, 0);
        let (before, after) = if card.small {
            (
                format!(
                    "<i class=\"link_preview_right_image\" style=\"background-image:url('{picture}')\"></i>"
                ),
                String::new(),
            )
        } else {
            let image = format!(
                "<i class=\"link_preview_image\" style=\"background-image:url('{picture}');padding-top:52.5%\"></i>"
            );
            (String::new(), image)
        };
        format!(
            "<a class=\"tgme_widget_message_link_preview\" href=\"{}\">\n  {before}\n  \
             <div class=\"link_preview_site_name accent_color\" dir=\"auto\">{}</div>\n  {after}\n  \
             <div class=\"link_preview_title\" dir=\"auto\">{}</div>\n  \
             <div class=\"link_preview_description\" dir=\"auto\">{}</div>\n</a>",
            escape(&card.url),
            line(&card.site),
            line(&card.title),
            line(&card.description),
        )
    }
}

fn document(link: &str, class: &str, title: &str, extra: &str) -> String {
    format!(
        "<a class=\"tgme_widget_message_document_wrap\" \
         href=\"{link}\"><div class=\"tgme_widget_message_document_icon accent_bg{class}\"></div>\n\
         <div class=\"tgme_widget_message_document\">\n\
         <div class=\"tgme_widget_message_document_title accent_color\" dir=\"auto\">{}</div>\n\
         <div class=\"tgme_widget_message_document_extra\" dir=\"auto\">{}</div>\n</div></a>",
        line(title),
        line(extra),
    )
}

fn not_supported_cont(link: &str, label: &str) -> String {
    format!(
        "<div class=\"message_media_not_supported_wrap media_not_supported_cont\">\n  \
         <div class=\"message_media_not_supported\">\n    \
         <div class=\"message_media_not_supported_label\">{label}</div>\n    \
         <a href=\"{link}\" class=\"message_media_view_in_telegram\">VIEW IN TELEGRAM</a>\n  </div>\n</div>"
    )
}

fn poll(poll: &Poll, link: &str) -> String {
    let options = poll
        .options
        .iter()
        .map(|(text, percent)| {
            format!(
                "  <div class=\"tgme_widget_message_poll_option\">\n    \
                 <div class=\"tgme_widget_message_poll_option_percent\">{percent}%</div>\n    \
                 <div class=\"tgme_widget_message_poll_option_value\">\n      \
                 <div class=\"tgme_widget_message_poll_option_text\">{}</div>\n      \
                 <div class=\"tgme_widget_message_poll_option_bar accent_bg\" style=\"width:{percent}%\"></div>\n    \
                 </div>\n  </div>",
                line(text)
            )
        })
        .collect::<Vec<_>>().concat();
    format!(
        "<div class=\"tgme_widget_message_poll js-poll\">\n  \
         <div class=\"tgme_widget_message_poll_question\">{}</div>\n  \
         <div class=\"tgme_widget_message_poll_type\">{}</div>\n  \
         <a class=\"tgme_widget_message_poll_options\" href=\"{link}\">{options}</a>\n</div>",
        line(&poll.question),
        escape(&poll.kind),
    )
}

/// How many voted, for the footer.
pub(crate) fn voters(poll: &Poll) -> String {
    format!(
        "<span class=\"tgme_widget_message_voters\">{}</span><span class=\"copyonly\"> voters</span>",
        counter(poll.voters)
    )
}

fn location(latitude: &str, longitude: &str, venue: Option<&(String, String)>) -> String {
    let (latitude, longitude) = (escape(latitude), escape(longitude));
    let venue = venue.map_or_else(String::new, |(title, address)| {
        format!(
            "\n  <div class=\"tgme_widget_message_location_info\">\
             <div class=\"tgme_widget_message_location_title\" dir=\"auto\">{}</div>\
             <div class=\"tgme_widget_message_location_address\" dir=\"auto\">{}</div></div>",
            line(title),
            line(address)
        )
    });
    format!(
        "<a class=\"tgme_widget_message_location_wrap\" \
         href=\"https://maps.google.com/maps?q={latitude},{longitude}&ll={latitude},{longitude}&z=16\">\n  \
         <div class=\"tgme_widget_message_location\" style=\"background-image:url('https://static-maps.yandex.ru/1.x/\
         ?l=map&ll={longitude},{latitude}&z=15&size=600,300&scale=1.5')\"></div>{venue}\n</a>"
    )
}

fn percent(width: u32, height: u32) -> f64 {
    // As printed by the real pages: at most a dozen digits.
    (f64::from(height) * 1e14 / f64::from(width)).round() / 1e12
}

fn ratio(frame: Frame) -> f64 {
    (f64::from(frame.width) * 1e13 / f64::from(frame.height)).round() / 1e13
}

/// A document's size as printed; the same every time.
fn size_of(id: u32) -> String {
    format!("{}.{} MB", id % 40 + 1, id % 10)
}
