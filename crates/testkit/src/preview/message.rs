//! One message of a page: frame, bubble, footer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::html::{counter, emoji, escape, line, rich, views};
use super::media::{Scene, voters};
use crate::world::Post;
use crate::world::draw::mix;
use crate::world::post::{Body, Button, Forward, Reaction, ReactionKind, Reply, Service, StickerKind};

/// One post: a message, or the members of an album, lowest id first.
pub(crate) fn message(scene: &Scene<'_>, posts: &[Post], rendered_at: i64) -> String {
    let Some(head) = posts.first() else {
        return String::new();
    };
    let grouped = posts.len() > 1;
    let name = escape(scene.channel.name());
    let avatar = avatar(scene, "tgme_widget_message_user_photo");
    let tail = if scene.shared.realistic_weight { TAIL } else { "" };
    format!(
        "<div class=\"tgme_widget_message_wrap js-widget_message_wrap\">\
         <div class=\"tgme_widget_message text_not_supported_wrap{} js-widget_message\" data-post=\"{name}/{}\" \
         data-view=\"{}\">\n  \
         <div class=\"tgme_widget_message_user\"><a href=\"https://t.me/{name}\">{avatar}</a></div>\n  \
         <div class=\"tgme_widget_message_bubble\">\n    {tail}\n    \
         <div class=\"tgme_widget_message_author accent_color\"><a class=\"tgme_widget_message_owner_name\" \
         href=\"https://t.me/{name}\"><span dir=\"auto\">{}</span></a>{}</div>\n{}{}\n{}\n{}{}\n{}\n  </div>\n  {}\n</div></div>",
        classes(head),
        head.id,
        data_view(scene.channel.id(), head.id, grouped, rendered_at),
        line(scene.channel.title()),
        via_bot(head),
        forwarded(head.forward.as_ref()),
        replied(scene, head.reply.as_ref()),
        if grouped {
            scene.album(posts)
        } else {
            scene.body(head)
        },
        text(scene, posts, grouped),
        head.link_card
            .as_ref()
            .map_or_else(String::new, |card| scene.link_card(head.id, card)),
        footer(scene, head),
        buttons(scene, head),
    )
}

/// The picture beside a message or in the header; initials alone when there is none.
pub(crate) fn avatar(scene: &Scene<'_>, class: &str) -> String {
    let initial: String = scene.channel.title().chars().take(1).collect();
    let color = scene.channel.id() % 7;
    let image = if scene.channel.spec.photo {
        format!("<img src=\"{}\">", scene.shared.avatar_url(scene.index))
    } else {
        String::new()
    };
    format!(
        "<i class=\"{class} bgcolor{color}\" data-content=\"{}\">{image}</i>",
        escape(&initial)
    )
}

fn classes(post: &Post) -> &'static str {
    match &post.body {
        Body::Service(Service::PhotoUpdated) => " service_message service_message_photo",
        Body::Service(_) => " service_message",
        Body::Sticker(StickerKind::Still | StickerKind::Animated | StickerKind::Video) => {
            " sticker_media no_bubble"
        }
        Body::Round { .. } => " roundvideo_media no_bubble",
        _ => "",
    }
}

fn data_view(channel: i64, id: u32, grouped: bool, rendered_at: i64) -> String {
    let post = if grouped {
        format!("\"{id}g\"")
    } else {
        id.to_string()
    };
    let hash = mix(&[channel as u64, u64::from(id)]);
    let json = format!(
        "{{\"c\":-{channel},\"p\":{post},\"t\":{rendered_at},\"h\":\"{:018x}\"}}",
        u128::from(hash) * 3
    );
    URL_SAFE_NO_PAD.encode(json)
}

fn via_bot(post: &Post) -> String {
    post.via_bot.as_deref().map_or_else(String::new, |bot| {
        let bot = escape(bot);
        format!(" via <a class=\"tgme_widget_message_via_bot\" href=\"https://t.me/{bot}\" dir=\"auto\">@{bot}</a>")
    })
}

