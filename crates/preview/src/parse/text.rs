//! A post's text with its formatting.
//!
//! Offsets count UTF-16 code units. Not everything that looks like formatting is: an
//! emoji is `<i class="emoji"><b>x</b></i>` and neither italic nor bold.

use gleaner_domain::text::{Entity, EntityKind};
use scraper::ElementRef;

use crate::dom::{Step, Then, attr, classes, has_class, plain_text, walk};

/// A text and its formatting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Formatted {
    pub(super) text: String,
    pub(super) entities: Vec<Entity>,
    /// Length of `text` in UTF-16 code units.
    units: u32,
}

impl Formatted {
    /// Adds a further part on a line of its own.
    pub(super) fn append(&mut self, other: Self) {
        if self.text.is_empty() {
            *self = other;
        } else if !other.text.is_empty() {
            self.text.push('\n');
            let shift = self.units + 1;
            self.units = shift + other.units;
            self.text.push_str(&other.text);
            self.entities
                .extend(other.entities.into_iter().map(|entity| Entity {
                    offset: entity.offset + shift,
                    ..entity
                }));
        }
    }
}

fn utf16_length(text: &str) -> u32 {
    text.chars().map(|c| c.len_utf16() as u32).sum()
}

/// Reads a text. What does not belong into one (parts of the post that an unclosed tag drew
/// in) is put aside in `strays`.
pub(super) fn read<'a>(root: ElementRef<'a>, strays: &mut Vec<ElementRef<'a>>) -> Formatted {
    let mut writer = Writer::default();
    walk(*root, |step| {
        match step {
            Step::Text(text) => writer.push(text),
            Step::Open(element) if is_foreign(element) => {
                strays.push(element);
                return Then::Skip;
            }
            Step::Open(element) => return writer.open(element),
            Step::Close(element) => writer.close(element),
        }
        Then::Descend
    });
    writer.finish()
}

/// Album captions are a text inside a text; any other block with a class is none of the text.
fn is_foreign(element: ElementRef<'_>) -> bool {
    element.value().name() == "div"
        && attr(element, "class").is_some()
        && !has_class(element, "tgme_widget_message_text")
}

#[derive(Default)]
struct Writer<'a> {
    text: String,
    /// Length of `text` in UTF-16 code units.
    units: u32,
    /// A quotation ended: whatever comes next starts a line.
    line_due: bool,
    entities: Vec<Entity>,
    open: Vec<Mark<'a>>,
    /// Places in `entities` of the blocks of code we are in.
    blocks: Vec<usize>,
}

/// An element whose formatting is not complete yet.
struct Mark<'a> {
    element: ElementRef<'a>,
    /// Its place in `entities`: reserved, so that outer ones come before inner ones.
    entity: usize,
    text_from: usize,
}

impl<'a> Writer<'a> {
    fn push(&mut self, piece: &str) {
        if piece.is_empty() {
            return;
        }
        if std::mem::take(&mut self.line_due) && !piece.starts_with('\n') {
            self.append("\n");
        }
        if piece.contains('\u{a0}') {
            self.append(&piece.replace('\u{a0}', " "));
        } else {
            self.append(piece);
        }
    }

    fn append(&mut self, piece: &str) {
        self.text.push_str(piece);
        self.units += utf16_length(piece);
    }

