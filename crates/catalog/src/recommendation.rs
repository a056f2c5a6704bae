//! Which measured configurations to recommend for a request rate (catalog-service 2.11). Pure arithmetic over documents.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use model_registry_catalog_sources::{double_property, int_property};

/// The names of the properties that the arithmetic looks at.
#[derive(Clone, Debug)]
pub(crate) struct PropertyNames {
    pub(crate) rps: String,
    pub(crate) latency: String,
    pub(crate) hardware_count: String,
    pub(crate) hardware_type: String,
}

const MOST_REPLICAS: f64 = 2_147_483_647.0;

/// One measurement of a model.
#[derive(Clone, Debug)]
pub(crate) struct Measurement {
    pub(crate) id: i64,
    pub(crate) document: Map<String, Value>,
}

impl Measurement {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.document.get("customProperties").is_some_and(|custom| custom.get(name).is_some())
    }

    /// A number, whether it was written with a point or without.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        let property = self.document.get("customProperties")?.get(name)?;
        let whole = || property.get("int_value")?.as_str()?.parse::<f64>().ok();
        property.get("double_value").and_then(Value::as_f64).or_else(whole)
    }

    fn text(&self, name: &str) -> &str {
        let property = self.document.get("customProperties").and_then(|custom| custom.get(name));
        property.and_then(|property| property.get("string_value")?.as_str()).unwrap_or_default()
    }

    /// Adds how many replicas the rate takes and what they serve together.
    pub(crate) fn add_replicas(&mut self, names: &PropertyNames, target_rps: i32) {
        let rps = self.number(&names.rps).filter(|rps| *rps > 0.0).unwrap_or(1.0);
        let replicas = (f64::from(target_rps) / rps).ceil().clamp(1.0, MOST_REPLICAS);
        let custom = self.document.entry("customProperties").or_insert_with(|| Map::new().into());
        #[expect(clippy::cast_possible_truncation, reason = "within 32 bits, and whole")]
        let count = replicas as i64;
        custom["replicas"] = int_property(count);
        custom["total_requests_per_second"] = double_property(replicas * rps);
    }

    /// How much hardware the replicas take together. 128 bits, so that no measurement overflows.
    fn cost(&self, names: &PropertyNames) -> i128 {
        #[expect(clippy::cast_possible_truncation, reason = "a number of devices")]
        let whole = |name: &str| self.number(name).map_or(1, |number| number as i128);
        whole(&names.hardware_count) * whole("replicas")
    }
}

/// Those worth choosing, in the order given. Replicas have been added.
pub(crate) fn recommended(measurements: Vec<Measurement>, names: &PropertyNames) -> Vec<Measurement> {
    let mut groups: BTreeMap<&str, Vec<&Measurement>> = BTreeMap::new();
    for measurement in &measurements {
        groups.entry(measurement.text(&names.hardware_type)).or_default().push(measurement);
    }
    let kept: Vec<i64> = groups.into_values().flat_map(|group| best_of_group(group, names)).collect();
    measurements.into_iter().filter(|measurement| kept.contains(&measurement.id)).collect()
}

/// The ids worth choosing on one type of hardware: each cheaper one is slower by enough to matter.
fn best_of_group(mut group: Vec<&Measurement>, names: &PropertyNames) -> Vec<i64> {
    let positive = |measurement: &Measurement, name: &str| {
        measurement.number(name).filter(|number| *number > 0.0).unwrap_or(f64::INFINITY)
    };
    group.sort_by(|a, b| {
        let latency = positive(a, &names.latency).total_cmp(&positive(b, &names.latency));
        latency.then_with(|| positive(a, &names.hardware_count).total_cmp(&positive(b, &names.hardware_count)))
    });
    let mut cheaper: Vec<&Measurement> = Vec::new();
    let mut lowest_cost = i128::MAX;
    for measurement in group {
        let cost = measurement.cost(names);
        if cost < lowest_cost {
            lowest_cost = cost;
            cheaper.push(measurement);
        }
    }
    let mut cheapest_first = cheaper.into_iter().rev();
    let Some(first) = cheapest_first.next() else { return Vec::new() };
    let mut kept = vec![first.id];
    let mut last = first.number(&names.latency).unwrap_or(0.0);
    let mut threshold = 0.05;
    for measurement in cheapest_first {
        if last <= 100.0 {
            threshold = 0.10;
        }
        let latency = measurement.number(&names.latency).unwrap_or(last);
        if (last - latency) / last > threshold {
            kept.push(measurement.id);
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

    fn row(id: i64, rps: f64, latency: f64, count: i64) -> Measurement {
        let custom =
            json!({"rps": double_property(rps), "latency": double_property(latency), "count": int_property(count)});
        let Value::Object(document) = json!({"customProperties": custom}) else { panic!("an object") };
        let mut measurement = Measurement { id, document };
        measurement.add_replicas(&names(), 300);
        measurement
    }

    fn ids(rows: Vec<Measurement>) -> Vec<i64> {
        recommended(rows, &names()).into_iter().map(|row| row.id).collect()
    }

    // The example of catalog-service 7.4.
    #[test]
    fn dearer_ones_have_to_be_faster_and_cheaper_ones_are_kept() {
        assert_eq!(ids(vec![row(1, 250.0, 50.0, 2), row(2, 150.0, 120.0, 3), row(3, 100.0, 200.0, 5)]), [1]);
        assert_eq!(ids(vec![row(3, 100.0, 200.0, 5), row(2, 150.0, 120.0, 1), row(1, 250.0, 50.0, 2)]), [2, 1]);
    }

    #[test]
    fn a_lonely_measurement_is_kept_whatever_it_costs() {
        let mut only = row(1, 0.5, 0.0, i64::MAX);
        only.add_replicas(&names(), i32::MAX);
        assert_eq!(ids(vec![only]), [1]);
    }
}
