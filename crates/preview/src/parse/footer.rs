//! The line under a post: views, date, signature, "edited", and reactions.

use chrono::{DateTime, Utc};
use gleaner_domain::Count;
use gleaner_domain::record::Reaction;
use scraper::{ElementRef, Node};

use crate::dom::{attr, find, has_class, plain_text, some_text};

/// A counter: "845", "33.0K".
pub(super) fn count(element: ElementRef<'_>) -> Option<Count> {
    plain_text(element).parse().ok()
}

/// When a post was made. Durations of films are `<time>` too, but without a date.
pub(super) fn date(time: ElementRef<'_>) -> Option<DateTime<Utc>> {
    let text = attr(time, "datetime")?;
    DateTime::parse_from_rfc3339(text.trim())
        .ok()
        .map(|date| date.to_utc())
}

/// Whether the line says "edited": as bare words, since a signature may say it too.
pub(super) fn says_edited(meta: ElementRef<'_>) -> bool {
    own_text(meta)
        .split(|c: char| !c.is_alphabetic())
        .any(|word| word == "edited")
}

/// One reaction and how often it was given.
pub(super) fn reaction(element: ElementRef<'_>) -> Option<Reaction> {
    let own = own_text(element);
    let own = own.trim();
    // "👍 1 234": an emoji without an element of its own, and its count.
    let digits_at = own.find(|c: char| c.is_ascii_digit())?;
    let (bare, number) = own.split_at(digits_at);
    let count: Count = number.parse().ok()?;
    let custom = find(element, |el| el.value().name() == "tg-emoji");
    let drawn = find(element, |el| has_class(el, "emoji")).and_then(some_text);
    Some(Reaction {
        emoji: drawn.or_else(|| Some(bare.trim().to_owned()).filter(|text| !text.is_empty())),
        emoji_id: custom.and_then(|el| attr(el, "emoji-id")).map(str::to_owned),
        paid: has_class(element, "tgme_reaction_paid"),
        count: count.value,
        rounded: count.rounded,
    })
}

/// The text directly in an element, that of its children left out.
fn own_text(element: ElementRef<'_>) -> String {
    element
        .children()
        .filter_map(|node| {
            if let Node::Text(text) = node.value() {
                Some(&**text)
            } else {
                None
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use scraper::Html;

    use super::*;

    fn first<T>(html: &str, class: &str, read: impl Fn(ElementRef<'_>) -> T) -> T {
        let html = Html::parse_fragment(html);
        read(find(html.root_element(), |el| has_class(el, class)).expect("the fragment has the class"))
    }

    #[rstest]
    #[case("<i class=emoji><b>❤</b></i>53", Some("❤"), None, false, 53, false)]
    #[case("<i class=emoji><b>👍</b></i>1.2K", Some("👍"), None, false, 1_200, true)]
    #[case(
        "<tg-emoji emoji-id=519></tg-emoji>194K",
        None,
        Some("519"),
        false,
        194_000,
        true
    )]
    #[case(
        "<tg-emoji emoji-id=5><i class=emoji><b>x</b></i></tg-emoji>7",
        Some("x"),
        Some("5"),
        false,
        7,
        false
    )]
    #[case("👍 1\u{202f}234", Some("👍"), None, false, 1_234, false)]
    fn a_reaction_is_an_emoji_and_the_number_behind_it(
        #[case] inner: &str,
        #[case] emoji: Option<&str>,
        #[case] emoji_id: Option<&str>,
        #[case] paid: bool,
        #[case] count: u64,
        #[case] rounded: bool,
    ) {
        let html = format!("<span class=tgme_reaction>{inner}</span>");
        let expected = Reaction {
            emoji: emoji.map(str::to_owned),
            emoji_id: emoji_id.map(str::to_owned),
            paid,
            count,
            rounded,
        };
        assert_eq!(first(&html, "tgme_reaction", reaction), Some(expected));
    }

    #[test]
    fn stars_are_a_paid_reaction_without_an_emoji() {
        let html = "<span class='tgme_reaction tgme_reaction_paid'><i class='icon icon-telegram-stars'></i>16.8K</span>";
        let reaction = first(html, "tgme_reaction", reaction).expect("a reaction");
        assert!(reaction.paid && reaction.emoji.is_none() && reaction.count == 16_800);
    }

    #[rstest]
    #[case(
        "<span class=tgme_widget_message_from_author>A</span>,&nbsp;edited &nbsp;<a>x</a>",
        true
    )]
    #[case("edited <a>x</a>", true)]
    #[case(
        "<span class=tgme_widget_message_from_author>edited</span>,&nbsp;<a>x</a>",
        false
    )]
    #[case("<a>edited</a>", false)]
    fn only_bare_words_say_edited(#[case] inner: &str, #[case] edited: bool) {
        let html = format!("<span class=meta>{inner}</span>");
        assert_eq!(first(&html, "meta", says_edited), edited);
    }

    #[rstest]
    #[case(
        "<time class=t datetime='2026-04-09T07:01:44+00:00'>07:01</time>",
        Some("2026-04-09T07:01:44Z")
    )]
    #[case(
        "<time class=t datetime='2026-04-09T09:01:44+02:00'>07:01</time>",
        Some("2026-04-09T07:01:44Z")
    )]
    #[case("<time class=t>0:19</time>", None)]
    #[case("<time class=t datetime='yesterday'>x</time>", None)]
    fn a_date_is_a_time_that_has_one(#[case] html: &str, #[case] expected: Option<&str>) {
        let expected = expected.map(|text| text.parse::<DateTime<Utc>>().expect("a date"));
        assert_eq!(first(html, "t", date), expected);
    }
}
