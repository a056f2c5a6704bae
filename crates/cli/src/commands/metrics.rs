//! `metrics`: logs, lists and plots the metrics of an experiment run.

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgMatches, Command, value_parser};
use futures::TryStreamExt;
use model_registry_api::double;
use model_registry_client::{Kind, ListOptions, Metric};
use model_registry_server::config::Schema;
use serde_json::Value;

use crate::client_context::{self, ClientContext};
use crate::entity::{self, ARTIFACTS, RUNS, Target, resolve_existing};
use crate::failure::CommandError;
use crate::output::plot::Plot;
use crate::output::{Format, printable};
use crate::print;

const COLUMNS: [&str; 4] = ["name", "value", "step", "timestamp"];
/// Width of a plot if the output is not a terminal, in characters.
const WIDTH: usize = 80;
/// Width of the labels of the axis, in characters.
const MARGIN: usize = 12;

pub(super) fn command(_schema: &Schema) -> Command {
    let run = || {
        Arg::new("run")
            .value_name(RUNS.placeholder)
            .value_parser(NonEmptyStringValueParser::new())
            .required(true)
            .help("Name or id of the run")
    };
    let name = || {
        Arg::new("name")
            .value_name("METRIC")
            .value_parser(NonEmptyStringValueParser::new())
            .required(true)
            .help("Name of the metric")
    };
    let size = |id: &'static str, help: &'static str| {
        Arg::new(id).long(id).value_name("CHARACTERS").value_parser(value_parser!(u16).range(2..=1000)).help(help)
    };
    let command = Command::new("metrics")
        .about("Log, list and plot metrics of experiment runs")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(
            "Examples:\n  model-registry metrics log tuning/first loss 0.25 --step 3\n  \
             model-registry metrics list tuning/first\n  model-registry metrics plot tuning/first loss",
        )
        .subcommand(
            Command::new("list")
                .about("List the latest value of every metric of a run")
                .after_help("Example:\n  model-registry metrics list tuning/first")
                .arg(run()),
        )
        .subcommand(
            Command::new("log")
                .about("Log a value of a metric, which is added to its history")
                .after_help("Example:\n  model-registry metrics log tuning/first loss 0.25 --step 3")
                .arg(run())
                .arg(name())
                .arg(
                    Arg::new("value")
                        .value_name("VALUE")
                        .required(true)
                        .value_parser(|text: &str| {
                            double::parse(text).ok_or("use a number, NaN, Infinity or -Infinity")
                        })
                        .allow_hyphen_values(true)
                        .help("Value of the metric: a number, NaN, Infinity or -Infinity"),
                )
                .arg(
                    Arg::new("step")
                        .long("step")
                        .value_name("NUMBER")
                        .value_parser(value_parser!(i64))
                        .allow_hyphen_values(true)
                        .help("Step of the training [default: the last logged step]"),
                )
                .arg(
                    Arg::new("timestamp")
                        .long("timestamp")
                        .value_name("MILLISECONDS")
                        .value_parser(value_parser!(i64))
                        .help("Time of the measurement, in milliseconds since the Unix epoch [default: now]"),
                ),
        )
        .subcommand(
            Command::new("plot")
                .about("Plot the history of a metric")
                .after_help(
                    "The horizontal axis has the steps, or the order of the values if any value has no step. \
                     --output json or yaml prints the points.\n\n\
                     Example:\n  model-registry metrics plot tuning/first loss --height 10",
                )
                .arg(run())
                .arg(name())
                .arg(size("width", "Width of the plot [default: width of the terminal]"))
                .arg(size("height", "Height of the plot").default_value("15")),
        );
    client_context::with_options(command)
}

pub(super) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let Some((name, arguments)) = arguments.subcommand() else { return Ok(()) };
    let context = ClientContext::open(arguments)?;
    client_context::block_on(async {
        let reference = arguments.get_one::<String>("run").cloned().unwrap_or_default();
        let run_id = resolve_existing(&context.client, &RUNS, &Target { parent: None, reference }).await?;
        match name {
            "list" => list(&context, &run_id).await,
            "log" => log(&context, arguments, &run_id).await,
            _ => plot(&context, arguments, &run_id).await,
        }
    })
}

