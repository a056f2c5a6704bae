//! What every client command shares: which server, who is calling, and how the answer is written.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use model_registry_client::Client;
use model_registry_server::config::{ConfigError, Environment};

use crate::failure::CommandError;
use crate::output::{Format, Output};
use crate::profiles::{Profile, Profiles};

const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";
const FORMATS: [&str; 4] = ["table", "json", "yaml", "name"];

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Chosen<T> {
    pub(crate) value: T,
    pub(crate) origin: String,
}

/// The settings of the client commands.
#[derive(Debug)]
pub(crate) struct ClientSettings {
    pub(crate) file: PathBuf,
    pub(crate) profile: Option<Chosen<String>>,
    pub(crate) server: Chosen<String>,
    pub(crate) token: Option<Chosen<String>>,
    pub(crate) token_file: Option<Chosen<PathBuf>>,
    pub(crate) ca_file: Option<Chosen<PathBuf>>,
    pub(crate) output: Chosen<String>,
}

/// A connection and an output.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) output: Output,
    pub(crate) environment: Environment,
}

/// Gives a command, and those below it, the options that name the server.
pub(crate) fn with_connection(command: Command) -> Command {
    let option = |id: &'static str, value: &'static str, help: &'static str| {
        Arg::new(id).long(id).value_name(value).help(help).global(true).help_heading("Connection")
    };
    command
        .arg(option("server", "URL", "Address of the server [default: http://127.0.0.1:8080] [env: MR_SERVER]"))
        .arg(option("token", "TEXT", "Bearer token; others can see it in the list of processes [env: MR_TOKEN]"))
        .arg(
            option("token-file", "FILE", "File that holds the bearer token [env: MR_TOKEN_FILE]")
                .conflicts_with("token"),
        )
        .arg(option("ca-file", "FILE", "Certificates (PEM) to trust beside the system's [env: MR_CA_FILE]"))
        .arg(option("profile", "NAME", "Profile of the configuration file [env: MR_PROFILE]"))
}

/// Gives a command, and those below it, the options of the connection and of the output.
pub(crate) fn with_options(command: Command) -> Command {
    with_connection(command)
        .arg(
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("FORMAT")
                .value_parser(FORMATS)
                .global(true)
                .help_heading("Output")
                .hide_possible_values(true)
                .help("table, json, yaml, or name: what other commands take [default: table]"),
        )
        .arg(
            Arg::new("columns")
                .long("columns")
                .value_name("LIST")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .global(true)
                .help_heading("Output")
                .help("Columns of the table: fields, custom properties, created, updated, parent"),
        )
}

impl ClientSettings {
    /// Flags come before the environment, that before the profile.
    pub(crate) fn load(arguments: &ArgMatches, environment: &Environment) -> Result<Self, ConfigError> {
        let flag = |id: &str| {
            let value = arguments.try_get_one::<String>(id).ok().flatten()?;
            Some(Chosen { value: value.clone(), origin: format!("--{id}") })
        };
        let variable =
            |name: &str| environment.get(name).map(|value| Chosen { value: value.to_owned(), origin: name.to_owned() });
        let given = |id: &str, name: &str| flag(id).or_else(|| variable(name));

        let profiles = Profiles::load()?;
        let named = given("profile", "MR_PROFILE");
        let named = named.as_ref().map(|chosen| (chosen.value.as_str(), chosen.origin.as_str()));
        let found = profiles.choose(named)?;
        let origin = found.map(|(name, _)| format!("profile {name}")).unwrap_or_default();
        let profile = found.map(|(_, profile)| profile.clone()).unwrap_or_default();
        let of_profile = |value: Option<String>| value.map(|value| Chosen { value, origin: origin.clone() });

        let server = given("server", "MR_SERVER");
        // A profile's token is for the profile's server alone.
        let same = |left: &str, right: &str| left.trim_end_matches('/') == right.trim_end_matches('/');
        let is_of_profile = server
            .as_ref()
            .is_none_or(|server| profile.server.as_ref().is_some_and(|of_profile| same(&server.value, of_profile)));
        let (token, token_file) = credentials(&given, &profile, &origin, is_of_profile);
        let path = |chosen: Chosen<String>| Chosen { value: PathBuf::from(chosen.value), origin: chosen.origin };
        let ca_file = given("ca-file", "MR_CA_FILE").map(path);
        let default = |value: &str| Chosen { value: value.to_owned(), origin: "default".to_owned() };
        let output = match flag("output").or_else(|| of_profile(profile.output.clone())) {
            Some(chosen) if !FORMATS.contains(&chosen.value.as_str()) => {
                let place = format!("{}, {}", profiles.path.display(), chosen.origin);
                let reason = format!("`{}` is no output: use {}", chosen.value, FORMATS.join(", "));
                return Err(ConfigError { place, reason });
            }
            Some(chosen) => chosen,
            None => default("table"),
        };
        Ok(Self {
            profile: found.map(|(name, _)| Chosen {
                value: name.to_owned(),
                origin: named.map_or_else(|| profiles.path.display().to_string(), |(_, origin)| origin.to_owned()),
            }),
            server: server.or_else(|| of_profile(profile.server.clone())).unwrap_or_else(|| default(DEFAULT_SERVER)),
            token,
            token_file,
            ca_file: ca_file.or_else(|| profile.ca_file.map(|value| Chosen { value, origin: origin.clone() })),
            output,
            file: profiles.path,
        })
    }

