//! `profiles`: lists, shows, selects and changes the profiles of the configuration file.

use std::path::{Path, PathBuf};

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command};
use model_registry_base::files::RegularFile;
use model_registry_client::Client;
use model_registry_server::config::{Environment, Schema};
use serde_json::{Value, json};

use super::login::absolute;
use crate::client_context;
use crate::failure::CommandError;
use crate::output::{Format, Output, Style, printable};
use crate::print;
use crate::profiles::{Profile, Profiles, ProfilesEdit};

/// The keys that `set` changes; `login` stores a token.
const KEYS: [&str; 4] = ["server", "token-file", "ca-file", "output"];
const MASK: &str = "***";

pub(super) fn command(_schema: &Schema) -> Command {
    let name = || {
        Arg::new("name")
            .value_name("NAME")
            .required(true)
            .value_parser(NonEmptyStringValueParser::new())
            .help("Name of the profile")
    };
    let option = |id: &'static str, value: &'static str, help: &'static str| {
        Arg::new(id).long(id).value_name(value).value_parser(NonEmptyStringValueParser::new()).help(help)
    };
    let command = Command::new("profiles")
        .about("Manage the profiles of the configuration file: servers and their credentials")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(
            "Examples:\n  model-registry profiles set laptop --server http://127.0.0.1:8080\n  \
             model-registry profiles use laptop\n  model-registry profiles list",
        )
        .subcommand(
            Command::new("list")
                .about("List the profiles; `*` marks the default one")
                .after_help("Example:\n  model-registry profiles list"),
        )
        .subcommand(
            Command::new("show")
                .about("Show a profile; its token is masked")
                .after_help("Example:\n  model-registry profiles show laptop --output json")
                .arg(name()),
        )
        .subcommand(
            Command::new("use")
                .about("Use a profile by default")
                .after_help("Example:\n  model-registry profiles use laptop")
                .arg(name()),
        )
        .subcommand(
            Command::new("set")
                .about("Create or change a profile; `login` stores a token")
                .after_help("Example:\n  model-registry profiles set laptop --server http://127.0.0.1:8080")
                .arg(name())
                .arg(option("server", "URL", "URL of the server"))
                .arg(option("token-file", "FILE", "File with the bearer token"))
                .arg(option("ca-file", "FILE", "Trusted certificates (PEM), in addition to the system's"))
                .arg(
                    option("output-format", "FORMAT", "Default of --output: table, json, yaml or name")
                        .value_parser(PossibleValuesParser::new(Format::NAMES))
                        .hide_possible_values(true),
                )
                .arg(
                    option("unset", "KEY", "Remove a key: server, token-file, ca-file or output; may be repeated")
                        .action(ArgAction::Append)
                        .value_parser(PossibleValuesParser::new(KEYS))
                        .hide_possible_values(true),
                ),
        )
        .subcommand(
            Command::new("remove")
                .about("Remove a profile with its token")
                .after_help("Example:\n  model-registry profiles remove laptop")
                .arg(name()),
        );
    client_context::with_quiet(client_context::with_format(command))
}

pub(super) fn run(_schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let Some((subcommand, arguments)) = arguments.subcommand() else { return Ok(()) };
    let profiles = Profiles::load()?;
    let format = arguments.get_one::<String>("output").map_or(Format::Table, |name| Format::of(name));
    // Notes, results of changes: sentences, in every format.
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
    let output = Output::new(format, None, Style::new(is_terminal, &Environment::of_process()), is_terminal);
    if subcommand == "list" {
        return list(&output, &profiles);
    }
    let name = arguments.get_one::<String>("name").cloned().unwrap_or_default();
    let known = profiles.named.get(&name);
    let existing = || {
        known.ok_or_else(|| {
            CommandError::not_found(printable(&profiles.unknown(&name)))
                .hint("`model-registry profiles set` creates a profile")
        })
    };
    match subcommand {
        "show" => show(&output, &profiles, &name, existing()?),
        "use" => {
            existing()?;
            let mut edit = ProfilesEdit::of(&profiles)?;
            edit.set_default(Some(&name));
            edit.save()?;
            Ok(print::line(&format!("Profile {name} is the default"))?)
        }
        "set" => set(&profiles, &name, arguments),
        _ => {
            existing()?;
            let mut edit = ProfilesEdit::of(&profiles)?;
            edit.remove(&name)?;
            if profiles.default.as_deref() == Some(name.as_str()) {
                edit.set_default(None);
            }
            edit.save()?;
            Ok(print::line(&format!("Removed profile {name}"))?)
        }
    }
}

