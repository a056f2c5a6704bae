//! Parses and validates the values of settings. A value that passes [`check`] can be parsed by the other functions
//! here.

use std::path::Path;

use model_registry_base::files::RegularFile;
use model_registry_base::parse_duration;
use model_registry_base::time::http_date_of_day;

use super::setting::SettingType;

/// Validates a value; the error states the mistake and the expected form.
pub(super) fn check(value_type: SettingType, text: &str) -> Result<(), String> {
    match value_type {
        SettingType::String | SettingType::List | SettingType::Path | SettingType::Secret | SettingType::SecretUrl => {
            Ok(())
        }
        SettingType::Number(least, most) => match text.parse::<u64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(()),
            _ => Err(format!("`{text}` is not a whole number from {least} to {most}")),
        },
        SettingType::Bool => boolean(text).map(|_| ()).ok_or_else(|| format!("`{text}` is not true or false")),
        SettingType::Date if text.is_empty() => Ok(()),
        SettingType::Date => http_date_of_day(text)
            .map(|_| ())
            .ok_or_else(|| format!("`{text}` is not a date: write YYYY-MM-DD, such as 2027-04-29")),
        SettingType::Duration => parse_duration(text).map(|_| ()).map_err(|error| error.to_string()),
        SettingType::Size => size(text).map(|_| ()).ok_or_else(|| {
            format!("`{text}` is not a size: write bytes, or a number with KiB, MiB or GiB, such as 16MiB")
        }),
        SettingType::Fraction => {
            fraction(text).map(|_| ()).ok_or_else(|| format!("`{text}` is not a fraction from 0 to 1"))
        }
        SettingType::Choice(words) if words.contains(&text) => Ok(()),
        SettingType::Choice(words) => Err(format!("`{text}` is not one of {}", words.join(", "))),
        SettingType::File => match RegularFile::open(Path::new(text)) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("cannot read `{text}`: {error}")),
        },
    }
}

/// Parses a boolean as Go's flag package does: existing manifests were written for it.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "t" | "T" | "1" => Some(true),
        "false" | "False" | "FALSE" | "f" | "F" | "0" => Some(false),
        _ => None,
    }
}

pub fn size(text: &str) -> Option<usize> {
    let (number, unit) = split_unit(text)?;
    let bytes = match unit {
        "" | "B" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        "GiB" => 1024 * 1024 * 1024,
        _ => return None,
    };
    number.checked_mul(bytes).and_then(|bytes| usize::try_from(bytes).ok())
}

pub(super) fn fraction(text: &str) -> Option<f64> {
    text.parse().ok().filter(|fraction| (0.0..=1.0).contains(fraction))
}

fn split_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_two() {
        assert_eq!(size("65536"), Some(65536));
        assert_eq!(size("16MiB"), Some(16 << 20));
        for wrong in ["", "1MB", "MiB", "-1", "99999999999GiB"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_date_exists_in_the_calendar() {
        assert_eq!(check(SettingType::Date, "2027-04-29"), Ok(()));
        assert_eq!(check(SettingType::Date, ""), Ok(()));
        let message = check(SettingType::Date, "2027-13-01").unwrap_err();
        assert_eq!(message, "`2027-13-01` is not a date: write YYYY-MM-DD, such as 2027-04-29");
    }

    #[test]
    fn the_error_states_the_mistake_and_the_expected_form() {
        let message = check(SettingType::Choice(&["none", "token"]), "ldap").unwrap_err();
        assert_eq!(message, "`ldap` is not one of none, token");
        assert!(
            check(SettingType::File, "/does/not/exist").unwrap_err().starts_with("cannot read `/does/not/exist`: ")
        );
        assert_eq!(
            check(SettingType::File, "/").unwrap_err(),
            "cannot read `/`: it is a directory, not a regular file"
        );
        assert_eq!(
            check(SettingType::Number(0, 65_535), "70000").unwrap_err(),
            "`70000` is not a whole number from 0 to 65535"
        );
    }
}
