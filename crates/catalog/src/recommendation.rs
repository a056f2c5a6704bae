//! Recommends configurations of a model for a request rate: on each type of hardware, the cheapest one, and those that are
//! dearer but faster by a margin. parity: the algorithm is that of the Kubeflow Model Registry.

use std::collections::{BTreeMap, HashSet};

use model_registry_api::CustomProperty;
use serde_json::{Map, Value};

/// The names of the custom properties that the algorithm reads.
#[derive(Clone, Debug)]
pub(crate) struct PropertyNames {
    pub(crate) rps: String,
    pub(crate) latency: String,
    pub(crate) hardware_count: String,
    pub(crate) hardware_type: String,
}

const MAX_REPLICAS: f64 = 2_147_483_647.0;

/// A performance metrics artifact of a model: the performance of one configuration.
#[derive(Clone, Debug)]
pub(crate) struct PerformanceMetrics {
    pub(crate) id: i64,
    pub(crate) document: Map<String, Value>,
}

impl PerformanceMetrics {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.document.get("customProperties").is_some_and(|custom| custom.get(name).is_some())
    }

    /// The value of an integer or double property.
    fn number(&self, name: &str) -> Option<f64> {
        match CustomProperty::of(&self.document, name)? {
            #[expect(clippy::cast_precision_loss, reason = "rates, latencies and counts are compared approximately")]
            CustomProperty::Int(value) => Some(value as f64),
            CustomProperty::Double(value) => Some(value),
            _ => None,
        }
    }

    /// The value of a string property; empty if there is none.
    fn string(&self, name: &str) -> &str {
        match CustomProperty::of(&self.document, name) {
            Some(CustomProperty::String(value)) => value,
            _ => "",
        }
    }

    /// Adds the number of replicas that the rate needs, and the rate that they serve together.
    pub(crate) fn add_replicas(&mut self, names: &PropertyNames, target_rps: i32) {
        let configuration = Configuration::of(self, names, target_rps);
        let custom = self.document.entry("customProperties").or_insert_with(|| Map::new().into());
        custom["replicas"] = CustomProperty::Int(configuration.replicas).to_json();
        custom["total_requests_per_second"] = CustomProperty::Double(configuration.total_rps).to_json();
    }
}

/// What the algorithm reads of performance metrics.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) id: i64,
    pub(crate) latency: Option<f64>,
    hardware_count: Option<f64>,
    hardware_type: String,
    /// The number of replicas that the rate needs, and the rate that they serve together.
    replicas: i64,
    total_rps: f64,
}

impl Configuration {
    pub(crate) fn of(metrics: &PerformanceMetrics, names: &PropertyNames, target_rps: i32) -> Self {
        let rps = metrics.number(&names.rps).filter(|rps| *rps > 0.0).unwrap_or(1.0);
        let replicas = (f64::from(target_rps) / rps).ceil().clamp(1.0, MAX_REPLICAS);
        #[expect(clippy::cast_possible_truncation, reason = "an integer below 2^31")]
        let count = replicas as i64;
        Self {
            id: metrics.id,
            latency: metrics.number(&names.latency),
            hardware_count: metrics.number(&names.hardware_count),
            hardware_type: metrics.string(&names.hardware_type).to_owned(),
            replicas: count,
            total_rps: replicas * rps,
        }
    }

    /// The number of devices of all replicas. 128 bits, so that no product overflows.
    fn cost(&self) -> i128 {
        #[expect(clippy::cast_possible_truncation, reason = "a number of devices")]
        let devices = self.hardware_count.map_or(1, |count| count as i128);
        devices * i128::from(self.replicas)
    }
}

/// The ids of the recommended configurations of a model.
pub(crate) fn recommended(configurations: &[Configuration]) -> HashSet<i64> {
    let mut groups: BTreeMap<&str, Vec<&Configuration>> = BTreeMap::new();
    for one in configurations {
        groups.entry(&one.hardware_type).or_default().push(one);
    }
    groups.into_values().flat_map(best_of_group).collect()
}

/// The ids of the recommended ones on one type of hardware, the cheapest first: each dearer one is faster by more than 5 % or
/// 10 %.
fn best_of_group(mut group: Vec<&Configuration>) -> Vec<i64> {
    let positive = |number: Option<f64>| number.filter(|number| *number > 0.0).unwrap_or(f64::INFINITY);
    group.sort_by(|a, b| {
        let latency = positive(a.latency).total_cmp(&positive(b.latency));
        latency.then_with(|| positive(a.hardware_count).total_cmp(&positive(b.hardware_count)))
    });
    let mut cheaper: Vec<&Configuration> = Vec::new();
    let mut lowest_cost = i128::MAX;
    for one in group {
        let cost = one.cost();
        if cost < lowest_cost {
            lowest_cost = cost;
            cheaper.push(one);
        }
    }
    let mut cheapest_first = cheaper.into_iter().rev();
    let Some(first) = cheapest_first.next() else { return Vec::new() };
    let mut kept = vec![first.id];
    let mut last = first.latency.unwrap_or(0.0);
    let mut threshold = 0.05;
    for one in cheapest_first {
        if last <= 100.0 {
            threshold = 0.10;
        }
        let latency = one.latency.unwrap_or(last);
        if (last - latency) / last > threshold {
            kept.push(one.id);
            last = latency;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names() -> PropertyNames {
        PropertyNames {
            rps: "rps".to_owned(),
            latency: "latency".to_owned(),
            hardware_count: "count".to_owned(),
            hardware_type: "type".to_owned(),
        }
    }

    fn configuration(id: i64, rps: f64, latency: f64, count: i64, target_rps: i32) -> Configuration {
        let custom = json!({
            "rps": CustomProperty::Double(rps).to_json(),
            "latency": CustomProperty::Double(latency).to_json(),
            "count": CustomProperty::Int(count).to_json(),
        });
        let Value::Object(document) = json!({"customProperties": custom}) else { panic!("an object") };
        Configuration::of(&PerformanceMetrics { id, document }, &names(), target_rps)
    }

    fn row(id: i64, rps: f64, latency: f64, count: i64) -> Configuration {
        configuration(id, rps, latency, count, 300)
    }

    #[test]
    fn a_dearer_configuration_is_recommended_only_if_it_is_faster() {
        let one = [row(1, 250.0, 50.0, 2), row(2, 150.0, 120.0, 3), row(3, 100.0, 200.0, 5)];
        assert_eq!(recommended(&one), HashSet::from([1]));
        let two = [row(3, 100.0, 200.0, 5), row(2, 150.0, 120.0, 1), row(1, 250.0, 50.0, 2)];
        assert_eq!(recommended(&two), HashSet::from([2, 1]));
    }

    #[test]
    fn a_single_configuration_is_recommended_at_any_cost() {
        let only = configuration(1, 0.5, 0.0, i64::MAX, i32::MAX);
        assert_eq!(recommended(&[only]), HashSet::from([1]));
    }

    #[test]
    fn replicas_are_added_to_the_custom_properties() {
        let Value::Object(document) = json!({"id": "7"}) else { panic!("an object") };
        let mut metrics = PerformanceMetrics { id: 7, document };
        metrics.add_replicas(&names(), 5);
        assert_eq!(metrics.number("replicas"), Some(5.0));
        assert_eq!(metrics.number("total_requests_per_second"), Some(5.0));
    }
}
