//! The table of all scenarios, as Markdown and JSON.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use model_registry_testkit::Backend;
use serde_json::json;

use crate::scenario::{Group, Limits, Measured, NotPossible, Scenario};

/// One line of the table.
pub(crate) struct Row {
    scenario: &'static str,
    group: Group,
    backend: Backend,
    measured: Option<Measured>,
    pub(crate) verdict: Verdict,
    took: Duration,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    WithinLimits,
    /// The limits that were exceeded, or the reason why there are no figures.
    Exceeded(Vec<String>),
    /// The machine does not permit it; what it needs.
    NotRun(String),
}

impl Row {
    pub(crate) fn new(
        scenario: &Scenario,
        backend: Backend,
        result: Result<Measured>,
        limits: Limits,
        took: Duration,
    ) -> Self {
        let (measured, verdict) = match result {
            Ok(measured) => {
                let verdict = judge(&measured, limits);
                (Some(measured), verdict)
            }
            Err(error) => match error.downcast_ref::<NotPossible>() {
                Some(reason) => (None, Verdict::NotRun(reason.to_string())),
                None => (None, Verdict::Exceeded(vec![format!("{error:#}")])),
            },
        };
        Self { scenario: scenario.name, group: scenario.group, backend, measured, verdict, took }
    }

    /// The row for standard error, while the others run.
    pub(crate) fn line(&self) -> String {
        let seconds = self.took.as_secs();
        format!("{} {} ({seconds} s): {}", self.scenario, self.backend, self.figures().join(" | "))
    }

    fn figures(&self) -> Vec<String> {
        let figures = match &self.measured {
            Some(measured) => vec![
                measured.acknowledged.to_string(),
                measured.lost.to_string(),
                seconds(measured.unserved),
                (measured.memory >> 20).to_string(),
            ],
            None => vec!["-".to_owned(); 4],
        };
        let verdict = match &self.verdict {
            Verdict::WithinLimits => "ok".to_owned(),
            Verdict::Exceeded(problems) => format!("EXCEEDED: {}", problems.join("; ")),
            Verdict::NotRun(reason) => format!("not run: {reason}"),
        };
        figures.into_iter().chain([verdict.replace('|', "\\|").replace('\n', " ")]).collect()
    }
}

fn judge(measured: &Measured, limits: Limits) -> Verdict {
    let mut problems = Vec::new();
    if measured.lost > 0 {
        problems.push(format!("{} acknowledged writes are lost", measured.lost));
    }
    if measured.partial > 0 {
        problems.push(format!("{} writes are stored in part", measured.partial));
    }
    if measured.unserved > limits.unserved {
        problems.push(format!(
            "others waited for {} s, the limit is {} s",
            seconds(measured.unserved),
            limits.unserved.as_secs()
        ));
    }
    if measured.memory > limits.memory {
        problems.push(format!("memory: {} MiB, the limit is {} MiB", measured.memory >> 20, limits.memory >> 20));
    }
    problems.extend(measured.problems.iter().cloned());
    if problems.is_empty() { Verdict::WithinLimits } else { Verdict::Exceeded(problems) }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64())
}

/// One line per scenario, for `--list`.
pub(crate) fn list(scenarios: &[&Scenario]) -> String {
    let mut text = String::new();
    for scenario in scenarios {
        let databases: Vec<String> = scenario.databases.iter().map(ToString::to_string).collect();
        let short = if scenario.short.is_empty() { "" } else { ", in the short form too" };
        let _ = writeln!(text, "{:<20} {} ({}{short})", scenario.name, scenario.about, databases.join(", "));
    }
    text
}

/// Prints the tables, and writes them to a folder.
pub(crate) fn write(directory: &Path, rows: &[Row]) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    for (group, file) in [(Group::Fault, "faults.md"), (Group::Abuse, "abuses.md")] {
        let table = table(rows, group);
        eprintln!("\n{table}");
        std::fs::write(directory.join(file), table)?;
    }
    std::fs::write(directory.join("report.json"), serde_json::to_string_pretty(&json(rows))?)?;
    eprintln!("written to {}", directory.display());
    Ok(())
}

fn table(rows: &[Row], group: Group) -> String {
    let time = match group {
        Group::Fault => "serves again after s",
        Group::Abuse => "longest wait of others s",
    };
    let mut text = format!(
        "| scenario | database | acknowledged | lost | {time} | memory peak MiB | verdict |\n|---|---|--:|--:|--:|--:|---|\n"
    );
    for row in rows.iter().filter(|row| row.group == group) {
        let _ = writeln!(text, "| `{}` | {} | {} |", row.scenario, row.backend, row.figures().join(" | "));
    }
    text
}

fn json(rows: &[Row]) -> serde_json::Value {
    let row = |row: &Row| {
        let measured = row.measured.as_ref();
        json!({
            "scenario": row.scenario,
            "database": row.backend.to_string(),
            "acknowledged": measured.map(|measured| measured.acknowledged),
            "lost": measured.map(|measured| measured.lost),
            "unservedMilliseconds": measured.map(|measured| u64::try_from(measured.unserved.as_millis()).unwrap_or(u64::MAX)),
            "memoryBytes": measured.map(|measured| measured.memory),
            "problems": match &row.verdict {
                Verdict::WithinLimits => Vec::new(),
                Verdict::Exceeded(problems) => problems.clone(),
                Verdict::NotRun(reason) => vec![format!("not run: {reason}")],
            },
        })
    };
    rows.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_exceeded_limit_is_named() {
        let measured = Measured {
            lost: 2,
            unserved: Duration::from_secs(9),
            memory: 600 << 20,
            problems: vec!["3 times 500: x".to_owned()],
            ..Measured::default()
        };
        let Verdict::Exceeded(problems) = judge(&measured, Limits::unserved(5)) else { panic!("nothing was exceeded") };
        assert_eq!(
            problems,
            [
                "2 acknowledged writes are lost",
                "others waited for 9.0 s, the limit is 5 s",
                "memory: 600 MiB, the limit is 512 MiB",
                "3 times 500: x"
            ]
        );
        assert_eq!(judge(&Measured::default(), Limits::unserved(5)), Verdict::WithinLimits);
    }
}