fn forwarded(forward: Option<&Forward>) -> String {
    let Some(forward) = forward else {
        return String::new();
    };
    let from = line(&forward.from);
    let from = match &forward.link {
        Some(link) => format!(
            "<a class=\"tgme_widget_message_forwarded_from_name\" href=\"{}\"><span dir=\"auto\">{from}</span></a>",
            escape(link)
        ),
        None => format!("<span class=\"tgme_widget_message_forwarded_from_name\" dir=\"auto\">{from}</span>"),
    };
    let author = forward.author.as_deref().map_or_else(String::new, |author| {
        format!(
            "&nbsp;(<span class=\"tgme_widget_message_forwarded_from_author\" dir=\"auto\">{}</span>)",
            line(author)
        )
    });
    format!(
        "<div class=\"tgme_widget_message_forwarded_from accent_color\">Forwarded from&nbsp;{from}{author}</div>\n"
    )
}

fn replied(scene: &Scene<'_>, reply: Option<&Reply>) -> String {
    let Some(reply) = reply else { return String::new() };
    let href = match &reply.elsewhere {
        Some(name) => format!("https://t.me/{}/{}", escape(name), reply.id),
        None => scene.permalink(reply.id),
    };
    let thumb = if reply.of_media {
        format!(
            "<i class=\"tgme_widget_message_reply_thumb\" style=\"background-image:url('{}')\"></i>",
            scene.thumb(reply.id, 0)
        )
    } else {
        String::new()
    };
    let class = if reply.of_media {
        "tgme_widget_message_metatext"
    } else {
        "tgme_widget_message_text"
    };
    format!(
        "<a class=\"tgme_widget_message_reply\" href=\"{href}\" >{thumb}\n\
         <div class=\"tgme_widget_message_author accent_color\">\n  \
         <span class=\"tgme_widget_message_author_name\" dir=\"auto\">{}</span>\n</div>\n\
         <div class=\"{class} js-message_reply_text\" dir=\"auto\">{}</div>\n</a>\n",
        line(&reply.author),
        line(&reply.excerpt),
    )
}

fn text(scene: &Scene<'_>, posts: &[Post], grouped: bool) -> String {
    const OPEN: &str = "<div class=\"tgme_widget_message_text js-message_text\" dir=\"auto\">";
    let head = &posts[0];
    if let Body::Service(service) = &head.body {
        return format!(
            "{}{OPEN}{}</div>",
            service_photo(scene, head, service),
            service_text(scene, service)
        );
    }
    let html = rich(&head.text);
    match (html.is_empty(), grouped) {
        (true, _) => String::new(),
        (false, true) => format!("{OPEN}{OPEN}{html}</div></div>"),
        (false, false) if html.contains("<tg-emoji") => format!(
            "<div class=\"media_supported_cont\">{OPEN}{html}</div></div><div class=\"media_not_supported_cont\">\
             {OPEN}Please open Telegram to view this post</div></div>"
        ),
        (false, false) => format!("{OPEN}{html}</div>"),
    }
}

fn service_photo(scene: &Scene<'_>, post: &Post, service: &Service) -> String {
    if *service != Service::PhotoUpdated {
        return String::new();
    }
    format!(
        "<a class=\"tgme_widget_message_service_photo\" href=\"{}\"><img src=\"{}\"></a>\n",
        scene.permalink(post.id),
        scene.picture(post)
    )
}

fn service_text(scene: &Scene<'_>, service: &Service) -> String {
    let strong = |text: &str| {
        format!(
            "«<span class=\"tgme_widget_service_strong_text\" dir=\"auto\">{}</span>»",
            line(text)
        )
    };
    match service {
        Service::Created => "Channel created".to_owned(),
        Service::PhotoUpdated => "Channel photo updated".to_owned(),
        Service::Renamed(title) => format!("Channel name was changed to {}", strong(title)),
        Service::LiveStream(minutes) => format!("Live stream finished ({minutes} minutes)"),
        Service::Pinned(excerpt) => format!(
            "<a class=\"tgme_widget_message_author_name\" href=\"https://t.me/{}\"><span dir=\"auto\">{}</span></a> pinned {}",
            escape(scene.channel.name()),
            line(scene.channel.title()),
            strong(excerpt)
        ),
    }
}

