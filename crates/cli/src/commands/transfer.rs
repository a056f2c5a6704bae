//! `transfer`: copies the files of models between object stores, hubs, web servers, directories and the registry.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use etcetera::BaseStrategy;
use model_registry_server::config::{Schema, parse_size};
use model_registry_transfer::{Context, Location, Network, Options, Report, SCHEMES, Sha256, Stop, copy};

use crate::client_context::{self, ClientContext};
use crate::failure::CommandError;
use crate::transfer::{
    Counts, Progress, Registration, find, image_settings, print, start_export, stop_on_signals, with_image_options,
};

/// Largest number of files at the same time.
const MOST_FILES: i64 = 1024;

pub(super) fn command(_schema: &Schema) -> Command {
    let pair = |id: &'static str, help: &'static str| {
        Arg::new(id)
            .long(id)
            .num_args(2)
            .value_names(["MODEL", "VERSION"])
            .value_parser(NonEmptyStringValueParser::new())
            .help(help)
            .help_heading("Registry")
    };
    let flag = |id: &'static str, help: &'static str| Arg::new(id).long(id).action(ArgAction::SetTrue).help(help);
    let size = |id: &'static str, help: &'static str| {
        let parse = |text: &str| {
            parse_size(text)
                .ok_or_else(|| format!("`{text}` is not a size: write bytes, or a number with KiB, MiB or GiB"))
        };
        Arg::new(id).long(id).value_name("SIZE").value_parser(parse).help(help).help_heading("Performance")
    };
    let command = Command::new("transfer")
        .about("Copy the files of a model, verified, between stores, hubs, web servers and directories")
        .long_about(long_about())
        .override_usage(
            "model-registry transfer [OPTIONS] SRC DEST\n       model-registry transfer [OPTIONS] --from MODEL VERSION DEST",
        )
        .after_help(
            "Examples:\n  model-registry transfer hf://org/model s3://models/org/model --register org-model v1\n  \
             model-registry transfer --from org-model v1 ./model\n  \
             model-registry transfer ./model gs://models/mine/ --dry-run",
        )
        .arg(location("source", "SRC", "Location of the files; with --from, DEST follows instead"))
        .arg(location("destination", "DEST", "Location to copy to").required(false))
        .arg(flag("dry-run", "Only print what would be copied"))
        .arg(flag("no-unpack", "Copy an archive of a web server as a file instead of its files"))
        .arg(flag("keep-partial", "When cancelled, keep what was written, so that the next run continues there"))
        .arg(
            Arg::new("state-dir")
                .long("state-dir")
                .value_name("DIRECTORY")
                .value_parser(value_parser!(PathBuf))
                .help("Where the state of uploads is kept, so that they continue after a kill [default: the user's]"),
        )
        .arg(pair("register", "Register the files as a new version, with digest and size, once they are there"))
        .arg(pair("from", "Copy the files of a registered version, verified with its digest").conflicts_with("register"))
        .arg(size("memory", "Memory for the parts that are copied at the same time [default: 128MiB]"))
        .arg(size("part-size", "Size of a part, at least 5MiB [default: 8MiB]"))
        .arg(
            Arg::new("files-at-once")
                .long("files-at-once")
                .value_name("NUMBER")
                .value_parser(value_parser!(i64).range(1..=MOST_FILES))
                .help("Files that are copied at the same time [default: 32]")
                .help_heading("Performance"),
        );
    client_context::with_format(client_context::with_connection(with_image_options(command)))
}

fn location(id: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(id).value_name(name).value_parser(NonEmptyStringValueParser::new()).required(true).help(help)
}

/// The locations follow from their declarations.
fn long_about() -> String {
    let mut text =
        "Copy the files of a model, verified by SHA-256. A file appears at the destination when it is complete; a \
                    transfer that failed or was killed continues where it stopped.\n\nLocations:"
            .to_owned();
    for spec in SCHEMES {
        let role = if spec.is_destination() { "" } else { " (only SRC)" };
        text = format!("{text}\n  {}{role}\n      {}", spec.form, spec.about);
        if !spec.variables.is_empty() {
            text = format!("{text}\n      [env: {}]", spec.variables.join(", "));
        }
    }
    text
}

pub(super) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let registry = ClientContext::open(arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        // What is pending is sent when it is dropped, also after a failure.
        let export = start_export(schema, arguments, &registry.environment)?;
        let counts = export.as_ref().map(|(_, counts)| counts.clone()).unwrap_or_default();
        transfer(arguments, &registry, &counts).await
    })
}

/// What to copy.
struct Request {
    source: Location,
    destination: Location,
    /// The digest that the registry knows.
    digest: Option<Sha256>,
    registration: Option<Registration>,
}

