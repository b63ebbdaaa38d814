//! The little that is needed to read a parsed page: one walk, attributes, classes, plain text.
//!
//! The walk climbs by links between nodes and never recurses, so markup nested a hundred
//! thousand deep costs time and no stack.

use std::ops::Deref;

use scraper::{ElementRef, Node};

/// A node of any kind.
pub(crate) type NodeRef<'a> = <ElementRef<'a> as Deref>::Target;

/// One step of a walk.
#[derive(Clone, Copy)]
pub(crate) enum Step<'a> {
    /// An element begins.
    Open(ElementRef<'a>),
    /// Text, entities decoded.
    Text(&'a str),
    /// An element that was descended into ends.
    Close(ElementRef<'a>),
}

/// What the visitor wants of an element that begins; ignored for other steps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// See its children.
    Descend,
    /// Go on behind it; its end is not reported.
    Skip,
}

/// Visits everything below `root`, in document order.
pub(crate) fn walk<'a>(root: NodeRef<'a>, mut visit: impl FnMut(Step<'a>) -> Then) {
    let Some(mut at) = root.first_child() else { return };
    loop {
        if let Some(element) = ElementRef::wrap(at) {
            if visit(Step::Open(element)) == Then::Descend {
                if let Some(child) = at.first_child() {
                    at = child;
                    continue;
                }
                visit(Step::Close(element));
            }
        } else if let Node::Text(text) = at.value() {
            visit(Step::Text(text));
        }
        at = loop {
            if let Some(next) = at.next_sibling() {
                break next;
            }
            let Some(parent) = at.parent().filter(|parent| *parent != root) else {
                return;
            };
            if let Some(element) = ElementRef::wrap(parent) {
                visit(Step::Close(element));
            }
            at = parent;
        };
    }
}

/// An attribute's value. A linear search: elements have few, and looking a name up in the
/// parser's table of names costs more.
pub(crate) fn attr<'a>(element: ElementRef<'a>, name: &str) -> Option<&'a str> {
    element
        .value()
        .attrs()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The classes of an element, as written.
pub(crate) fn classes(element: ElementRef<'_>) -> std::str::SplitAsciiWhitespace<'_> {
    attr(element, "class")
        .unwrap_or_default()
        .split_ascii_whitespace()
}

/// Whether an element has a class.
pub(crate) fn has_class(element: ElementRef<'_>, class: &str) -> bool {
    classes(element).any(|c| c == class)
}

/// The first element below `root` that fits.
pub(crate) fn find<'a>(
    root: ElementRef<'a>,
    fits: impl Fn(ElementRef<'a>) -> bool,
) -> Option<ElementRef<'a>> {
    let mut found = None;
    walk(*root, |step| {
        if let Step::Open(element) = step
            && found.is_none()
            && fits(element)
        {
            found = Some(element);
        }
        if found.is_some() {
            Then::Skip
        } else {
            Then::Descend
        }
    });
    found
}

/// The text of an element as people see it: `<br>` is a line break, a no-break space is a
/// space, and whitespace around is dropped.
pub(crate) fn plain_text(element: ElementRef<'_>) -> String {
    let mut text = String::new();
    walk(*element, |step| {
        match step {
            Step::Text(piece) => text.push_str(piece),
            Step::Open(inner) => match inner.value().name() {
                "br" => text.push('\n'),
                "script" | "style" | "svg" => return Then::Skip,
                _ => {}
            },
            Step::Close(_) => {}
        }
        Then::Descend
    });
    if text.contains('\u{a0}') {
        text = text.replace('\u{a0}', " ");
    }
    let trimmed = text.trim();
    if trimmed.len() == text.len() {
        text
    } else {
        trimmed.to_owned()
    }
}

/// [`plain_text`], unless it is empty.
pub(crate) fn some_text(element: ElementRef<'_>) -> Option<String> {
    Some(plain_text(element)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use scraper::Html;

    use super::*;

    #[test]
    fn a_walk_reports_begin_text_and_end_in_document_order() {
        let html = Html::parse_fragment("<p>a<b>c<br>d</b></p>e");
        let mut seen = String::new();
        walk(*html.root_element(), |step| {
            match step {
                Step::Open(el) => seen.extend(["<", el.value().name(), ">"]),
                Step::Text(text) => seen.push_str(text),
                Step::Close(el) => seen.extend(["</", el.value().name(), ">"]),
            }
            Then::Descend
        });
        assert_eq!(seen, "<p>a<b>c<br></br>d</b></p>e");
    }

    #[test]
    fn a_skipped_element_hides_its_children_and_its_end() {
        let html = Html::parse_fragment("<p>a</p><div>b</div>");
        let mut seen = Vec::new();
        walk(*html.root_element(), |step| match step {
            Step::Open(el) if el.value().name() == "p" => Then::Skip,
            Step::Text(text) => {
                seen.push(text);
                Then::Descend
            }
            _ => Then::Descend,
        });
        assert_eq!(seen, ["b"]);
    }

    #[test]
    fn plain_text_breaks_lines_at_br_and_drops_the_edges() {
        let html = Html::parse_fragment("<p>\n  one&nbsp;two<br/>three <i class=emoji><b>x</b></i>\n </p>");
        assert_eq!(plain_text(html.root_element()), "one two\nthree x");
    }
}
