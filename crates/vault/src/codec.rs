//! Base64 as others write it, brought to the one form that Rust and Python both read.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretSlice;
use zeroize::{Zeroize as _, Zeroizing};

/// Strict about left-over bits: two spellings of one token would be one too many.
const LENIENT_ABOUT_PADDING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Decodes base64 of either alphabet, padded or not, with white space anywhere: what Python's
/// `urlsafe_b64decode` reads, and what it refuses only for want of padding.
pub(crate) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let plain: Zeroizing<String> = Zeroizing::new(
        text.chars()
            .filter(|letter| !letter.is_ascii_whitespace())
            .map(|letter| match letter {
                '+' => '-',
                '/' => '_',
                other => other,
            })
            .collect(),
    );
    LENIENT_ABOUT_PADDING
        .decode(plain.as_bytes())
        .ok()
        .map(Zeroizing::new)
}

/// Encodes as padded url-safe base64, the canonical form.
pub(crate) fn encode(bytes: &[u8]) -> String {
    LENIENT_ABOUT_PADDING.encode(bytes)
}

/// Moves bytes into a secret of exactly their length, and wipes where they were: turning a vector
/// into a box may leave a copy behind.
pub(crate) fn into_secret(mut bytes: Vec<u8>) -> SecretSlice<u8> {
    let secret = SecretSlice::from(Box::<[u8]>::from(bytes.as_slice()));
    bytes.zeroize();
    secret
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of hexadecimal digits.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).map(|value| value as u8))
        .collect();
    let digits = digits?;
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_decodes_to_the_same_bytes() {
        let bytes = [0xfb, 0xff, 0xfe, 0x01];
        assert_eq!(encode(&bytes), "-__-AQ==");
        for spelling in ["-__-AQ==", "-__-AQ", "+//+AQ==", " -__\n-AQ==\r\n"] {
            assert_eq!(decode(spelling).unwrap().as_slice(), bytes, "{spelling:?}");
        }
    }

    #[test]
    fn left_over_bits_and_foreign_letters_are_refused() {
        for spelling in ["-__-AR==", "-__-A", "-__-AQ==AQ==", "-__%AQ=="] {
            assert!(decode(spelling).is_none(), "{spelling:?}");
        }
    }

    #[test]
    fn hexadecimal_digits_go_both_ways() {
        assert_eq!(hex(&[0, 0x0f, 0xa5]), "000fa5");
        assert_eq!(from_hex("000FA5").unwrap(), [0, 0x0f, 0xa5]);
        assert!(from_hex("00f").is_none());
        assert!(from_hex("0g").is_none());
    }
}
