//! `config show`: the settings that hold on this machine, and where each came from; `config reference`: every setting.

use std::io::Write;

use clap::{Arg, ArgMatches, Command};
use model_registry_server::config::{self, Effective, Environment, Group, Origin, Schema};
use serde_json::{Map, Value, json};

use crate::output::{Format, Output, printable};
use crate::session::{self, ClientSettings};
use crate::{file_of_proxy, settings, settings_of_proxy};

const MASK: &str = "***";
const FORMAT: &str = "format";
const FOR: &str = "for";

const REFERENCE_HEAD: &str = "\
# Configuration

Every setting is a flag, an environment variable and a key of a TOML file (`--config FILE`); the flag wins over the variable, the
variable over the file, the file over the default. `model-registry config show` prints what holds and where it came from. A secret
may also come from a file: `MR_DATABASE_FILE`, or `database = { file = \"/run/secrets/database\" }`. An unknown key, a wrong type and a
file that cannot be read stop the start with exit code 2 and one line that says where.

This page is printed by `model-registry config reference`.

";

pub(crate) fn command(schema: &Schema) -> Command {
    let show = Command::new("show")
        .about("Show every setting with its value and where that came from; secrets are masked")
        .after_help(
            "Settings of servers come from MR_ variables and the file of --config; those that begin with `client.` are \
             what commands like `models` use.\n\nExample:\n  model-registry config show --config server.toml --output json",
        )
        .arg(
            Arg::new(FOR)
                .long(FOR)
                .value_name("COMMAND")
                .value_parser(["server", "proxy"])
                .default_value("server")
                .help("Whose settings: without another file, `proxy` reads $HOME/.model-registry.yaml"),
        );
    let command = Command::new("config")
        .about("Settings of this machine")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help("Example:\n  model-registry config show")
        .subcommand(schema.attach(show, &[]))
        .subcommand(
            Command::new("reference")
                .about("Print every setting: its key, flag, environment variable, default and meaning")
                .arg(
                    Arg::new(FORMAT)
                        .long(FORMAT)
                        .value_name("FORMAT")
                        .value_parser(["markdown", "schema", "example"])
                        .default_value("markdown")
                        .help("A page, the JSON schema of the file for --config, or such a file with every default"),
                )
                .after_help("Example:\n  model-registry config reference --format schema > server.schema.json"),
        );
    session::with_options(command)
}

/// One setting as it is shown.
struct Row {
    key: String,
    value: Option<String>,
    origin: String,
}

pub(crate) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let Some((name, arguments)) = arguments.subcommand() else { return Ok(()) };
    if name == "reference" {
        let mut out = std::io::stdout();
        match arguments.get_one::<String>(FORMAT).map(String::as_str) {
            Some("schema") => writeln!(out, "{:#}", config::json_schema(schema))?,
            Some("example") => write!(out, "{}", config::example_file(schema))?,
            _ => write!(out, "{REFERENCE_HEAD}{}", config::markdown(schema))?,
        }
        return Ok(());
    }
    let environment = Environment::of_process();
    let client = ClientSettings::load(arguments, &environment)?;
    let is_proxy = arguments.get_one::<String>(FOR).is_some_and(|command| command == "proxy");
    let settings = if is_proxy { settings_of_proxy(schema, arguments)? } else { settings(schema, arguments)? };
    let mut rows: Vec<Row> = settings
        .shown()
        .filter(|(key, _)| !schema.settings().iter().any(|known| known.key == *key && known.group == Group::Ignored))
        .map(|(key, value)| server_row(key, value))
        .collect();
    rows.extend(client_rows(&client));
    let format = match client.output.value.as_str() {
        "json" => Format::Json,
        "yaml" => Format::Yaml,
        "name" => Format::Name,
        _ => Format::Table,
    };
    write(&Output::new(format, None, &environment), rows)?;
    for note in settings.notes() {
        eprintln!("note: {note}");
    }
    if let Some(file) = file_of_proxy(&environment).filter(|file| !is_proxy && file.exists()) {
        let file = file.display();
        eprintln!("note: `proxy` reads {file} as well: `config show --for proxy` shows what it makes of it");
    }
    Ok(())
}

fn server_row(key: &str, value: Option<&Effective>) -> Row {
    Row {
        key: key.to_owned(),
        value: value.map(Effective::display),
        origin: value.map_or_else(|| Origin::Default.to_string(), |value| value.origin.to_string()),
    }
}

fn client_rows(client: &ClientSettings) -> Vec<Row> {
    let row = |key: &str, value: Option<String>, origin: Option<&String>| Row {
        key: format!("client.{key}"),
        value,
        origin: origin.map_or_else(|| "default".to_owned(), Clone::clone),
    };
    let path = |chosen: &Option<session::Chosen<std::path::PathBuf>>| {
        chosen.as_ref().map(|chosen| chosen.value.display().to_string())
    };
    vec![
        row("file", Some(client.file.display().to_string()), None),
        row(
            "profile",
            client.profile.as_ref().map(|profile| profile.value.clone()),
            client.profile.as_ref().map(|profile| &profile.origin),
        ),
        row("server", Some(shown_address(&client.server.value)), Some(&client.server.origin)),
        row("token", client.token.as_ref().map(|_| MASK.to_owned()), client.token.as_ref().map(|token| &token.origin)),
        row("token-file", path(&client.token_file), client.token_file.as_ref().map(|file| &file.origin)),
        row("ca-file", path(&client.ca_file), client.ca_file.as_ref().map(|file| &file.origin)),
        row("output", Some(client.output.value.clone()), Some(&client.output.origin)),
    ]
}

/// An address has no password, but nobody is kept from writing one.
fn shown_address(address: &str) -> String {
    if address.contains('@') { config::mask(address) } else { address.to_owned() }
}

fn write(output: &Output, rows: Vec<Row>) -> anyhow::Result<()> {
    match output.format {
        Format::Json | Format::Yaml => {
            let settings: Map<String, Value> =
                rows.into_iter().map(|row| (row.key, json!({"value": row.value, "origin": row.origin}))).collect();
            output.value(&Value::Object(settings))
        }
        Format::Name => Output::lines(rows.into_iter().map(|row| row.key)),
        Format::Table => {
            let headers = ["KEY", "VALUE", "ORIGIN"].map(str::to_owned).to_vec();
            let mut table = output.table(headers);
            let cells = |row: Row| vec![row.key, printable(&row.value.unwrap_or_default()), printable(&row.origin)];
            table.write(rows.into_iter().map(cells).collect())?;
            Ok(table.finish()?)
        }
    }
}
