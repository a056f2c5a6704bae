//! Writes the measurements of the catalog as tables and as JSON.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::{Report, lists, models, repository};
use crate::load::Measured;
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
    let mut text = String::new();
    models_table(&mut text, &report.models);
    lists_table(&mut text, &report.lists);
    repository_table(&mut text, &report.repositories);
    let queries = report.models.iter().map(|outcome| (outcome.first_load.database, &outcome.queries));
    let queries: Vec<_> =
        queries.chain(report.lists.iter().map(|outcome| (outcome.first_load.database, &outcome.queries))).collect();
    if !queries.is_empty() {
        text.push_str("| database | query | requests/s | p50 ms | p99 ms | statements |\n|---|---|--:|--:|--:|--:|\n");
    }
    for (database, queries) in queries {
        for query in queries {
            let _ = writeln!(
                text,
                "| {database} | {} | {:.0} | {} | {} | {} |",
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

fn models_table(text: &mut String, outcomes: &[models::Outcome]) {
    let Some(first) = outcomes.first() else { return };
    let _ = writeln!(
        text,
        "{} models in one file of {} MB, next to MCP servers, agents and skills; the files take {:.1} s to read.\n\n\
         | database | first load s | peak MB | one changed s | all changed s | peak MB | reads meanwhile | failed | mixed |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|",
        first.first_load.items,
        first.first_load.bytes / 1_000_000,
        first.reading.as_secs_f64()
    );
    for outcome in outcomes {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            outcome.first_load.database,
            seconds(outcome.first_load.duration),
            outcome.first_load.peak_memory / 1_000_000,
            seconds(outcome.one_changed),
            seconds(outcome.all_changed),
            outcome.final_peak_memory / 1_000_000,
            outcome.reads.responses,
            outcome.reads.failed,
            outcome.reads.mixed
        );
    }
    text.push('\n');
}

fn lists_table(text: &mut String, outcomes: &[lists::Outcome]) {
    let Some(first) = outcomes.first() else { return };
    let _ = writeln!(
        text,
        "{items} agents and {items} skills in files of {} MB.\n\n| database | first load s | peak MB |\n|---|--:|--:|",
        first.first_load.bytes / 1_000_000,
        items = first.first_load.items,
    );
    for outcome in outcomes {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            outcome.first_load.database,
            seconds(outcome.first_load.duration),
            outcome.first_load.peak_memory / 1_000_000
        );
    }
    text.push('\n');
}

fn repository_table(text: &mut String, outcomes: &[repository::Outcome]) {
    let Some(first) = outcomes.first() else { return };
    let _ = writeln!(
        text,
        "A Git repository of {} skills.\n\n\
         | database | git clone --depth 1, ms | first sync ms | sync when nothing changed ms |\n|---|--:|--:|--:|",
        first.skills
    );
    for outcome in outcomes {
        let [clone, first, unchanged] =
            [outcome.clone, outcome.first_sync, outcome.unchanged_sync].map(|time| time.as_millis());
        let _ = writeln!(text, "| {} | {clone} | {first} | {unchanged} |", outcome.database);
    }
    text.push('\n');
}

fn seconds(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64())
}

fn json(report: &Report) -> Value {
    let models: Vec<_> = report.models.iter().map(models_json).collect();
    let lists: Vec<_> = report
        .lists
        .iter()
        .map(|outcome| {
            json!({
                "database": outcome.first_load.database,
                "items": outcome.first_load.items,
                "bytes": outcome.first_load.bytes,
                "firstLoadSeconds": outcome.first_load.duration.as_secs_f64(),
                "peakMemoryBytes": outcome.first_load.peak_memory,
                "queries": queries_json(&outcome.queries),
            })
        })
        .collect();
    let repositories: Vec<_> = report
        .repositories
        .iter()
        .map(|outcome| {
            json!({
                "database": outcome.database,
                "skills": outcome.skills,
                "cloneSeconds": outcome.clone.as_secs_f64(),
                "firstSyncSeconds": outcome.first_sync.as_secs_f64(),
                "unchangedSyncSeconds": outcome.unchanged_sync.as_secs_f64(),
            })
        })
        .collect();
    json!({"models": models, "agentsAndSkills": lists, "repository": repositories})
}

fn models_json(outcome: &models::Outcome) -> Value {
    json!({
        "database": outcome.first_load.database,
        "models": outcome.first_load.items,
        "bytes": outcome.first_load.bytes,
        "readingSeconds": outcome.reading.as_secs_f64(),
        "firstLoadSeconds": outcome.first_load.duration.as_secs_f64(),
        "peakMemoryBytes": outcome.first_load.peak_memory,
        "finalPeakMemoryBytes": outcome.final_peak_memory,
        "oneChangedSeconds": outcome.one_changed.as_secs_f64(),
        "allChangedSeconds": outcome.all_changed.as_secs_f64(),
        "readsMeanwhile": outcome.reads.responses,
        "failed": outcome.reads.failed,
        "mixed": outcome.reads.mixed,
        "queries": queries_json(&outcome.queries),
    })
}

fn queries_json(queries: &[Measured]) -> Value {
    let queries = queries.iter().map(|query| {
        json!({
            "query": query.scenario,
            "requestsPerSecond": query.requests_per_second,
            "p50Micros": query.latencies.percentile(50),
            "p99Micros": query.latencies.percentile(99),
            "statementsPerRequest": query.statements_per_request,
        })
    });
    queries.collect()
}
