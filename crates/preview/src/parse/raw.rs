//! A page as text, before and after it is parsed: what is left out, what is refused, and what
//! broken markup made vanish.

use std::borrow::Cow;
use std::collections::BTreeSet;

use memchr::memmem;

use super::{PageError, Skipped};

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

/// A tag's bytes, ...
const LONGEST_TAG: usize = 64 << 10;

/// ... and its attributes: the parser compares each with all others.
const MOST_ATTRIBUTES: usize = 256;

/// Bytes looked through for the ends of tags, in lengths of the page: more are tags within tags.
const MOST_SCANS: usize = 8;

/// Formatting that is still open is opened again in every block behind it: so many copies may
/// all blocks together need. A page of Telegram's needs some ten thousand.
const MOST_COPIES: usize = 500_000;

/// Elements that are opened again when a block ended before them.
const FORMATTING: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];

/// Elements whose content is no markup.
const VERBATIM: [&str; 9] = [
    "script",
    "style",
    "title",
    "textarea",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "plaintext",
];

/// Elements that have no end.
const VOID: [&str; 8] = ["br", "hr", "img", "input", "link", "meta", "source", "wbr"];

/// Refuses pages that are cut short or nested absurdly, before they cost anything. Ends are
/// counted by name, since an end that fits no beginning closes nothing. Every beginning counts,
/// wherever it stands; an end counts only where it surely is one, so that none can be hidden in
/// a comment to make a page look flat.
pub(crate) fn refuse_damaged(html: &str) -> Result<(), PageError> {
    // A page has two dozen names of elements, so a list is quicker than a map.
    // Beside each: how many are open, and how many of those have attributes. Without any, the
    // parser opens at most three of a kind again.
    let mut open: Vec<(&str, usize, usize)> = Vec::new();
    let (mut depth, mut looks, mut begun, mut ended) = (0_usize, 0_usize, false, false);
    let (mut formatting, mut copies, mut scanned) = (0_usize, 0_usize, 0_usize);
    // Ends before `doubtful` are within a tag or a comment; within `verbatim` only its own counts.
    let (mut doubtful, mut comment, mut verbatim) = (0_usize, 0_usize, None);
    for at in memchr::memchr_iter(b'<', html.as_bytes()) {
        let rest = &html[at + 1..];
        if rest.starts_with("!--") && verbatim.is_none() {
            if at >= comment {
                comment = at + memmem::find(rest.as_bytes(), b"-->").unwrap_or(rest.len());
                doubtful = doubtful.max(comment);
            }
            continue;
        }
        let (is_end, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
        let length = rest
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || *b == b'-')
            .count();
        let name = &rest[..length];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let tag = tag_length(&rest.as_bytes()[length..]).ok_or(PageError::TooDeep)?;
        scanned += tag;
        if scanned > MOST_SCANS * html.len() {
            return Err(PageError::TooDeep);
        }
        let is_sure = at >= doubtful && verbatim.is_none_or(|open| name.eq_ignore_ascii_case(open));
        doubtful = doubtful.max(at + tag);
        if VOID.contains(&name) {
            continue;
        }
        copies += formatting;
        if copies > MOST_COPIES {
            return Err(PageError::TooDeep);
        }
        let differs = tag > 0 && FORMATTING.iter().any(|known| name.eq_ignore_ascii_case(known));
        if name.eq_ignore_ascii_case("html") {
            (begun, ended) = (begun || !is_end, ended || is_end);
        }
        let place = open.iter().position(|(known, ..)| *known == name);
        if is_end {
            if !is_sure {
                continue;
            }
            verbatim = None;
            if let Some((_, count, differing)) = place
                .map(|place| &mut open[place])
                .filter(|(_, count, _)| *count > 0)
            {
                *count -= 1;
                depth -= 1;
                // Whichever it closes, no more than all can be left.
                if *differing > *count {
                    *differing -= 1;
                    formatting -= 1;
                }
            }
            continue;
        }
        if is_sure {
            verbatim = verbatim.or(VERBATIM
                .into_iter()
                .find(|known| name.eq_ignore_ascii_case(known)));
        }
        formatting += usize::from(differs);
        let place = place.unwrap_or_else(|| {
            open.push((name, 0, 0));
            open.len() - 1
        });
        open[place].1 += 1;
        open[place].2 += usize::from(differs);
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

/// How long a tag is whose name ends where `rest` begins; `None` for one that is longer, or has
/// more attributes, than is any good. A value in quotes may hold anything.
fn tag_length(rest: &[u8]) -> Option<usize> {
    let (mut at, mut attributes, mut between, mut last) = (0, 0, true, b' ');
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'>' => break,
            b'"' | b'\'' if last == b'=' => {
                let value = &rest[at + 1..];
                at += 1 + memchr::memchr(byte, value).unwrap_or(value.len());
                // Behind a value the next attribute may begin at once.
                (between, last) = (true, b' ');
            }
            b' ' | b'\n' | b'\t' | b'\r' | 0x0c | b'/' => between = true,
            byte => {
                attributes += usize::from(std::mem::take(&mut between));
                last = byte;
            }
        }
        at += 1;
        if at > LONGEST_TAG || attributes > MOST_ATTRIBUTES {
            return None;
        }
    }
    Some(at)
}

