//! Files of a post: what each is, and where it lies if the page has it.

use gleaner_domain::{Media, MediaKind, MediaStatus};
use scraper::ElementRef;

use super::measure::{background, box_size, duration, extension, file_address, size, stable_name};
use crate::dom::{Step, Then, attr, classes, find, has_class, some_text, walk};

/// One file of a post.
#[derive(Debug)]
pub(super) struct Found {
    /// The album member it belongs to, where the page says one.
    pub(super) member: Option<u32>,
    /// Part of an album's mosaic, which has one caption for all.
    pub(super) is_grouped: bool,
    pub(super) media: Media,
    pub(super) address: Option<String>,
}

/// What people read where the page shows a file and does not have it.
const NOT_IN_PREVIEW: &str = "log in to get this file";

impl Found {
    fn new(element: ElementRef<'_>, mut media: Media, address: Option<String>) -> Self {
        if let Some(address) = &address {
            media.key = media.key.or_else(|| stable_name(address));
        } else {
            media.status = MediaStatus::NotInPreview;
            media.reason = Some(NOT_IN_PREVIEW.to_owned());
        }
        Self {
            member: member(element),
            is_grouped: is_in_album(element),
            media,
            address,
        }
    }
}

/// `…/15?single`: message 15 of an album.
fn member(element: ElementRef<'_>) -> Option<u32> {
    let (path, query) = attr(element, "href")?.split_once('?')?;
    let single = query
        .split('&')
        .any(|part| part == "single" || part.starts_with("single="));
    path.rsplit('/').next().filter(|_| single)?.parse().ok()
}

/// What the page says in place of media that it cannot show.
pub(super) fn label(element: ElementRef<'_>) -> Option<String> {
    let label = find(element, |el| has_class(el, "message_media_not_supported_label"));
    some_text(label.unwrap_or(element)).map(|text| text.chars().take(200).collect())
}

/// In an album the page prints its own layout, not the size of the picture.
fn is_in_album(element: ElementRef<'_>) -> bool {
    has_class(element, "grouped_media_wrap")
}

pub(super) fn photo(element: ElementRef<'_>) -> Found {
    let style = attr(element, "style").unwrap_or_default();
    let mut media = Media::new(MediaKind::Photo);
    media.key = classes(element)
        .find(|class| is_photo_id(class))
        .map(str::to_owned);
    if !is_in_album(element) {
        let inner = find(element, |el| has_class(el, "tgme_widget_message_photo"));
        let inner_style = inner.and_then(|el| attr(el, "style")).unwrap_or_default();
        (media.width, media.height) = box_size(style, inner_style).unzip();
    }
    Found::new(element, media, background(style))
}

fn is_photo_id(class: &str) -> bool {
    class.len() >= 6 && class.bytes().all(|b| b.is_ascii_digit())
}

/// A film, a silent looping one, or one that is too big for the page.
pub(super) fn video(element: ElementRef<'_>) -> Found {
    let parts = Player::read(element);
    let is_animation =
        parts.address.is_some() && (parts.loops || (!parts.has_play && parts.seconds.is_none()));
    let mut media = Media::new(if is_animation {
        MediaKind::Animation
    } else {
        MediaKind::Video
    });
    media.duration_s = parts.seconds;
    media.thumbnail = parts.thumbnail;
    if !is_in_album(element) {
        (media.width, media.height) = parts.size.unzip();
    }
    Found::new(element, media, parts.address)
}

pub(super) fn round_video(element: ElementRef<'_>) -> Found {
    let parts = Player::read(element);
    let mut media = Media::new(MediaKind::Round);
    media.duration_s = parts.seconds;
    media.thumbnail = parts.thumbnail;
    Found::new(element, media, parts.address)
}

pub(super) fn voice(element: ElementRef<'_>) -> Found {
    let parts = Player::read(element);
    let mut media = Media::new(MediaKind::Voice);
    media.duration_s = parts.seconds;
    media.waveform = parts.waveform;
    Found::new(element, media, parts.address)
}

/// What video, round video and voice players have in common.
#[derive(Default)]
struct Player {
    address: Option<String>,
    seconds: Option<u32>,
    thumbnail: Option<String>,
    size: Option<(u32, u32)>,
    waveform: Vec<u8>,
    has_play: bool,
    loops: bool,
}

impl Player {
    fn read(element: ElementRef<'_>) -> Self {
        let mut player = Self::default();
        walk(*element, |step| {
            if let Step::Open(inner) = step {
                player.visit(inner);
            }
            Then::Descend
        });
        player
    }

