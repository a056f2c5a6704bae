//! `config show`: the effective settings with their origins; `config reference`: the documentation of all settings.

use std::io::IsTerminal;

use clap::{Arg, ArgMatches, Command};
use model_registry_base::{REDACTED, redact_url};
use model_registry_server::config::{self, EffectiveValue, Environment, Group, Origin, Schema};
use serde_json::{Map, Value, json};

use crate::client_context;
use crate::client_settings::{ClientSettings, Sourced};
use crate::output::{Format, Output, Style, printable};
use crate::print;
use crate::{file_of_proxy, settings, settings_of_proxy};

const FORMAT: &str = "format";
const FOR: &str = "for";

const REFERENCE_HEAD: &str = "\
# Configuration

Every setting is a flag, an environment variable and a key of a TOML file (`--config FILE`). Precedence: flag, environment variable,
file, default. `model-registry config show` prints the effective value and the origin of every setting. A secret can also be read from a
file: `MR_DATABASE_FILE`, or `database = { file = \"/run/secrets/database\" }`. An unknown key, a wrong type, an unreadable file or a
misspelt variable (one whose name is near that of a setting) stops the start with exit code 2 and a one-line message with the position;
other unknown variables with the prefix `MR_` get a warning.

Durations are numbers with units: `500ms`, `30s`, `1m30s`, `1h`, `30d`; a day has 24 hours, a number without a unit is in seconds.

`model-registry config reference` prints this page.

";

pub(super) fn command(schema: &Schema) -> Command {
    let show = Command::new("show")
        .about("Show the effective value and the origin of every setting; secrets are masked")
        .after_help(
            "The settings of servers come from MR_ variables and the file of --config. Client commands such as `models` \
             use the settings that start with `client.`\n\nExample:\n  model-registry config show --config server.toml --output json",
        )
        .arg(
            Arg::new(FOR)
                .long(FOR)
                .value_name("COMMAND")
                .value_parser(["server", "proxy"])
                .default_value("server")
                .help("Command whose settings to show; `proxy` reads $HOME/.model-registry.yaml by default"),
        );
    let command = Command::new("config")
        .about("Show the settings and their documentation")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help("Example:\n  model-registry config show")
        .subcommand(schema.attach(show, &[]))
        .subcommand(
            Command::new("reference")
                .about("Print the documentation of all settings: key, flag, environment variable, default, description")
                .arg(
                    Arg::new(FORMAT)
                        .long(FORMAT)
                        .value_name("FORMAT")
                        .value_parser(["markdown", "schema", "example"])
                        .default_value("markdown")
                        .help("A Markdown page, the JSON schema of the file for --config, or an example of that file"),
                )
                .after_help("Example:\n  model-registry config reference --format schema > server.schema.json"),
        );
    client_context::with_format(client_context::with_connection(command))
}

/// A setting in the output.
struct Row {
    key: String,
    value: Option<String>,
    origin: String,
}

pub(super) fn run(schema: &Schema, arguments: &ArgMatches) -> anyhow::Result<()> {
    let Some((name, arguments)) = arguments.subcommand() else { return Ok(()) };
    if name == "reference" {
        let text = match arguments.get_one::<String>(FORMAT).map(String::as_str) {
            Some("schema") => format!("{:#}\n", config::json_schema(schema)),
            Some("example") => config::example_file(schema),
            _ => format!("{REFERENCE_HEAD}{}", config::markdown(schema)),
        };
        return Ok(print::text(&text)?);
    }
    let environment = Environment::of_process();
    let client = ClientSettings::load(arguments, &environment)?;
    let is_proxy = arguments.get_one::<String>(FOR).is_some_and(|command| command == "proxy");
    let settings = if is_proxy { settings_of_proxy(schema, arguments)? } else { settings(schema, arguments)? };
    let mut rows: Vec<Row> = settings
        .entries()
        .filter(|(key, _)| !schema.settings().iter().any(|known| known.key == *key && known.group == Group::Ignored))
        .map(|(key, value)| server_row(key, value))
        .collect();
    rows.extend(client_rows(&client));
    let is_terminal = std::io::stdout().is_terminal();
    let style = Style::new(is_terminal, &environment);
    let output = Output::new(Format::of(&client.output.value), None, style, is_terminal);
    print::text(&render(&output, rows)?)?;
    for notice in settings.notices() {
        eprintln!("note: {notice}");
    }
    if let Some(file) = file_of_proxy(&environment).filter(|file| !is_proxy && file.exists()) {
        let file = file.display();
        eprintln!("note: `proxy` also reads {file}: `config show --for proxy` shows its settings");
    }
    Ok(())
}

fn server_row(key: &str, value: Option<&EffectiveValue>) -> Row {
    Row {
        key: key.to_owned(),
        value: value.map(EffectiveValue::display),
        origin: value.map_or_else(|| Origin::Default.to_string(), |value| value.origin.to_string()),
    }
}

fn client_rows(client: &ClientSettings) -> Vec<Row> {
    let row = |key: &str, value: Option<String>, origin: Option<&String>| Row {
        key: format!("client.{key}"),
        value,
        origin: origin.map_or_else(|| "default".to_owned(), Clone::clone),
    };
    let path = |path: &Option<Sourced<std::path::PathBuf>>| path.as_ref().map(|path| path.value.display().to_string());
    vec![
        row("file", Some(client.file.display().to_string()), None),
        row(
            "profile",
            client.profile.as_ref().map(|profile| profile.value.clone()),
            client.profile.as_ref().map(|profile| &profile.origin),
        ),
        row("server", Some(masked_url(&client.server.value)), Some(&client.server.origin)),
        row(
            "token",
            client.token.as_ref().map(|_| REDACTED.to_owned()),
            client.token.as_ref().map(|token| &token.origin),
        ),
        row("token-file", path(&client.token_file), client.token_file.as_ref().map(|file| &file.origin)),
        row("ca-file", path(&client.ca_file), client.ca_file.as_ref().map(|file| &file.origin)),
        row("output", Some(client.output.value.clone()), Some(&client.output.origin)),
    ]
}

/// Masks a password in the URL of a server.
fn masked_url(url: &str) -> String {
    if url.contains('@') { redact_url(url) } else { url.to_owned() }
}

fn render(output: &Output, rows: Vec<Row>) -> anyhow::Result<String> {
    match output.format {
        Format::Json | Format::Yaml => {
            let settings: Map<String, Value> =
                rows.into_iter().map(|row| (row.key, json!({"value": row.value, "origin": row.origin}))).collect();
            output.value(&Value::Object(settings))
        }
        Format::Name => Ok(rows.into_iter().map(|row| row.key + "\n").collect()),
        Format::Table => {
            let headers = ["KEY", "VALUE", "ORIGIN"].map(str::to_owned).to_vec();
            let mut table = output.table(headers);
            let cells = |row: Row| vec![row.key, printable(&row.value.unwrap_or_default()), printable(&row.origin)];
            let rows = table.rows(rows.into_iter().map(cells).collect());
            Ok(rows + &table.end())
        }
    }
}
