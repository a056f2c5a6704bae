//! `catalog` serves the catalog's API, and `catalog check` looks at sources without a server; the other subcommands ask a
//! server what is in its catalog.

mod artifacts;
mod list;
mod search;
mod servers;
mod show;
mod sources;
mod tools;

use std::io::Write;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use etcetera::BaseStrategy;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use model_registry_catalog::{CheckReport, HubAccess, Settings as CatalogSettings};
use model_registry_client::Error as ClientError;
use model_registry_server::config::{
    self as key, ConfigError, Environment, Group, Schema, Setting, SettingType, Settings,
};
use model_registry_store::DatabaseUrl;

use crate::failure::CommandError;
use crate::service::{self, Anonymous, Roles};
use crate::session::{self, Session};
use crate::{database, settings};

/// `--catalogs-path`
const CATALOGS_PATH: Setting = Setting::new(
    "catalogs-path",
    SettingType::List,
    Group::Catalog,
    "Sources files; may be repeated, later files win field by field",
);
/// `--performance-metrics`
const PERFORMANCE_METRICS: Setting = Setting::new(
    "performance-metrics",
    SettingType::List,
    Group::Catalog,
    "Directories with measurements of models; may be repeated",
);

/// `--hub-hosts`
const HUB_HOSTS: Setting = Setting::new(
    "hub-hosts",
    SettingType::List,
    Group::Catalog,
    "Hosts that sources of type hf may read from, each with everything below it; otherwise huggingface.co",
);
/// `--allow-private-hubs`
const ALLOW_PRIVATE_HUBS: Setting = Setting::new(
    "allow-private-hubs",
    SettingType::Bool,
    Group::Catalog,
    "Let the listed hubs have addresses inside the own network, and plain http",
)
.or("false");

/// The settings that only the catalog has.
pub(crate) const SETTINGS: &[Setting] = &[CATALOGS_PATH, PERFORMANCE_METRICS, HUB_HOSTS, ALLOW_PRIVATE_HUBS];

/// What it has beside the settings of every role.
const GROUPS: &[Group] = &[Group::Catalog];

const DEFAULT_SOURCES: &str = "sources.yaml";

pub(crate) fn command(schema: &Schema) -> Command {
    let check = Command::new("check")
        .about("Check sources files and what they name, without a server; tell what would be served")
        .after_help(
            "Prints what would be served, then each mistake with file, line and column. Ends with exit code 0 when there is \
             none, otherwise 1.\n\nExample:\n  model-registry catalog check sources.yaml",
        )
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .help("Sources files; later files win field by field")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("measurements")
                .long("performance-metrics")
                .value_name("DIRECTORY")
                .help("Directory with measurements of models; may be repeated")
                .num_args(1)
                .action(clap::ArgAction::Append)
                .value_parser(value_parser!(PathBuf)),
        );
    let command = Command::new("catalog")
        .about("Serve the catalog: models and MCP servers that others publish")
        .after_help(
            "Example:\n  model-registry catalog --catalogs-path sources.yaml --listen 127.0.0.1:8081\n  \
             model-registry catalog check sources.yaml\n  \
             model-registry catalog list --search chat\n  \
             model-registry catalog show sample_models/northwind/breeze-2b-instruct",
        )
        .args_conflicts_with_subcommands(true)
        .subcommand(check);
    let client = CLIENT.iter().map(|subcommand| session::with_options((subcommand.command)()));
    schema.attach(command.subcommands(client), &[&service::GROUPS, GROUPS].concat())
}

pub(crate) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    match arguments.subcommand() {
        Some(("check", arguments)) => return check(arguments),
        Some((name, arguments)) => return ask(name, arguments),
        None => {}
    }
    let settings = settings(schema, arguments)?;
    let source = database_source(&settings)?;
    let mut catalog = catalog_settings(&settings);
    if catalog.sources.is_empty() {
        catalog.sources.push(PathBuf::from(DEFAULT_SOURCES));
    }
    // Existing manifests listen on every address and leave authentication to the mesh; nothing can be changed here.
    service::run(&settings, source, Anonymous::Everywhere, Roles::Catalog(catalog), |_| {})
}

/// A subcommand that asks a server.
struct Client {
    command: fn() -> Command,
    run: for<'a> fn(&'a Session, &'a ArgMatches) -> LocalBoxFuture<'a, anyhow::Result<()>>,
}