    fn visit(&mut self, element: ElementRef<'_>) {
        match element.value().name() {
            "video" | "audio" => {
                // The blurred background of a video is a second player of the same file.
                self.address = self
                    .address
                    .take()
                    .or_else(|| attr(element, "src").and_then(file_address));
                self.loops |= attr(element, "loop").is_some();
                if let Some(bars) = attr(element, "data-waveform") {
                    self.waveform = bars
                        .split(',')
                        .filter_map(|bar| bar.trim().parse().ok())
                        .collect();
                }
            }
            "time" => self.seconds = some_text(element).as_deref().and_then(duration),
            // Seen in embedded posts: no player, but a link to the file.
            "a" if has_class(element, "message_media_view_in_telegram") => {
                let file = attr(element, "href").filter(|href| extension(href).as_deref() == Some("mp4"));
                self.address = self.address.take().or_else(|| file.and_then(file_address));
            }
            _ => {}
        }
        if has_class(element, "tgme_widget_message_video_wrap") {
            let style = attr(element, "style").unwrap_or_default();
            self.size = box_size(style, style);
        }
        if self.thumbnail.is_none()
            && classes(element).any(|class| {
                matches!(
                    class,
                    "tgme_widget_message_video_thumb" | "tgme_widget_message_roundvideo_thumb"
                )
            })
        {
            self.thumbnail = background(attr(element, "style").unwrap_or_default());
        }
        self.has_play |= has_class(element, "message_video_play");
    }
}

/// Music or any other file; the page names it and does not have it.
pub(super) fn document(element: ElementRef<'_>) -> Found {
    let part = |class: &str| find(element, |el| has_class(el, class));
    let is_audio = part("tgme_widget_message_document_icon").is_some_and(|icon| has_class(icon, "audio"));
    let title = part("tgme_widget_message_document_title").and_then(some_text);
    let extra = part("tgme_widget_message_document_extra").and_then(some_text);
    let mut media = Media::new(if is_audio {
        MediaKind::Audio
    } else {
        MediaKind::Document
    });
    if is_audio {
        (media.title, media.performer) = (title, extra);
    } else {
        media.name = title;
        if let Some((bytes, rounded)) = extra.as_deref().and_then(size) {
            (media.size, media.size_rounded) = (Some(bytes), rounded);
        }
    }
    Found::new(element, media, None)
}

/// A still sticker.
pub(super) fn sticker(element: ElementRef<'_>) -> Found {
    let address = attr(element, "data-webp").and_then(file_address);
    let shown = || background(attr(element, "style").unwrap_or_default());
    Found::new(element, Media::new(MediaKind::Sticker), address.or_else(shown))
}

/// An animated sticker (`.tgs`) or a video sticker (`.webm`).
pub(super) fn moving_sticker(element: ElementRef<'_>) -> Found {
    let is_source = |el: ElementRef<'_>| match el.value().name() {
        "source" => attr(el, "type") == Some("application/x-tgsticker"),
        "video" => attr(el, "src").is_some(),
        _ => false,
    };
    let address = find(element, is_source)
        .and_then(|el| attr(el, "srcset").or_else(|| attr(el, "src")))
        .and_then(file_address);
    Found::new(element, Media::new(MediaKind::Sticker), address)
}

