//! The channel's header: title, name, description, counters.

use gleaner_domain::Count;
use scraper::ElementRef;

use crate::dom::{Then, attr, find, has_class, plain_text, some_text};

/// A channel's header as the page shows it. Its number is not in it: only posts carry that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The name without `@`.
    pub username: Option<String>,
    /// The title.
    pub title: String,
    /// The channel's own words, if any.
    pub description: Option<String>,
    /// Whether Telegram marks it as verified.
    pub verified: bool,
    /// Subscribers, as printed.
    pub subscribers: Option<Count>,
    /// Photos; zero where the page counts other things and leaves them out.
    pub photos: Option<Count>,
    /// Videos, likewise.
    pub videos: Option<Count>,
    /// Files, likewise.
    pub files: Option<Count>,
    /// Links, likewise.
    pub links: Option<Count>,
}

/// Collects the header while the page is walked.
#[derive(Default)]
pub(super) struct HeaderReader {
    seen: bool,
    counted: bool,
    title: Option<String>,
    short_counter: Option<Count>,
    og_title: Option<String>,
    og_description: Option<String>,
    header: Header,
}

impl HeaderReader {
    /// An element of the page. `None`: not of the header.
    pub(super) fn visit(&mut self, class: &str, element: ElementRef<'_>) -> Option<Then> {
        if class == "tgme_header_counter" {
            self.short_counter = plain_text(element)
                .split_whitespace()
                .next()
                .and_then(|text| text.parse().ok());
            return Some(Then::Skip);
        }
        let part = class.strip_prefix("tgme_channel_info")?;
        self.seen = true;
        Some(match part {
            "_header_title" => {
                self.title = some_text(element);
                Then::Skip
            }
            "_header_username" => {
                self.header.username = some_text(element).map(|text| text.trim_start_matches('@').to_owned());
                Then::Skip
            }
            "_header_labels" => {
                self.header.verified = find(element, |el| has_class(el, "verified-icon")).is_some();
                Then::Skip
            }
            "_counter" => {
                self.count(element);
                Then::Skip
            }
            "_description" => {
                self.header.description = some_text(element);
                Then::Skip
            }
            _ => Then::Descend,
        })
    }

    /// A `<meta>` of the page's head; stands in for parts that are missing.
    pub(super) fn meta(&mut self, element: ElementRef<'_>) {
        let place = match attr(element, "property") {
            Some("og:title") => &mut self.og_title,
            Some("og:description") => &mut self.og_description,
            _ => return,
        };
        *place = attr(element, "content")
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty());
    }

    fn count(&mut self, element: ElementRef<'_>) {
        let part = |class| find(element, |el| has_class(el, class)).map(plain_text);
        let Some(count) = part("counter_value").and_then(|text| text.parse::<Count>().ok()) else {
            return;
        };
        self.counted = true;
        let kind = part("counter_type").unwrap_or_default();
        let header = &mut self.header;
        // Singular and plural: "1 subscriber", "3 photos".
        match kind.trim_end_matches('s') {
            "subscriber" | "member" => header.subscribers = Some(count),
            "photo" => header.photos = Some(count),
            "video" => header.videos = Some(count),
            "file" => header.files = Some(count),
            "link" => header.links = Some(count),
            _ => {}
        }
    }

    /// The header, if the page had one.
    pub(super) fn finish(self) -> Option<Header> {
        if !self.seen {
            return None;
        }
        let mut header = self.header;
        header.title = self
            .title
            .or(self.og_title)
            .or_else(|| header.username.clone())
            .unwrap_or_default();
        header.description = header.description.or(self.og_description);
        header.subscribers = header.subscribers.or(self.short_counter);
        if self.counted {
            for counter in [
                &mut header.subscribers,
                &mut header.photos,
                &mut header.videos,
                &mut header.files,
                &mut header.links,
            ] {
                counter.get_or_insert(Count::exact(0));
            }
        }
        Some(header)
    }
}
