//! The measurements as tables, each with what is required.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use super::tool::Measured;

/// The required part of the slower of reading and writing.
const OF_LIMIT: f64 = 0.6;
/// The most memory, and how much it may grow with ten times as many bytes.
const MOST_MEMORY: u64 = 256_000_000;
const MEMORY_GROWTH: f64 = 0.1;
/// With fewer, a tenth of the bytes are less than the parts that are held at the same time.
const LEAST_FOR_MEMORY: u64 = 8_000_000_000;

pub(super) struct Report {
    bytes: u64,
    raw: Vec<(&'static str, f64)>,
    transfers: Vec<Transfer>,
    comparisons: Vec<Comparison>,
    kills: Option<Kills>,
    notes: Vec<String>,
}

/// A transfer of the large files.
pub(super) struct Transfer {
    pub(super) name: &'static str,
    pub(super) whole: Measured,
    /// The same with a tenth of the bytes.
    pub(super) part: Measured,
    pub(super) limits: [Limit; 2],
}

/// A rate that a transfer cannot exceed, in bytes per second.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) name: &'static str,
    pub(super) rate: f64,
}

/// The same work by another tool.
pub(super) struct Comparison {
    pub(super) work: &'static str,
    pub(super) own: f64,
    pub(super) other: &'static str,
    pub(super) seconds: f64,
    /// How many times as fast it has to be.
    pub(super) required: Option<f64>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Kills {
    pub(super) count: usize,
    pub(super) files: u64,
    pub(super) part: u64,
    pub(super) right_digests: usize,
    /// Transfers that were complete before the kill.
    pub(super) ended_before: usize,
    /// The most bytes that moved again in one transfer.
    pub(super) sent_again: u64,
}

impl Transfer {
    fn limit(&self) -> Limit {
        let [first, second] = self.limits;
        if first.rate <= second.rate { first } else { second }
    }
}

impl Report {
    pub(super) fn new(bytes: u64) -> Self {
        let (raw, transfers, comparisons, notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { bytes, raw, transfers, comparisons, kills: None, notes }
    }

    pub(super) fn raw(&mut self, name: &'static str, rate: f64) {
        self.raw.push((name, rate));
    }

    pub(super) fn transfer(&mut self, transfer: Transfer) {
        self.transfers.push(transfer);
    }

    pub(super) fn compare(&mut self, comparison: Comparison) {
        self.comparisons.push(comparison);
    }

    pub(super) fn kills(&mut self, kills: Kills) {
        self.kills = Some(kills);
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn write(&self, directory: &Path) -> Result<()> {
        let text = self.text();
        std::fs::write(directory.join("transfer.md"), &text)?;
        eprintln!("\n{text}\nwritten to {}", directory.join("transfer.md").display());
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = format!("20 files of {} MB together. MB/s are millions of bytes.\n", self.bytes / 1_000_000);
        if !self.raw.is_empty() {
            text.push_str("\n| without any tool | MB/s |\n|---|--:|\n");
            for (name, rate) in &self.raw {
                let _ = writeln!(text, "| {name} | {:.0} |", rate / 1e6);
            }
        }
        if !self.transfers.is_empty() {
            text.push_str(&self.transfers());
        }
        if !self.comparisons.is_empty() {
            text.push_str(
                "\n| work | s | other tool | s | times as fast | required | |\n|---|--:|---|--:|--:|--:|---|\n",
            );
            for Comparison { work, own, other, seconds, required } in &self.comparisons {
                let times = seconds / own;
                let is_met = required.map_or("", |required| mark(times >= required));
                let required = required.map_or_else(|| "-".to_owned(), |required| format!("{required:.0}"));
                let _ = writeln!(
                    text,
                    "| {work} | {own:.2} | {other} | {seconds:.2} | {times:.1} | {required} | {is_met} |"
                );
            }
        }
        if let Some(kills) = &self.kills {
            text.push_str(&kills.text());
        }
        for note in &self.notes {
            let _ = write!(text, "\n{note}\n");
        }
        text
    }

    fn transfers(&self) -> String {
        let mut text = "\n| transfer | s | MB/s | limited by | MB/s | of the limit | required | | CPU s | peak MB | peak MB of a tenth \
                        | growth | |\n|---|--:|--:|---|--:|--:|--:|---|--:|--:|--:|--:|---|\n"
            .to_owned();
        for transfer in &self.transfers {
            let (whole, part, limit) = (transfer.whole, transfer.part, transfer.limit());
            let of_limit = whole.rate(self.bytes) / limit.rate;
            let growth = growth(whole.memory, part.memory);
            let has_little_memory = whole.memory < MOST_MEMORY && growth.abs() <= MEMORY_GROWTH;
            let has_little_memory =
                if self.bytes < LEAST_FOR_MEMORY { "too few bytes" } else { mark(has_little_memory) };
            let _ = writeln!(
                text,
                "| {} | {:.2} | {:.0} | {} | {:.0} | {of_limit:.2} | {OF_LIMIT} | {} | {:.1} | {} | {} | {:+.0} % | {} |",
                transfer.name,
                whole.seconds,
                whole.rate(self.bytes) / 1e6,
                limit.name,
                limit.rate / 1e6,
                mark(of_limit >= OF_LIMIT),
                whole.cpu,
                whole.memory / 1_000_000,
                part.memory / 1_000_000,
                growth * 100.0,
                has_little_memory
            );
        }
        let most = MOST_MEMORY / 1_000_000;
        let _ = write!(
            text,
            "\nRequired of the memory: less than {most} MB, and within {:.0} % (from 8 GB on).\n",
            MEMORY_GROWTH * 100.0
        );
        text
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio")]
fn growth(whole: u64, part: u64) -> f64 {
    whole as f64 / (part as f64).max(1.0) - 1.0
}

impl Kills {
    fn text(&self) -> String {
        let most = self.files * self.part;
        format!(
            "\n| {} kills at a random moment, then the same command | | required | |\n|---|--:|--:|---|\n\
             | right digests | {} | {} | {} |\n| most bytes moved again in one transfer, MB | {} | {} | {} |\n\
             | complete before the kill | {} | | |\n",
            self.count,
            self.right_digests,
            self.count,
            mark(self.right_digests == self.count),
            self.sent_again / 1_000_000,
            most / 1_000_000,
            mark(self.sent_again <= most),
            self.ended_before,
        )
    }
}

fn mark(is_met: bool) -> &'static str {
    if is_met { "yes" } else { "**no**" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_is_compared_with_the_slower_of_its_limits() {
        let measured = |seconds, memory| Measured { seconds, cpu: 1.0, memory };
        let mut report = Report::new(1_000_000_000);
        report.transfer(Transfer {
            name: "S3 → directory",
            whole: measured(2.0, 100_000_000),
            part: measured(0.2, 95_000_000),
            limits: [Limit { name: "reading", rate: 2e9 }, Limit { name: "writing", rate: 1e9 }],
        });
        let text = report.text();
        let expected = "| S3 → directory | 2.00 | 500 | writing | 1000 | 0.50 | 0.6 | **no** | 1.0 | 100 | 95 | +5 % | too few bytes |";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn every_requirement_is_marked() {
        let mut report = Report::new(1);
        report.compare(Comparison { work: "w", own: 1.0, other: "boto3", seconds: 6.0, required: Some(5.0) });
        report.kills(Kills { count: 50, files: 10, part: 8, right_digests: 49, sent_again: 80, ended_before: 0 });
        let text = report.text();
        assert!(text.contains("| w | 1.00 | boto3 | 6.00 | 6.0 | 5 | yes |"), "{text}");
        assert!(text.contains("| right digests | 49 | 50 | **no** |"), "{text}");
    }
}
