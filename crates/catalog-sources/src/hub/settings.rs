//! What a source of type `hf` says in its `properties`, and when it is read next.

use std::time::Duration;

use model_registry_base::hex;
use model_registry_base::parse_duration;
use model_registry_server::config::Environment;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Measured;
use super::pattern::{self, Wanted};
use crate::configuration::Source;
use model_registry_api::catalog::AssetType;

pub(super) const DEFAULT_URL: &str = "https://huggingface.co";
const DEFAULT_TOKEN_VARIABLE: &str = "HF_API_KEY";
const DEFAULT_INTERVAL: Duration = Duration::from_hours(24);
/// More often would be no courtesy to the hub.
const LEAST_INTERVAL: Duration = Duration::from_mins(1);

pub(super) fn url(source: &Source) -> &str {
    source.text_property("url").unwrap_or(DEFAULT_URL).trim_end_matches('/')
}

pub(super) fn organization(source: &Source) -> Option<&str> {
    source.text_property("allowedOrganization")
}

/// The token, from the variable that the source names. Files that variables are made of often end with a line break.
pub(super) fn token<'a>(source: &Source, environment: &'a Environment) -> Option<&'a str> {
    let value = environment.get(source.text_property("apiKeyEnvVar").unwrap_or(DEFAULT_TOKEN_VARIABLE));
    value.map(str::trim).filter(|token| !token.is_empty())
}

/// How many models each pattern lets in.
pub(super) fn limit(source: &Source) -> usize {
    let limit = source.properties.get("maxModels").and_then(Value::as_u64).filter(|limit| *limit > 0);
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// Which models the source asks for; the error is what is wrong with its configuration.
pub fn wanted(source: &Source) -> Result<Vec<Wanted>, String> {
    pattern::wanted(source.included.as_deref().unwrap_or_default(), organization(source))
}

/// Whether a source is read from a hub, at its own pace. One that is misconfigured is left to the loader, which says so.
pub fn is_read(source: &Source) -> bool {
    let is_hub = source.kind == "hf" && source.asset == AssetType::Models;
    is_hub && source.enabled && source.broken.is_none() && wanted(source).is_ok()
}

/// The source's own sync interval.
pub fn interval(source: &Source) -> Duration {
    let chosen = source.text_property("syncInterval").and_then(duration);
    chosen.map_or(DEFAULT_INTERVAL, |chosen| chosen.max(LEAST_INTERVAL))
}

/// How long to wait until the next sync, after so many in a row that failed.
pub fn pause(source: &Source, failures: u32) -> Duration {
    pause_of(interval(source), failures)
}

fn pause_of(interval: Duration, failures: u32) -> Duration {
    match failures.checked_sub(1) {
        None => interval,
        Some(doublings) => LEAST_INTERVAL.saturating_mul(2_u32.saturating_pow(doublings)).min(interval),
    }
}

/// Tells apart what is read differently: another configuration of a source, the first token, other measurements. How the
/// source is called does not matter.
pub fn fingerprint(source: &Source, environment: &Environment, measured: &Measured) -> String {
    let has_token = token(source, environment).is_some();
    let read = json!([source.included, source.excluded, source.properties, has_token, measured.fingerprint()]);
    hex(&Sha256::digest(read.to_string().as_bytes()))
}

/// Parses a sync interval, such as `90s`, `1h30m` or `1d`. An interval of zero is an error.
pub fn duration(text: &str) -> Option<Duration> {
    parse_duration(text).ok().filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn source(properties: Value) -> Source {
        let Value::Object(properties) = properties else { panic!("an object") };
        Source {
            id: "hub".to_owned(),
            asset: AssetType::Models,
            listed_as: None,
            name: "Hub".to_owned(),
            kind: "hf".to_owned(),
            enabled: true,
            labels: Vec::new(),
            included: Some(vec!["org/*".to_owned()]),
            excluded: None,
            properties,
            origin: PathBuf::new(),
            broken: None,
        }
    }

    #[test]
    fn a_sync_that_failed_is_repeated_soon_and_then_less_often() {
        let minutes: Vec<u64> = (0..13).map(|failures| pause_of(DEFAULT_INTERVAL, failures).as_secs() / 60).collect();
        assert_eq!(minutes[..5], [24 * 60, 1, 2, 4, 8]);
        assert_eq!(minutes[12], 24 * 60, "no more often than it would be without failures");
    }

    #[test]
    fn intervals_are_written_as_the_reference_takes_them() {
        assert_eq!(duration("1h30m"), Some(Duration::from_mins(90)));
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("1d"), Some(Duration::from_hours(24)));
        for wrong in ["", "h", "0s", "-1h"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    // The reference crashes when an interval is zero or negative, and never looks at maxModels.
    #[test]
    fn properties_that_cannot_be_used_are_harmless() {
        for (interval_text, expected) in [("0s", DEFAULT_INTERVAL), ("-1h", DEFAULT_INTERVAL), ("5s", LEAST_INTERVAL)] {
            let source = source(json!({"syncInterval": interval_text, "maxModels": "many", "url": 5}));
            assert_eq!(interval(&source), expected, "{interval_text}");
            assert_eq!((limit(&source), url(&source)), (usize::MAX, DEFAULT_URL));
        }
        let fine = json!({"syncInterval": "30m", "maxModels": 7, "url": "https://x/", "allowedOrganization": "o"});
        let fine = source(fine);
        assert_eq!(interval(&fine), Duration::from_mins(30));
        assert_eq!((limit(&fine), url(&fine), organization(&fine)), (7, "https://x", Some("o")));
    }

    #[test]
    fn only_what_is_read_differently_has_another_fingerprint() {
        let nobody = Environment::default();
        let first = source(json!({}));
        let same = Source { name: "Other".to_owned(), labels: vec!["x".to_owned()], ..first.clone() };
        assert_eq!(
            fingerprint(&first, &nobody, &Measured::default()),
            fingerprint(&same, &nobody, &Measured::default())
        );
        let other = source(json!({"maxModels": 3}));
        assert_ne!(
            fingerprint(&first, &nobody, &Measured::default()),
            fingerprint(&other, &nobody, &Measured::default())
        );
        let with_token: Environment = [(DEFAULT_TOKEN_VARIABLE, "hf_x")].into_iter().collect();
        assert_ne!(
            fingerprint(&first, &nobody, &Measured::default()),
            fingerprint(&first, &with_token, &Measured::default())
        );
    }
}