    fn open(&mut self, element: ElementRef<'a>) -> Then {
        let name = element.value().name();
        let kind = match name {
            "br" => {
                self.push("\n");
                return Then::Skip;
            }
            "script" | "style" | "svg" => return Then::Skip,
            "i" if has_class(element, "emoji") => {
                self.push(&plain_text(element));
                return Then::Skip;
            }
            "b" | "strong" => EntityKind::Bold,
            "i" | "em" => EntityKind::Italic,
            "u" | "ins" => EntityKind::Underline,
            "s" | "del" | "strike" => EntityKind::Strikethrough,
            "tg-spoiler" => EntityKind::Spoiler,
            "span" if has_class(element, "tg-spoiler") => EntityKind::Spoiler,
            "pre" => EntityKind::Pre {
                language: language(element),
            },
            "code" => match self.enclosing_block() {
                Some(found) => {
                    *found = found.take().or_else(|| language(element));
                    return Then::Descend;
                }
                None => EntityKind::Code,
            },
            "blockquote" => {
                // A quotation stands on lines of its own, whether or not the page breaks them.
                if !self.text.is_empty() && !self.text.ends_with('\n') {
                    self.push("\n");
                }
                EntityKind::Blockquote {
                    collapsed: is_collapsed(element),
                }
            }
            "tg-emoji" => match attr(element, "emoji-id") {
                Some(id) => EntityKind::CustomEmoji {
                    emoji_id: id.to_owned(),
                },
                None => return Then::Descend,
            },
            // Its kind depends on the words inside, so it is settled at the end.
            "a" if attr(element, "href").is_some() => EntityKind::Url,
            _ => return Then::Descend,
        };
        if std::mem::take(&mut self.line_due) {
            self.append("\n");
        }
        if name == "pre" {
            self.blocks.push(self.entities.len());
        }
        self.open.push(Mark {
            element,
            entity: self.entities.len(),
            text_from: self.text.len(),
        });
        self.entities.push(Entity {
            offset: self.units,
            length: 0,
            kind,
        });
        Then::Descend
    }

    fn close(&mut self, element: ElementRef<'a>) {
        if self.open.last().is_none_or(|mark| mark.element != element) {
            return;
        }
        let Some(mark) = self.open.pop() else { return };
        let entity = &mut self.entities[mark.entity];
        entity.length = self.units - entity.offset;
        match element.value().name() {
            "a" => {
                let words = self.text.get(mark.text_from..).unwrap_or_default();
                entity.kind = link_kind(element, words.trim());
            }
            "blockquote" => self.line_due = true,
            "pre" => {
                self.blocks.pop();
            }
            _ => {}
        }
    }

    /// The language of the block of code we are in, if we are in one.
    fn enclosing_block(&mut self) -> Option<&mut Option<String>> {
        match &mut self.entities[*self.blocks.last()?].kind {
            EntityKind::Pre { language } => Some(language),
            _ => None,
        }
    }

    /// Drops whitespace at both ends and moves the formatting along.
    fn finish(self) -> Formatted {
        let kept = self.text.trim();
        let before = self.text.len() - self.text.trim_start().len();
        let (from, length) = (utf16_length(&self.text[..before]), utf16_length(kept));
        let entities = self
            .entities
            .into_iter()
            .filter_map(|entity| {
                let start = entity.offset.max(from) - from;
                let end = (entity.offset + entity.length).saturating_sub(from).min(length);
                (end > start).then(|| Entity {
                    offset: start,
                    length: end - start,
                    kind: entity.kind,
                })
            })
            .collect();
        Formatted {
            text: kept.to_owned(),
            entities,
            units: length,
        }
    }
}

fn language(element: ElementRef<'_>) -> Option<String> {
    classes(element)
        .find_map(|class| class.strip_prefix("language-"))
        .map(str::to_owned)
}

fn is_collapsed(quote: ElementRef<'_>) -> bool {
    let says_so = |word: &str| word.contains("expandable") || word.contains("collaps");
    quote.value().attrs().any(|(name, _)| says_so(name)) || classes(quote).any(says_so)
}

/// What a link is: its words and its address say so together.
fn link_kind(element: ElementRef<'_>, words: &str) -> EntityKind {
    let href = attr(element, "href").unwrap_or_default();
    // A link that asks "Open this link?" hides its address behind words, and its address is
    // escaped twice.
    if attr(element, "onclick").is_some_and(|script| script.contains("confirm")) {
        return EntityKind::TextLink {
            url: absolute(&unescape(href)),
        };
    }
    if let Some(query) = href.split_once("?q=").map(|(_, query)| query) {
        // Addresses elsewhere have queries, too: the words must say the same.
        let is = |sign: char, escaped: &str| {
            words.starts_with(sign) && (query.starts_with(escaped) || query.starts_with(sign))
        };
        if is('#', "%23") {
            return EntityKind::Hashtag;
        }
        if is('$', "%24") {
            return EntityKind::Cashtag;
        }
    }
    if href.strip_prefix("mailto:") == Some(words) {
        return EntityKind::Email;
    }
    if let Some(number) = href.strip_prefix("tel:")
        && digits(number).eq(digits(words))
    {
        return EntityKind::Phone;
    }
    if href.starts_with("tg://bot_command") && words.starts_with('/') {
        return EntityKind::BotCommand;
    }
    if let Some(name) = words.strip_prefix('@')
        && href
            .rsplit('/')
            .next()
            .is_some_and(|last| last.eq_ignore_ascii_case(name))
    {
        return EntityKind::Mention;
    }
    let url = absolute(href);
    if is_same_address(words, &url) {
        EntityKind::Url
    } else {
        EntityKind::TextLink { url }
    }
}