/// A profile as JSON, without its token.
fn value(profiles: &Profiles, name: &str, profile: &Profile) -> Value {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    json!({
        "name": name,
        "default": profiles.default.as_deref() == Some(name),
        "server": profile.server,
        "token": profile.token.as_ref().map(|_| MASK),
        "token-file": path(&profile.token_file),
        "ca-file": path(&profile.ca_file),
        "output": profile.output,
    })
}

fn list(output: &Output, profiles: &Profiles) -> anyhow::Result<()> {
    let values: Vec<Value> = profiles.named.iter().map(|(name, profile)| value(profiles, name, profile)).collect();
    let text = match output.format {
        Format::Json | Format::Yaml => output.value(&Value::from(values))?,
        Format::Name => profiles.named.keys().map(|name| printable(name) + "\n").collect(),
        Format::Table => {
            let headers = ["DEFAULT", "NAME", "SERVER", "TOKEN", "OUTPUT"].map(str::to_owned).to_vec();
            let mut table = output.table(headers);
            let rows = profiles.named.iter().map(|(name, profile)| {
                let mark = if profiles.default.as_deref() == Some(name.as_str()) { "*" } else { "" };
                let token = match (&profile.token, &profile.token_file) {
                    (Some(_), _) => "stored".to_owned(),
                    (None, Some(file)) => file.display().to_string(),
                    (None, None) => String::new(),
                };
                let text = |text: &Option<String>| printable(text.as_deref().unwrap_or_default());
                vec![mark.to_owned(), printable(name), text(&profile.server), printable(&token), text(&profile.output)]
            });
            let rows = table.rows(rows.collect());
            rows + &table.end()
        }
    };
    Ok(print::text(&text)?)
}

fn show(output: &Output, profiles: &Profiles, name: &str, profile: &Profile) -> anyhow::Result<()> {
    let mut value = value(profiles, name, profile);
    match output.format {
        Format::Json | Format::Yaml => print::value(output, &value),
        Format::Name => Ok(print::line(name)?),
        Format::Table => {
            if let Some(fields) = value.as_object_mut() {
                fields.retain(|_, value| !value.is_null());
            }
            Ok(print::text(&output.fields(&value))?)
        }
    }
}

fn set(profiles: &Profiles, name: &str, arguments: &ArgMatches) -> anyhow::Result<()> {
    if name.chars().any(char::is_control) {
        return Err(CommandError::usage("the name of a profile has no control characters").into());
    }
    let get = |id: &str| arguments.get_one::<String>(id);
    let set = [
        ("server", get("server").cloned()),
        ("token-file", get("token-file").map(|file| absolute(file)).transpose()?),
        ("ca-file", get("ca-file").map(|file| absolute(file)).transpose()?),
        ("output", get("output-format").cloned()),
    ];
    let unset: Vec<&String> = arguments.get_many("unset").into_iter().flatten().collect();
    if unset.is_empty() && set.iter().all(|(_, value)| value.is_none()) {
        return Err(CommandError::usage("no changes in the arguments")
            .hint("`model-registry profiles set --help` lists the options")
            .into());
    }
    if let Some((key, _)) = set.iter().find(|(key, value)| value.is_some() && unset.iter().any(|other| other == key)) {
        return Err(CommandError::usage(format!("`{key}` is both set and removed")).into());
    }
    let old = profiles.named.get(name);
    if let Some(server) = get("server") {
        // Checks the address.
        Client::new(server)?;
    }
    for file in ["token-file", "ca-file"].into_iter().filter_map(get) {
        RegularFile::open(Path::new(file))
            .map_err(|error| CommandError::usage(format!("cannot read `{file}`: {error}")))?;
    }
    let changes_server = get("server").is_some_and(|server| {
        old.and_then(|old| old.server.as_ref())
            .is_none_or(|own| own.trim_end_matches('/') != server.trim_end_matches('/'))
    });
    let mut edit = ProfilesEdit::of(profiles)?;
    for key in &unset {
        edit.unset(name, key)?;
    }
    for (key, value) in &set {
        if let Some(value) = value {
            edit.set(name, key, value)?;
        }
    }
    // A token is never sent to another server than the one it was stored for, and a file replaces it.
    let removes_server = unset.iter().any(|key| *key == "server");
    let replaces_token = changes_server || removes_server || get("token-file").is_some();
    let removed_token = replaces_token && edit.unset(name, "token")?;
    edit.save()?;
    let verb = if old.is_some() { "Changed" } else { "Created" };
    print::line(&format!("{verb} profile {name}"))?;
    if removed_token {
        print::line("The stored token was removed, since it was for the previous settings: log in again")?;
    }
    Ok(())
}
