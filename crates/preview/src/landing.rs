//! Why a name has no readable page: `t.me/<name>` itself, where t.me/s sends us, tells.

use scraper::Html;

use crate::dom::{Step, Then, attr, classes, plain_text, walk};
use crate::parse::refuse_damaged;

/// What the page of a name says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Landing {
    /// A channel with a preview after all; being sent here was a passing fault.
    Readable,
    /// A channel that shows no preview.
    NoPreview,
    /// A channel for members alone: it is counted, but hidden from search engines.
    Private,
    /// Something else: "a group", "a bot", "a person".
    NotAChannel(&'static str),
    /// Nobody we can see.
    Unknown,
    /// A channel that Telegram shows to nobody; its words.
    Banned(String),
    /// No page of Telegram's that we know.
    Unrecognised,
}

/// What was found on the page.
#[derive(Default)]
struct Parts {
    is_landing: bool,
    has_preview_link: bool,
    is_hidden: bool,
    title: Option<String>,
    extra: String,
    description: String,
    error: Option<String>,
}

/// Reads the page of a name.
pub(crate) fn classify(html: &str) -> Landing {
    if refuse_damaged(html).is_err() {
        return Landing::Unrecognised;
    }
    let parts = Parts::read(html);
    let extra = parts.extra.to_lowercase();
    let description = parts.description.to_lowercase();
    if let Some(words) = parts.unavailable() {
        return Landing::Banned(words);
    }
    if parts.has_preview_link {
        return Landing::Readable;
    }
    if !parts.is_landing {
        return Landing::Unrecognised;
    }
    // A person's own name stands where others have a counter, and may be any word: @subscriber1.
    if extra.starts_with('@') && !parts.is_hidden && parts.title.is_some() {
        return Landing::NotAChannel(if extra.ends_with("bot") {
            "a bot"
        } else {
            "a person"
        });
    }
    if parts.has_counter() {
        if extra.contains("subscriber") {
            return if parts.is_hidden {
                Landing::Private
            } else {
                Landing::NoPreview
            };
        }
        if extra.contains("member") || extra.contains("online") {
            return Landing::NotAChannel("a group");
        }
        if extra.contains("monthly user") {
            return Landing::NotAChannel("a bot");
        }
    }
    let promises_nothing = description.contains("you can contact") || description.contains("view posts");
    if parts.is_hidden || promises_nothing {
        return Landing::Unknown;
    }
    Landing::Unrecognised
}

impl Parts {
    fn read(html: &str) -> Self {
        let document = Html::parse_document(html);
        let mut parts = Self::default();
        walk(document.tree.root(), |step| {
            let Step::Open(element) = step else {
                return Then::Descend;
            };
            if element.value().name() == "meta" && attr(element, "name") == Some("robots") {
                parts.is_hidden |= attr(element, "content")
                    .is_some_and(|content| content.contains("noindex") || content.contains("none"));
            }
            for class in classes(element) {
                match class {
                    "tgme_page" => parts.is_landing = true,
                    "tgme_page_title" => {
                        parts.title = Some(plain_text(element)).filter(|title| !title.is_empty());
                    }
                    "tgme_page_extra" => parts.extra = plain_text(element),
                    "tgme_page_description" => parts.description = plain_text(element),
                    "tgme_page_context_link" | "tgme_page_context_link_wrap" => {
                        parts.has_preview_link |= leads_to_preview(plain_text(element).as_str(), element);
                    }
                    "tgme_widget_message_error" => parts.error = Some(plain_text(element)),
                    _ => {}
                }
            }
            Then::Descend
        });
        parts
    }

    /// "12 345 subscribers": somebody is there.
    fn has_counter(&self) -> bool {
        self.extra.starts_with(|c: char| c.is_ascii_digit())
    }

    /// "This channel is unavailable due to copyright infringement." Only where the words are
    /// Telegram's own: those of somebody who can be seen are the owner's, who may say anything.
    fn unavailable(&self) -> Option<String> {
        let is_telegrams = self.is_hidden && !self.has_counter();
        let description = Some(self.description.as_str()).filter(|_| is_telegrams);
        [self.error.as_deref(), description]
            .into_iter()
            .flatten()
            .find(|words| {
                let words = words.to_lowercase();
                words.contains("unavailable") || words.contains("be displayed")
            })
            .map(|words| words.chars().take(200).collect())
    }
}

