//! Recommends configurations of a model for a request rate: on each type of hardware, the cheapest one, and those that are
//! dearer but faster by a margin. parity: the algorithm is that of the Kubeflow Model Registry.

use std::collections::BTreeMap;

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
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
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
        let rps = self.number(&names.rps).filter(|rps| *rps > 0.0).unwrap_or(1.0);
        let replicas = (f64::from(target_rps) / rps).ceil().clamp(1.0, MAX_REPLICAS);
        let custom = self.document.entry("customProperties").or_insert_with(|| Map::new().into());
        #[expect(clippy::cast_possible_truncation, reason = "an integer below 2^31")]
        let count = replicas as i64;
        custom["replicas"] = CustomProperty::Int(count).to_json();
        custom["total_requests_per_second"] = CustomProperty::Double(replicas * rps).to_json();
    }

    /// The number of devices of all replicas. 128 bits, so that no product overflows.
    fn cost(&self, names: &PropertyNames) -> i128 {
        #[expect(clippy::cast_possible_truncation, reason = "a number of devices")]
        let whole = |name: &str| self.number(name).map_or(1, |number| number as i128);
        whole(&names.hardware_count) * whole("replicas")
    }
}

/// The recommended ones among metrics with replicas, in their order.
pub(crate) fn recommended(metrics: Vec<PerformanceMetrics>, names: &PropertyNames) -> Vec<PerformanceMetrics> {
    let mut groups: BTreeMap<&str, Vec<&PerformanceMetrics>> = BTreeMap::new();
    for one in &metrics {
        groups.entry(one.string(&names.hardware_type)).or_default().push(one);
    }
    let kept: Vec<i64> = groups.into_values().flat_map(|group| best_of_group(group, names)).collect();
    metrics.into_iter().filter(|one| kept.contains(&one.id)).collect()
}

/// The ids of the recommended ones on one type of hardware, the cheapest first: each dearer one is faster by more than 5 % or
/// 10 %.
fn best_of_group(mut group: Vec<&PerformanceMetrics>, names: &PropertyNames) -> Vec<i64> {
    let positive =
        |one: &PerformanceMetrics, name: &str| one.number(name).filter(|number| *number > 0.0).unwrap_or(f64::INFINITY);
    group.sort_by(|a, b| {
        let latency = positive(a, &names.latency).total_cmp(&positive(b, &names.latency));
        latency.then_with(|| positive(a, &names.hardware_count).total_cmp(&positive(b, &names.hardware_count)))
    });
    let mut cheaper: Vec<&PerformanceMetrics> = Vec::new();
    let mut lowest_cost = i128::MAX;
    for one in group {
        let cost = one.cost(names);
        if cost < lowest_cost {
            lowest_cost = cost;
            cheaper.push(one);
        }
    }
    let mut cheapest_first = cheaper.into_iter().rev();
    let Some(first) = cheapest_first.next() else { return Vec::new() };
    let mut kept = vec![first.id];
    let mut last = first.number(&names.latency).unwrap_or(0.0);
    let mut threshold = 0.05;
    for one in cheapest_first {
        if last <= 100.0 {
            threshold = 0.10;
        }
        let latency = one.number(&names.latency).unwrap_or(last);
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

    fn row(id: i64, rps: f64, latency: f64, count: i64) -> PerformanceMetrics {
        let custom = json!({
            "rps": CustomProperty::Double(rps).to_json(),
            "latency": CustomProperty::Double(latency).to_json(),
            "count": CustomProperty::Int(count).to_json(),
        });
        let Value::Object(document) = json!({"customProperties": custom}) else { panic!("an object") };
        let mut metrics = PerformanceMetrics { id, document };
        metrics.add_replicas(&names(), 300);
        metrics
    }

    fn ids(rows: Vec<PerformanceMetrics>) -> Vec<i64> {
        recommended(rows, &names()).into_iter().map(|row| row.id).collect()
    }

    #[test]
    fn a_dearer_configuration_is_recommended_only_if_it_is_faster() {
        assert_eq!(ids(vec![row(1, 250.0, 50.0, 2), row(2, 150.0, 120.0, 3), row(3, 100.0, 200.0, 5)]), [1]);
        assert_eq!(ids(vec![row(3, 100.0, 200.0, 5), row(2, 150.0, 120.0, 1), row(1, 250.0, 50.0, 2)]), [2, 1]);
    }

    #[test]
    fn a_single_configuration_is_recommended_at_any_cost() {
        let mut only = row(1, 0.5, 0.0, i64::MAX);
        only.add_replicas(&names(), i32::MAX);
        assert_eq!(ids(vec![only]), [1]);
    }
}
