//! Options from the declared fields of a kind, and their values as JSON.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use model_registry_api::{Field, Shape};
use serde_json::{Map, Value};

use super::noun::Noun;
use crate::failure::CommandError;

/// The fields of a noun's kinds, each name once. Ids of other entities are references, not fields.
pub(super) fn fields(noun: &Noun, wanted: impl Fn(&Field) -> bool) -> Vec<&'static Field> {
    let mut fields: Vec<&'static Field> = Vec::new();
    for field in noun.kinds.iter().flat_map(|kind| kind.spec().all_fields()) {
        let is_known = fields.iter().any(|known| known.name == field.name);
        if field.shape != Shape::Id && wanted(field) && !is_known {
            fields.push(field);
        }
    }
    fields
}

/// `startTimeSinceEpoch` is `--start-time`.
pub(super) fn option(field: &Field) -> String {
    // `--profile` is one of the configuration file.
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

/// Gives a command an option for each field.
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
            // A parameter has a `value` as well, which is a text.
            Shape::Double => argument.value_name("VALUE").help("The number of a metric, or the text of a parameter"),
            Shape::Integer => argument.value_name("NUMBER"),
            Shape::String | Shape::Id => argument.value_name("TEXT"),
        })
    })
}

/// The fields that were given, with the shape that `spec` says.
pub(crate) fn read_fields(
    arguments: &ArgMatches,
    fields: &[&'static Field],
    shape: impl Fn(&str) -> Option<Shape>,
) -> Result<Map<String, Value>, CommandError> {
    let mut given = Map::new();
    for field in fields {
        let Some(texts) = arguments.get_many::<String>(&argument_id(field)) else { continue };
        let texts: Vec<&str> = texts.map(String::as_str).collect();
        let Some(shape) = shape(field.name) else {
            return Err(CommandError::usage(format!("--{} is no field of this type of artifact", option(field))));
        };
        given.insert(field.name.to_owned(), value(field, shape, &texts)?);
    }
    Ok(given)
}

fn value(field: &Field, shape: Shape, texts: &[&str]) -> Result<Value, CommandError> {
    let text = texts.last().copied().unwrap_or_default();
    let wrong = |what: &str| CommandError::usage(format!("--{}: `{text}` is not {what}", option(field)));
    Ok(match shape {
        Shape::StringList => texts.iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().into(),
        Shape::Enumeration(enumeration) => {
            let member = enumeration.members.iter().find(|member| member.eq_ignore_ascii_case(text));
            Value::from(*member.ok_or_else(|| wrong("one of its values"))?)
        }
        Shape::Double => {
            let number: f64 = text.parse().map_err(|_| wrong("a number"))?;
            // JSON has no infinity.
            serde_json::Number::from_f64(number).map(Value::Number).ok_or_else(|| wrong("a finite number"))?
        }
        Shape::Integer => Value::from(text.parse::<i64>().map_err(|_| wrong("a whole number"))?),
        Shape::EpochMillis => {
            let millis = text.parse::<i64>().map_err(|_| wrong("a number of milliseconds since the Unix epoch"))?;
            Value::from(millis.to_string())
        }
        Shape::String | Shape::Uri | Shape::Id => Value::from(text),
    })
}

/// A text in a filter.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