/// Posts that the text of the page names and its tree does not: broken markup made them
/// part of an attribute or a comment.
pub(super) fn swallowed<'a>(html: &str, found: impl Iterator<Item = &'a str>) -> Vec<Skipped> {
    const MARK: &str = "data-post=\"";
    let found: BTreeSet<&str> = found.collect();
    memmem::find_iter(html.as_bytes(), MARK)
        .filter_map(|at| html[at + MARK.len()..].split(['"', '<', '>']).next())
        .filter(|post| !found.contains(post))
        .map(|post| Skipped::new(post, "broken markup hides it"))
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

    #[rstest]
    #[case::distinct(&|n| format!(" a{n}"))]
    #[case::valued(&|n| format!(" a{n}=\"x\""))]
    #[case::crowded(&|n| format!("a{n}='x'"))]
    #[case::slashed(&|n| format!("/a{n}"))]
    #[case::bracketed(&|n| format!(" <{n}"))]
    fn a_tag_with_a_thousand_attributes_is_refused(#[case] attribute: &dyn Fn(u32) -> String) {
        let attributes: String = (0..1_000).map(attribute).collect();
        for html in [
            format!("<div {attributes}>"),
            format!("</div {attributes}>"),
            format!("<br {attributes}>"),
            format!("<p x=\">\"{attributes}>"),
            format!("<a =\"><div {attributes}>\">"),
        ] {
            assert_eq!(refuse_damaged(&html), Err(PageError::TooDeep), "{}", &html[..40]);
        }
    }

    #[test]
    fn a_tag_without_end_is_refused_and_a_long_text_is_not() {
        assert_eq!(
            refuse_damaged(&format!("<div x=\"{}", "y".repeat(100_000))),
            Err(PageError::TooDeep)
        );
        assert_eq!(
            refuse_damaged(&format!("<p>{}</p>", "a = \"b\" ".repeat(100_000))),
            Ok(())
        );
        let classes = format!("<div class=\"{}\"></div>", "one two ".repeat(1_000));
        assert_eq!(refuse_damaged(&classes), Ok(()));
    }

    #[rstest]
    #[case::open("<b id=N>")]
    #[case::loud("<B id=N>")]
    #[case::closed_in_a_comment("<b id=N><!--</b>-->")]
    #[case::closed_in_a_value("<b id=N><i x=\"</b>\"></i>")]
    #[case::closed_in_a_verbatim_text("<b id=N><textarea></b></textarea>")]
    fn formatting_left_open_before_many_paragraphs_is_refused(#[case] open: &str) {
        let many: Vec<String> = (0..200).map(|n| open.replace('N', &n.to_string())).collect();
        let many = many.concat();
        let html = format!("<p>{many}{}", "<p>x".repeat(10_000));
        assert_eq!(refuse_damaged(&html), Err(PageError::TooDeep));
    }

    #[rstest]
    #[case("<div>")]
    #[case("<span>")]
    fn an_end_in_a_comment_closes_nothing(#[case] tag: &str) {
        let end = tag.replace('<', "</");
        let html = format!("{tag}<!--{end}-->").repeat(100_000);
        assert_eq!(refuse_damaged(&html), Err(PageError::TooDeep));
    }

    #[test]
    fn names_without_end_are_refused_too() {
        let html: Vec<String> = (0..300).map(|n| format!("<a{n}></a{n}>")).collect();
        assert_eq!(refuse_damaged(&html.concat()), Err(PageError::TooDeep));
    }

    #[test]
    fn posts_in_the_text_that_were_not_found_are_told() {
        let html = "<div data-post=\"n/1\"><!-- <div data-post=\"n/2\">";
        let told = swallowed(html, ["n/1"].into_iter());
        assert_eq!(
            told.iter()
                .map(|post| (post.id, post.to_string()))
                .collect::<Vec<_>>(),
            [(Some(2), "post n/2: broken markup hides it".to_owned())]
        );
    }
}
