//! What differs between two values, line by line.

use std::fmt::Debug;

/// Shown whole up to so many lines; of more only what differs.
const WHOLE: usize = 24;

/// The lines that one has (`-`) and the other has not (`+`).
pub(super) fn difference<T: Debug>(wanted: &T, seen: &T) -> String {
    let (wanted, seen) = (format!("{wanted:#?}"), format!("{seen:#?}"));
    let (wanted, seen): (Vec<_>, Vec<_>) = (wanted.lines().collect(), seen.lines().collect());
    let lines = aligned(&wanted, &seen);
    let whole = lines.len() <= WHOLE;
    let shown = lines.iter().filter(|(sign, _)| whole || *sign != ' ');
    let shown: Vec<_> = shown
        .map(|(sign, line)| format!("  {sign} {line}"))
        .collect();
    shown.join("\n")
}

/// Both by a longest common subsequence.
fn aligned<'a>(wanted: &[&'a str], seen: &[&'a str]) -> Vec<(char, &'a str)> {
    let (rows, columns) = (wanted.len(), seen.len());
    let mut common = vec![vec![0_usize; columns + 1]; rows + 1];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            common[i][j] = match wanted[i] == seen[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < rows || j < columns {
        if i < rows && j < columns && wanted[i] == seen[j] {
            lines.push((' ', wanted[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == columns || (i < rows && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(('-', wanted[i]));
            i += 1;
        } else {
            lines.push(('+', seen[j]));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_stays_and_what_differs_is_marked() {
        let text = difference(&vec![1, 2, 3], &vec![1, 3, 4]);
        let lines: Vec<_> = text.lines().map(|line| line.replace(' ', "")).collect();
        assert_eq!(lines, ["[", "1,", "-2,", "3,", "+4,", "]"]);
    }

    #[test]
    fn of_much_only_the_differences_are_shown() {
        let much: Vec<u32> = (0..100).collect();
        let less: Vec<u32> = (0..100).filter(|n| *n != 50).collect();
        assert_eq!(difference(&much, &less).trim(), "-     50,");
    }
}