fn footer(scene: &Scene<'_>, post: &Post) -> String {
    let voters = if let Body::Poll(poll) = &post.body {
        voters(poll)
    } else {
        String::new()
    };
    let seen = post.views.map_or_else(String::new, |count| {
        let word = if count == 1 { "view" } else { "views" };
        format!(
            "<span class=\"tgme_widget_message_views\">{}</span><span class=\"copyonly\"> {word}</span>",
            views(count)
        )
    });
    let signature = post.signature.as_deref().map_or_else(String::new, |name| {
        format!(
            "<span class=\"tgme_widget_message_from_author\" dir=\"auto\">{}</span>,&nbsp;",
            line(name)
        )
    });
    let edited = if post.edited { "edited &nbsp;" } else { "" };
    format!(
        "{}<div class=\"tgme_widget_message_footer compact js-message_footer\">\n  \n  \
         <div class=\"tgme_widget_message_info short js-message_info\">\n    {voters}{seen}\
         <span class=\"tgme_widget_message_meta\">{signature}{edited}\
         <a class=\"tgme_widget_message_date\" href=\"{}\"><time datetime=\"{}\" class=\"time\">{}</time></a></span>\n  \
         </div>\n</div>",
        reactions(&post.reactions),
        scene.permalink(post.id),
        post.date.format("%Y-%m-%dT%H:%M:%S+00:00"),
        post.date.format("%H:%M"),
    )
}

fn reactions(reactions: &[Reaction]) -> String {
    if reactions.is_empty() {
        return String::new();
    }
    let spans = reactions
        .iter()
        .map(|reaction| {
            let count = counter(reaction.count);
            match reaction.kind {
                ReactionKind::Emoji(sign) => format!("<span class=\"tgme_reaction\">{}{count}</span>", emoji(sign)),
                ReactionKind::Custom(id, sign) => format!(
                    "<span class=\"tgme_reaction\"><tg-emoji emoji-id=\"{id}\">{}</tg-emoji>{count}</span>",
                    emoji(sign)
                ),
                ReactionKind::Paid => format!(
                    "<span class=\"tgme_reaction tgme_reaction_paid\"><i class=\"icon icon-telegram-stars\"></i>{count}</span>"
                ),
            }
        })
        .collect::<Vec<_>>().concat();
    format!("<div class=\"tgme_widget_message_reactions js-message_reactions\">{spans}</div>")
}

fn buttons(scene: &Scene<'_>, post: &Post) -> String {
    if post.buttons.is_empty() {
        return String::new();
    }
    let rows = post
        .buttons
        .iter()
        .map(|row| {
            let buttons: String = row
                .iter()
                .map(|button| self::button(scene, post, button))
                .collect();
            format!("<div class=\"tgme_widget_message_inline_row\">{buttons}</div>")
        })
        .collect::<Vec<_>>()
        .concat();
    format!("<div class=\"tgme_widget_message_inline_keyboard\">{rows}</div>")
}

fn button(scene: &Scene<'_>, post: &Post, button: &Button) -> String {
    let (class, href) = match &button.url {
        Some(url) => (" url_button", escape(url)),
        None => ("", scene.permalink(post.id)),
    };
    format!(
        "<a class=\"tgme_widget_message_inline_button{class}\" href=\"{href}\">\
         <span class=\"tgme_widget_message_inline_button_text\" dir=\"auto\">{}</span></a>",
        line(&button.text)
    )
}

/// The little corner of a bubble, as heavy as the real one.
const TAIL: &str = include_str!("bubble_tail.svg");
