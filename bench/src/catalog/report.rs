//! Writes the measurements of the catalog as a table and as JSON.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Report;
use crate::report::milliseconds;

pub(crate) fn write(directory: &Path, report: &Report) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    let table = table(report);
    std::fs::write(directory.join("catalog.md"), &table)?;
    std::fs::write(directory.join("catalog.json"), serde_json::to_string_pretty(&json(report))?)?;
    eprintln!("\n{table}\nwritten to {}", directory.display());
    Ok(())
}

fn table(report: &Report) -> String {
    let mut text = format!(
        "{} models in one file of {} MB, which takes {:.1} s to read.\n\n\
         | database | first load s | peak MB | one changed s | all changed s | peak MB | reads meanwhile | failed | mixed |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        report.models,
        report.bytes / 1_000_000,
        report.reading.as_secs_f64()
    );
    let seconds = |duration: Duration| format!("{:.1}", duration.as_secs_f64());
    for outcome in &report.outcomes {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            outcome.database,
            seconds(outcome.first_load),
            outcome.peak_memory / 1_000_000,
            seconds(outcome.one_changed),
            seconds(outcome.all_changed),
            outcome.final_peak_memory / 1_000_000,
            outcome.reads.responses,
            outcome.reads.failed,
            outcome.reads.mixed
        );
    }
    text.push_str("\n| database | query | requests/s | p50 ms | p99 ms | statements |\n|---|---|--:|--:|--:|--:|\n");
    for outcome in &report.outcomes {
        for query in &outcome.queries {
            let _ = writeln!(
                text,
                "| {} | {} | {:.0} | {} | {} | {} |",
                outcome.database,
                query.scenario,
                query.requests_per_second,
                milliseconds(query.latencies.percentile(50)),
                milliseconds(query.latencies.percentile(99)),
                query.statements_per_request.map_or_else(|| "-".to_owned(), |count| format!("{count:.1}")),
            );
        }
    }
    text
}

fn json(report: &Report) -> serde_json::Value {
    let outcomes: Vec<_> = report
        .outcomes
        .iter()
        .map(|outcome| {
            let queries: Vec<_> = outcome
                .queries
                .iter()
                .map(|query| {
                    json!({
                        "query": query.scenario,
                        "requestsPerSecond": query.requests_per_second,
                        "p50Micros": query.latencies.percentile(50),
                        "p99Micros": query.latencies.percentile(99),
                        "statementsPerRequest": query.statements_per_request,
                    })
                })
                .collect();
            json!({
                "database": outcome.database,
                "firstLoadSeconds": outcome.first_load.as_secs_f64(),
                "peakMemoryBytes": outcome.peak_memory,
                "finalPeakMemoryBytes": outcome.final_peak_memory,
                "oneChangedSeconds": outcome.one_changed.as_secs_f64(),
                "allChangedSeconds": outcome.all_changed.as_secs_f64(),
                "readsMeanwhile": outcome.reads.responses,
                "failed": outcome.reads.failed,
                "mixed": outcome.reads.mixed,
                "queries": queries,
            })
        })
        .collect();
    json!({
        "models": report.models,
        "bytes": report.bytes,
        "readingSeconds": report.reading.as_secs_f64(),
        "outcomes": outcomes,
    })
}