const CLIENT: &[Client] = &[
    Client { command: list::command, run: |session, arguments| list::run(session, arguments).boxed_local() },
    Client { command: show::command, run: |session, arguments| show::run(session, arguments).boxed_local() },
    Client { command: search::command, run: |session, arguments| search::run(session, arguments).boxed_local() },
    Client { command: sources::command, run: |session, arguments| sources::run(session, arguments).boxed_local() },
    Client { command: servers::command, run: |session, arguments| servers::run(session, arguments).boxed_local() },
    Client { command: tools::command, run: |session, arguments| tools::run(session, arguments).boxed_local() },
];

fn ask(name: &str, arguments: &ArgMatches) -> anyhow::Result<()> {
    let Some(subcommand) = CLIENT.iter().find(|subcommand| (subcommand.command)().get_name() == name) else {
        return Ok(());
    };
    let session = Session::open(arguments)?;
    let answered = session::block_on((subcommand.run)(&session, arguments));
    answered.map_err(|error| match error.downcast_ref::<ClientError>() {
        // What a server without the catalog's paths says.
        Some(ClientError::NotFound(answer)) if answer.message.starts_with("no such path") => {
            let message = format!("the server has no catalog: {}", answer.message);
            CommandError::not_found(message).hint("name a server that `model-registry catalog` or `up` started").into()
        }
        _ => error,
    })
}

/// What the settings say about the catalog.
pub(crate) fn catalog_settings(settings: &Settings) -> CatalogSettings {
    let paths = |setting: &Setting| settings.list(setting).iter().map(PathBuf::from).collect();
    let mut hubs = HubAccess { private_addresses: settings.is_on(&ALLOW_PRIVATE_HUBS), ..HubAccess::default() };
    if !settings.list(&HUB_HOSTS).is_empty() {
        hubs.hosts = settings.list(&HUB_HOSTS).to_vec();
    }
    CatalogSettings {
        sources: paths(&CATALOGS_PATH),
        measurements: paths(&PERFORMANCE_METRICS),
        hubs,
        environment: Environment::of_process(),
    }
}

/// The database of `--database`, of the variables of PostgreSQL's own tools (which the reference reads), or a file of its
/// own: what it holds can be loaded again.
fn database_source(settings: &Settings) -> Result<DatabaseUrl, ConfigError> {
    if settings.is_chosen(&key::DATABASE) {
        return database::source(settings);
    }
    if Environment::of_process().get("PGHOST").is_some() {
        return Ok(DatabaseUrl::postgres_of_environment());
    }
    let directories = etcetera::choose_base_strategy().map_err(|error| ConfigError {
        place: "--database".to_owned(),
        reason: format!("no home directory to keep the data in ({error}): name a file with --database sqlite:PATH"),
    })?;
    let path = directories.data_dir().join("model-registry").join("catalog.db");
    Ok(DatabaseUrl::Sqlite { path: Some(path) })
}

fn check(arguments: &ArgMatches) -> anyhow::Result<()> {
    let paths = |id: &str| arguments.get_many::<PathBuf>(id).into_iter().flatten().cloned().collect();
    let report = model_registry_catalog::check(&CatalogSettings {
        sources: paths("files"),
        measurements: paths("measurements"),
        ..CatalogSettings::default()
    });
    print(&report)?;
    if report.problems.is_empty() {
        return Ok(());
    }
    anyhow::bail!("{} problem(s) found", report.problems.len())
}

fn print(report: &CheckReport) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let width = report.sources.iter().map(|source| source.id.chars().count()).max().unwrap_or(0).max("SOURCE".len());
    writeln!(out, "{:width$}  {:11}  {:19}  {:>7}  {:>7}", "SOURCE", "TYPE", "STATUS", "ITEMS", "SKIPPED")?;
    for source in &report.sources {
        let (id, asset, status) = (&source.id, source.asset_type, source.status);
        writeln!(out, "{id:width$}  {asset:11}  {status:19}  {:>7}  {:>7}", source.items, source.skipped)?;
    }
    if !report.problems.is_empty() {
        writeln!(out)?;
    }
    for problem in &report.problems {
        writeln!(out, "{problem}")?;
    }
    out.flush()
}
