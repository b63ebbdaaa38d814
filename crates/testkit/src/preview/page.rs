//! A whole page of posts: head, channel header, messages, cursors.

use super::html::{counter, escape, line};
use super::media::Scene;
use super::message::{avatar, message};
use super::paging::{Cursor, Window};
use crate::world::Post;

/// The page at a cursor.
pub(crate) fn page(scene: &Scene<'_>, cursor: Cursor, window: &Window, rendered_at: i64) -> String {
    let channel = scene.channel;
    let name = escape(channel.name());
    let title = escape(channel.title());
    let description = escape(&channel.spec.description.replace('\n', " "));
    let styles = if scene.shared.realistic_weight {
        colors()
    } else {
        String::new()
    };
    format!(
        "<!DOCTYPE html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n    <title>{title} – Telegram</title>\n    \
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1.0, minimum-scale=1.0\" />\n\
         <meta property=\"og:title\" content=\"{title}\">\n\
         <meta property=\"og:image\" content=\"{}\">\n\
         <meta property=\"og:site_name\" content=\"Telegram\">\n\
         <meta property=\"og:description\" content=\"{description}\">\n\
         <meta property=\"twitter:title\" content=\"{title}\">\n\
         <meta property=\"al:ios:url\" content=\"tg://resolve?domain={name}\">\n\
         <meta property=\"al:android:url\" content=\"tg://resolve?domain={name}\">\n    {}\n{styles}  </head>\n  \
         <body class=\"widget_frame_base tgme_webpreview emoji_image thin_box_shadow tme_mode no_transitions\">\n    \
         {}\n<main class=\"tgme_main\" data-url=\"/{name}\">\n  <div class=\"tgme_container\">\n    \
         <section class=\"tgme_channel_history js-message_history\">\n      {}\n    </section>\n  </div>\n</main>\n    \
         <script>TWeb.init();\n</script>\n  </body>\n</html>\n<!-- page generated in {}.58ms -->",
        if channel.spec.photo {
            scene.shared.avatar_url(scene.index)
        } else {
            String::new()
        },
        head_links(&name, channel.newest_id(), cursor, window),
        header(scene),
        history(scene, window, rendered_at),
        40 + rendered_at % 300,
    )
}

/// Messages with the links to their neighbours: what scripts fetch when a reader scrolls.
pub(crate) fn history(scene: &Scene<'_>, window: &Window, rendered_at: i64) -> String {
    let name = escape(scene.channel.name());
    if window.posts.is_empty() {
        return "<div class=\"tgme_widget_message_wrap js-widget_message_wrap\"><div class=\"tgme_widget_message_centered\">\
                <div class=\"tme_no_messages_found\">No posts found</div></div></div>"
            .to_owned();
    }
    let more = |word: &str, id: u32| {
        format!(
            "<div class=\"tgme_widget_message_centered js-messages_more_wrap\"><a href=\"/s/{name}?{word}={id}\" \
             class=\"tme_messages_more js-messages_more\" data-{word}=\"{id}\"></a></div>"
        )
    };
    let mut out = window.prev.map_or_else(String::new, |id| more("before", id));
    for ids in &window.posts {
        let posts: Vec<Post> = ids.iter().filter_map(|id| scene.channel.post(*id)).collect();
        out.push_str(&message(scene, &posts, rendered_at));
    }
    out.extend(window.next.map(|id| more("after", id)));
    out
}

fn head_links(name: &str, newest: u32, cursor: Cursor, window: &Window) -> String {
    let link = |rel: &str, query: &str| format!("<link rel=\"{rel}\" href=\"/s/{name}?{query}\">\n");
    let mut out = window
        .prev
        .map_or_else(String::new, |id| link("prev", &format!("before={id}")));
    if window.posts.is_empty() {
        out.push_str(&link("next", "after="));
    }
    out.extend(window.next.map(|id| link("next", &format!("after={id}"))));
    let canonical = match cursor {
        Cursor::Before(before) => format!("before={before}"),
        Cursor::After(after) => format!("after={after}"),
        Cursor::Newest | Cursor::Around(_) => format!("before={}", newest + 1),
    };
    out + &link("canonical", &canonical)
}

fn header(scene: &Scene<'_>) -> String {
    let channel = scene.channel;
    let name = escape(channel.name());
    let title = line(channel.title());
    let avatar = avatar(scene, "tgme_page_photo_image");
    let verified = if channel.spec.verified {
        "<i class=\"verified-icon\"> ✔</i>"
    } else {
        ""
    };
    let subscribers = (channel.spec.subscribers, "subscriber");
    let counters = std::iter::once(subscribers)
        .chain(channel.counters())
        .filter(|(count, word)| *count > 0 || *word == "subscriber")
        .map(|(count, word)| {
            format!(
                "<div class=\"tgme_channel_info_counter\"><span class=\"counter_value\">{}</span> \
                 <span class=\"counter_type\">{word}{}</span></div>",
                counter(count),
                plural(count)
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let description = if channel.spec.description.is_empty() {
        String::new()
    } else {
        format!(
            "<div class=\"tgme_channel_info_description\">{}</div>",
            line(&channel.spec.description)
        )
    };
    format!(
        "<header class=\"tgme_header search_collapsed\">\n  <div class=\"tgme_container\">\n    \
         <div class=\"tgme_header_right_column\">\n      <section class=\"tgme_right_column\">\n        \
         <div class=\"tgme_channel_info\">\n          <div class=\"tgme_channel_info_header\">\n            {avatar}\n            \
         <div class=\"tgme_channel_info_header_title_wrap\">\n              \
         <div class=\"tgme_channel_info_header_title\"><span dir=\"auto\">{title}</span></div>\n              \
         <div class=\"tgme_channel_info_header_labels\">{verified}</div>\n            </div>\n            \
         <div class=\"tgme_channel_info_header_username\"><a href=\"https://t.me/{name}\">@{name}</a></div>\n          </div>\n          \
         <div class=\"tgme_channel_info_counters\">{counters}</div>\n          {description}\n        </div>\n      \
         </section>\n    </div>\n    <div class=\"tgme_header_info\">\n      \
         <a class=\"tgme_header_link\" href=\"https://t.me/{name}\">\n        {avatar}\n        \
         <div class=\"tgme_header_title_wrap\">\n          \
         <div class=\"tgme_header_title\"><span dir=\"auto\">{title}</span></div>\n          \
         <div class=\"tgme_header_labels\">{verified}</div>\n        </div>\n        \
         <div class=\"tgme_header_counter\">{} subscriber{}</div>\n      </a>\n    </div>\n  </div>\n</header>",
        counter(channel.spec.subscribers),
        plural(channel.spec.subscribers),
    )
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Colours of people's names: the real pages carry some ten kilobytes of them.
fn colors() -> String {
    let rules = (0..90)
        .map(|n| {
            format!(
                ".user-color-{n}{{--name:#{:06x};--quote:#{:06x}1f;--line:#{:06x}}}.dark .user-color-{n}{{--name:#{:06x}}}\n",
                n * 186_117 % 0xff_ffff,
                n * 77_731 % 0xff_ffff,
                n * 12_289 % 0xff_ffff,
                n * 99_991 % 0xff_ffff
            )
        })
        .collect::<Vec<_>>().concat();
    format!("    <style>{rules}</style>\n")
}
