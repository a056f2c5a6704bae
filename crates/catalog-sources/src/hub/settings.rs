//! The properties of a source of type `hf`, and the time of its next sync.

use std::time::Duration;

use model_registry_api::catalog::SourceType;
use model_registry_base::Environment;
use model_registry_base::hex;
use model_registry_base::parse_duration;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::selector::{self, Selector};
use crate::configuration::{Source, TOKEN_VARIABLE, is_own_variable};
use crate::performance_metrics::PerformanceMetricsSnapshot;

pub(super) const DEFAULT_URL: &str = "https://huggingface.co";
const DEFAULT_TOKEN_VARIABLE: &str = "HF_API_KEY";
const DEFAULT_INTERVAL: Duration = Duration::from_hours(24);
/// More frequent syncs would burden the hub.
const SHORTEST_INTERVAL: Duration = Duration::from_mins(1);

pub(super) fn url(source: &Source) -> &str {
    source.string_property("url").unwrap_or(DEFAULT_URL).trim_end_matches('/')
}

pub(super) fn organization(source: &Source) -> Option<&str> {
    source.string_property("allowedOrganization")
}

/// The token, from the environment variable that the source names; variables of the server itself are never sent to a hub.
/// Variables that are made of a file often end with a line break, which is removed.
pub(super) fn token<'a>(source: &Source, environment: &'a Environment) -> Option<&'a str> {
    let named = source.string_property(TOKEN_VARIABLE).filter(|name| !is_own_variable(name));
    let value = environment.get(named.unwrap_or(DEFAULT_TOKEN_VARIABLE));
    value.map(str::trim).filter(|token| !token.is_empty())
}

/// Maximum number of models per pattern.
pub(super) fn model_limit(source: &Source) -> usize {
    let limit = source.properties.get("maxModels").and_then(Value::as_u64).filter(|limit| *limit > 0);
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// The models that the source selects, or the mistake in its configuration.
pub(crate) fn selectors(source: &Source) -> Result<Vec<Selector>, String> {
    let [included, _] = source.patterns();
    selector::parse(&included, organization(source))
}

/// Whether a source is synced with a hub. One with a mistake in its configuration is not: reading the sources reports it.
pub(crate) fn is_hub_source(source: &Source) -> bool {
    let source_type = source.asset_type.spec().sources.source_type(&source.source_type);
    let is_usable = source.enabled && source.problem.is_none();
    source_type == Some(SourceType::Hub) && is_usable && selectors(source).is_ok()
}

/// Time between two syncs.
pub(crate) fn sync_interval(source: &Source) -> Duration {
    let chosen = source.string_property("syncInterval").and_then(|text| parse_duration(text).ok());
    let chosen = chosen.filter(|interval| !interval.is_zero());
    chosen.map_or(DEFAULT_INTERVAL, |interval| interval.max(SHORTEST_INTERVAL))
}

/// Time until the next sync: the interval, or after failures an exponential back-off up to the interval.
pub(crate) fn back_off(interval: Duration, failures_in_a_row: u32) -> Duration {
    match failures_in_a_row.checked_sub(1) {
        None => interval,
        Some(doublings) => SHORTEST_INTERVAL.saturating_mul(2_u32.saturating_pow(doublings)).min(interval),
    }
}

/// A checksum of everything that decides what a sync reads: the configuration of the source, whether there is a token, and
/// the performance metrics. The name and labels of the source do not count.
pub(crate) fn sync_fingerprint(
    source: &Source,
    environment: &Environment,
    metrics: &PerformanceMetricsSnapshot,
) -> String {
    let has_token = token(source, environment).is_some();
    let read = json!([source.included, source.excluded, source.properties, has_token, metrics.fingerprint()]);
    hex(&Sha256::digest(read.to_string().as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use model_registry_api::catalog::AssetType;

    use super::*;

    fn source(properties: Value) -> Source {
        let Value::Object(properties) = properties else { panic!("an object") };
        Source {
            id: "hub".to_owned(),
            asset_type: AssetType::Models,
            states_asset_type: false,
            name: "Hub".to_owned(),
            source_type: "hf".to_owned(),
            enabled: true,
            labels: Vec::new(),
            included: Some(vec!["org/*".to_owned()]),
            excluded: None,
            properties,
            skill_properties: None,
            skills: None,
            origin: PathBuf::new(),
            problem: None,
        }
    }

    #[test]
    fn failed_syncs_are_repeated_with_a_back_off() {
        let minutes: Vec<u64> = (0..13).map(|failures| back_off(DEFAULT_INTERVAL, failures).as_secs() / 60).collect();
        assert_eq!(minutes[..5], [24 * 60, 1, 2, 4, 8]);
        assert_eq!(minutes[12], 24 * 60, "no longer than without failures");
    }

    // The Kubeflow Model Registry crashes when an interval is zero or negative, and ignores maxModels.
    #[test]
    fn invalid_properties_fall_back_to_defaults() {
        for (interval, expected) in [
            ("0s", DEFAULT_INTERVAL),
            ("-1h", DEFAULT_INTERVAL),
            ("daily", DEFAULT_INTERVAL),
            ("5s", SHORTEST_INTERVAL),
            ("1d", Duration::from_hours(24)),
            ("1h30m", Duration::from_mins(90)),
        ] {
            let source = source(json!({"syncInterval": interval, "maxModels": "many", "url": 5}));
            assert_eq!(sync_interval(&source), expected, "{interval}");
            assert_eq!((model_limit(&source), url(&source)), (usize::MAX, DEFAULT_URL));
        }
        let valid = json!({"syncInterval": "30m", "maxModels": 7, "url": "https://x/", "allowedOrganization": "o"});
        let valid = source(valid);
        assert_eq!(sync_interval(&valid), Duration::from_mins(30));
        assert_eq!((model_limit(&valid), url(&valid), organization(&valid)), (7, "https://x", Some("o")));
    }

    #[test]
    fn a_variable_of_the_server_is_never_sent_to_a_hub() {
        let variables: Environment =
            [("PGPASSWORD", "secret"), (DEFAULT_TOKEN_VARIABLE, "hf_x"), ("LAB", "hf_y")].into_iter().collect();
        for (name, expected) in [("PGPASSWORD", "hf_x"), ("MR_DATABASE", "hf_x"), ("LAB", "hf_y")] {
            assert_eq!(token(&source(json!({"apiKeyEnvVar": name})), &variables), Some(expected), "{name}");
        }
    }

    #[test]
    fn the_fingerprint_changes_only_with_what_decides_what_is_read() {
        let (no_variables, metrics) = (Environment::default(), PerformanceMetricsSnapshot::default());
        let first = source(json!({}));
        let renamed = Source { name: "Other".to_owned(), labels: vec!["x".to_owned()], ..first.clone() };
        let fingerprint = sync_fingerprint(&first, &no_variables, &metrics);
        assert_eq!(fingerprint, sync_fingerprint(&renamed, &no_variables, &metrics));
        let limited = source(json!({"maxModels": 3}));
        assert_ne!(fingerprint, sync_fingerprint(&limited, &no_variables, &metrics));
        let with_token: Environment = [(DEFAULT_TOKEN_VARIABLE, "hf_x")].into_iter().collect();
        assert_ne!(fingerprint, sync_fingerprint(&first, &with_token, &metrics));
    }
}
