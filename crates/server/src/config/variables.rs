//! Environment variables with our prefix that are no settings: a likely misspelling is an error, because the setting
//! would silently keep its default; any other name gets a warning, because other programs may use the prefix.

use model_registry_base::nearest_by_edits;

use super::load::Schema;
use super::setting::Group;
use super::{ConfigError, Environment};

const PREFIX: &str = "MR_";
/// Variables of the tests of this project.
const TEST_PREFIX: &str = "MR_TEST_";
/// Read in addition to the settings.
const CONFIG: &str = "MR_CONFIG";
/// Names of up to this length, without the prefix, are near others by one edit only, longer ones by two.
const SHORT: usize = 6;
/// Endings that people add to the name of a setting.
const ADDED_ENDINGS: [&str; 6] = ["_URL", "_URI", "_DSN", "_ADDRESS", "_ADDR", "_PATH"];
/// The maximum length of an ending that people leave out.
const LEFT_OUT: usize = 4;

/// Returns warnings about unknown variables; the error is one whose name is near that of a setting.
pub(super) fn check(schema: &Schema, environment: &Environment) -> Result<Vec<String>, ConfigError> {
    let settings = schema.settings().iter().filter(|setting| setting.group != Group::Ignored);
    let mut known: Vec<String> = settings.clone().map(|setting| setting.variable()).collect();
    known.extend(settings.filter(|setting| setting.value_type.is_secret()).map(|setting| setting.variable() + "_FILE"));
    known.push(CONFIG.to_owned());
    let others: &[&str] = schema.other_variables();
    let ignored = |name: &str| {
        let mut settings = schema.settings().iter().filter(|setting| setting.group == Group::Ignored);
        settings.any(|setting| setting.variable() == name)
    };
    let mut warnings = Vec::new();
    for name in environment.names().filter(|name| name.starts_with(PREFIX) && !name.starts_with(TEST_PREFIX)) {
        let Some(value) = environment.get(name) else { continue };
        let is_known = known.iter().any(|variable| variable == name) || others.contains(&name) || ignored(name);
        if is_known || is_of_a_service(name, value) {
            continue;
        }
        match nearest(name, &known) {
            Some(nearest) => {
                let reason = format!(
                    "this is not a setting: did you mean {nearest}? Correct or remove the variable, since the setting \
                     would silently keep its default"
                );
                return Err(ConfigError::new(name, reason));
            }
            None => warnings.push(format!("{name} is not a setting of this program; it has no effect")),
        }
    }
    Ok(warnings)
}

/// Whether Kubernetes sets the variable in every pod, for a Service whose name starts with `mr`.
fn is_of_a_service(name: &str, value: &str) -> bool {
    let is_address = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    is_address
        || name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || ["_TCP_", "_UDP_", "_SCTP_"].iter().any(|protocol| name.contains(protocol))
}

/// The known name that was probably meant.
fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let limit = if name.len() - PREFIX.len() <= SHORT { 1 } else { 2 };
    let near = nearest_by_edits(name, known.iter().map(String::as_str), limit);
    let with_ending = || {
        known
            .iter()
            .find(|variable| ADDED_ENDINGS.iter().any(|ending| name.strip_suffix(ending) == Some(variable.as_str())))
    };
    let without_ending = || {
        known.iter().find(|variable| {
            name.len() > PREFIX.len() + 3 && variable.strip_prefix(name).is_some_and(|rest| rest.len() <= LEFT_OUT)
        })
    };
    near.or_else(|| with_ending().or_else(without_ending).map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SETTINGS;

    fn check_one(name: &str, value: &str) -> Result<Vec<String>, String> {
        let schema = Schema::new(&[SETTINGS]).with_other_variables(&["MR_SERVER"]);
        check(&schema, &Environment::from_iter([(name, value)])).map_err(|error| error.to_string())
    }

    #[test]
    fn a_variable_near_a_setting_stops_the_start_and_names_it() {
        for (name, nearest) in [
            ("MR_DATABSE", "MR_DATABASE"),
            ("MR_DATABASE_URL", "MR_DATABASE"),
            ("MR_DATABASE_FILES", "MR_DATABASE_FILE"),
            ("MR_EMBEDMD_DATABASE_DNS", "MR_EMBEDMD_DATABASE_DSN"),
            ("MR_AUTHMODE", "MR_AUTH_MODE"),
            ("MR_AUTH_TOKEN_FILE", "MR_AUTH_TOKENS_FILE"),
            ("MR_ALOW_ANONYMOUS", "MR_ALLOW_ANONYMOUS"),
            ("MR_HOST", "MR_HOSTNAME"),
            ("MR_PROT", "MR_PORT"),
            ("MR_CONFG", "MR_CONFIG"),
            ("MR_LISTEN_ADDRESS", "MR_LISTEN"),
        ] {
            let error = check_one(name, "x").unwrap_err();
            assert!(error.starts_with(&format!("{name}: this is not a setting: did you mean {nearest}?")), "{error}");
        }
    }

    #[test]
    fn an_unrelated_variable_gets_a_warning() {
        let warning = "MR_SOMETHING_ELSE is not a setting of this program; it has no effect";
        assert_eq!(check_one("MR_SOMETHING_ELSE", "x").unwrap(), [warning]);
    }

    #[test]
    fn known_variables_empty_ones_and_those_of_kubernetes_are_accepted() {
        for (name, value) in [
            ("MR_DATABASE", "x"),
            ("MR_DATABASE_FILE", "x"),
            ("MR_CONFIG", "x"),
            ("MR_SERVER", "x"),
            ("MR_DATABSE", ""),
            ("MR_TEST_POSTGRES_URL", "x"),
            ("MR_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("MR_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("MR_PORT_8080_TCP_PROTO", "tcp"),
            ("MR_SERVICE_HOST", "10.0.0.1"),
            ("MR_SERVICE_PORT", "8080"),
            ("MR_SERVICE_PORT_HTTP_API", "8080"),
            ("MR_DATABASES_PORT", "tcp://10.0.0.1:5432"),
            ("OTHER_DATABSE", "x"),
        ] {
            assert_eq!(check_one(name, value), Ok(Vec::new()), "{name}");
        }
    }
}