async fn list(context: &ClientContext, run_id: &str) -> anyhow::Result<()> {
    let options = ListOptions { artifact_type: Some(Kind::Metric), ..ListOptions::default() };
    let items = entity::values(context.client.artifacts_of_run(run_id).list(options));
    entity::print::list_with_columns(context, &ARTIFACTS, &COLUMNS, items).await
}

async fn log(context: &ClientContext, arguments: &ArgMatches, run_id: &str) -> anyhow::Result<()> {
    let value = arguments.get_one::<f64>("value").copied();
    context.reject_columns()?;
    let metric = Metric {
        name: arguments.get_one::<String>("name").cloned().unwrap_or_default(),
        value,
        step: arguments.get_one::<i64>("step").copied(),
        // Without a timestamp, the server would keep the previous one.
        timestamp: Some(arguments.get_one::<i64>("timestamp").copied().unwrap_or_else(now).into()),
        ..Metric::default()
    };
    let logged = context.client.artifacts_of_run(run_id).upsert(&metric.into()).await?;
    let logged = serde_json::to_value(&logged)?;
    if context.output.format != Format::Table {
        return entity::print::entity(context, &ARTIFACTS, &logged).await;
    }
    let json = |key: &str| match logged.get(key) {
        Some(Value::String(name)) => name.clone(),
        other => other.map(ToString::to_string).unwrap_or_default(),
    };
    let step = if logged.get("step").is_some() { format!(" at step {}", json("step")) } else { String::new() };
    let name = context.output.style.bold(&printable(logged["name"].as_str().unwrap_or_default()));
    Ok(print::text(&format!("Logged {name} = {}{step}\n", json("value")))?)
}

#[expect(clippy::disallowed_methods, reason = "commands have no injected clock")]
fn now() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

async fn plot(context: &ClientContext, arguments: &ArgMatches, run_id: &str) -> anyhow::Result<()> {
    context.reject_columns()?;
    let name = arguments.get_one::<String>("name").cloned().unwrap_or_default();
    let options = ListOptions { name: Some(name.clone()), ..ListOptions::default() };
    let history: Vec<Metric> = context.client.metric_history(run_id).list(options).try_collect().await?;
    if history.is_empty() {
        return Err(CommandError::not_found(format!("the run has no metric named `{name}`"))
            .hint("list the metrics with `model-registry metrics list`")
            .into());
    }
    let output = &context.output;
    if output.format != Format::Table {
        let points = history.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?;
        return print::value(output, &Value::from(points));
    }
    let points = points(&history);
    let length = |id: &str| arguments.get_one::<u16>(id).map(|&length| usize::from(length));
    let width = length("width").unwrap_or_else(|| terminal_width().saturating_sub(MARGIN));
    let height = length("height").unwrap_or(15);
    let title = output.style.bold(&printable(&name));
    let plot = Plot { points: &points, width, height }.draw();
    Ok(print::text(&format!("{title}\n{plot}{}", not_drawn(&history)))?)
}

#[expect(clippy::cast_precision_loss, reason = "a plot has far fewer dots")]
fn points(history: &[Metric]) -> Vec<(f64, f64)> {
    let have_steps = history.iter().all(|point| point.step.is_some());
    let place = |(position, point): (usize, &Metric)| {
        let x = if have_steps { point.step.unwrap_or_default() as f64 } else { position as f64 };
        Some((x, point.value.filter(|value| value.is_finite())?))
    };
    let mut points: Vec<_> = history.iter().enumerate().filter_map(place).collect();
    // Steps may be logged in any order.
    points.sort_by(|left, right| left.0.total_cmp(&right.0));
    points
}

/// A line about the values that a plot cannot show; empty if there are none.
fn not_drawn(history: &[Metric]) -> String {
    let describe = |point: &Metric| {
        let name = double::name(point.value?)?;
        Some(point.step.map_or_else(|| name.to_owned(), |step| format!("{name} at step {step}")))
    };
    let values: Vec<_> = history.iter().filter_map(describe).collect();
    if values.is_empty() { String::new() } else { format!("Not drawn: {}\n", values.join(", ")) }
}

fn terminal_width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout()).map_or(WIDTH, |size| match size.ws_col {
        0 => WIDTH,
        columns => usize::from(columns),
    })
}
