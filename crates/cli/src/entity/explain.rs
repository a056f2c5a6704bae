//! `list --explain`: how the server reads a list.

use std::fmt::Write;

use model_registry_client::{ListOptions, Place};
use serde_json::Value;

use crate::client_context::ClientContext;
use crate::output::{Format, printable};
use crate::print;

pub(super) async fn run(context: &ClientContext, place: &Place, options: &ListOptions) -> anyhow::Result<()> {
    let explanation = context.client.json().explain(place, options).await?;
    match context.output.format {
        Format::Table | Format::Name => Ok(print::text(&text(&explanation))?),
        Format::Json | Format::Yaml => print::value(&context.output, &explanation),
    }
}

/// The explanation for people.
fn text(explanation: &Value) -> String {
    let array = |key: &str| explanation[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let string = |value: &Value| printable(value.as_str().unwrap_or_default());
    let mut text = String::from("PLAN\n");
    for (number, step) in (1..).zip(array("plan")) {
        // Writing to memory does not fail.
        let _ = writeln!(text, "  {number}. {}", string(step));
    }
    if !array("ranges").is_empty() {
        text.push_str("\nRANGES OF INDEXES\n");
    }
    for range in array("ranges") {
        let more = if range["hasMore"] == true { "more than " } else { "" };
        let _ = writeln!(text, "  {more}{} entries\n    {}", range["entries"], string(&range["sql"]));
    }
    text.push_str("\nSTATEMENTS\n");
    for (number, statement) in (1..).zip(array("statements")) {
        let (rows, milliseconds) = (&statement["rows"], &statement["milliseconds"]);
        let _ = writeln!(text, "  {number}. {rows} rows in {milliseconds} ms\n    {}", string(&statement["sql"]));
    }
    let more = if explanation["hasMore"] == true { ", and there are more" } else { "" };
    let _ = writeln!(text, "\n{} entities on the page{more}", explanation["size"]);
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_explanation_is_a_text_for_people() {
        let explanation = json!({
            "plan": ["walk in the order of the list"],
            "ranges": [
                {"sql": "SELECT a", "entries": 12, "hasMore": false},
                {"sql": "SELECT b", "entries": 4000, "hasMore": true},
            ],
            "statements": [{"sql": "SELECT \u{1b}[31mc", "rows": 3, "milliseconds": 1.25}],
            "size": 3,
            "hasMore": true,
        });
        let text = text(&explanation);
        assert!(text.starts_with(
            "PLAN\n  1. walk in the order of the list\n\nRANGES OF INDEXES\n  12 entries\n    SELECT a\n"
        ));
        assert!(text.contains("  more than 4000 entries\n    SELECT b\n"), "{text}");
        assert!(text.contains("  1. 3 rows in 1.25 ms\n    SELECT "), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(text.ends_with("\n3 entities on the page, and there are more\n"), "{text}");
    }
}
