//! One t.me/s page as records. Pure: no IO, no clock.
//!
//! The page is parsed once and walked once; each post's subtree is walked once more, and
//! class names say what an element is. What a page can hold is in the files below: the
//! channel's header, posts, their text, media, attachments and footers.

mod attachments;
mod footer;
mod header;
mod items;
mod measure;
mod media;
mod message;
mod raw;
mod text;

use chrono::{DateTime, Utc};
use gleaner_domain::{Channel, ChannelId};
use gleaner_scrape::Item;
use scraper::{ElementRef, Html};

pub use header::Header;

use crate::dom::{Step, Then, attr, classes, walk};
use header::HeaderReader;
pub(crate) use raw::refuse_damaged;

/// Everything one page says.
#[derive(Debug, Clone, Default)]
pub struct PreviewPage {
    /// The channel's header, without its number, which only posts carry.
    pub header: Option<Header>,
    /// The channel's number, as the posts say it.
    pub channel_id: Option<ChannelId>,
    /// Messages by ascending id; album members are items of their own.
    pub items: Vec<Item>,
    /// The cursor to older posts (`data-before`).
    pub prev: Option<u32>,
    /// The cursor to newer posts (`data-after`).
    pub next: Option<u32>,
    /// True when the page says that there are no posts.
    pub no_posts: bool,
    /// Posts that are on the page but cannot be read, each with its reason.
    pub skipped: Vec<Skipped>,
}

/// A post that is on the page but cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its number, where at least that can be read.
    pub id: Option<u32>,
    /// Which post and why, for people.
    pub reason: String,
}

impl Skipped {
    /// `address` is the post's own, "name/15". Hostile.
    fn new(address: &str, why: &str) -> Self {
        let number = address.rsplit('/').next().and_then(|id| id.parse().ok());
        let shown: String = address.chars().filter(|c| !c.is_control()).take(60).collect();
        Self {
            id: number.filter(|id| *id > 0),
            reason: format!("post {shown}: {why}"),
        }
    }
}

impl std::fmt::Display for Skipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

/// Why a page cannot be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Posts without any number of their channel.
    #[error("the page shows posts but not the number of their channel")]
    NoChannelId,
    /// The document begins and does not end.
    #[error("the page is cut short")]
    CutShort,
    /// Markup nested deeper than any page of Telegram's.
    #[error("the markup of the page is nested absurdly deep")]
    TooDeep,
}

impl PreviewPage {
    /// The channel, when both its header and its number are known.
    pub fn channel(&self) -> Option<Channel> {
        let header = self.header.clone()?;
        let id = self.channel_id?;
        Some(Channel {
            id,
            username: header.username,
            title: header.title,
            description: header.description,
            verified: header.verified,
            subscribers: header.subscribers,
            photos: header.photos,
            videos: header.videos,
            files: header.files,
            links: header.links,
        })
    }

    /// The lowest message id on the page.
    pub fn lowest_id(&self) -> Option<u32> {
        self.items.first().map(|item| item.record.id.0)
    }
}

/// Reads a page of `t.me/s/<name>`, or a piece of one. `now` stands in where a post does
/// not say when it was rendered.
pub fn parse_page(html: &str, now: DateTime<Utc>) -> Result<PreviewPage, PageError> {
    let html = raw::without_unread(html);
    refuse_damaged(&html)?;
    let document = Html::parse_document(&html);
    let mut frame = Frame::default();
    walk(document.tree.root(), |step| match step {
        Step::Open(element) => frame.visit(element),
        Step::Text(_) | Step::Close(_) => Then::Descend,
    });

    let mut skipped = Vec::new();
    let mut posts = Vec::new();
    // A post whose end is missing swallows those behind it; reading it hands them back.
    let mut queue = frame.posts;
    let mut next = 0;
    while let Some(element) = queue.get(next).copied() {
        next += 1;
        match message::read(element, &mut queue) {
            Ok(post) => posts.push(post),
            Err(post) => skipped.push(post),
        }
    }
    skipped.extend(raw::swallowed(
        &html,
        queue.iter().filter_map(|element| attr(*element, "data-post")),
    ));

    let channel_id = posts.iter().find_map(|post| post.view.channel);
    let items = match channel_id {
        Some(channel) => items::assemble(posts, channel, now),
        None if posts.is_empty() => Vec::new(),
        None => return Err(PageError::NoChannelId),
    };
    Ok(PreviewPage {
        header: frame.header.finish(),
        channel_id,
        items,
        prev: frame.before.or(frame.link_before),
        next: frame.after.or(frame.link_after),
        no_posts: frame.no_posts,
        skipped,
    })
}

