//! Tables with aligned columns.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::style::Style;

const GAP: &str = "  ";
/// Maximum width of a cell on a terminal, in columns of the terminal.
const MAX_CELL_WIDTH: usize = 60;

/// A table that is rendered in batches of rows. The first batch determines the widths; wider cells of later batches are
/// not aligned.
pub(crate) struct Table {
    headers: Vec<String>,
    widths: Vec<usize>,
    style: Style,
    truncates: bool,
    has_begun: bool,
}

impl Table {
    /// Without headers, the first column is bold.
    pub(super) fn new(headers: Vec<String>, style: Style, truncates: bool) -> Self {
        Self { headers, widths: Vec::new(), style, truncates, has_begun: false }
    }

    /// Renders a batch of rows; the first one after the headers.
    pub(crate) fn rows(&mut self, mut rows: Vec<Vec<String>>) -> String {
        if self.truncates {
            rows.iter_mut().flatten().for_each(truncate);
        }
        let mut text = String::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            self.widths = self.headers.iter().map(|header| header.width()).collect();
            for row in &rows {
                self.widths.resize(self.widths.len().max(row.len()), 0);
                for (width, cell) in self.widths.iter_mut().zip(row) {
                    *width = (*width).max(cell.width());
                }
            }
            if !self.headers.is_empty() {
                let _ = writeln!(text, "{}", self.line(&self.headers, usize::MAX));
            }
        }
        let bold = usize::from(self.headers.is_empty());
        for row in &rows {
            let _ = writeln!(text, "{}", self.line(row, bold));
        }
        text
    }

    /// Renders the headers of a table without rows; empty for a table with rows.
    pub(crate) fn end(mut self) -> String {
        if self.has_begun { String::new() } else { self.rows(Vec::new()) }
    }

    /// A line whose first `bold` cells are bold.
    fn line(&self, cells: &[String], bold: usize) -> String {
        let mut line = String::new();
        for (position, cell) in cells.iter().enumerate() {
            if position > 0 {
                line.push_str(GAP);
            }
            line.push_str(&if position < bold { self.style.bold(cell) } else { cell.clone() });
            if position + 1 < cells.len() {
                let width = self.widths.get(position).copied().unwrap_or_default();
                line.push_str(&" ".repeat(width.saturating_sub(cell.width())));
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn truncate(cell: &mut String) {
    if cell.width() <= MAX_CELL_WIDTH {
        return;
    }
    while cell.width() >= MAX_CELL_WIDTH {
        cell.pop();
    }
    cell.push('…');
}
