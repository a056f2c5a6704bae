//! Line plots in braille characters, eight dots each.

use std::fmt::Write;

/// A plot of points.
pub(crate) struct Plot<'a> {
    /// Points with ascending, finite x and finite y.
    pub(crate) points: &'a [(f64, f64)],
    /// Width in characters, without the axis.
    pub(crate) width: usize,
    /// Height in characters, without the axis.
    pub(crate) height: usize,
}

const DOTS_ACROSS: usize = 2;
const DOTS_DOWN: usize = 4;
/// The bit of each dot of a braille character (Unicode, U+2800).
const BITS: [[u8; DOTS_ACROSS]; DOTS_DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Plot<'_> {
    /// Renders the plot with its axes.
    pub(crate) fn draw(&self) -> String {
        let (width, height) = (self.width.max(2), self.height.max(2));
        let mut dots = vec![vec![false; width * DOTS_ACROSS]; height * DOTS_DOWN];
        let (left, right) = range(self.points.iter().map(|point| point.0));
        let (bottom, top) = range(self.points.iter().map(|point| point.1));
        let place = |&(x, y): &(f64, f64)| {
            let column = scale(x, left, right, width * DOTS_ACROSS);
            let row = height * DOTS_DOWN - 1 - scale(y, bottom, top, height * DOTS_DOWN);
            (column, row)
        };
        let places: Vec<_> = self.points.iter().map(place).collect();
        if let [only] = places.as_slice() {
            dots[only.1][only.0] = true;
        }
        for pair in places.windows(2) {
            line(&mut dots, pair[0], pair[1]);
        }
        frame(&dots, (left, right), (bottom, top))
    }
}

fn range(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.fold(f64::NEG_INFINITY, f64::max);
    if least <= most { (least, most) } else { (0.0, 0.0) }
}

/// The dot of a value, from 0 to `count - 1`; `least` and `most` are the ends of the axis.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the number of dots is small"
)]
fn scale(value: f64, least: f64, most: f64, count: usize) -> usize {
    // Halving keeps the difference of extreme values finite.
    let span = most / 2.0 - least / 2.0;
    if span <= 0.0 {
        return count / 2;
    }
    let share = (value / 2.0 - least / 2.0) / span;
    ((share * (count - 1) as f64).round() as usize).min(count - 1)
}

/// Sets the dots of a line (Bresenham's algorithm).
fn line(dots: &mut [Vec<bool>], from: (usize, usize), to: (usize, usize)) {
    let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
    let between = |start: usize, end: usize, step: usize| {
        let moved = (start.abs_diff(end) * step * 2 + steps) / (steps * 2);
        if end >= start { start + moved } else { start - moved }
    };
    for step in 0..=steps {
        dots[between(from.1, to.1, step)][between(from.0, to.0, step)] = true;
    }
}

fn frame(dots: &[Vec<bool>], x: (f64, f64), y: (f64, f64)) -> String {
    let (top, bottom) = (number(y.1), number(y.0));
    let margin = top.len().max(bottom.len());
    let rows = dots.chunks(DOTS_DOWN);
    let last = rows.len() - 1;
    let mut text = String::new();
    for (position, row) in rows.enumerate() {
        let label = match position {
            0 => top.as_str(),
            position if position == last => bottom.as_str(),
            _ => "",
        };
        let axis = if label.is_empty() { '│' } else { '┤' };
        let line = characters(row);
        let _ = writeln!(text, "{}", format!("{label:>margin$} {axis}{line}").trim_end_matches('\u{2800}'));
    }
    let width = dots[0].len() / DOTS_ACROSS;
    let (left, right) = (number(x.0), number(x.1));
    let _ = writeln!(text, "{:margin$} └{}", "", "─".repeat(width));
    let gap = width.saturating_sub(left.len());
    let _ = writeln!(text, "{:margin$}  {left}{right:>gap$}", "");
    text
}

fn characters(rows: &[Vec<bool>]) -> String {
    let width = rows[0].len() / DOTS_ACROSS;
    let character = |column: usize| {
        let mut bits = 0u8;
        for (row, masks) in rows.iter().zip(BITS) {
            for (offset, mask) in masks.into_iter().enumerate() {
                if row[column * DOTS_ACROSS + offset] {
                    bits |= mask;
                }
            }
        }
        char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ')
    };
    (0..width).map(character).collect()
}

/// Formats a number with four significant digits.
fn number(value: f64) -> String {
    let size = value.abs();
    if value != 0.0 && !(1e-3..1e6).contains(&size) {
        return format!("{value:.3e}");
    }
    let decimals = if size >= 1_000.0 {
        0
    } else if size >= 100.0 {
        1
    } else if size >= 10.0 {
        2
    } else {
        4
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_falling_line_is_drawn() {
        let points: Vec<_> = (0..10).map(|x| (f64::from(x), 1.0 / f64::from(x + 1))).collect();
        let drawn = Plot { points: &points, width: 20, height: 4 }.draw();
        let expected = [
            "  1 ┤⠱⡀",
            "    │⠀⠱⡀",
            "    │⠀⠀⠑⠢⢄⡀",
            "0.1 ┤⠀⠀⠀⠀⠀⠈⠉⠑⠒⠒⠤⠤⠤⠤⣀⣀⣀⣀⣀⣀",
            "    └────────────────────",
            "     0                  9",
        ];
        assert_eq!(drawn.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn one_point_and_extreme_values_are_drawn() {
        for points in [vec![(3.0, 0.5)], vec![(0.0, f64::MAX), (1.0, f64::MIN)], vec![(0.0, 0.0), (0.0, 5.0)], vec![]] {
            let drawn = Plot { points: &points, width: 10, height: 3 }.draw();
            assert_eq!(drawn.lines().count(), 5, "{drawn}");
        }
    }
}
