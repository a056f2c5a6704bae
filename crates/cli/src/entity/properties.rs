//! Custom properties: `--property key=value`.

use clap::{Arg, ArgAction, ArgMatches, Command};
use model_registry_api::double;
use model_registry_client::{CustomProperties, MetadataValue};

use crate::failure::CommandError;

/// Adds `--property` to a command.
pub(crate) fn add_properties(command: Command) -> Command {
    command.arg(
        Arg::new("property")
            .long("property")
            .value_name("KEY=VALUE")
            .action(ArgAction::Append)
            .help_heading("Fields")
            .help(
                "Custom property; its type is inferred: true, 5, 0.5 or a string. \
                 KEY:TYPE=VALUE sets it: string, int, double or bool",
            ),
    )
}

/// The custom properties of the arguments.
pub(crate) fn read_properties(arguments: &ArgMatches) -> Result<CustomProperties, CommandError> {
    let mut properties = CustomProperties::new();
    for text in arguments.get_many::<String>("property").into_iter().flatten() {
        let (key, value) = property(text)?;
        if properties.contains_key(&key) {
            return Err(CommandError::usage(format!("--property: `{key}` is set several times")));
        }
        properties.insert(key, value);
    }
    Ok(properties)
}

fn property(text: &str) -> Result<(String, MetadataValue), CommandError> {
    let Some((key, value)) = text.split_once('=') else {
        return Err(CommandError::usage(format!("--property: `{text}` has no `=`")).hint("write --property KEY=VALUE"));
    };
    let wrong = |kind: &str| CommandError::usage(format!("--property: `{value}` in `{text}` is not of type {kind}"));
    let (key, value) = match key.rsplit_once(':') {
        Some((key, "string")) => (key, MetadataValue::from(value)),
        Some((key, "int")) => (key, value.parse::<i64>().map_err(|_| wrong("int"))?.into()),
        Some((key, "double")) => (key, double::parse(value).ok_or_else(|| wrong("double"))?.into()),
        Some((key, "bool")) => (key, value.parse::<bool>().map_err(|_| wrong("bool"))?.into()),
        Some((_, kind)) => return Err(unknown_type(key, kind, value)),
        None => (key, infer(value)),
    };
    if key.is_empty() {
        return Err(CommandError::usage(format!("--property: `{text}` has no key")).hint("write --property KEY=VALUE"));
    }
    Ok((key.to_owned(), value))
}

/// A key may contain colons, but then needs a type: otherwise a misspelt type would become a part of the key.
fn unknown_type(key: &str, kind: &str, value: &str) -> CommandError {
    CommandError::usage(format!("--property: `{kind}` in `{key}={value}` is not a type")).hint(format!(
        "the types are string, int, double and bool; if the key is `{key}`, add a type: `{key}:string={value}`"
    ))
}

/// Infers the type: a number only if parsing is lossless, so `007` and long digits are strings, as are words like
/// `nan`.
fn infer(value: &str) -> MetadataValue {
    match value {
        "true" => return MetadataValue::Bool(true),
        "false" => return MetadataValue::Bool(false),
        _ => {}
    }
    if let Ok(number) = value.parse::<i64>()
        && number.to_string() == value
    {
        return MetadataValue::Int(number);
    }
    let digits = value.strip_prefix('-').unwrap_or(value);
    // A point or a signed exponent: `12e5` may be the beginning of a commit hash.
    let looks_like_a_double = digits.starts_with(|character: char| character.is_ascii_digit() || character == '.')
        && (digits.contains('.') || digits.contains("e-") || digits.contains("e+"));
    match finite(value) {
        Some(number) if looks_like_a_double => MetadataValue::Double(number),
        _ => MetadataValue::from(value),
    }
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_inferred_from_the_value() {
        for (text, key, value) in [
            ("a=true", "a", MetadataValue::Bool(true)),
            ("a=True", "a", "True".into()),
            ("a=5", "a", 5.into()),
            ("a=-5", "a", (-5).into()),
            ("a=007", "a", "007".into()),
            ("a=+5", "a", "+5".into()),
            ("a=99999999999999999999", "a", "99999999999999999999".into()),
            ("a=0.90", "a", 0.9.into()),
            ("a=1e-3", "a", 0.001.into()),
            ("a=12e5", "a", "12e5".into()),
            ("a=1.2.3", "a", "1.2.3".into()),
            ("a=nan", "a", "nan".into()),
            ("a=1.5e999", "a", "1.5e999".into()),
            ("a=", "a", "".into()),
            ("a=b=c", "a", "b=c".into()),
            ("a:string=5", "a", "5".into()),
            ("a:double=5", "a", 5.0.into()),
            ("a:double=-inf", "a", f64::NEG_INFINITY.into()),
            ("a:int=007", "a", 7.into()),
            ("a:b:int=5", "a:b", 5.into()),
            ("a=b:c", "a", "b:c".into()),
            ("a:b:bool=false", "a:b", false.into()),
        ] {
            assert_eq!(property(text).unwrap(), (key.to_owned(), value), "{text}");
        }
    }

    #[test]
    fn a_value_has_to_match_the_explicit_type() {
        for text in ["a", "=5", ":int=5", "a:int=5.0", "a:double=1e999", "a:bool=yes"] {
            assert!(property(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_unknown_type_is_not_a_part_of_the_key() {
        for text in ["a:integer=5", "a:Int=5", "a:=5", "a:b=5"] {
            let error = property(text).unwrap_err().to_string();
            assert!(error.ends_with("is not a type"), "{error}");
        }
    }
}
