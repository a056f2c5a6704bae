//! `catalog`: serves the API of the catalog. `catalog check` validates sources without a server; the other subcommands
//! are client commands for the catalog of a server.

mod agent;
mod agents;
mod artifacts;
pub(crate) mod assets;
mod list;
mod search;
mod servers;
mod show;
mod skills;
mod sources;
mod tools;

use std::fmt::Write;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use model_registry_catalog::{CheckReport, HubAccess, Proxies, Settings as CatalogSettings};
use model_registry_client::Error as ClientError;
use model_registry_server::config::{
    self as key, ConfigError, Environment, Group, Schema, Setting, SettingType, Settings,
};
use model_registry_store::DatabaseUrl;

use crate::client_context::{self, ClientContext};
use crate::failure::CommandError;
use crate::server_process::{self, Anonymous, Apis};
use crate::{database, print, settings};

/// `--catalogs-path`
const CATALOGS_PATH: Setting = Setting::new(
    "catalogs-path",
    SettingType::List,
    Group::Catalog,
    "Sources files; may be repeated, fields of later files take precedence",
);
/// `--performance-metrics`
const PERFORMANCE_METRICS: Setting = Setting::new(
    "performance-metrics",
    SettingType::List,
    Group::Catalog,
    "Directories with performance metrics of models; may be repeated",
);

/// `--hub-hosts`
const HUB_HOSTS: Setting = Setting::new(
    "hub-hosts",
    SettingType::List,
    Group::Catalog,
    "Allowed hosts of sources of type hf, including their subdomains; huggingface.co by default",
);
/// `--git-hosts`
const GIT_HOSTS: Setting = Setting::new(
    "git-hosts",
    SettingType::List,
    Group::Catalog,
    "Allowed hosts of Git repositories with skills, including their subdomains; all with public addresses by default",
);
/// `--allow-private-hubs`
const ALLOW_PRIVATE_HUBS: Setting = Setting::new(
    "allow-private-hubs",
    SettingType::Bool,
    Group::Catalog,
    "Allow private addresses and plain http for the hosts in --hub-hosts and --git-hosts",
)
.or("false");

/// The settings of the catalog.
pub(crate) const SETTINGS: &[Setting] = &[CATALOGS_PATH, PERFORMANCE_METRICS, HUB_HOSTS, GIT_HOSTS, ALLOW_PRIVATE_HUBS];

/// Groups of settings in addition to those of every server.
const GROUPS: &[Group] = &[Group::Catalog, Group::Deprecation];

/// The sources file without `--catalogs-path` (parity).
const DEFAULT_SOURCES: &str = "sources.yaml";

pub(super) fn command(schema: &Schema) -> Command {
    let check = Command::new("check")
        .about("Validate sources files and the files they refer to, without a server")
        .after_help(
            "Prints a summary of each source, then each problem with file, line and column. The exit code is 0 without \
             problems, otherwise 1.\n\nExample:\n  model-registry catalog check sources.yaml",
        )
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .help("Sources files; fields of later files take precedence")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("measurements")
                .long("performance-metrics")
                .value_name("DIRECTORY")
                .help("Directory with performance metrics of models; may be repeated")
                .num_args(1)
                .action(clap::ArgAction::Append)
                .value_parser(value_parser!(PathBuf)),
        );
    let command = Command::new("catalog")
        .about("Serve the catalog of published models, MCP servers, agents and skills, or query it")
        .after_help(
            "Example:\n  model-registry catalog --catalogs-path sources.yaml --listen 127.0.0.1:8081\n  \
             model-registry catalog check sources.yaml\n  \
             model-registry catalog list --search chat\n  \
             model-registry catalog show sample_models/northwind/breeze-2b-instruct",
        )
        .args_conflicts_with_subcommands(true)
        .subcommand(check);
    let client = CLIENT_COMMANDS.iter().map(|subcommand| client_context::with_options((subcommand.command)()));
    schema.attach(command.subcommands(client), &[&server_process::GROUPS, GROUPS].concat())
}

pub(super) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    match arguments.subcommand() {
        Some(("check", arguments)) => return check(arguments),
        Some((name, arguments)) => return run_client(name, arguments),
        None => {}
    }
    let settings = settings(schema, arguments)?;
    let database = database_url(&settings)?;
    let mut catalog = catalog_settings(&settings);
    if catalog.sources.is_empty() {
        catalog.sources.push(PathBuf::from(DEFAULT_SOURCES));
    }
    // Existing manifests listen on all addresses and leave authentication to a service mesh; the API is read-only.
    server_process::run(&settings, database, Anonymous::Everywhere, Apis::Catalog(catalog), |_| {})
}

