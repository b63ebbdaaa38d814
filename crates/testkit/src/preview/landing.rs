//! `/<name>`: what a stranger sees of a channel, group, person or nobody.

use super::html::{counter, escape, line};
use super::media::Scene;
use super::message::avatar;
use crate::world::Standing;

/// The landing page of somebody; [`nobody`] for the rest.
pub(crate) fn landing(scene: &Scene<'_>) -> String {
    let channel = scene.channel;
    let name = escape(channel.name());
    let spec = &channel.spec;
    let many = |word: &str| format!("{} {word}", spaced(spec.subscribers));
    let (extra, action) = match spec.standing {
        Standing::Unknown => return nobody(channel.name()),
        Standing::Banned => return banned(&name),
        Standing::Public | Standing::NoPreview => (many("subscribers"), "View in Telegram"),
        Standing::Private => (many("subscribers"), "Join Channel"),
        Standing::Group => (
            format!("{}, {} online", many("members"), spec.subscribers / 40 + 1),
            "View in Telegram",
        ),
        Standing::User => (format!("@{name}"), "Send Message"),
        Standing::Bot => (many("monthly users"), "Start Bot"),
    };
    let preview = if spec.standing == Standing::Public {
        format!(
            "<div class=\"tgme_page_context_link_wrap\"><a class=\"tgme_page_context_link\" href=\"/s/{name}\">\
             Preview channel</a></div>"
        )
    } else {
        String::new()
    };
    let description = if spec.description.is_empty() {
        String::new()
    } else {
        format!(
            "<div class=\"tgme_page_description\" dir=\"auto\">{}</div>",
            line(&spec.description)
        )
    };
    let body = format!(
        "<div class=\"tgme_page_photo\"><a href=\"tg://resolve?domain={name}\">{}</a></div>\n\
         <div class=\"tgme_page_title\" dir=\"auto\">\n  <span dir=\"auto\">{}</span>\n</div>\n\
         <div class=\"tgme_page_extra\">{extra}</div>\n{description}\n\
         <div class=\"tgme_page_action\"><a class=\"tgme_action_button_new shine\" \
         href=\"tg://resolve?domain={name}\">{action}</a></div>\n{preview}",
        avatar(scene, "tgme_page_photo_image"),
        line(channel.title()),
    );
    frame(
        &format!("Telegram: View @{name}"),
        &escape(channel.title()),
        &escape(&spec.description),
        if spec.standing == Standing::Private {
            NO_INDEX
        } else {
            ""
        },
        &body,
    )
}

/// The page of a name nobody has: it looks the same for a name that was never taken.
pub(crate) fn nobody(name: &str) -> String {
    let name = escape(name);
    let title = format!("Telegram: Contact @{name}");
    let body = format!(
        "<div class=\"tgme_page_icon\"><i class=\"tgme_icon_user\"></i></div>\n\
         <div class=\"tgme_page_description\">If you have <strong>Telegram</strong>, you can contact \
         <a class=\"tgme_username_link\" href=\"tg://resolve?domain={name}\">@{name}</a> right away.</div>\n\
         <div class=\"tgme_page_action\"><a class=\"tgme_action_button_new shine\" \
         href=\"tg://resolve?domain={name}\">Send Message</a></div>"
    );
    frame(&title, &title, "", NO_INDEX, &body)
}

/// The page of a banned channel's name: it does not say so.
fn banned(name: &str) -> String {
    let title = format!("Telegram: View @{name}");
    let body = format!(
        "<div class=\"tgme_page_icon\"><i class=\"tgme_icon_user\"></i></div>\n\
         <div class=\"tgme_page_description\">If you have <strong>Telegram</strong>, you can view posts of \
         <a class=\"tgme_username_link\" href=\"tg://resolve?domain={name}\">@{name}</a> right away.</div>\n\
         <div class=\"tgme_page_action\"><a class=\"tgme_action_button_new shine\" \
         href=\"tg://resolve?domain={name}\">View in Telegram</a></div>"
    );
    frame(&title, &title, "", NO_INDEX, &body)
}

/// A post in a frame, of somebody who shows none: what is in its place.
pub(crate) fn framed(standing: Standing, name: &str) -> String {
    let words = match standing {
        Standing::Banned => "This channel is unavailable due to copyright infringement.".to_owned(),
        Standing::Public | Standing::NoPreview | Standing::Private => "Post not found".to_owned(),
        Standing::Group | Standing::User | Standing::Bot | Standing::Unknown => {
            format!("Channel with username <b>@{}</b> not found", escape(name))
        }
    };
    format!(
        "<!DOCTYPE html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n  </head>\n  <body class=\"widget_frame_base\">\n\
         <div class=\"tgme_widget_message_error\">{words}</div>\n  </body>\n</html>"
    )
}

const NO_INDEX: &str = "<meta name=\"robots\" content=\"noindex, nofollow\">\n";

fn frame(title: &str, og_title: &str, og_description: &str, robots: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n    <title>{title}</title>\n\
         <meta property=\"og:title\" content=\"{og_title}\">\n<meta property=\"og:site_name\" content=\"Telegram\">\n\
         <meta property=\"og:description\" content=\"{og_description}\">\n{robots}  </head>\n  <body class=\"no_transition\">\n    \
         <div class=\"tgme_page_wrap\">\n<div class=\"tgme_body_wrap\">\n<div class=\"tgme_page\">\n{body}\n</div>\n</div>\n\
         </div>\n  </body>\n</html>\n<!-- page generated in 12.31ms -->"
    )
}

/// Landing pages print counts in full, with spaces: `9 750 000`; very large groups of pages abbreviate.
fn spaced(count: u64) -> String {
    if count >= 100_000_000 {
        return counter(count);
    }
    let digits = count.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).expect("digits are ASCII"))
        .collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn counts_are_printed_in_groups_of_three() {
        assert_eq!(super::spaced(9_750_000), "9 750 000");
        assert_eq!(super::spaced(812), "812");
    }
}
