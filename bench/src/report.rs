//! Writes the measurements as a table, as JSON and as a plot.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::Row;
use crate::backup::{self, Copy};
use crate::data::Size;

pub(crate) fn write(directory: &Path, rows: &[Row], copies: &[Copy], size: Size, connections: usize) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut table = table(rows, size, connections);
    let mut json = json(rows, size, connections);
    if !copies.is_empty() {
        table.push('\n');
        table.push_str(&backup::table(copies));
        json["copies"] = backup::json(copies).into();
    }
    std::fs::write(directory.join("report.md"), &table)?;
    std::fs::write(directory.join("report.json"), serde_json::to_string_pretty(&json)?)?;
    std::fs::write(directory.join("report.svg"), plot(rows))?;
    eprintln!("\n{table}\nwritten to {}", directory.display());
    Ok(())
}

fn table(rows: &[Row], size: Size, connections: usize) -> String {
    let mut text = format!(
        "{} models, {} versions with 10 properties, {connections} connections.\n\n\
         | server | scenario | requests/s | p50 ms | p99 ms | CPU | peak memory MB | statements | database/s | ratio |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        size.models,
        size.models * size.versions_per_model
    );
    for row in rows {
        let measured = &row.measured;
        let optional = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let _ = writeln!(
            text,
            "| {} | {} | {:.0} | {} | {} | {} | {} | {} | {} | {} |",
            row.target,
            measured.scenario,
            measured.requests_per_second,
            milliseconds(measured.latencies.percentile(50)),
            milliseconds(measured.latencies.percentile(99)),
            optional(measured.cpu.map(|cpu| format!("{cpu:.2}"))),
            optional(measured.memory.map(|bytes| (bytes / 1_000_000).to_string())),
            optional(measured.statements_per_request.map(|count| format!("{count:.1}"))),
            optional(row.database_alone.map(|alone| format!("{alone:.0}"))),
            optional(row.database_alone.map(|alone| format!("{:.2}", measured.requests_per_second / alone))),
        );
    }
    text
}

pub(crate) fn milliseconds(micros: u32) -> String {
    format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10)
}

fn json(rows: &[Row], size: Size, connections: usize) -> serde_json::Value {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let latencies = &row.measured.latencies;
            json!({
                "server": row.target,
                "scenario": row.measured.scenario,
                "requestsPerSecond": row.measured.requests_per_second,
                "p50Micros": latencies.percentile(50),
                "p99Micros": latencies.percentile(99),
                "maxMicros": latencies.max(),
                "cpu": row.measured.cpu,
                "memoryBytes": row.measured.memory,
                "statementsPerRequest": row.measured.statements_per_request,
                "databasePerSecond": row.database_alone,
            })
        })
        .collect();
    json!({
        "models": size.models,
        "versions": size.models * size.versions_per_model,
        "connections": connections,
        "rows": rows,
    })
}

/// A bar per scenario, drawn over the bar of the database alone.
fn plot(rows: &[Row]) -> String {
    const HEIGHT: usize = 44;
    const LEFT: f64 = 320.0;
    const WIDTH: f64 = 520.0;
    let highest = rows
        .iter()
        .flat_map(|row| [Some(row.measured.requests_per_second), row.database_alone])
        .flatten()
        .fold(1.0, f64::max);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"960\" height=\"{}\" font-family=\"sans-serif\" font-size=\"13\">\n",
        rows.len() * HEIGHT + 40
    );
    for (index, row) in rows.iter().enumerate() {
        let top = index * HEIGHT + 20;
        // Logarithmic scale: scenarios differ by three orders of magnitude.
        let length = |value: f64| (value.max(1.0).ln() / highest.ln()) * WIDTH;
        let _ = writeln!(
            svg,
            "<text x=\"10\" y=\"{}\">{}: {}</text>",
            top + 16,
            escape(&row.target),
            escape(row.measured.scenario)
        );
        if let Some(alone) = row.database_alone {
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{top}\" width=\"{:.1}\" height=\"24\" fill=\"#d2d2d2\"/>",
                length(alone)
            );
        }
        let _ = writeln!(
            svg,
            "<rect x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" height=\"12\" fill=\"#0066cc\"/>\
             <text x=\"{:.1}\" y=\"{}\">{:.0}/s</text>",
            top + 6,
            length(row.measured.requests_per_second),
            LEFT + WIDTH + 10.0,
            top + 16,
            row.measured.requests_per_second
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
