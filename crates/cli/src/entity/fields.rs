//! Options for the declared fields of a kind, and their conversion to JSON.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use model_registry_api::{Field, Shape, double};
use serde_json::{Map, Value};

use super::kind_command::KindCommand;
use crate::failure::CommandError;

/// The fields of the kinds for which `filter` is true, each name once. References to other entities have their own
/// options.
pub(super) fn fields(kind: &KindCommand, filter: impl Fn(&Field) -> bool) -> Vec<&'static Field> {
    let mut fields: Vec<&'static Field> = Vec::new();
    for field in kind.kinds.iter().flat_map(|kind| kind.spec().all_fields()) {
        let is_known = fields.iter().any(|known| known.name == field.name);
        if field.shape != Shape::Id && filter(field) && !is_known {
            fields.push(field);
        }
    }
    fields
}

/// The option of a field without dashes: `start-time` for `startTimeSinceEpoch`.
pub(super) fn option(field: &Field) -> String {
    // `--profile` selects a profile of the configuration file.
    if field.name == "profile" {
        return "data-profile".to_owned();
    }
    let name = field.name.strip_suffix("SinceEpoch").unwrap_or(field.name);
    let mut option = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            option.push('-');
        }
        option.push(character.to_ascii_lowercase());
    }
    option
}

fn argument_id(field: &Field) -> String {
    format!("field.{}", field.name)
}

/// Adds an option for each field to a command.
pub(crate) fn add_fields(command: Command, fields: &[&'static Field]) -> Command {
    fields.iter().fold(command, |command, field| {
        let argument = Arg::new(argument_id(field))
            .long(option(field))
            .help(field.description.trim_end_matches('.'))
            .help_heading("Fields")
            .allow_hyphen_values(matches!(field.shape, Shape::Double | Shape::Integer));
        command.arg(match field.shape {
            Shape::StringList => argument.value_name("LIST").value_delimiter(',').action(ArgAction::Append),
            Shape::Enumeration(enumeration) => argument
                .value_name(option(field).to_uppercase().replace('-', "_"))
                .value_parser(PossibleValuesParser::new(enumeration.members))
                .ignore_case(true),
            Shape::Uri => argument.value_name("URI"),
            Shape::EpochMillis => argument.value_name("MILLISECONDS"),
            // The `value` of a parameter is a string.
            Shape::Double => {
                argument.value_name("VALUE").help("Value of a metric (a number) or of a parameter (a string)")
            }
            Shape::Integer => argument.value_name("NUMBER"),
            Shape::String | Shape::Id => argument.value_name("STRING"),
        })
    })
}

/// The fields set by options; `shape` returns the shape of a field by name. Error: a field that the kind does not have.
pub(crate) fn read_fields(
    arguments: &ArgMatches,
    fields: &[&'static Field],
    shape: impl Fn(&str) -> Option<Shape>,
) -> Result<Map<String, Value>, CommandError> {
    let mut values = Map::new();
    for field in fields {
        let Some(texts) = arguments.get_many::<String>(&argument_id(field)) else { continue };
        let texts: Vec<&str> = texts.map(String::as_str).collect();
        let Some(shape) = shape(field.name) else {
            return Err(CommandError::usage(format!("--{} is not a field of this artifact type", option(field))));
        };
        values.insert(field.name.to_owned(), value(field, shape, &texts)?);
    }
    Ok(values)
}

fn value(field: &Field, shape: Shape, texts: &[&str]) -> Result<Value, CommandError> {
    let text = texts.last().copied().unwrap_or_default();
    let wrong = |expected: &str| CommandError::usage(format!("--{}: `{text}` is not {expected}", option(field)));
    Ok(match shape {
        Shape::StringList => texts.iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().into(),
        Shape::Enumeration(enumeration) => {
            let member = enumeration.members.iter().find(|member| member.eq_ignore_ascii_case(text));
            Value::from(*member.ok_or_else(|| wrong("one of its values"))?)
        }
        Shape::Double => {
            let number = double::parse(text).ok_or_else(|| wrong("a number, NaN, Infinity or -Infinity"))?;
            double::to_json(number)
        }
        Shape::Integer => Value::from(text.parse::<i64>().map_err(|_| wrong("a whole number"))?),
        Shape::EpochMillis => {
            let millis = text.parse::<i64>().map_err(|_| wrong("a number of milliseconds since the Unix epoch"))?;
            Value::from(millis.to_string())
        }
        Shape::String | Shape::Uri | Shape::Id => Value::from(text),
    })
}

/// A string literal of the filter language.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
