//! Explanations of lists: how a page was read, recorded while it is read.
//!
//! Recording is a property of the task, so that the functions that read a list need no parameter for it. Without it, nothing is
//! recorded and no text is built.

use std::cell::RefCell;
use std::time::{Duration, Instant};

/// How a page of a list was read.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// The ways to read the list that were taken, in order.
    pub plan: Vec<String>,
    /// The ranges of indexes that were counted.
    pub ranges: Vec<ExplainedRange>,
    /// The statements, in order.
    pub statements: Vec<ExplainedStatement>,
}

/// A range of an index that contains the matches of a comparison, or the entities of the list.
#[derive(Clone, Debug)]
pub struct ExplainedRange {
    /// The statement that selects the ids in the range, with placeholders.
    pub sql: String,
    /// The number of entries, if there are no more than `most`.
    pub entries: Option<usize>,
    pub most: u64,
}

/// A statement that was run.
#[derive(Clone, Debug)]
pub struct ExplainedStatement {
    /// With placeholders.
    pub sql: String,
    pub rows: usize,
    pub time: Duration,
}

#[derive(Default)]
struct Recording {
    explanation: Explanation,
    running: Option<(String, Instant)>,
}

tokio::task_local! {
    static RECORDING: RefCell<Recording>;
}

/// Runs a future, and explains the lists that it reads.
pub(crate) async fn explained<T>(future: impl Future<Output = T>) -> (T, Explanation) {
    let recorded = async {
        let result = future.await;
        (result, RECORDING.with(|recording| std::mem::take(&mut recording.borrow_mut().explanation)))
    };
    RECORDING.scope(RefCell::default(), recorded).await
}

fn record(change: impl FnOnce(&mut Recording)) {
    // Without a recording there is nothing to do.
    let _ = RECORDING.try_with(|recording| change(&mut recording.borrow_mut()));
}

/// A way to read the list is taken.
pub(crate) fn plan(description: impl FnOnce() -> String) {
    record(|recording| recording.explanation.plan.push(description()));
}

/// A range was counted.
pub(crate) fn range(sql: impl FnOnce() -> String, entries: Option<usize>, most: u64) {
    record(|recording| recording.explanation.ranges.push(ExplainedRange { sql: sql(), entries, most }));
}

/// A statement begins.
pub(crate) fn statement(sql: &str) {
    record(|recording| recording.running = Some((sql.to_owned(), Instant::now())));
}

/// The statement has returned all rows.
pub(crate) fn returned(rows: usize) {
    record(|recording| {
        if let Some((sql, start)) = recording.running.take() {
            recording.explanation.statements.push(ExplainedStatement { sql, rows, time: start.elapsed() });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_runs_within_the_recording_is_explained() {
        plan(|| unreachable!("nothing is recorded"));
        statement("SELECT 1");
        returned(1);
        let (result, explanation) = explained(async {
            plan(|| "walk".to_owned());
            statement("SELECT 2");
            tokio::task::yield_now().await;
            returned(7);
            range(|| "SELECT 3".to_owned(), None, 4_000);
            5
        })
        .await;
        assert_eq!(result, 5);
        assert_eq!(explanation.plan, ["walk"]);
        let statements: Vec<_> = explanation.statements.iter().map(|run| (run.sql.as_str(), run.rows)).collect();
        assert_eq!(statements, [("SELECT 2", 7)]);
        assert_eq!((explanation.ranges[0].entries, explanation.ranges[0].most), (None, 4_000));
    }
}