fn digits(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(char::is_ascii_digit)
}

/// Whether the words say all that the address says. What they may leave out is what Telegram
/// adds by itself: the scheme and a slash at the end; `www` and the host's case mean nothing.
fn is_same_address(words: &str, url: &str) -> bool {
    let bare = |text: &str| {
        let rest = ["https://", "http://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        let rest = rest.unwrap_or(text);
        let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let host = host.to_lowercase();
        let host = host.strip_prefix("www.").map_or(host.clone(), str::to_owned);
        (host, path.trim_end_matches('/').to_owned())
    };
    !words.contains(char::is_whitespace) && bare(words) == bare(url)
}

fn absolute(href: &str) -> String {
    match href.strip_prefix("//") {
        Some(rest) => format!("https://{rest}"),
        None if href.starts_with('/') => format!("https://t.me{href}"),
        None => href.to_owned(),
    }
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    // The ampersand last: else `&amp;lt;` would be unescaped twice over.
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#039;", "'"),
        ("&#33;", "!"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (escaped, plain)| {
        text.replace(escaped, plain)
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use scraper::Html;

    use super::EntityKind::{
        Blockquote, Bold, Cashtag, Code, CustomEmoji, Email, Hashtag, Italic, Mention, Phone, Pre, Spoiler,
        Strikethrough, TextLink, Underline, Url,
    };
    use super::*;

    fn formatted(inner: &str) -> Formatted {
        let html = Html::parse_fragment(inner);
        read(html.root_element(), &mut Vec::new())
    }

    fn only(inner: &str) -> (String, Vec<(u32, u32, EntityKind)>) {
        let Formatted { text, entities, .. } = formatted(inner);
        (
            text,
            entities
                .into_iter()
                .map(|e| (e.offset, e.length, e.kind))
                .collect(),
        )
    }

    fn link(url: &str) -> EntityKind {
        TextLink { url: url.to_owned() }
    }

    #[rstest]
    #[case("<b>x</b>", Bold)]
    #[case("<strong>x</strong>", Bold)]
    #[case("<i>x</i>", Italic)]
    #[case("<em>x</em>", Italic)]
    #[case("<u>x</u>", Underline)]
    #[case("<s>x</s>", Strikethrough)]
    #[case("<del>x</del>", Strikethrough)]
    #[case("<code>x</code>", Code)]
    #[case("<pre>x</pre>", Pre { language: None })]
    #[case("<pre><code class=language-rust>x</code></pre>", Pre { language: Some("rust".to_owned()) })]
    #[case("<blockquote>x</blockquote>", Blockquote { collapsed: false })]
    #[case("<blockquote expandable>x</blockquote>", Blockquote { collapsed: true })]
    #[case("<tg-spoiler>x</tg-spoiler>", Spoiler)]
    #[case("<span class=tg-spoiler>x</span>", Spoiler)]
    #[case("<tg-emoji emoji-id=53><i class=emoji><b>x</b></i></tg-emoji>", CustomEmoji { emoji_id: "53".to_owned() })]
    fn each_tag_has_its_meaning(#[case] inner: &str, #[case] kind: EntityKind) {
        assert_eq!(only(inner), ("x".to_owned(), vec![(0, 1, kind)]));
    }

    #[rstest]
    #[case("<a href='?q=%23tag'>#tag</a>", Hashtag)]
    #[case("<a href='?q=%24TON'>$TON</a>", Cashtag)]
    #[case("<a href='https://t.me/Durov'>@durov</a>", Mention)]
    #[case("<a href='mailto:a@b.org'>a@b.org</a>", Email)]
    #[case("<a href='tel:+15550100'>+1 555 0100</a>", Phone)]
    #[case("<a href='https://a.org/x'>https://a.org/x</a>", Url)]
    #[case("<a href='http://a.org/'>a.org</a>", Url)]
    #[case("<a href='https://www.a.org/x/'>A.org/x</a>", Url)]
    #[case(
        "<a href='https://x.com/search?q=%23rust'>https://x.com/search?q=%23rust</a>",
        Url
    )]
    #[case(
        "<a href='https://x.com/search?q=%23rust'>x.com</a>",
        link("https://x.com/search?q=%23rust")
    )]
    #[case("<a href='https://a.org/x?utm=1'>a.org/x</a>", link("https://a.org/x?utm=1"))]
    #[case("<a href='https://evil.example/'>a.org</a>", link("https://evil.example/"))]
    #[case("<a href='https://a.org/X'>a.org/x</a>", link("https://a.org/X"))]
    #[case("<a href='mailto:a@b.org'>write</a>", link("mailto:a@b.org"))]
    #[case("<a href='https://a.org/'>two words</a>", link("https://a.org/"))]
    #[case("<a href='tg://resolve?domain=x'>open</a>", link("tg://resolve?domain=x"))]
    #[case("<a href='//t.me/x'>open</a>", link("https://t.me/x"))]
    #[case(
        "<a href='https://a.org/?x=1&amp;amp;y=2' onclick=\"return confirm('Open')\">a.org</a>",
        link("https://a.org/?x=1&y=2")
    )]
    #[case(
        "<a href='https://a.org/?x=1&amp;y=2' rel=noopener>words here</a>",
        link("https://a.org/?x=1&y=2")
    )]
    fn a_link_is_what_words_and_address_say_together(#[case] inner: &str, #[case] kind: EntityKind) {
        let (_, entities) = only(inner);
        assert_eq!(
            entities.into_iter().map(|(_, _, kind)| kind).collect::<Vec<_>>(),
            [kind]
        );
    }

    #[test]
    fn an_emoji_is_neither_italic_nor_bold_and_counts_two_units() {
        let inner = "<i class=emoji style=\"background-image:url('//x')\"><b>🤝</b></i> <b>a</b>";
        assert_eq!(only(inner), ("🤝 a".to_owned(), vec![(3, 1, Bold)]));
    }

    #[test]
    fn nested_formatting_is_listed_from_the_outside_in() {
        let inner = "a <b>b <i>c <u>d</u></i></b><s>e</s>";
        let expected = vec![
            (2, 5, Bold),
            (4, 3, Italic),
            (6, 1, Underline),
            (7, 1, Strikethrough),
        ];
        assert_eq!(only(inner), ("a b c de".to_owned(), expected));
    }

    #[test]
    fn whitespace_around_is_dropped_and_formatting_moves_along() {
        let inner = "\n   <b> 🎯a </b><i>\n </i> ";
        assert_eq!(only(inner), ("🎯a".to_owned(), vec![(0, 3, Bold)]));
    }

    #[test]
    fn breaks_are_lines_and_no_break_spaces_are_spaces() {
        assert_eq!(formatted("a<br/>b<br>•&nbsp;c").text, "a\nb\n• c");
    }

    #[rstest]
    #[case("a<blockquote>q</blockquote>b", "a\nq\nb")]
    #[case("a<br><blockquote>q</blockquote><br>b", "a\nq\nb")]
    #[case("<blockquote>q</blockquote><blockquote>r</blockquote>", "q\nr")]
    #[case("<blockquote>q</blockquote><b>b</b>", "q\nb")]
    fn a_quotation_has_lines_of_its_own(#[case] inner: &str, #[case] text: &str) {
        let formatted = formatted(inner);
        assert_eq!(formatted.text, text);
        let quoted = formatted
            .entities
            .iter()
            .filter(|e| matches!(e.kind, Blockquote { .. }));
        assert!(quoted.clone().count() > 0 && quoted.clone().all(|e| e.length == 1));
    }

    #[test]
    fn an_expandable_part_appended_moves_its_formatting() {
        let mut text = formatted("🎯");
        text.append(formatted("<b>x</b>"));
        assert_eq!(text.text, "🎯\nx");
        assert_eq!(text.entities[0].offset, 3);
    }

    #[test]
    fn parts_of_the_post_inside_the_text_are_put_aside() {
        let html = Html::parse_fragment("words<div class=tgme_widget_message_footer>1K</div>");
        let mut strays = Vec::new();
        assert_eq!(read(html.root_element(), &mut strays).text, "words");
        assert_eq!(strays.len(), 1);
    }
}
