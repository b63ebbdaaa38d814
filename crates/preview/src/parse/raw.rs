//! A page as text, before and after it is parsed: what is left out, what is refused, and what
//! broken markup made vanish.

use std::borrow::Cow;
use std::collections::BTreeSet;

use memchr::memmem;

use super::{PageError, message};

/// Parts of a page that are never read, by how they begin and end: drawings, colours, the
/// channel's picture beside every post, the bars of a voice message. Half of a page's bytes.
const UNREAD: [(&str, &str); 4] = [
    ("<svg", "</svg>"),
    ("<style", "</style>"),
    ("<div class=\"tgme_widget_message_user\">", "</div>"),
    ("<div class=\"bar\">", "</div>"),
];

/// None of them is anywhere near as long, ...
const LONGEST_UNREAD: usize = 64 << 10;

/// ... and a page with so many damaged ones is not worth the search.
const MOST_DAMAGED: usize = 50;

/// The page without what is never read. A part that does not end before the next block begins
/// is damaged, and stays.
pub(super) fn without_unread(html: &str) -> Cow<'_, str> {
    let mut kept = String::new();
    let (mut copied, mut damaged) = (0, 0);
    for start in memchr::memchr_iter(b'<', html.as_bytes()) {
        if start < copied || damaged > MOST_DAMAGED {
            continue;
        }
        let rest = &html[start..];
        let Some((open, close)) = UNREAD.iter().find(|(open, _)| rest.starts_with(open)) else {
            continue;
        };
        let inner = &rest.as_bytes()[open.len()..];
        let length = memmem::find(&inner[..inner.len().min(LONGEST_UNREAD)], close.as_bytes());
        match length.filter(|length| memmem::find(&inner[..*length], b"<div").is_none()) {
            Some(length) => {
                kept.push_str(&html[copied..start]);
                copied = start + open.len() + length + close.len();
            }
            None => damaged += 1,
        }
    }
    if copied == 0 {
        Cow::Borrowed(html)
    } else {
        Cow::Owned(kept + &html[copied..])
    }
}

/// How many open elements all tags together may look through: the parser's own time grows with
/// it. A page of Telegram's needs some twenty thousand.
const MOST_LOOKS: usize = 20_000_000;

/// Names of elements no page of Telegram's comes near; HTML itself has not many more.
const MOST_NAMES: usize = 200;

/// Elements that have no end.
const VOID: [&str; 8] = ["br", "hr", "img", "input", "link", "meta", "source", "wbr"];

/// Refuses pages that are cut short or nested absurdly, before they cost anything. Ends are
/// counted by name, since an end that fits no beginning closes nothing.
pub(crate) fn refuse_damaged(html: &str) -> Result<(), PageError> {
    // A page has two dozen names of elements, so a list is quicker than a map.
    let mut open: Vec<(&str, usize)> = Vec::new();
    let (mut depth, mut looks, mut begun, mut ended) = (0_usize, 0_usize, false, false);
    for at in memchr::memchr_iter(b'<', html.as_bytes()) {
        let rest = &html[at + 1..];
        let (is_end, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
        let length = rest
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'-')
            .count();
        let name = &rest[..length];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || VOID.contains(&name) {
            continue;
        }
        if name.eq_ignore_ascii_case("html") {
            (begun, ended) = (begun || !is_end, ended || is_end);
        }
        let place = open.iter().position(|(known, _)| *known == name);
        if is_end {
            if let Some((_, count)) = place
                .map(|place| &mut open[place])
                .filter(|(_, count)| *count > 0)
            {
                *count -= 1;
                depth -= 1;
            }
            continue;
        }
        match place {
            Some(place) => open[place].1 += 1,
            None => open.push((name, 1)),
        }
        depth += 1;
        looks += depth;
        if looks > MOST_LOOKS || open.len() > MOST_NAMES {
            return Err(PageError::TooDeep);
        }
    }
    if begun && !ended {
        Err(PageError::CutShort)
    } else {
        Ok(())
    }
}

/// Posts that the text of the page names and its tree does not: broken markup made them
/// part of an attribute or a comment.
pub(super) fn swallowed<'a>(html: &str, found: impl Iterator<Item = &'a str>) -> Vec<String> {
    const MARK: &str = "data-post=\"";
    let found: BTreeSet<&str> = found.collect();
    memmem::find_iter(html.as_bytes(), MARK)
        .filter_map(|at| html[at + MARK.len()..].split(['"', '<', '>']).next())
        .filter(|post| !found.contains(post))
        .map(|post| format!("post {}: broken markup hides it", message::shown(post)))
        .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a<svg><path></svg>b<svg/></svg>c", "abc")]
    #[case("a", "a")]
    #[case("a<svg><path>b", "a<svg><path>b")]
    #[case("<svg></svg>", "")]
    #[case(
        "a<svg><div data-post=x></div></svg>b",
        "a<svg><div data-post=x></div></svg>b"
    )]
    #[case(
        "a<style>x</style><div class=\"bar\"><s></s></div>b<div>c</div>",
        "ab<div>c</div>"
    )]
    #[case("<div class=\"tgme_widget_message_user\"><a></a></div>é", "é")]
    #[case(
        "<div class=\"bar\"><div>a</div></div>",
        "<div class=\"bar\"><div>a</div></div>"
    )]
    #[case("<style><svg></style>b</svg>c", "b</svg>c")]
    fn what_is_never_read_is_left_out_unless_it_holds_a_block(#[case] html: &str, #[case] kept: &str) {
        assert_eq!(without_unread(html), kept);
    }

    #[rstest]
    #[case("<div>")]
    #[case("<b>")]
    #[case("<a class=tgme_widget_message_text>")]
    #[case("<blockquote>")]
    #[case("<div></path>")]
    fn a_hundred_thousand_nested_tags_are_refused_at_once(#[case] tag: &str) {
        assert_eq!(refuse_damaged(&tag.repeat(100_000)), Err(PageError::TooDeep));
    }

    #[test]
    fn many_tags_far_down_are_as_bad_as_great_depth() {
        let deep = "<div>".repeat(4_000);
        assert_eq!(refuse_damaged(&(deep.clone() + &"<p></p>".repeat(1_000))), Ok(()));
        assert_eq!(
            refuse_damaged(&(deep + &"<p></p>".repeat(10_000))),
            Err(PageError::TooDeep)
        );
    }

    #[rstest]
    #[case("<html><p>a</html>", Ok(()))]
    #[case("<p>a<br><br>", Ok(()))]
    #[case("<HTML><p>a", Err(PageError::CutShort))]
    #[case("", Ok(()))]
    fn a_document_that_begins_must_end(#[case] html: &str, #[case] expected: Result<(), PageError>) {
        assert_eq!(refuse_damaged(html), expected);
    }

    #[test]
    fn names_without_end_are_refused_too() {
        let html: Vec<String> = (0..300).map(|n| format!("<a{n}></a{n}>")).collect();
        assert_eq!(refuse_damaged(&html.concat()), Err(PageError::TooDeep));
    }

    #[test]
    fn posts_in_the_text_that_were_not_found_are_told() {
        let html = "<div data-post=\"n/1\"><!-- <div data-post=\"n/2\">";
        assert_eq!(
            swallowed(html, ["n/1"].into_iter()),
            ["post n/2: broken markup hides it"]
        );
    }
}