/// What surrounds the posts.
#[derive(Default)]
struct Frame<'a> {
    header: HeaderReader,
    posts: Vec<ElementRef<'a>>,
    before: Option<u32>,
    after: Option<u32>,
    link_before: Option<u32>,
    link_after: Option<u32>,
    no_posts: bool,
}

impl<'a> Frame<'a> {
    fn visit(&mut self, element: ElementRef<'a>) -> Then {
        match element.value().name() {
            "meta" => self.header.meta(element),
            "link" => self.link(element),
            "script" | "style" | "svg" => return Then::Skip,
            _ => {}
        }
        for class in classes(element) {
            match class {
                "tgme_widget_message" if attr(element, "data-post").is_some() => {
                    self.posts.push(element);
                    return Then::Skip;
                }
                "tme_messages_more" => {
                    self.before = cursor(attr(element, "data-before")).or(self.before);
                    self.after = cursor(attr(element, "data-after")).or(self.after);
                    return Then::Skip;
                }
                "tme_no_messages_found" => {
                    self.no_posts = true;
                    return Then::Skip;
                }
                _ => {
                    if let Some(then) = self.header.visit(class, element) {
                        return then;
                    }
                }
            }
        }
        Then::Descend
    }

    fn link(&mut self, element: ElementRef<'_>) {
        let href = attr(element, "href").unwrap_or_default();
        match attr(element, "rel") {
            Some("prev") => self.link_before = cursor(parameter(href, "before")),
            Some("next") => self.link_after = cursor(parameter(href, "after")),
            _ => {}
        }
    }
}

fn cursor(text: Option<&str>) -> Option<u32> {
    text?.trim().parse().ok().filter(|id| *id > 0)
}

/// A parameter of an address that needs no decoding.
fn parameter<'a>(href: &'a str, key: &str) -> Option<&'a str> {
    let (_, query) = href.split_once('?')?;
    query
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(k, _)| *k == key).map(|(_, v)| v))
}

#[cfg(test)]
mod tests {
    use gleaner_domain::{MediaKind, MediaStatus, MessageId, Record, RecordKind};
    use rstest::rstest;

    use super::*;

