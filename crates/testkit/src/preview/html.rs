//! Text as HTML, the way the real pages write it.

use std::fmt::Write as _;

use gleaner_domain::text::EntityKind;

use crate::world::RichText;
use crate::world::text::Inline;

/// Escapes text for element content and attributes, apostrophes and exclamation marks included.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '!' => out.push_str("&#33;"),
            '\u{a0}' => out.push_str("&nbsp;"),
            c => out.push(c),
        }
    }
    out
}

/// Words of a message: line breaks, and the unbreakable space that stands after dashes and bullets.
fn words(text: &str) -> String {
    escape(text)
        .replace('\n', "<br/>")
        .replace("– ", "–&nbsp;")
        .replace("• ", "•&nbsp;")
}

/// A standard emoji: a picture whose name is the character's bytes. The `<b>` is not bold.
pub(crate) fn emoji(emoji: &str) -> String {
    let mut hex = String::new();
    // The picture's name leaves out the variation selector.
    for byte in emoji.replace('\u{fe0f}', "").bytes() {
        let _ = write!(hex, "{byte:02X}");
    }
    format!(
        "<i class=\"emoji\" style=\"background-image:url('//telegram.org/img/emoji/40/{hex}.png')\"><b>{emoji}</b></i>"
    )
}

/// A line of plain words with emoji, as in titles.
pub(crate) fn line(text: &str) -> String {
    rich(&RichText::plain(text))
}

/// A formatted text.
pub(crate) fn rich(text: &RichText) -> String {
    let mut out = String::new();
    pieces(&text.0, &mut out);
    out
}

fn pieces(inlines: &[Inline], out: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text(text) => out.push_str(&words(text)),
            Inline::Emoji(text) => out.push_str(&emoji(text)),
            Inline::Styled(kind, inner) => styled(kind, inner, out),
        }
    }
}

fn styled(kind: &EntityKind, inner: &[Inline], out: &mut String) {
    let mut content = String::new();
    pieces(inner, &mut content);
    let plain = RichText(inner.to_vec()).string();
    let simple = |tag: &str| format!("<{tag}>{content}</{tag}>");
    let search = |sign: &str| {
        let query: String =
            url::form_urlencoded::byte_serialize(plain.trim_start_matches(sign).as_bytes()).collect();
        let sign: String = url::form_urlencoded::byte_serialize(sign.as_bytes()).collect();
        format!("<a href=\"?q={sign}{query}\">{content}</a>")
    };
    let html = match kind {
        EntityKind::Bold => simple("b"),
        EntityKind::Italic => simple("i"),
        EntityKind::Underline => simple("u"),
        EntityKind::Strikethrough => simple("s"),
        EntityKind::Spoiler => simple("tg-spoiler"),
        EntityKind::Code => simple("code"),
        EntityKind::Blockquote { collapsed: false } => simple("blockquote"),
        EntityKind::Blockquote { collapsed: true } => {
            format!("<blockquote expandable>{content}</blockquote>")
        }
        EntityKind::Pre { language: None } => simple("pre"),
        EntityKind::Pre {
            language: Some(language),
        } => {
            format!(
                "<pre><code class=\"language-{}\">{content}</code></pre>",
                escape(language)
            )
        }
        EntityKind::Hashtag => search("#"),
        EntityKind::Cashtag => search("$"),
        EntityKind::Mention => {
            let name = escape(plain.trim_start_matches('@'));
            format!("<a href=\"https://t.me/{name}\" target=\"_blank\">{content}</a>")
        }
        EntityKind::Url => format!(
            "<a href=\"{}\" target=\"_blank\" rel=\"noopener\">{content}</a>",
            escape(&plain)
        ),
        EntityKind::Email => format!("<a href=\"mailto:{}\">{content}</a>", escape(&plain)),
        EntityKind::Phone => format!("<a href=\"tel:{}\">{content}</a>", escape(&plain)),
        EntityKind::BotCommand => format!(
            "<a href=\"tg://bot_command?command={}\">{content}</a>",
            escape(&plain)
        ),
        // Real pages escape these addresses twice, and only these.
        EntityKind::TextLink { url } => format!(
            "<a href=\"{}\" target=\"_blank\" rel=\"noopener\" \
             onclick=\"return confirm('Open this link?\\n\\n'+this.href);\">{content}</a>",
            escape(&escape(url))
        ),
        EntityKind::CustomEmoji { emoji_id } => {
            format!("<tg-emoji emoji-id=\"{}\">{content}</tg-emoji>", escape(emoji_id))
        }
    };
    out.push_str(&html);
}

/// Views: exact below a thousand, then one decimal of K, then up to two of M.
pub(crate) fn views(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..999_950 => format!("{:.1}K", count as f64 / 1e3),
        _ => format!("{}M", trimmed(count as f64 / 1e6)),
    }
}

/// Other counters: three digits at most, no zeros at the end.
pub(crate) fn counter(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..999_500 => format!("{}K", trimmed(count as f64 / 1e3)),
        _ => format!("{}M", trimmed(count as f64 / 1e6)),
    }
}

fn trimmed(value: f64) -> String {
    let digits = if value < 9.995 {
        2
    } else {
        usize::from(value < 99.95)
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Seconds as `m:ss` or `h:mm:ss`.
pub(crate) fn duration(seconds: u32) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(845, "845", "845")]
    #[case(33_000, "33.0K", "33K")]
    #[case(436_600, "436.6K", "437K")]
    #[case(1_600_000, "1.6M", "1.6M")]
    #[case(9_750_000, "9.75M", "9.75M")]
    #[case(12_345, "12.3K", "12.3K")]
    fn counters_are_printed_as_telegram_does(#[case] count: u64, #[case] seen: &str, #[case] other: &str) {
        assert_eq!(views(count), seen);
        assert_eq!(counter(count), other);
    }

    #[test]
    fn text_links_are_escaped_twice_and_others_once() {
        let text = RichText::default()
            .link("x", "https://e.org/?a=1&b=2")
            .styled(EntityKind::Url, "https://e.org/?a=1&b");
        let html = rich(&text);
        assert!(html.contains("href=\"https://e.org/?a=1&amp;amp;b=2\""), "{html}");
        assert!(html.contains("href=\"https://e.org/?a=1&amp;b\""), "{html}");
    }

    #[test]
    fn hashtags_search_the_channel() {
        assert_eq!(
            rich(&RichText::default().hashtag("a_b")),
            "<a href=\"?q=%23a_b\">#a_b</a>"
        );
    }
}
