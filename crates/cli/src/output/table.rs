//! Tables of texts in columns.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::style::Style;

const GAP: &str = "  ";
/// The widest a cell gets on a terminal.
const WIDEST: usize = 60;

/// A table that is written batch after batch; the widths of the first batch hold, and wider cells stick out.
pub(crate) struct Table {
    headers: Vec<String>,
    widths: Vec<usize>,
    style: Style,
    is_cut: bool,
    has_begun: bool,
}

impl Table {
    /// Without headers the first column stands out instead.
    pub(crate) fn new(headers: Vec<String>, style: Style, is_cut: bool) -> Self {
        Self { headers, widths: Vec::new(), style, is_cut, has_begun: false }
    }

    pub(crate) fn write(&mut self, mut rows: Vec<Vec<String>>) -> io::Result<()> {
        if self.is_cut {
            for cell in rows.iter_mut().flatten() {
                cut(cell);
            }
        }
        let mut out = io::stdout().lock();
        if !std::mem::replace(&mut self.has_begun, true) {
            self.widths = self.headers.iter().map(|header| header.width()).collect();
            for row in &rows {
                self.widths.resize(self.widths.len().max(row.len()), 0);
                for (width, cell) in self.widths.iter_mut().zip(row) {
                    *width = (*width).max(cell.width());
                }
            }
            if !self.headers.is_empty() {
                let line = self.line(&self.headers, usize::MAX);
                writeln!(out, "{line}")?;
            }
        }
        let bold = usize::from(self.headers.is_empty());
        for row in &rows {
            writeln!(out, "{}", self.line(row, bold))?;
        }
        Ok(())
    }

    /// Writes the headers of a table without rows.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if self.has_begun { Ok(()) } else { self.write(Vec::new()) }
    }

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

fn cut(cell: &mut String) {
    if cell.width() <= WIDEST {
        return;
    }
    while cell.width() >= WIDEST {
        cell.pop();
    }
    cell.push('…');
}