    const VIEW_14G: &str = "eyJjIjotMTU5MTUzNzY3NCwicCI6IjE0ZyIsInQiOjE2NzcyMjg3MzMsImgiOiJ4In0";

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
    }

    fn post(id: u32, inner: &str) -> String {
        format!(
            "<div class=tgme_widget_message_wrap><div class='tgme_widget_message js-widget_message' \
             data-post=\"name/{id}\" data-view={VIEW_14G}><div class=tgme_widget_message_bubble>{inner}\
             <div class=tgme_widget_message_footer><span class=tgme_widget_message_views>1.2K</span>\
             <span class=tgme_widget_message_meta><a class=tgme_widget_message_date>\
             <time datetime=2026-04-09T07:01:44+00:00>07:01</time></a></span></div></div></div></div>"
        )
    }

    fn read(html: &str) -> PreviewPage {
        parse_page(html, now()).expect("a readable page")
    }

    fn records(html: &str) -> Vec<Record> {
        read(html).items.into_iter().map(|item| item.record).collect()
    }

    fn album(items: &[(u32, &str)]) -> String {
        let members: Vec<String> = items
            .iter()
            .map(|(id, url)| {
                format!(
                    "<a class='tgme_widget_message_photo_wrap grouped_media_wrap' href='https://t.me/name/{id}?single' \
                     style=\"width:9px;background-image:url('{url}')\"></a>"
                )
            })
            .collect();
        let members = members.concat();
        format!(
            "{members}<div class=tgme_widget_message_text><div class='tgme_widget_message_text js-message_text'>\
             Several</div></div>"
        )
    }

    #[test]
    fn an_album_is_one_record_a_message_and_its_caption_is_the_first_one_s() {
        let page = read(&post(
            14,
            &album(&[(14, "//cdn1.telesco.pe/a.jpg"), (16, "//cdn1.telesco.pe/b.jpg")]),
        ));
        let [first, second] = page.items.as_slice() else {
            panic!("two messages")
        };
        assert_eq!(
            (first.record.id, second.record.id),
            (MessageId(14), MessageId(16))
        );
        for item in &page.items {
            assert_eq!(item.record.album_id, Some(MessageId(14)));
            assert_eq!(item.record.kind, RecordKind::Message);
            assert_eq!((item.record.media.len(), item.files.len()), (1, 1));
            assert_eq!(item.record.content_hash, item.record.compute_content_hash());
        }
        assert_eq!(
            (first.record.text.as_str(), second.record.text.as_str()),
            ("Several", "")
        );
        assert_eq!((first.record.views, second.record.views), (Some(1_200), None));
        assert_eq!(second.record.link.as_deref(), Some("https://t.me/name/16"));
        assert_eq!(second.files[0].locator, "https://cdn1.telesco.pe/b.jpg");
        assert_eq!(second.files[0].extension.as_deref(), Some("jpg"));
    }

    #[test]
    fn an_album_member_far_away_is_not_believed() {
        let records = records(&post(
            14,
            &album(&[(14, "//t.me/a.jpg"), (9_999, "//t.me/b.jpg")]),
        ));
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].media.len(), 2, "the file is kept with the post");
    }

    #[test]
    fn documents_of_an_album_keep_a_caption_each() {
        let document = |id: u32, caption: &str| {
            format!(
                "<a class=tgme_widget_message_document_wrap href='https://t.me/name/{id}?single'>\
                 <div class=tgme_widget_message_document_title>{id}.pdf</div></a>\
                 <div class='tgme_widget_message_text js-message_text'>{caption}</div>"
            )
        };
        let records = records(&post(
            14,
            &format!("{}{}", document(14, "one"), document(15, "two")),
        ));
        let texts: Vec<_> = records.iter().map(|r| (r.id.0, r.text.as_str())).collect();
        assert_eq!(texts, [(14, "one"), (15, "two")]);
        assert_eq!(records[1].media[0].status, MediaStatus::NotInPreview);
    }

    #[test]
    fn a_caption_stays_with_its_document_when_the_one_before_has_none() {
        let document = |id: u32, text: &str| {
            format!(
                "<a class=tgme_widget_message_document_wrap href='https://t.me/name/{id}?single'></a>{text}"
            )
        };
        let caption =
            |words: &str| format!("<div class='tgme_widget_message_text js-message_text'>{words}</div>");
        let album = document(14, "") + &document(15, &caption("two")) + &document(16, &caption("three"));
        let records = records(&post(14, &album));
        let texts: Vec<_> = records.iter().map(|r| (r.id.0, r.text.as_str())).collect();
        assert_eq!(texts, [(14, ""), (15, "two"), (16, "three")]);
        assert!(records.iter().all(|r| r.kind == RecordKind::Message));
    }

    #[rstest]
    #[case(
        "message_media_not_supported_wrap",
        "This media is not supported in the widget"
    )]
    #[case("message_media_not_supported", "Please open Telegram to view this post")]
    fn a_caption_whose_media_is_not_shown_keeps_a_trace_of_it(#[case] class: &str, #[case] label: &str) {
        let records = records(&post(
            14,
            &format!(
                "<div class={class}><div class=message_media_not_supported_label>{label}</div>\
                 <a class=message_media_view_in_telegram>VIEW IN TELEGRAM</a></div>\
                 <div class='tgme_widget_message_text js-message_text'>words</div>"
            ),
        ));
        assert_eq!(
            (records[0].kind, records[0].text.as_str()),
            (RecordKind::Message, "words")
        );
        let [media] = records[0].media.as_slice() else {
            panic!("one file that is not there")
        };
        assert_eq!(
            (media.kind, media.status),
            (MediaKind::Document, MediaStatus::NotInPreview)
        );
        assert_eq!(media.reason.as_deref(), Some(label));
    }

    #[rstest]
    #[case::a_player(
        "<a class=tgme_widget_message_video_player><video src='https://t.me/a.mp4'></video>\
         <div class=message_media_not_supported><div class=message_media_not_supported_label>This media is not supported \
         in your browser</div></div></a>",
        1
    )]
    #[case::a_supported_sibling(
        "<div class=media_supported_cont></div><div class=media_not_supported_cont><div \
         class=message_media_not_supported_wrap>Please open Telegram</div></div>",
        0
    )]
    fn a_label_for_other_clients_is_no_media(#[case] inner: &str, #[case] files: usize) {
        let text = "<div class='tgme_widget_message_text js-message_text'>words</div>";
        let records = records(&post(14, &format!("{inner}{text}")));
        assert_eq!(records[0].media.len(), files);
        assert!(records[0].media.iter().all(|media| media.reason.is_none()));
    }

    #[test]
    fn numbers_and_times_come_from_data_view_and_stand_in_for_posts_without_one() {
        let bare = post(20, "x").replace(&format!("data-view={VIEW_14G}"), "");
        let records = records(&(post(14, "x") + &bare));
        assert!(
            records
                .iter()
                .all(|record| record.channel_id == ChannelId(1_591_537_674))
        );
        assert_eq!(records[0].observed_at.timestamp(), 1_677_228_733);
        assert_eq!(records[1].observed_at, now());
    }

    #[test]
    fn posts_without_any_channel_number_are_no_page() {
        let bare = post(20, "x").replace(&format!("data-view={VIEW_14G}"), "");
        assert_eq!(parse_page(&bare, now()).err(), Some(PageError::NoChannelId));
    }

    #[test]
    fn a_reply_s_excerpt_is_never_the_text() {
        let records = records(&post(
            14,
            "<a class=tgme_widget_message_reply href='https://t.me/name/3'>\
             <span class=tgme_widget_message_author_name>Ann</span>\
             <div class='tgme_widget_message_text js-message_reply_text'>old words</div></a>\
             <div class='tgme_widget_message_text js-message_text'>new words</div>",
        ));
        assert_eq!(records[0].text, "new words");
        let reply = records[0].reply_to.as_ref().expect("a reply");
        assert_eq!(reply.id, Some(MessageId(3)));
        assert_eq!(reply.excerpt.as_deref(), Some("old words"));
    }

    #[rstest]
    #[case("<div class='message_media_not_supported_wrap'>Please open Telegram to view this post</div>")]
    #[case("<div class='media_not_supported_cont'>This media is not supported in the widget</div>")]
    #[case("")]
    fn a_post_of_which_nothing_is_shown_is_kept_as_unsupported(#[case] inner: &str) {
        let records = records(&post(14, inner));
        assert_eq!(
            (records[0].kind, records[0].text.as_str()),
            (RecordKind::Unsupported, "")
        );
    }

    #[test]
    fn the_hidden_copy_for_old_clients_is_left_out() {
        let records = records(&post(
            14,
            "<div class=media_supported_cont><div class='tgme_widget_message_text js-message_text'>real</div></div>\
             <div class=media_not_supported_cont><div class='tgme_widget_message_text js-message_text'>Please open \
             Telegram</div></div>",
        ));
        assert_eq!(records[0].text, "real");
    }

    #[test]
    fn a_service_message_without_words_is_still_one() {
        let html = post(
            3,
            "<a class=tgme_widget_message_service_photo><img src='https://t.me/p.jpg'></a>",
        )
        .replace("js-widget_message'", "service_message js-widget_message'");
        let records = records(&html);
        assert_eq!(records[0].kind, RecordKind::Service);
        assert_eq!(records[0].media[0].kind, MediaKind::ChannelPhoto);
    }

    #[test]
    fn a_post_that_swallows_the_next_gives_it_back() {
        let unclosed = post(14, "one").replace("</div></div></div></div>", "");
        let ids: Vec<_> = records(&(unclosed + &post(15, "two")))
            .iter()
            .map(|r| r.id.0)
            .collect();
        assert_eq!(ids, [14, 15]);
    }

    #[test]
    fn a_text_that_swallows_the_footer_gives_it_back() {
        let records = records(&post(
            14,
            "<div class='tgme_widget_message_text js-message_text'>words",
        ));
        assert_eq!(
            (records[0].text.as_str(), records[0].views),
            ("words", Some(1_200))
        );
    }

    #[test]
    fn posts_that_cannot_be_read_are_told_never_dropped() {
        let undated = post(15, "x").replace("datetime", "date");
        let unquoted = post(16, "x").replace("js-widget_message'", "");
        let page = read(&(post(14, "x") + &undated + &unquoted + &post(17, "x")));
        let ids: Vec<_> = page.items.iter().map(|item| item.record.id.0).collect();
        let told: Vec<String> = page.skipped.iter().map(ToString::to_string).collect();
        let told = told.join("\n");
        assert!(page.skipped.iter().any(|post| post.id == Some(15)), "{told}");
        assert!(told.contains("name/15: it has no date"), "{told}");
        for id in [14, 16, 17] {
            assert!(
                ids.contains(&id) || told.contains(&format!("name/{id}")),
                "{id} in {ids:?} or {told}"
            );
        }
    }

    #[test]
    fn a_drawing_without_an_end_hides_no_post() {
        let open = post(14, "one").replace("<div class=tgme_widget_message_bubble>", "<svg><path>");
        let ids: Vec<_> = records(&(open + &post(15, "<svg></svg>two")))
            .iter()
            .map(|r| r.id.0)
            .collect();
        assert_eq!(ids, [14, 15]);
    }

    #[test]
    fn cursors_come_from_the_links_to_more_and_from_the_head_where_those_are_missing() {
        let more = "<a class='tme_messages_more js-messages_more' data-before=435></a>\
                    <a class='tme_messages_more js-messages_more' data-after=454></a>";
        let page = read(more);
        assert_eq!((page.prev, page.next), (Some(435), Some(454)));
        let page =
            read("<head><link rel=prev href='/s/x?before=12'><link rel=next href='/s/x?after='></head>");
        assert_eq!((page.prev, page.next), (Some(12), None));
    }

    #[test]
    fn the_header_is_read_with_its_counters_and_zeros() {
        let page = read(
            "<div class=tgme_channel_info><div class=tgme_channel_info_header_title><span>A <i class=emoji><b>👍</b></i>\
             </span></div><div class=tgme_channel_info_header_labels><i class=verified-icon> ✔</i></div>\
             <div class=tgme_channel_info_header_username><a>@name</a></div>\
             <div class=tgme_channel_info_counter><span class=counter_value>9.75M</span> \
             <span class=counter_type>subscribers</span></div>\
             <div class=tgme_channel_info_counter><span class=counter_value>1</span> \
             <span class=counter_type>photo</span></div>\
             <div class=tgme_channel_info_description>a<br/>b</div></div>",
        );
        let header = page.header.expect("a header");
        assert_eq!(header.title, "A 👍");
        assert_eq!(header.username.as_deref(), Some("name"));
        assert_eq!(header.description.as_deref(), Some("a\nb"));
        assert!(header.verified);
        let values =
            [header.subscribers, header.photos, header.videos].map(|c| c.map(|c| (c.value, c.rounded)));
        assert_eq!(
            values,
            [Some((9_750_000, true)), Some((1, false)), Some((0, false))]
        );
    }

    #[test]
    fn an_empty_channel_says_so() {
        let page =
            read("<div class=tgme_channel_info></div><div class=tme_no_messages_found>No posts found</div>");
        assert!(page.no_posts && page.items.is_empty() && page.header.is_some() && page.channel().is_none());
    }

    #[test]
    fn a_document_that_never_ends_was_cut() {
        let cut = format!("<!DOCTYPE html><html><body>{}", post(14, "x"));
        assert_eq!(parse_page(&cut, now()).err(), Some(PageError::CutShort));
        assert!(parse_page(&(cut + "</body></html>"), now()).is_ok());
    }

    #[rstest]
    #[case("<div>", 4_000)]
    #[case("<b>", 900)]
    #[case("<i class=emoji>", 900)]
    #[case("<a href=x>", 900)]
    #[case("<blockquote>", 4_000)]
    fn the_deepest_nesting_let_through_needs_no_stack(#[case] tag: &str, #[case] times: usize) {
        let html = post(
            14,
            &format!("<div class=tgme_widget_message_text>{}x", tag.repeat(times)),
        );
        let worker = std::thread::Builder::new().stack_size(256 << 10);
        let read = worker
            .spawn(move || parse_page(&html, now()).is_ok())
            .expect("a thread");
        assert!(read.join().expect("no overflow"));
    }
}
