//! The result of a transfer.

use std::fmt::Write;

use model_registry_transfer::{Report, WrittenFile};
use serde_json::{Value, json};

use crate::output::{Format, Output, printable};
use crate::print;

/// `512 B`, `1.5 KiB`, `10.0 GiB`
pub(crate) fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// Prints the result; `registered` is the version that refers to the files.
pub(crate) fn print(
    output: &Output,
    report: &Report,
    is_dry_run: bool,
    registered: Option<Value>,
) -> anyhow::Result<()> {
    match output.format {
        Format::Json | Format::Yaml => print::value(output, &document(report, is_dry_run, registered)),
        Format::Name => Ok(print::line(&report.uri)?),
        Format::Table if is_dry_run => Ok(print::text(&planned(output, report))?),
        Format::Table => Ok(print::text(&summary(output, report, registered.as_ref()))?),
    }
}

fn document(report: &Report, is_dry_run: bool, registered: Option<Value>) -> Value {
    let there = report.files.iter().map(|file: &WrittenFile| {
        json!({"path": file.path.as_str(), "size": file.size, "sha256": file.digest.to_string(), "copied": !file.was_there})
    });
    let planned =
        report.planned.iter().map(|entry| json!({"path": entry.path.as_str(), "size": entry.size, "copied": false}));
    let mut document = json!({
        "dryRun": is_dry_run,
        "copiedFiles": report.copied_files(),
        "copiedBytes": report.copied_bytes,
        "files": there.chain(planned).collect::<Vec<_>>(),
    });
    if !is_dry_run {
        document["uri"] = report.uri.clone().into();
        document["digest"] = format!("sha256:{}", report.digest()).into();
        document["size"] = report.size().into();
        document["seconds"] = ((report.took.as_secs_f64() * 1000.0).round() / 1000.0).into();
    }
    if let Some(registered) = registered {
        document["registered"] = registered;
    }
    document
}

fn planned(output: &Output, report: &Report) -> String {
    let mut table = output.table(["ACTION", "SIZE", "PATH"].map(str::to_owned).to_vec());
    let row = |action: &str, size: Option<u64>, path: &str| {
        vec![action.to_owned(), size.map_or_else(|| "unknown".to_owned(), human_size), printable(path)]
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    rows.extend(report.planned.iter().map(|entry| row("copy", entry.size, entry.path.as_str())));
    rows.extend(report.files.iter().map(|file| row("keep", Some(file.size), file.path.as_str())));
    let mut text = table.rows(rows);
    let _ = writeln!(text, "Would copy {}", counted(report.copied_files(), report.copied_bytes));
    text
}

fn summary(output: &Output, report: &Report, registered: Option<&Value>) -> String {
    let uri = output.style.bold(&printable(&report.uri));
    let mut text = format!("Copied {} to {uri}", counted(report.copied_files(), report.copied_bytes));
    let there = report.files.len() - report.copied_files();
    if there > 0 {
        let _ = write!(text, "; {there} of {} were there already", report.files.len());
    }
    let _ = write!(text, "\n  size    {}\n  digest  sha256:{}\n", report.size(), report.digest());
    if let Some(registered) = registered {
        let name = |key: &str| registered[key].as_str().unwrap_or_default();
        let _ = writeln!(text, "Registered version {} (id {})", printable(name("version")), name("versionId"));
    }
    text
}

/// `1 file (512 B)`, `3 files (1.5 KiB)`
fn counted(files: usize, bytes: u64) -> String {
    let noun = if files == 1 { "file" } else { "files" };
    format!("{files} {noun} ({})", human_size(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_the_largest_unit_that_it_fills() {
        for (bytes, text) in
            [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (10 << 30, "10.0 GiB"), (3 << 50, "3072.0 TiB")]
        {
            assert_eq!(human_size(bytes), text);
        }
    }
}