    fn client(&self) -> anyhow::Result<Client> {
        let mut builder = Client::builder(&self.server.value);
        if let Some(token) = &self.token {
            builder = builder.token(&token.value);
        }
        if let Some(file) = &self.token_file {
            builder = builder.token_file(&file.value);
        }
        if let Some(file) = &self.ca_file {
            let pem = std::fs::read(&file.value).map_err(|error| ConfigError {
                place: file.origin.clone(),
                reason: format!("cannot read `{}`: {error}", file.value.display()),
            })?;
            builder = builder.root_certificates(pem);
        }
        Ok(builder.build()?)
    }
}

type Credentials = (Option<Chosen<String>>, Option<Chosen<PathBuf>>);

/// The token or the file with it, from the first place that has either.
fn credentials(
    given: &dyn Fn(&str, &str) -> Option<Chosen<String>>,
    profile: &Profile,
    origin: &str,
    is_of_profile: bool,
) -> Credentials {
    let path = |chosen: Chosen<String>| Chosen { value: PathBuf::from(chosen.value), origin: chosen.origin };
    let (token, file) = (given("token", "MR_TOKEN"), given("token-file", "MR_TOKEN_FILE").map(path));
    match (token, file) {
        // The flag of one comes before the variable of the other.
        (Some(token), Some(file)) if token.origin.starts_with("--") || !file.origin.starts_with("--") => {
            (Some(token), None)
        }
        (_, Some(file)) => (None, Some(file)),
        (Some(token), None) => (Some(token), None),
        (None, None) if is_of_profile => {
            let chosen = |value: &String| Chosen { value: value.clone(), origin: origin.to_owned() };
            let file = |value: &PathBuf| Chosen { value: value.clone(), origin: origin.to_owned() };
            match &profile.token {
                Some(token) => (Some(chosen(token)), None),
                None => (None, profile.token_file.as_ref().map(file)),
            }
        }
        (None, None) => (None, None),
    }
}

impl Session {
    pub(crate) fn open(arguments: &ArgMatches) -> anyhow::Result<Self> {
        let environment = Environment::of_process();
        let settings = ClientSettings::load(arguments, &environment)?;
        let columns: Option<Vec<String>> = arguments
            .try_get_many::<String>("columns")
            .ok()
            .flatten()
            .map(|columns| columns.map(|column| column.trim().to_owned()).collect());
        let is_asked = settings.output.origin.starts_with("--");
        let format = match settings.output.value.as_str() {
            // Columns are of tables, whatever the profile's output is.
            _ if columns.is_some() && !is_asked => Format::Table,
            "json" => Format::Json,
            "yaml" => Format::Yaml,
            "name" => Format::Name,
            _ => Format::Table,
        };
        if columns.is_some() && format != Format::Table {
            return Err(CommandError::usage("--columns is for --output table").into());
        }
        let client = settings.client()?;
        Ok(Self { client, output: Output::new(format, columns, &environment), environment })
    }
}

/// Runs a client command; one thread is enough and starts at once.
pub(crate) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}
