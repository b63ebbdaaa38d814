//! Quantities hidden in styles, addresses and printed texts.

/// A declaration's value: `width` of `left:0;width:800px` is `800px`.
pub(super) fn declaration<'a>(style: &'a str, property: &str) -> Option<&'a str> {
    style.match_indices(property).find_map(|(at, _)| {
        let starts = style[..at]
            .chars()
            .next_back()
            .is_none_or(|c| c == ';' || c.is_whitespace());
        let rest = style[at + property.len()..].trim_start().strip_prefix(':')?;
        starts.then(|| rest.split(';').next().unwrap_or_default().trim())
    })
}

/// Width and height of a box that is so many pixels wide and some percent of that high.
pub(super) fn box_size(width_style: &str, height_style: &str) -> Option<(u32, u32)> {
    let width: f64 = declaration(width_style, "width")?
        .strip_suffix("px")?
        .trim()
        .parse()
        .ok()?;
    let percent: f64 = declaration(height_style, "padding-top")?
        .strip_suffix('%')?
        .trim()
        .parse()
        .ok()?;
    let height = width * percent / 100.0;
    let plausible = |pixels: f64| pixels.is_finite() && (1.0..=100_000.0).contains(&pixels);
    (plausible(width) && plausible(height)).then(|| (width.round() as u32, height.round() as u32))
}

/// The address in `background-image:url('…')`; placeholders (`data:`) are none.
pub(super) fn background(style: &str) -> Option<String> {
    let at = style.find("url(")?;
    let inner = style[at + 4..].trim_start();
    let address = match inner.chars().next()? {
        quote @ ('\'' | '"') => inner[1..].split(quote).next()?,
        _ => inner.split(')').next()?,
    };
    file_address(address)
}

/// An address a file can be fetched from: absolute, or relative to the page's host.
pub(super) fn file_address(raw: &str) -> Option<String> {
    let raw = raw.trim();
    if let Some(rest) = raw.strip_prefix("//") {
        return (!rest.is_empty()).then(|| format!("https://{rest}"));
    }
    let usable = ["https://", "http://", "/"]
        .iter()
        .any(|start| raw.starts_with(start));
    usable.then(|| raw.to_owned())
}

/// The last segment of an address's path, split at its last dot.
fn stem_and_extension(address: &str) -> (&str, Option<&str>) {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.')
        .map_or((name, None), |(stem, extension)| (stem, Some(extension)))
}

/// The extension of an address or a file name, in lower case.
pub(super) fn extension(address: &str) -> Option<String> {
    let (_, extension) = stem_and_extension(address);
    extension
        .filter(|e| (1..=8).contains(&e.len()) && e.bytes().all(|b| b.is_ascii_alphanumeric()))
        .map(str::to_ascii_lowercase)
}

/// The name the CDN keeps for a file through all its short-lived addresses: `81141d7e74`
/// of `…/file/81141d7e74.mp4?token=…`.
pub(super) fn stable_name(address: &str) -> Option<String> {
    let (stem, _) = stem_and_extension(address);
    ((6..=64).contains(&stem.len()) && stem.bytes().all(|b| b.is_ascii_hexdigit())).then(|| stem.to_owned())
}

/// `0:19`, `12:05`, `1:02:03` in seconds.
pub(super) fn duration(text: &str) -> Option<u32> {
    let parts = text.trim().split(':').collect::<Vec<_>>();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    parts.iter().try_fold(0_u32, |total, part| {
        total.checked_mul(60)?.checked_add(part.trim().parse().ok()?)
    })
}

/// `11.9 MB` in bytes, and whether that is rounded. Telegram counts 1,024 to the next unit.
pub(super) fn size(text: &str) -> Option<(u64, bool)> {
    let text = text.trim();
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let unit: u64 = match text[at..].to_ascii_uppercase().as_str() {
        "B" | "BYTES" => 1,
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        _ => return None,
    };
    let (whole, fraction) = text[..at]
        .trim()
        .split_once('.')
        .unwrap_or((text[..at].trim(), ""));
    if fraction.len() > 6 || fraction.bytes().any(|b| !b.is_ascii_digit()) {
        return None;
    }
    let part = match fraction {
        "" => 0,
        digits => digits.parse::<u64>().ok()? * unit / 10_u64.pow(digits.len() as u32),
    };
    let bytes = whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(part)?;
    Some((bytes, unit > 1))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("width:800px;height:3px", "width", Some("800px"))]
    #[case("max-width:9px; width: 800px", "width", Some("800px"))]
    #[case("background:url('data:a;b');padding-top:10%", "padding-top", Some("10%"))]
    #[case("max-width:9px", "width", None)]
    #[case("width", "width", None)]
    fn a_declaration_is_found_by_its_whole_name(
        #[case] style: &str,
        #[case] property: &str,
        #[case] value: Option<&str>,
    ) {
        assert_eq!(declaration(style, property), value);
    }

    #[rstest]
    #[case("width:450px", "width:75%;padding-top:133.33333333333%", Some((450, 600)))]
    #[case("width:450px", "", None)]
    #[case("width:99999999999px", "padding-top:100%", None)]
    #[case("width:NaNpx", "padding-top:100%", None)]
    fn height_is_a_share_of_width(
        #[case] width: &str,
        #[case] height: &str,
        #[case] size: Option<(u32, u32)>,
    ) {
        assert_eq!(box_size(width, height), size);
    }

    #[rstest]
    #[case(
        "background-image:url('https://cdn1.telesco.pe/file/a.jpg')",
        Some("https://cdn1.telesco.pe/file/a.jpg")
    )]
    #[case(
        "width:1px;background-image:url(\"//t.me/x(1).jpg\");",
        Some("https://t.me/x(1).jpg")
    )]
    #[case("background-image:url(/file/a.jpg)", Some("/file/a.jpg"))]
    #[case("background-image:url('data:image/svg+xml;base64,AA')", None)]
    #[case("background-image:url(", None)]
    fn a_background_is_an_address_that_can_be_fetched(#[case] style: &str, #[case] address: Option<&str>) {
        assert_eq!(background(style).as_deref(), address);
    }

    #[rstest]
    #[case("https://cdn/file/81141d7e74.mp4?token=A.b", Some("81141d7e74"), Some("mp4"))]
    #[case("https://cdn/file/oiCohv1-pENMfM.jpg", None, Some("jpg"))]
    #[case("https://cdn/file/abc", None, None)]
    fn an_address_keeps_a_stable_name_beside_its_token(
        #[case] address: &str,
        #[case] name: Option<&str>,
        #[case] ext: Option<&str>,
    ) {
        assert_eq!(stable_name(address).as_deref(), name);
        assert_eq!(extension(address).as_deref(), ext);
    }

    #[rstest]
    #[case("0:19", Some(19))]
    #[case(" 1:02:03 ", Some(3_723))]
    #[case("19", None)]
    #[case("a:b", None)]
    #[case("99999999:99999999:0", None)]
    fn a_duration_is_read_in_seconds(#[case] text: &str, #[case] seconds: Option<u32>) {
        assert_eq!(duration(text), seconds);
    }

    #[rstest]
    #[case("11.9 MB", Some((12_478_054, true)))]
    #[case("800.9 KB", Some((820_121, true)))]
    #[case("512 B", Some((512, false)))]
    #[case("someone", None)]
    #[case("MB", None)]
    #[case("99999999999999999999 GB", None)]
    fn a_size_knows_whether_it_is_rounded(#[case] text: &str, #[case] bytes: Option<(u64, bool)>) {
        assert_eq!(size(text), bytes);
    }
}
