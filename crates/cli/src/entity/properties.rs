//! Custom properties: `--property key=value`.

use clap::{Arg, ArgAction, ArgMatches, Command};
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
    let texts = arguments.get_many::<String>("property").into_iter().flatten();
    texts.map(|text| property(text)).collect()
}

fn property(text: &str) -> Result<(String, MetadataValue), CommandError> {
    let Some((key, value)) = text.split_once('=') else {
        return Err(CommandError::usage(format!("--property: `{text}` has no `=`")).hint("write --property KEY=VALUE"));
    };
    let wrong = |kind: &str| CommandError::usage(format!("--property: `{value}` in `{text}` is not of type {kind}"));
    let typed = key.rsplit_once(':').and_then(|(key, kind)| match kind {
        "string" => Some((key, Ok(MetadataValue::from(value)))),
        "int" => Some((key, value.parse::<i64>().map(MetadataValue::from).map_err(|_| wrong(kind)))),
        "double" => Some((key, finite(value).map(MetadataValue::from).ok_or_else(|| wrong(kind)))),
        "bool" => Some((key, value.parse::<bool>().map(MetadataValue::from).map_err(|_| wrong(kind)))),
        // The colon is part of the key.
        _ => None,
    });
    let (key, value) = match typed {
        Some((key, value)) => (key, value?),
        None => (key, infer(value)),
    };
    if key.is_empty() {
        return Err(CommandError::usage(format!("--property: `{text}` has no key")).hint("write --property KEY=VALUE"));
    }
    Ok((key.to_owned(), value))
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
            ("a:int=007", "a", 7.into()),
            ("a:b=5", "a:b", 5.into()),
            ("a:b:bool=false", "a:b", false.into()),
        ] {
            assert_eq!(property(text).unwrap(), (key.to_owned(), value), "{text}");
        }
    }

    #[test]
    fn a_value_has_to_match_the_explicit_type() {
        for text in ["a", "=5", ":int=5", "a:int=5.0", "a:double=nan", "a:bool=yes"] {
            assert!(property(text).is_err(), "{text}");
        }
    }
}
