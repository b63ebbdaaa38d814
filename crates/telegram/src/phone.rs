//! A phone number, as a person types it and as Telegram takes it.

use std::fmt;

/// Digits, country code first. `Debug` shows the last two.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Phone(String);

impl Phone {
    /// Takes `+1 (555) 000-1`, `0015550001` being none: the country code comes first. `None` for what
    /// cannot be a number (ITU-T E.164: at most 15 digits).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('+').unwrap_or(text);
        let mut digits = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '-' | '(' | ')' | '.' | '\u{a0}' => {}
                _ => return None,
            }
        }
        let plausible = (5..=15).contains(&digits.len()) && !digits.starts_with('0');
        plausible.then_some(Self(digits))
    }

    /// Without `+`.
    pub(crate) fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(...{})", &self.0[self.0.len() - 2..])
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("+15550001", Some("15550001"))]
    #[case(" +1 (555) 000-1 ", Some("15550001"))]
    #[case("15550001", Some("15550001"))]
    #[case("", None)]
    #[case("+", None)]
    #[case("1234", None)]
    #[case("0015550001", None)]
    #[case("+1555000a", None)]
    #[case("+1+5550001", None)]
    #[case("1234567890123456", None)]
    #[case("+١٥٥٥٠٠٠١", None)]
    fn numbers_as_people_type_them(#[case] text: &str, #[case] digits: Option<&str>) {
        assert_eq!(Phone::parse(text).as_ref().map(Phone::digits), digits);
    }

    #[test]
    fn debug_keeps_the_number_to_itself() {
        assert_eq!(
            format!("{:?}", Phone::parse("+15550042").unwrap()),
            "Phone(...42)"
        );
    }
}