/// A client command.
struct ClientCommand {
    command: fn() -> Command,
    run: for<'a> fn(&'a ClientContext, &'a ArgMatches) -> LocalBoxFuture<'a, anyhow::Result<()>>,
}

const CLIENT_COMMANDS: &[ClientCommand] = &[
    ClientCommand { command: list::command, run: |context, arguments| list::run(context, arguments).boxed_local() },
    ClientCommand { command: show::command, run: |context, arguments| show::run(context, arguments).boxed_local() },
    ClientCommand { command: search::command, run: |context, arguments| search::run(context, arguments).boxed_local() },
    ClientCommand {
        command: sources::command,
        run: |context, arguments| sources::run(context, arguments).boxed_local(),
    },
    ClientCommand {
        command: servers::command,
        run: |context, arguments| servers::run(context, arguments).boxed_local(),
    },
    ClientCommand { command: tools::command, run: |context, arguments| tools::run(context, arguments).boxed_local() },
    ClientCommand { command: agents::command, run: |context, arguments| agents::run(context, arguments).boxed_local() },
    ClientCommand { command: agent::command, run: |context, arguments| agent::run(context, arguments).boxed_local() },
    ClientCommand { command: skills::command, run: |context, arguments| skills::run(context, arguments).boxed_local() },
];

fn run_client(name: &str, arguments: &ArgMatches) -> anyhow::Result<()> {
    let Some(subcommand) = CLIENT_COMMANDS.iter().find(|subcommand| (subcommand.command)().get_name() == name) else {
        return Ok(());
    };
    let context = ClientContext::open(arguments)?;
    let result = client_context::block_on((subcommand.run)(&context, arguments));
    result.map_err(|error| match error.downcast_ref::<ClientError>() {
        // The response of a server without the paths of the catalog.
        Some(ClientError::NotFound(response)) if response.message.starts_with("no such path") => {
            let message = format!("the server has no catalog: {}", response.message);
            CommandError::not_found(message)
                .hint("use a server that was started with `model-registry catalog` or `up`")
                .into()
        }
        _ => error,
    })
}

/// The settings of the catalog as its options.
pub(crate) fn catalog_settings(settings: &Settings) -> CatalogSettings {
    let paths = |setting: &Setting| settings.list(setting).iter().map(PathBuf::from).collect();
    let environment = Environment::of_process();
    let mut hubs = HubAccess {
        private_addresses: settings.is_on(&ALLOW_PRIVATE_HUBS),
        proxies: Proxies::of(&environment),
        ..HubAccess::default()
    };
    if !settings.list(&HUB_HOSTS).is_empty() {
        hubs.hosts = settings.list(&HUB_HOSTS).to_vec();
    }
    hubs.repository_hosts = settings.list(&GIT_HOSTS).to_vec();
    CatalogSettings {
        sources: paths(&CATALOGS_PATH),
        performance_metrics: paths(&PERFORMANCE_METRICS),
        hubs,
        environment,
    }
}

/// The database URL: `--database`, or the variables of libpq such as `PGHOST` (parity), or a SQLite file of its own,
/// since its content can be loaded again.
fn database_url(settings: &Settings) -> Result<DatabaseUrl, ConfigError> {
    if settings.is_set(&key::DATABASE) {
        return database::url(settings);
    }
    if Environment::of_process().get("PGHOST").is_some() {
        return Ok(DatabaseUrl::postgres_of_environment());
    }
    Ok(DatabaseUrl::Sqlite { path: Some(database::default_path("catalog.db")?) })
}

fn check(arguments: &ArgMatches) -> anyhow::Result<()> {
    let paths = |id: &str| arguments.get_many::<PathBuf>(id).into_iter().flatten().cloned().collect();
    let report = model_registry_catalog::check(&CatalogSettings {
        sources: paths("files"),
        performance_metrics: paths("measurements"),
        ..CatalogSettings::default()
    });
    print::text(&render(&report))?;
    if report.problems.is_empty() {
        return Ok(());
    }
    anyhow::bail!("{} problem(s) found", report.problems.len())
}

fn render(report: &CheckReport) -> String {
    let mut text = String::new();
    let width = report.sources.iter().map(|source| source.id.chars().count()).max().unwrap_or(0).max("SOURCE".len());
    let _ = writeln!(text, "{:width$}  {:11}  {:19}  {:>7}  {:>7}", "SOURCE", "TYPE", "STATUS", "ITEMS", "SKIPPED");
    for source in &report.sources {
        let (id, asset, status) = (&source.id, source.asset_type, source.status);
        let _ = writeln!(text, "{id:width$}  {asset:11}  {status:19}  {:>7}  {:>7}", source.items, source.skipped);
    }
    if !report.problems.is_empty() {
        text.push('\n');
    }
    for problem in &report.problems {
        let _ = writeln!(text, "{problem}");
    }
    text
}
