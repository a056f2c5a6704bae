//! `watch` prints the changes of a running server as they happen.

use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal, Write, stdout};
use std::time::Duration;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command};
use model_registry_server::config::Schema;
use serde_json::Value;

use crate::feed::{ChangeFeed, ReadError};

const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(crate) fn command(_schema: &Schema) -> Command {
    Command::new("watch")
        .about("Print the changes of a running registry as they happen")
        .long_about(
            "Print the changes of a running registry as they happen: as text on a terminal, otherwise one JSON object \
             a line. Goes on by itself after the server was away; nothing is left out or printed twice.",
        )
        .after_help(
            "Examples:\n  model-registry watch\n  model-registry watch --after 0 --server https://registry.example.com",
        )
        .arg(
            Arg::new("after")
                .long("after")
                .value_name("SEQUENCE")
                .default_value("newest")
                .help("Begin behind this change; 0 prints all there ever were"),
        )
        .arg(
            Arg::new("server")
                .long("server")
                .value_name("URL")
                .env("MR_SERVER")
                .default_value("http://127.0.0.1:8080")
                .help("The registry to watch"),
        )
        .arg(
            Arg::new("token")
                .long("token")
                .value_name("TOKEN")
                .env("MR_TOKEN")
                .hide_env_values(true)
                .help("The bearer token to show to the registry"),
        )
}

pub(crate) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let argument = |name: &str| arguments.get_one::<String>(name).map(String::as_str);
    let feed = ChangeFeed::of(argument("server").unwrap_or_default(), argument("token"))?;
    let after = argument("after").unwrap_or_default().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(follow(&feed, after))
}

/// Ends with an error that trying again does not help, or when nobody reads any more.
async fn follow(feed: &ChangeFeed, mut after: String) -> anyhow::Result<()> {
    let as_text = stdout().is_terminal();
    let mut pause = SHORTEST_PAUSE;
    loop {
        match feed.read(&after).await {
            Ok(page) => {
                if pause > SHORTEST_PAUSE {
                    eprintln!("connected again");
                    pause = SHORTEST_PAUSE;
                }
                if let Err(error) = print(&page.items, as_text) {
                    return if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error.into()) };
                }
                after = page.next;
            }
            Err(ReadError::Refused(error)) => return Err(error),
            Err(ReadError::Temporary(error)) => {
                if pause == SHORTEST_PAUSE {
                    eprintln!("{error:#}; trying again");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn print(items: &[Value], as_text: bool) -> std::io::Result<()> {
    let mut out = stdout().lock();
    for item in items {
        let line = if as_text { text(item) } else { item.to_string() };
        writeln!(out, "{line}")?;
    }
    out.flush()
}

/// `12  2026-11-24 22:41:00  create  registered_model 7  (revision 1)  by ada`
fn text(item: &Value) -> String {
    let field = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or("?");
    let time = field("time").parse().map_or_else(|_| "?".to_owned(), date_and_time);
    let mut line = format!(
        "{:>8}  {time}  {:<6}  {} {}  (revision {})",
        field("sequence"),
        field("verb"),
        field("kind"),
        field("id"),
        field("revision")
    );
    if let Some(actor) = item.get("actor").and_then(Value::as_str) {
        let _ = write!(line, "  by {actor}");
    }
    line
}

/// The UTC date and time of milliseconds since the Unix epoch.
fn date_and_time(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1_000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}Z", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

/// The date of a number of days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_one_line_of_text() {
        let item = json!({
            "sequence": "12", "time": "1700000000123", "actor": "ada", "kind": "registered_model", "id": "7",
            "verb": "create", "revision": "1"
        });
        let line = "      12  2023-11-14 22:13:20Z  create  registered_model 7  (revision 1)  by ada";
        assert_eq!(text(&item), line);
        assert_eq!(date_and_time(951_782_400_000), "2000-02-29 00:00:00Z");
        assert_eq!(date_and_time(0), "1970-01-01 00:00:00Z");
    }
}