/// The new picture of the channel.
pub(super) fn channel_photo(element: ElementRef<'_>) -> Found {
    let address = find(element, |el| el.value().name() == "img")
        .and_then(|img| attr(img, "src"))
        .and_then(file_address);
    Found::new(element, Media::new(MediaKind::ChannelPhoto), address)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use scraper::Html;

    use super::*;

    fn first(html: &str, read: impl Fn(ElementRef<'_>) -> Found) -> Found {
        let html = Html::parse_fragment(html);
        read(find(html.root_element(), |_| true).expect("an element"))
    }

    const PLAYER: &str = "<i class=tgme_widget_message_video_thumb style=\"background-image:url('//c/t.jpg')\"></i>\
        <div class=tgme_widget_message_video_wrap style='width:720px;padding-top:50%'>VIDEO</div>PLAY\
        <div class=message_media_not_supported_label>This media is not supported in your browser</div>";

    fn player(video: &str, play: &str) -> Found {
        let inner = PLAYER.replace("VIDEO", video).replace("PLAY", play);
        first(
            &format!("<a class=tgme_widget_message_video_player>{inner}</a>"),
            super::video,
        )
    }

    const PLAY: &str = "<div class=message_video_play></div><time class=message_video_duration>0:19</time>";

    #[test]
    fn a_film_has_its_file_length_and_size() {
        let found = player(
            "<video src='https://c/file/81141d7e74.mp4?token=a.b'></video>",
            PLAY,
        );
        assert_eq!(
            (found.media.kind, found.media.status),
            (MediaKind::Video, MediaStatus::Pending)
        );
        assert_eq!((found.media.width, found.media.height), (Some(720), Some(360)));
        assert_eq!(found.media.duration_s, Some(19));
        assert_eq!(found.media.thumbnail.as_deref(), Some("https://c/t.jpg"));
        assert_eq!(found.media.key.as_deref(), Some("81141d7e74"));
    }

    #[test]
    fn a_film_that_is_too_big_asks_for_a_login() {
        let found = player("", PLAY);
        assert_eq!(
            (found.media.kind, found.media.status),
            (MediaKind::Video, MediaStatus::NotInPreview)
        );
        assert_eq!(found.media.reason.as_deref(), Some("log in to get this file"));
    }

    #[rstest]
    #[case("<video src=https://c/a.mp4 autoplay loop muted></video>", "")]
    #[case("<video src=https://c/a.mp4></video>", "")]
    fn a_film_without_a_play_button_is_an_animation(#[case] video: &str, #[case] play: &str) {
        assert_eq!(player(video, play).media.kind, MediaKind::Animation);
    }

    #[test]
    fn a_photo_keeps_its_number_and_size() {
        let found = first(
            "<a class='tgme_widget_message_photo_wrap blured 5172795381250108682 1204385278_456240394' \
             href='https://t.me/x/16' style=\"width:450px;background-image:url('https://c/AqX-5.jpg')\">\
             <div class=tgme_widget_message_photo style='width:75%;padding-top:133.33333333333%'></div></a>",
            photo,
        );
        assert_eq!(found.media.key.as_deref(), Some("5172795381250108682"));
        assert_eq!((found.media.width, found.media.height), (Some(450), Some(600)));
        assert_eq!(found.member, None);
    }

    #[test]
    fn an_album_prints_layout_and_not_size() {
        let found = first(
            "<a class='tgme_widget_message_photo_wrap grouped_media_wrap' href='https://t.me/x/15?single' \
             style=\"width:163px;background-image:url('https://c/a.jpg')\">\
             <div class=tgme_widget_message_photo style='padding-top:10%'></div></a>",
            photo,
        );
        assert_eq!((found.media.width, found.member), (None, Some(15)));
    }

    #[test]
    fn a_voice_message_has_its_waveform() {
        let found = first(
            "<a class=tgme_widget_message_voice_player><audio src='https://c/file/29881a3f30.ogg?token=x' \
             data-ogg data-waveform='0,1,31,x,5'></audio><time>0:01</time></a>",
            voice,
        );
        assert_eq!(
            (found.media.waveform, found.media.duration_s),
            (vec![0, 1, 31, 5], Some(1))
        );
        assert_eq!(found.media.key.as_deref(), Some("29881a3f30"));
    }

    #[test]
    fn music_has_a_performer_and_a_document_has_a_size() {
        let wrap = |icon: &str, extra: &str| {
            format!(
                "<a class=tgme_widget_message_document_wrap><div class='tgme_widget_message_document_icon {icon}'></div>\
                 <div class=tgme_widget_message_document_title>Title.pdf</div>\
                 <div class=tgme_widget_message_document_extra>{extra}</div></a>"
            )
        };
        let audio = first(&wrap("audio", "Someone"), document).media;
        assert_eq!(
            (audio.kind, audio.performer.as_deref()),
            (MediaKind::Audio, Some("Someone"))
        );
        assert_eq!((audio.title.as_deref(), audio.name), (Some("Title.pdf"), None));
        let document = first(&wrap("", "800.9 KB"), document).media;
        assert_eq!(
            (document.kind, document.name.as_deref()),
            (MediaKind::Document, Some("Title.pdf"))
        );
        assert_eq!((document.size, document.size_rounded), (Some(820_121), true));
        assert_eq!(document.status, MediaStatus::NotInPreview);
    }

    #[rstest]
    #[case(
        "<i class=tgme_widget_message_sticker data-webp='https://c/5b5c6e1325.webp?t=1' style=\"background:url('data:x')\"></i>",
        "5b5c6e1325"
    )]
    fn a_still_sticker_is_behind_its_shimmer(#[case] html: &str, #[case] key: &str) {
        assert_eq!(first(html, sticker).media.key.as_deref(), Some(key));
    }

    #[rstest]
    #[case(
        "<picture class=s><source type=application/x-tgsticker srcset='https://c/a1b2c3.tgs'><img src=x></picture>",
        "tgs"
    )]
    #[case(
        "<div class=s><video class=js-videosticker_video src='https://c/a1b2c3.webm'><img src=x></video></div>",
        "webm"
    )]
    fn moving_stickers_have_files_of_their_own(#[case] html: &str, #[case] ext: &str) {
        let found = first(html, moving_sticker);
        assert_eq!(
            found
                .address
                .as_deref()
                .and_then(crate::parse::measure::extension)
                .as_deref(),
            Some(ext)
        );
    }
}