fn leads_to_preview(words: &str, element: scraper::ElementRef<'_>) -> bool {
    words.to_lowercase().contains("preview channel")
        || attr(element, "href").is_some_and(|href| href.contains("/s/"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn page(head: &str, body: &str) -> String {
        format!("<html><head>{head}</head><body><div class=tgme_page>{body}</div></body></html>")
    }

    const HIDDEN: &str = r#"<meta name="robots" content="noindex, nofollow">"#;

    #[rstest]
    #[case(
        "",
        "<div class=tgme_page_title>X</div><div class=tgme_page_extra>12 345 subscribers</div>",
        Landing::NoPreview
    )]
    #[case(
        "",
        "<div class=tgme_page_extra>1 subscriber</div>\
         <div class=tgme_page_context_link_wrap><a class=tgme_page_context_link href=/s/x>Preview channel</a></div>",
        Landing::Readable
    )]
    #[case(
        "",
        "<div class=tgme_page_extra>12 members, 3 online</div>",
        Landing::NotAChannel("a group")
    )]
    #[case(
        "",
        "<div class=tgme_page_extra>99 monthly users</div>",
        Landing::NotAChannel("a bot")
    )]
    #[case(
        "",
        "<div class=tgme_page_title>Ann</div><div class=tgme_page_extra>@ann</div>",
        Landing::NotAChannel("a person")
    )]
    #[case(
        "",
        "<div class=tgme_page_title>Ann</div><div class=tgme_page_extra>@online_anna</div>",
        Landing::NotAChannel("a person")
    )]
    #[case(
        "",
        "<div class=tgme_page_title>Ann</div><div class=tgme_page_extra>@subscriber1</div>",
        Landing::NotAChannel("a person")
    )]
    #[case(
        "",
        "<div class=tgme_page_title>Ann</div><div class=tgme_page_extra>@team_members</div>",
        Landing::NotAChannel("a person")
    )]
    #[case(
        "",
        "<div class=tgme_page_title>Ann</div><div class=tgme_page_extra>@harbour_bot</div>",
        Landing::NotAChannel("a bot")
    )]
    #[case(
        "",
        "<div class=tgme_page_extra>7 subscribers</div>\
         <div class=tgme_page_description>Our shop is unavailable on Sundays</div>",
        Landing::NoPreview
    )]
    #[case(
        "",
        "<div class=tgme_page_extra>12 members, 3 online</div>\
         <div class=tgme_page_description>For all that is unavailable elsewhere</div>",
        Landing::NotAChannel("a group")
    )]
    #[case(
        HIDDEN,
        "<div class=tgme_page_title>X</div><div class=tgme_page_extra>7 subscribers</div>",
        Landing::Private
    )]
    #[case(
        HIDDEN,
        "<div class=tgme_page_description>If you have Telegram, you can contact @x right away.</div>",
        Landing::Unknown
    )]
    #[case(
        HIDDEN,
        "<div class=tgme_page_description>If you have Telegram, you can view posts by @x right away.</div>",
        Landing::Unknown
    )]
    fn the_page_of_a_name_says_what_it_is(#[case] head: &str, #[case] body: &str, #[case] expected: Landing) {
        assert_eq!(classify(&page(head, body)), expected);
    }

    #[test]
    fn a_banned_channel_gives_telegrams_reason() {
        let words = "This channel is unavailable due to copyright infringement.";
        let html = page(HIDDEN, &format!("<div class=tgme_page_description>{words}</div>"));
        assert_eq!(classify(&html), Landing::Banned(words.to_owned()));
    }

    #[rstest]
    #[case("This channel is unavailable due to copyright infringement.", true)]
    #[case("This post couldn't be displayed on your device.", true)]
    #[case("Channel with username @x not found", false)]
    #[case("Post not found", false)]
    fn a_post_in_a_frame_tells_of_a_ban(#[case] words: &str, #[case] banned: bool) {
        let html = format!("<html><div class=tgme_widget_message_error>{words}</div></html>");
        assert_eq!(
            matches!(classify(&html), Landing::Banned(said) if said == words),
            banned
        );
    }

    #[test]
    fn a_page_of_somebody_else_is_not_recognised() {
        assert_eq!(
            classify("<html><body>Welcome to the hotel's network</body></html>"),
            Landing::Unrecognised
        );
        assert_eq!(classify(""), Landing::Unrecognised);
    }
}
