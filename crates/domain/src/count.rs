//! Counters as Telegram prints them: `845`, `33.0K`, `1.6M`.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A counter, and whether it was rounded by whoever printed it.
///
/// Telegram keeps three significant digits from one thousand up, so `1.6M` is
/// 1 600 000 give or take 50 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Count {
    /// The value, in units.
    pub value: u64,
    /// True when the value was abbreviated and is not exact.
    pub rounded: bool,
}

impl Count {
    /// An exact count.
    pub fn exact(value: u64) -> Self {
        Self {
            value,
            rounded: false,
        }
    }
}

/// The text is no counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a counter")]
pub struct NotACount;

impl FromStr for Count {
    type Err = NotACount;

    /// Reads `12`, `1 234`, `1,234`, `33.0K`, `9.75M`, `1.1B`; case does not matter.
    fn from_str(raw: &str) -> Result<Self, NotACount> {
        let text: String = raw.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
        let (digits, unit): (&str, u64) = match text.char_indices().last().ok_or(NotACount)? {
            (at, 'K' | 'k') => (&text[..at], 1_000),
            (at, 'M' | 'm') => (&text[..at], 1_000_000),
            (at, 'B' | 'b') => (&text[..at], 1_000_000_000),
            _ => (&text, 1),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || fraction.len() > 9 {
            return Err(NotACount);
        }
        if unit == 1 && !fraction.is_empty() {
            return Err(NotACount);
        }
        let whole: u64 = whole.parse().map_err(|_| NotACount)?;
        // Integer arithmetic: 33.1 * 1000 in floating point is 33100.000000000004.
        let part = if fraction.is_empty() {
            0
        } else {
            fraction.parse::<u64>().map_err(|_| NotACount)? * unit / 10_u64.pow(fraction.len() as u32)
        };
        let value = whole
            .checked_mul(unit)
            .and_then(|w| w.checked_add(part))
            .ok_or(NotACount)?;
        Ok(Self {
            value,
            rounded: unit > 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("845", 845, false)]
    #[case("1 234", 1_234, false)]
    #[case("33.0K", 33_000, true)]
    #[case("436.6K", 436_600, true)]
    #[case("9.75M", 9_750_000, true)]
    #[case("1.1b", 1_100_000_000, true)]
    fn reads_what_the_page_prints(#[case] text: &str, #[case] value: u64, #[case] rounded: bool) {
        assert_eq!(text.parse(), Ok(Count { value, rounded }));
    }

    #[rstest]
    #[case("")]
    #[case("K")]
    #[case("1.5")]
    #[case("-3")]
    #[case("12x")]
    #[case("99999999999999999999")]
    #[case("99999999999999999999K")]
    fn refuses_what_is_no_counter(#[case] text: &str) {
        assert_eq!(text.parse::<Count>(), Err(NotACount));
    }
}
