//! Text as it was written: plain pieces, emoji and formatted stretches, nested.
//!
//! From this both the HTML of a page and the truth of a test (plain text, entities) are derived.

use gleaner_domain::text::{Entity, EntityKind};

/// A text with its formatting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RichText(pub Vec<Inline>);

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inline {
    /// Characters without formatting; `\n` breaks the line.
    Text(String),
    /// A standard emoji, drawn as a picture.
    Emoji(String),
    /// A formatted stretch.
    Styled(EntityKind, Vec<Inline>),
}

impl RichText {
    /// Plain words; emoji inside are found.
    pub fn plain(text: &str) -> Self {
        Self(split_emoji(text))
    }

    /// Adds plain words.
    #[must_use]
    pub fn then(mut self, text: &str) -> Self {
        self.0.extend(split_emoji(text));
        self
    }

    /// Adds formatted words.
    #[must_use]
    pub fn styled(self, kind: EntityKind, text: &str) -> Self {
        self.wrapped(kind, Self::plain(text))
    }

    /// Adds a formatted stretch with formatting inside.
    #[must_use]
    pub fn wrapped(mut self, kind: EntityKind, inner: Self) -> Self {
        self.0.push(Inline::Styled(kind, inner.0));
        self
    }

    /// Adds words with an address behind them.
    #[must_use]
    pub fn link(self, text: &str, url: &str) -> Self {
        self.styled(EntityKind::TextLink { url: url.to_owned() }, text)
    }

    /// Adds `#tag`.
    #[must_use]
    pub fn hashtag(self, tag: &str) -> Self {
        self.styled(EntityKind::Hashtag, &format!("#{tag}"))
    }

    /// True without a single character.
    pub fn is_empty(&self) -> bool {
        self.string().is_empty()
    }

    /// The characters alone.
    pub fn string(&self) -> String {
        let mut out = String::new();
        walk(&self.0, &mut out, &mut Vec::new());
        out
    }

    /// The formatting in UTF-16 units, by offset, the longest first.
    pub fn entities(&self) -> Vec<Entity> {
        let mut entities = Vec::new();
        walk(&self.0, &mut String::new(), &mut entities);
        entities.sort_by_key(|entity| (entity.offset, std::cmp::Reverse(entity.length)));
        entities
    }
}

fn walk(pieces: &[Inline], out: &mut String, entities: &mut Vec<Entity>) {
    for piece in pieces {
        match piece {
            Inline::Text(text) | Inline::Emoji(text) => out.push_str(text),
            Inline::Styled(kind, inner) => {
                let offset = utf16_len(out);
                let at = entities.len();
                walk(inner, out, entities);
                let length = utf16_len(out) - offset;
                entities.insert(
                    at,
                    Entity {
                        offset,
                        length,
                        kind: kind.clone(),
                    },
                );
            }
        }
    }
}

fn utf16_len(text: &str) -> u32 {
    text.encode_utf16().count() as u32
}

/// Cuts text into words and emoji: pictures, flags, joined families, keycaps stay words.
fn split_emoji(text: &str) -> Vec<Inline> {
    const JOINER: char = '\u{200d}';
    let mut pieces = Vec::new();
    let mut words = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if !is_picture(c) {
            words.push(c);
            continue;
        }
        let mut emoji = String::from(c);
        if is_flag_half(c) {
            emoji.extend(chars.next_if(|next| is_flag_half(*next)));
        }
        while let Some(next) = chars.next_if(|next| {
            emoji.ends_with(JOINER) || matches!(*next, '\u{fe0f}' | JOINER | '\u{1f3fb}'..='\u{1f3ff}')
        }) {
            emoji.push(next);
        }
        if !words.is_empty() {
            pieces.push(Inline::Text(std::mem::take(&mut words)));
        }
        pieces.push(Inline::Emoji(emoji));
    }
    if !words.is_empty() {
        pieces.push(Inline::Text(words));
    }
    pieces
}

fn is_picture(c: char) -> bool {
    is_flag_half(c)
        || matches!(c, '\u{1f300}'..='\u{1f64f}' | '\u{1f680}'..='\u{1f6ff}' | '\u{1f900}'..='\u{1faff}')
        || matches!(
            c,
            '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{231a}' | '\u{23f0}' | '\u{1f7e2}'
        )
}

fn is_flag_half(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_count_utf16_units_and_outer_ones_come_first() {
        let text = RichText::plain("🔭 ").wrapped(
            EntityKind::Bold,
            RichText::plain("bold ").styled(EntityKind::Italic, "and slanted"),
        );
        assert_eq!(text.string(), "🔭 bold and slanted");
        assert_eq!(
            text.entities(),
            [
                Entity {
                    offset: 3,
                    length: 16,
                    kind: EntityKind::Bold
                },
                Entity {
                    offset: 8,
                    length: 11,
                    kind: EntityKind::Italic
                },
            ]
        );
    }

    #[test]
    fn emoji_are_found_whole() {
        let pieces = RichText::plain("a👩‍🚀b🇫🇮c☀️").0;
        let emoji: Vec<_> = pieces
            .iter()
            .filter_map(|piece| {
                if let Inline::Emoji(emoji) = piece {
                    Some(emoji.as_str())
                } else {
                    None
                }
            })
            .collect();
        assert_eq!(emoji, ["👩‍🚀", "🇫🇮", "☀️"]);
    }
}
