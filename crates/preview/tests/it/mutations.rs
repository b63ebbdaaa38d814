//! Whatever happens to a page, reading it neither panics nor hangs, and no post vanishes unsaid.

use chrono::DateTime;
use gleaner_preview::parse_page;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A piece of a post, as t.me writes it.
const PIECES: [&str; 14] = [
    "<div class=\"tgme_widget_message_text js-message_text\" dir=\"auto\"><b>bold <i>both</i></b> &amp; <br/>🎯</div>",
    "<a class=\"tgme_widget_message_photo_wrap 510947399550 1_2\" href=\"https://t.me/n/5\" style=\"width:800px;background-image:url('https://cdn1.telesco.pe/file/a.jpg')\"><div class=\"tgme_widget_message_photo\" style=\"padding-top:75%\"></div></a>",
    "<a class=\"tgme_widget_message_photo_wrap grouped_media_wrap\" href=\"https://t.me/n/6?single\" style=\"background-image:url('//c/b.jpg')\"></a>",
    "<a class=\"tgme_widget_message_video_player\"><div class=\"tgme_widget_message_video_wrap\" style=\"width:9px;padding-top:10%\"><video src=\"https://c/0a1b2c.mp4?token=x\"></video></div><div class=\"message_video_play\"></div><time>0:19</time></a>",
    "<a class=\"tgme_widget_message_voice_player\"><audio src=\"https://c/0a1b2c.ogg\" data-waveform=\"1,2,3\"></audio><time>0:01</time></a>",
    "<a class=\"tgme_widget_message_document_wrap\"><div class=\"tgme_widget_message_document_title\">a.pdf</div><div class=\"tgme_widget_message_document_extra\">11.9 MB</div></a>",
    "<div class=\"tgme_widget_message_poll\"><div class=\"tgme_widget_message_poll_question\">Why</div><div class=\"tgme_widget_message_poll_option\"><div class=\"tgme_widget_message_poll_option_percent\">27%</div><div class=\"tgme_widget_message_poll_option_text\">A</div></div></div>",
    "<a class=\"tgme_widget_message_location_wrap\" href=\"https://maps.google.com/maps?q=1.5,2.5\"></a>",
    "<a class=\"tgme_widget_message_reply\" href=\"https://t.me/n/3\"><div class=\"tgme_widget_message_text js-message_reply_text\">old</div></a>",
    "<div class=\"tgme_widget_message_forwarded_from\">Forwarded from&nbsp;<span class=\"tgme_widget_message_forwarded_from_name\">Ann</span></div>",
    "<a class=\"tgme_widget_message_link_preview\" href=\"https://a.org\"><div class=\"link_preview_title\">T</div></a>",
    "<div class=\"tgme_widget_message_reactions\"><span class=\"tgme_reaction\"><i class=\"emoji\"><b>👍</b></i>1.2K</span></div>",
    "<div class=\"media_not_supported_cont\">Please open Telegram</div>",
    "<a class=\"tgme_widget_message_inline_button url_button\" href=\"https://a.org\">Go</a>",
];

const VIEW: &str = "eyJjIjotMTU5MTUzNzY3NCwicCI6IjE0ZyIsInQiOjE2NzcyMjg3MzMsImgiOiJ4In0";

fn post(id: u32, pieces: &[&str]) -> String {
    format!(
        "<div class=\"tgme_widget_message_wrap\"><div class=\"tgme_widget_message js-widget_message\" data-post=\"n/{id}\" \
         data-view=\"{VIEW}\"><div class=\"tgme_widget_message_bubble\">{}<div class=\"tgme_widget_message_footer\">\
         <span class=\"tgme_widget_message_views\">845</span><span class=\"tgme_widget_message_meta\">edited \
         <a class=\"tgme_widget_message_date\"><time datetime=\"2026-04-09T07:01:44+00:00\">07:01</time></a></span></div>\
         </div></div></div>",
        pieces.concat()
    )
}

fn page() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(select(&PIECES[..]), 0..5);
    prop::collection::vec(pieces, 0..6).prop_map(|posts| {
        let posts: String = posts.iter().enumerate().map(|(n, pieces)| post(n as u32 * 100 + 5, pieces)).collect();
        format!(
            "<html><head><meta property=\"og:title\" content=\"T\"></head><body><div class=\"tgme_channel_info\">\
             <div class=\"tgme_channel_info_counter\"><span class=\"counter_value\">9.75M</span> \
             <span class=\"counter_type\">subscribers</span></div></div>\
             <a class=\"tme_messages_more\" data-before=\"5\"></a>{posts}</body></html>"
        )
    })
}

