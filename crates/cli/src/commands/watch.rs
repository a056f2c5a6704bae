//! `watch`: prints the changes of a server as they happen.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use futures::StreamExt;
use model_registry_base::time::date_and_time;
use model_registry_client::{After, ChangeFeed, Error, LoggedChange};
use model_registry_server::config::Schema;

use crate::client_context::{ClientContext, block_on, with_connection};
use crate::print;

/// First delay before reconnecting; it doubles with each attempt (exponential back-off).
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
/// Maximum delay before reconnecting.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Maximum number of changes per write.
const BATCH: usize = 1_000;

pub(super) fn command(_schema: &Schema) -> Command {
    let command = Command::new("watch")
        .about("Print the changes of a registry as they happen")
        .long_about(
            "Print the changes of a registry as they happen: as text on a terminal, otherwise one JSON object per \
             line. Reconnects after an outage of the server; every change is printed exactly once.",
        )
        .after_help(
            "Examples:\n  model-registry watch\n  model-registry watch --after 0 --server https://registry.example.com",
        )
        .arg(
            Arg::new("after")
                .long("after")
                .value_name("SEQUENCE")
                .default_value("newest")
                .value_parser(after)
                .help("Start after this change; 0 prints all changes"),
        );
    with_connection(command)
}

fn after(text: &str) -> Result<After, String> {
    match text.parse() {
        Ok(sequence) if sequence >= 0 => Ok(After::Sequence(sequence)),
        _ if text == "newest" => Ok(After::Newest),
        _ => Err("use the sequence number of a change, 0 or `newest`".to_owned()),
    }
}

pub(super) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let context = ClientContext::open(arguments)?;
    let after = arguments.get_one::<After>("after").copied().unwrap_or(After::Newest);
    block_on(watch(&context.client.changes(), after))
}

/// Returns an error that is not temporary, or a broken pipe.
async fn watch(feed: &ChangeFeed, mut after: After) -> anyhow::Result<()> {
    loop {
        let Err(error) = print_all(feed, &mut after).await else { return Ok(()) };
        match error.downcast_ref::<Error>() {
            Some(temporary) if temporary.is_temporary() => eprintln!("{temporary}; reconnecting"),
            _ => return Err(error),
        }
        wait_for_the_server(feed, after).await?;
        eprintln!("reconnected");
    }
}

/// Prints changes until an error; `after` is then the last printed change.
async fn print_all(feed: &ChangeFeed, after: &mut After) -> anyhow::Result<()> {
    let as_text = std::io::stdout().is_terminal();
    if *after == After::Newest {
        *after = After::Sequence(feed.page(After::Newest, 1).await?.next);
    }
    let mut batches = feed.follow(*after).ready_chunks(BATCH);
    while let Some(batch) = batches.next().await {
        let mut lines = String::new();
        let mut failure = None;
        for change in batch {
            match change {
                Ok(change) => {
                    let line = if as_text { text(&change) } else { serde_json::to_string(&change)? };
                    let _ = writeln!(lines, "{line}");
                    *after = After::Sequence(change.sequence);
                }
                Err(error) => failure = Some(error),
            }
        }
        print::text(&lines)?;
        if let Some(error) = failure {
            return Err(error.into());
        }
    }
    Ok(())
}

async fn wait_for_the_server(feed: &ChangeFeed, after: After) -> Result<(), Error> {
    let mut pause = SHORTEST_PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        match feed.page(after, 1).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_temporary() => {}
            Err(error) => return Err(error),
        }
    }
}

/// `12  2026-11-24 22:41:00  create  registered_model 7  (revision 1)  by ada`
fn text(change: &LoggedChange) -> String {
    let time = change.time.millis().map_or_else(|| "?".to_owned(), date_and_time);
    let LoggedChange { sequence, verb, kind, id, revision, .. } = change;
    let mut line = format!("{sequence:>8}  {time}Z  {verb:<6}  {kind} {id}  (revision {revision})");
    if let Some(actor) = &change.actor {
        let _ = write!(line, "  by {actor}");
    }
    // The actor is untrusted text of the identity provider.
    crate::output::printable(&line)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_one_line_of_text() {
        let change = json!({
            "sequence": "12", "time": "1700000000123", "actor": "ada", "kind": "registered_model", "id": "7",
            "verb": "create", "revision": "1"
        });
        let line = "      12  2023-11-14 22:13:20Z  create  registered_model 7  (revision 1)  by ada";
        assert_eq!(text(&serde_json::from_value(change).unwrap()), line);
    }

    #[test]
    fn after_is_a_sequence_number_or_newest() {
        assert_eq!(after("12"), Ok(After::Sequence(12)));
        assert_eq!(after("newest"), Ok(After::Newest));
        for wrong in ["", "-1", "oldest"] {
            assert!(after(wrong).is_err(), "{wrong}");
        }
    }
}
