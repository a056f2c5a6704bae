//! The body of a list with `explain=true`: how its page was read.

use model_registry_store::{Explanation, Page};
use serde_json::{Value, json};

pub(super) fn body(explanation: &Explanation, page: &Page) -> Value {
    let ranges = explanation.ranges.iter().map(|range| {
        json!({
            "sql": range.sql,
            "entries": range.entries.unwrap_or(usize::try_from(range.most).unwrap_or(usize::MAX)),
            "hasMore": range.entries.is_none(),
        })
    });
    let statements = explanation.statements.iter().map(|statement| {
        json!({
            "sql": statement.sql,
            "rows": statement.rows,
            // Microseconds are enough, and have a short form.
            "milliseconds": f64::from(u32::try_from(statement.time.as_micros()).unwrap_or(u32::MAX)) / 1000.0,
        })
    });
    json!({
        "plan": explanation.plan,
        "ranges": ranges.collect::<Vec<_>>(),
        "statements": statements.collect::<Vec<_>>(),
        "size": page.size,
        "hasMore": !page.next_page_token.is_empty(),
    })
}