/// A change at a place in the page.
#[derive(Debug, Clone)]
enum Mutation {
    Remove(Index, usize),
    Insert(Index, String),
    Repeat(Index, usize),
    Cut(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let markup = select(vec![
        "<",
        ">",
        "\"",
        "'",
        "&",
        "</div>",
        "<div>",
        "<b>",
        "</a>",
        "<a href=x>",
        "<!--",
        "-->",
        "\u{0}",
        "<svg>",
        "<table>",
        "<template>",
        "<script>",
        "<textarea>",
        "</p>",
        "<pre>",
        "&#x110000;",
        "\u{feff}",
        "<select>",
        "<math>",
        "<frameset>",
        "</body>",
        "<plaintext>",
    ]);
    prop_oneof![
        (any::<Index>(), 1_usize..40).prop_map(|(at, n)| Mutation::Remove(at, n)),
        (any::<Index>(), markup).prop_map(|(at, text)| Mutation::Insert(at, text.to_owned())),
        (any::<Index>(), "\\PC{1,8}").prop_map(|(at, text)| Mutation::Insert(at, text)),
        (any::<Index>(), 1_usize..400).prop_map(|(at, n)| Mutation::Repeat(at, n)),
        any::<Index>().prop_map(Mutation::Cut),
    ]
}

fn apply(page: &str, mutation: &Mutation) -> String {
    let chars: Vec<char> = page.chars().collect();
    if chars.is_empty() {
        return String::new();
    }
    let text = |range: &[char]| range.iter().collect::<String>();
    let upto = |at: usize, n: usize| (at + n).min(chars.len());
    match mutation {
        Mutation::Remove(at, n) => {
            let at = at.index(chars.len());
            text(&chars[..at]) + &text(&chars[upto(at, *n)..])
        }
        Mutation::Insert(at, inserted) => {
            let at = at.index(chars.len());
            text(&chars[..at]) + inserted + &text(&chars[at..])
        }
        Mutation::Repeat(at, n) => {
            let at = at.index(chars.len());
            text(&chars[..upto(at, *n)]) + &text(&chars[at..])
        }
        Mutation::Cut(at) => text(&chars[..at.index(chars.len())]),
    }
}

proptest! {
    #[test]
    fn a_whole_page_gives_every_post_and_skips_none(html in page()) {
        let page = parse_page(&html, DateTime::UNIX_EPOCH).expect("an undamaged page");
        prop_assert!(page.skipped.is_empty(), "{:?}", page.skipped);
        let posts = html.matches("data-post=").count();
        prop_assert!(page.items.len() >= posts);
    }

    #[test]
    fn a_damaged_page_is_read_refused_or_its_losses_are_told(
        html in page(),
        mutations in prop::collection::vec(mutation(), 1..6),
    ) {
        let damaged = mutations.iter().fold(html, |html, mutation| apply(&html, mutation));
        if let Ok(page) = parse_page(&damaged, DateTime::UNIX_EPOCH) {
            for item in &page.items {
                let record = &item.record;
                prop_assert_eq!(&record.content_hash, &record.compute_content_hash());
                let units = record.text.encode_utf16().count() as u32;
                prop_assert!(record.entities.iter().all(|e| e.length > 0 && e.offset + e.length <= units));
                prop_assert!(item.files.iter().all(|file| file.media_index < record.media.len()));
            }
            let ids: Vec<_> = page.items.iter().map(|item| item.record.id).collect();
            prop_assert!(ids.is_sorted_by(|a, b| a < b), "ascending, each once");
            // Whatever the text still calls a post is kept or told.
            let told: Vec<String> = page.skipped.iter().map(ToString::to_string).collect();
            let told = told.join("\n");
            for (at, mark) in damaged.match_indices("data-post=\"n/") {
                let rest = &damaged[at + mark.len()..];
                let Some((digits, _)) = rest.split_once('"') else { continue };
                let Ok(id) = digits.parse::<u32>() else { continue };
                prop_assert!(
                    ids.iter().any(|known| known.0 == id) || told.contains(&format!("n/{id}")),
                    "post {} vanished: {:?} {}", id, ids, told
                );
            }
        }
    }

    #[test]
    fn no_text_at_all_makes_it_panic(html in "\\PC*") {
        let _ = parse_page(&html, DateTime::UNIX_EPOCH);
    }
}
