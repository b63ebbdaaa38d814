//! Columns of text for a terminal.

use unicode_width::UnicodeWidthStr;

/// No cell is wider: a long title must not push the rest off the screen.
const WIDEST: usize = 40;

/// Rows under their heads, each column as wide as its widest cell.
pub(crate) fn table<const N: usize>(heads: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut all = vec![heads.map(str::to_owned)];
    all.extend(rows.into_iter().map(|row| row.map(|cell| one_line(&cell))));
    let widths: [usize; N] =
        std::array::from_fn(|at| all.iter().map(|row| row[at].width()).max().unwrap_or_default());
    let line = |row: &[String; N]| {
        let cells: Vec<_> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| pad(cell, width))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Names and their values, one a line; what has no value is left out.
pub(crate) fn facts<'f>(facts: impl IntoIterator<Item = (&'f str, Option<String>)>) -> String {
    let known: Vec<_> = facts
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect();
    let width = known
        .iter()
        .map(|(name, _)| name.width())
        .max()
        .unwrap_or_default();
    let lines: Vec<_> = known
        .iter()
        .map(|(name, value)| format!("{}  {value}", pad(name, width)))
        .collect();
    lines.join("\n")
}

fn pad(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())))
}

fn one_line(cell: &str) -> String {
    let line = cell.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.width() <= WIDEST {
        return line;
    }
    let mut short = String::new();
    for c in line.chars() {
        if short.width() >= WIDEST - 2 {
            break;
        }
        short.push(c);
    }
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_also_for_wide_letters() {
        let rows = [
            ["1".to_owned(), "東京".to_owned(), "x".to_owned()],
            ["20".to_owned(), "ab".to_owned(), "y".to_owned()],
        ];
        assert_eq!(
            table(["ID", "NAME", "Z"], rows),
            "ID  NAME  Z\n1   東京  x\n20  ab    y"
        );
    }

    #[test]
    fn a_long_cell_is_cut_and_a_broken_one_is_one_line() {
        let long = table(["A"], [["word ".repeat(20)]]);
        assert!(long.ends_with('…') && long.lines().all(|line| line.width() <= WIDEST));
        assert_eq!(table(["A"], [["a\n b".to_owned()]]), "A\na b");
    }
}
