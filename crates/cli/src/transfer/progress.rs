//! The progress of a transfer on standard error: a line that is overwritten on a terminal, JSON lines otherwise.

use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use model_registry_transfer::{Event, Observer};
use serde_json::json;

use super::report::human_size;
use crate::output::printable;

/// Minimum time between two updates on a terminal, and between two JSON lines about bytes.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const AS_LINES: Duration = Duration::from_secs(5);

/// Shows the events of one transfer.
pub(crate) struct Progress {
    style: Style,
    state: Mutex<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Nothing,
    Terminal,
    Lines,
    /// Lines without one for each file.
    FewLines,
}

struct State {
    started: Instant,
    shown: Instant,
    is_line_open: bool,
    files: usize,
    files_done: usize,
    bytes: u64,
    bytes_there: u64,
    bytes_read: u64,
}

impl Progress {
    pub(crate) fn new(is_quiet: bool) -> Self {
        let style = match (is_quiet, stderr().is_terminal()) {
            (true, _) => Style::Nothing,
            (false, true) => Style::Terminal,
            (false, false) => Style::Lines,
        };
        let now = Instant::now();
        let state = State {
            started: now,
            shown: now,
            is_line_open: false,
            files: 0,
            files_done: 0,
            bytes: 0,
            bytes_there: 0,
            bytes_read: 0,
        };
        Self { style, state: Mutex::new(state) }
    }

    /// Progress of a program in a pod: JSON lines, fewer of them.
    pub(crate) fn of_job() -> Self {
        let mut progress = Self::new(false);
        if progress.style == Style::Lines {
            progress.style = Style::FewLines;
        }
        progress
    }

    /// Removes the line of a terminal.
    pub(crate) fn clear(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut state.is_line_open) {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

impl Observer for Progress {
    fn on(&self, event: &Event) {
        if self.style == Style::Nothing {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.note(event);
        match (self.style, event) {
            (Style::Lines | Style::FewLines, Event::Read { .. }) if state.shown.elapsed() >= AS_LINES => {
                state.shown = Instant::now();
                let (bytes, of) = (state.bytes_there + state.bytes_read, state.bytes);
                let line = json!({"event": "progress", "bytes": bytes, "of": of, "files": state.files_done});
                let _ = writeln!(stderr(), "{line}");
            }
            (Style::Lines | Style::FewLines, Event::Read { .. }) | (Style::FewLines, Event::Finished { .. }) => {}
            (Style::Lines | Style::FewLines, event) => {
                if let Ok(line) = serde_json::to_string(event) {
                    let _ = writeln!(stderr(), "{line}");
                }
            }
            (_, Event::Retry { at, reason, pause }) => {
                let text = printable(&format!("{at}: {reason}; trying again in {:.1} s", pause.as_secs_f64()));
                let _ = writeln!(stderr(), "\r\x1b[Knote: {text}");
            }
            _ if state.shown.elapsed() >= ON_TERMINAL => {
                state.shown = Instant::now();
                state.is_line_open = true;
                let _ = write!(stderr(), "\r\x1b[K{}", state.line(state.started.elapsed()));
            }
            _ => {}
        }
    }
}

impl State {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Planned { files, bytes, bytes_there, .. } => {
                (self.files, self.bytes, self.bytes_there) = (*files, *bytes, *bytes_there);
                self.started = Instant::now();
            }
            Event::Read { bytes } => self.bytes_read += bytes,
            Event::Finished { .. } => self.files_done += 1,
            Event::Retry { .. } => {}
        }
    }

    /// `[#####-----]  5.0 of 10.0 GiB  120 MiB/s  43 s left  3 of 20 files`
    fn line(&self, elapsed: Duration) -> String {
        const WIDTH: u64 = 20;
        let there = (self.bytes_there + self.bytes_read).min(self.bytes.max(self.bytes_read));
        let filled = (there * WIDTH).checked_div(self.bytes).unwrap_or_default().min(WIDTH);
        let bar = "#".repeat(usize::try_from(filled).unwrap_or_default());
        let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = self.bytes_read.saturating_mul(1000) / milliseconds;
        let left = match self.bytes.checked_sub(there) {
            Some(left) if rate > 0 && left > 0 => format!("  {} left", time(left.div_ceil(rate))),
            _ => String::new(),
        };
        format!(
            "[{bar:-<20}]  {} of {}  {}/s{left}  {} of {} files",
            human_size(there),
            human_size(self.bytes),
            human_size(rate),
            self.files_done,
            self.files
        )
    }
}

/// `43 s`, `5 min`, `2 h 10 min`
fn time(seconds: u64) -> String {
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6_000 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_shows_size_rate_and_time_left() {
        let progress = Progress::new(true);
        let mut state = progress.state.into_inner().unwrap();
        state.note(&Event::Planned { files: 4, bytes: 10 << 20, files_there: 1, bytes_there: 1 << 20 });
        state.note(&Event::Read { bytes: 4 << 20 });
        let expected = "[##########----------]  5.0 MiB of 10.0 MiB  2.0 MiB/s  3 s left  0 of 4 files";
        assert_eq!(state.line(Duration::from_secs(2)), expected);
    }

    #[test]
    fn a_time_is_rounded_to_what_matters() {
        for (seconds, text) in [(4, "4 s"), (99, "99 s"), (150, "3 min"), (7_800, "2 h 10 min")] {
            assert_eq!(time(seconds), text);
        }
    }
}
