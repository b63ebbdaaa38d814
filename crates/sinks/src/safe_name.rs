//! Hostile text made into a piece of a file name. Pure.
//!
//! What comes out is legal on Windows, macOS, Linux and encrypted Synology shares, is
//! NFC and shows what it says: no control characters, nothing that turns the direction of
//! the text, nothing without a width.

use unicode_normalization::UnicodeNormalization;

/// Most bytes of a path component: what an encrypted Synology share takes.
pub(crate) const MAX_COMPONENT: usize = 143;

/// Most characters of a file extension.
const MAX_EXTENSION: usize = 16;

/// A piece of a name, at most `max` bytes; empty when nothing legal is left.
pub(crate) fn safe_piece(raw: &str, max: usize) -> String {
    let mut kept = String::with_capacity(raw.len());
    for c in raw.chars().filter(|c| !is_unseen(*c)).nfc() {
        match c {
            '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*' => kept.push('_'),
            // Runs of any white space become one plain space.
            c if c.is_whitespace() => {
                if !kept.ends_with(' ') {
                    kept.push(' ');
                }
            }
            c => kept.push(c),
        }
    }
    // Windows drops dots and spaces at the end of a name; at the start they hide or confuse.
    let ends = |c: char| c == ' ' || c == '.';
    let kept = kept.trim_matches(ends);
    kept[..kept.floor_char_boundary(max)]
        .trim_end_matches(ends)
        .to_owned()
}

/// Lower-case words of letters and digits with `-` between them, at most `max` bytes.
pub(crate) fn slug(raw: &str, max: usize) -> String {
    let mut slug = String::with_capacity(raw.len());
    for c in raw
        .chars()
        .filter(|c| !is_unseen(*c))
        .flat_map(char::to_lowercase)
        .nfc()
    {
        match c {
            c if c.is_alphanumeric() || c == '_' => slug.push(c),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_matches('-');
    slug[..slug.floor_char_boundary(max)]
        .trim_end_matches('-')
        .to_owned()
}

/// The name without its extension, and the extension in lower case, if it is one.
pub(crate) fn split_extension(name: &str) -> (&str, Option<String>) {
    match name.rsplit_once('.') {
        // `v1.2` has no extension: one without any letter is part of the name.
        Some((stem, tail)) if tail.bytes().any(|b| b.is_ascii_alphabetic()) => {
            extension(tail).map_or((name, None), |tail| (stem, Some(tail)))
        }
        _ => (name, None),
    }
}

/// The extension in lower case when it is 1 to 16 ASCII letters and digits.
pub(crate) fn extension(raw: &str) -> Option<String> {
    let fits = (1..=MAX_EXTENSION).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then(|| raw.to_ascii_lowercase())
}

/// Characters that show nothing, show something else, or that systems use for themselves.
fn is_unseen(c: char) -> bool {
    // Line breaks and tabs are white space to be narrowed, not dropped: words stay apart.
    (c.is_control() && !c.is_whitespace())
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' // Mongolian selectors and vowel separator
            | '\u{200b}'..='\u{200f}' // zero width, joiners, direction marks
            | '\u{202a}'..='\u{202e}' // embeddings and overrides of direction
            | '\u{2060}'..='\u{206f}' // word joiner, isolates, deprecated format characters
            | '\u{3164}' | '\u{ffa0}' // fillers
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e000}'..='\u{f8ff}' // private use: SMB on macOS maps forbidden characters here
            | '\u{fdd0}'..='\u{fdef}' // not characters
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{10ffff}') // tags, more selectors, more private use
        || (c as u32) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("report 2024", "report 2024")]
    #[case("../../etc/passwd", "_.._etc_passwd")]
    #[case("C:\\Windows\\win", "C__Windows_win")]
    #[case("a\u{202e}fdp.exe", "afdp.exe")]
    #[case("new\nline\ttab", "new line tab")]
    #[case("e\u{301}te\u{301}", "\u{e9}t\u{e9}")]
    #[case("zero\u{200b}width", "zerowidth")]
    #[case(" .hidden. . ", "hidden")]
    #[case("what? <now> | \"then\"*", "what_ _now_ _ _then__")]
    #[case("\u{0}\u{7}", "")]
    fn a_hostile_name_becomes_a_harmless_one(#[case] raw: &str, #[case] safe: &str) {
        assert_eq!(safe_piece(raw, 100), safe);
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(safe_piece(&"я".repeat(100), 9), "яяяя");
    }

    #[rstest]
    #[case("Harbour News", "harbour-news")]
    #[case("  Новости!!  дня ", "новости-дня")]
    #[case("_under_score", "_under_score")]
    #[case("🙂", "")]
    #[case("../..", "")]
    fn a_slug_is_words_and_dashes(#[case] raw: &str, #[case] expected: &str) {
        assert_eq!(slug(raw, 60), expected);
    }

    #[rstest]
    #[case("a.PDF", "a", Some("pdf"))]
    #[case("archive.tar.gz", "archive.tar", Some("gz"))]
    #[case("v1.2", "v1.2", None)]
    #[case("Mr. Smith", "Mr. Smith", None)]
    #[case("song.mp3", "song", Some("mp3"))]
    #[case("x.seventeenletterss", "x.seventeenletterss", None)]
    #[case("none", "none", None)]
    fn an_extension_is_told_from_a_dot_in_a_name(
        #[case] name: &str,
        #[case] stem: &str,
        #[case] ext: Option<&str>,
    ) {
        assert_eq!(split_extension(name), (stem, ext.map(str::to_owned)));
    }
}