async fn transfer(arguments: &ArgMatches, registry: &ClientContext, counts: &Counts) -> anyhow::Result<()> {
    let request = request(arguments, registry).await?;
    let is_dry_run = arguments.get_flag("dry-run");
    if let Some(registration) = request.registration.as_ref().filter(|_| !is_dry_run) {
        registration.check(&registry.client).await?;
    }
    let progress = Arc::new(Progress::new(arguments.get_flag("quiet")));
    let context = Context {
        environment: registry.environment.clone(),
        options: options(arguments, request.digest),
        observer: counts.before(Arc::clone(&progress) as _),
        network: Network { root_certificates: registry.certificates.clone(), ..Network::default() },
        images: image_settings(arguments),
        states: states(arguments),
        unpacks: !arguments.get_flag("no-unpack"),
        ..Context::default()
    };
    let stop = Stop::default();
    stop_on_signals(&stop);
    let copied = copy(&request.source, &request.destination, &context, &stop).await;
    progress.clear();
    let report = copied?;
    let registered = match request.registration.filter(|_| !is_dry_run) {
        Some(registration) => Some(register(registry, &registration, &report).await?),
        None => None,
    };
    print(&registry.output, &report, is_dry_run, registered)
}

async fn register(
    registry: &ClientContext,
    registration: &Registration,
    report: &Report,
) -> anyhow::Result<serde_json::Value> {
    let registered = registration.register(&registry.client, report).await;
    if registered.is_err() {
        registry.notes.print(&format!(
            "the files are at {}, but are not registered; the same command registers them without copying again what is there \
             with the same digest",
            report.uri
        ));
    }
    Ok(registered?)
}

async fn request(arguments: &ArgMatches, registry: &ClientContext) -> anyhow::Result<Request> {
    let text = |id: &str| arguments.get_one::<String>(id).map(String::as_str);
    let pair = |id: &str| {
        let values: Vec<&String> = arguments.get_many::<String>(id)?.collect();
        Some((values.first()?.as_str(), values.get(1)?.as_str()))
    };
    let first = text("source").unwrap_or_default();
    if let Some((model, version)) = pair("from") {
        if text("destination").is_some() {
            return Err(CommandError::usage("--from MODEL VERSION is the source: only DEST follows").into());
        }
        let destination = Location::destination(first)?;
        return registered(registry, model, Some(version), destination).await;
    }
    let Some(second) = text("destination") else {
        return Err(CommandError::usage("DEST is missing: transfer SRC DEST").into());
    };
    let (source, destination) = (first.parse()?, Location::destination(second)?);
    if let Location::Registered(location) = &source {
        return registered(registry, &location.model, location.version.as_deref(), destination).await;
    }
    let registration =
        pair("register").map(|(model, version)| Registration { model: model.to_owned(), version: version.to_owned() });
    Ok(Request { source, destination, digest: None, registration })
}

/// The location of the files of a registered version.
async fn registered(
    registry: &ClientContext,
    model: &str,
    version: Option<&str>,
    destination: Location,
) -> anyhow::Result<Request> {
    let found = find(&registry.client, model, version).await?;
    let source = found.uri.parse()?;
    if matches!(source, Location::Registered(_)) {
        return Err(CommandError::failed(format!(
            "the location of the files of {model} is another registered model: {source}"
        ))
        .into());
    }
    if found.digest.is_none() {
        registry.notes.print(
            "the registry knows no digest of the files: only their sizes and the digests of the source are verified",
        );
    }
    Ok(Request { source, destination, digest: found.digest, registration: None })
}

fn options(arguments: &ArgMatches, digest: Option<Sha256>) -> Options {
    let default = Options::default();
    let number = |id: &str| arguments.get_one::<usize>(id).copied();
    let files_at_once = arguments.get_one::<i64>("files-at-once").and_then(|number| usize::try_from(*number).ok());
    Options {
        part_size: number("part-size").map_or(default.part_size, |size| size as u64),
        memory: number("memory").unwrap_or(default.memory),
        files_at_once: files_at_once.unwrap_or(default.files_at_once),
        keep_when_cancelled: arguments.get_flag("keep-partial"),
        is_dry_run: arguments.get_flag("dry-run"),
        digest,
    }
}

/// The directory of the option, or the user's.
fn states(arguments: &ArgMatches) -> Option<PathBuf> {
    if let Some(directory) = arguments.get_one::<PathBuf>("state-dir") {
        return Some(directory.clone());
    }
    let directories = etcetera::choose_base_strategy().ok()?;
    let base = directories.state_dir().unwrap_or_else(|| directories.cache_dir());
    Some(base.join("model-registry").join("transfers"))
}
