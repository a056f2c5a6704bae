//! The alert rules and the dashboard in `deploy/monitoring` use only metrics and labels that the executable exports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use model_registry_testkit::{HubServer, Ready};
use regex::Regex;
use serde_json::{Value, json};

use crate::support::{Client, eventually, role_on};

/// Functions and aggregations that the expressions use; a misspelt one would be taken for a metric or found missing here.
const FUNCTIONS: &[&str] =
    &["changes", "count", "deriv", "histogram_quantile", "max", "min", "rate", "sum", "time", "topk"];
const KEYWORDS: &[&str] = &["and", "or"];
/// Labels that Prometheus adds to every series.
const ADDED_LABELS: &[&str] = &["instance", "job"];

/// The labels of each exported metric.
type Exported = BTreeMap<String, BTreeSet<String>>;

/// Scrapes a server with a source of each type, after requests.
async fn exported() -> Exported {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/m", 1);
    let sources =
        "model_catalogs:\n- {name: Hub, id: hub, type: hf, includedModels: ['org/*'], properties: {url: 'URL'}}\n";
    let server = role_on("up", "sqlite:x.db")
        .arguments(["--catalogs-path", "sources.yaml", "--allow-private-hubs", "--hub-hosts", "127.0.0.1"])
        .file("sources.yaml", &sources.replace("URL", &hub.base_url()))
        .ready(Ready::Listening)
        .start()
        .await
        .unwrap();
    let client = Client::of(&server);
    eventually("the hub is synced", async || {
        client.get("/metrics").await.body.as_str().is_some_and(|text| text.contains("catalog_source_items{"))
    })
    .await;
    client.create("registered_models", &json!({"name": "m"})).await;
    let text = client.get("/metrics").await.body;
    let mut exported = Exported::new();
    for line in text.as_str().unwrap().lines().filter(|line| !line.starts_with('#')) {
        let (name, labels) = line.split_once(['{', ' ']).unwrap();
        let labels = if line.contains('{') { labels.split_once('}').unwrap().0 } else { "" };
        let names = labels.split("\",").filter_map(|label| label.split_once('=')).map(|(name, _)| name.to_owned());
        exported.entry(name.to_owned()).or_default().extend(names);
    }
    exported
}

/// The metrics of an expression with the labels that it matches or groups by. Panics for an unknown form.
fn used(expression: &str) -> (BTreeMap<String, BTreeSet<String>>, BTreeSet<String>) {
    let balance = |open, close| expression.matches(open).count() == expression.matches(close).count();
    assert!(balance('(', ')') && balance('{', '}') && balance('[', ']'), "unbalanced: {expression}");
    let replace = |pattern: &str, text: &str, by: &str| Regex::new(pattern).unwrap().replace_all(text, by).into_owned();
    let without_strings = replace(r#""[^"]*""#, expression, "''");
    let without_ranges = replace(r"\[[^\]]*\]", &without_strings, "");
    let mut grouped = BTreeSet::new();
    for list in Regex::new(r"\bby \(([a-z_, ]+)\)").unwrap().captures_iter(&without_ranges) {
        grouped.extend(list[1].split(',').map(|label| label.trim().to_owned()));
    }
    let rest = replace(r"\bby \([a-z_, ]+\)", &without_ranges, "");
    let mut metrics: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let words = Regex::new(r"([a-zA-Z_][a-zA-Z0-9_]*)\s*(\{[^}]*\}|\()?").unwrap();
    let matched = Regex::new(r"([a-z_]+)\s*(?:=~|!~|!=|=)").unwrap();
    for word in words.captures_iter(&rest) {
        let (name, after) = (&word[1], word.get(2).map_or("", |after| after.as_str()));
        if KEYWORDS.contains(&name) {
            continue;
        }
        if after == "(" {
            assert!(FUNCTIONS.contains(&name), "unknown function `{name}` in {expression}");
            continue;
        }
        let labels = matched.captures_iter(after).map(|label| label[1].to_owned());
        metrics.entry(name.to_owned()).or_default().extend(labels);
    }
    (metrics, grouped)
}

fn check(place: &str, expression: &str, exported: &Exported) {
    let (metrics, grouped) = used(expression);
    assert!(!metrics.is_empty(), "{place}: no metric in {expression}");
    let mut known: BTreeSet<&str> = ADDED_LABELS.iter().copied().collect();
    for (metric, labels) in &metrics {
        // Prometheus makes this metric itself.
        if metric == "up" {
            continue;
        }
        let own = exported.get(metric).unwrap_or_else(|| panic!("{place}: `{metric}` is not exported: {expression}"));
        for label in labels {
            let is_known = own.contains(label) || ADDED_LABELS.contains(&label.as_str());
            assert!(is_known, "{place}: `{metric}` has no label `{label}`: {own:?}");
        }
        known.extend(own.iter().map(String::as_str));
    }
    let unknown: Vec<&String> = grouped.iter().filter(|label| !known.contains(label.as_str())).collect();
    assert!(unknown.is_empty(), "{place}: no metric has the labels {unknown:?}: {expression}");
}

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/monitoring").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn expressions_of_panels<'a>(panels: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    for panel in panels.as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().into_iter().flatten() {
            found.push((title, target["expr"].as_str().unwrap()));
        }
        if panel["panels"].is_array() {
            expressions_of_panels(&panel["panels"], found);
        }
    }
}

#[tokio::test]
async fn rules_and_dashboard_use_exported_metrics_and_labels() {
    let exported = exported().await;
    let rules: Value = serde_saphyr::from_str(&file("alerts.yaml")).unwrap();
    let manual = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate.md")).unwrap();
    let mut names = BTreeSet::new();
    for rule in rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()) {
        let name = rule["alert"].as_str().unwrap();
        assert!(names.insert(name), "{name} exists twice");
        check(name, rule["expr"].as_str().unwrap(), &exported);
        assert!(["critical", "warning", "info"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{name}");
        assert!(!rule["annotations"]["summary"].as_str().unwrap().is_empty(), "{name}");
        assert!(manual.contains(&format!("`{name}`")), "docs/operate.md does not explain {name}");
    }
    assert!(names.len() >= 10, "{names:?}");

    let dashboard: Value = serde_json::from_str(&file("dashboard.json")).unwrap();
    let mut found = Vec::new();
    expressions_of_panels(&dashboard["panels"], &mut found);
    assert!(found.len() >= 20, "{found:?}");
    for (title, expression) in found {
        let expression = expression.replace("[$__rate_interval]", "[5m]").replace("\"$job\"", "\"x\"");
        check(title, &expression, &exported);
    }
}

#[test]
fn every_documented_liveness_probe_is_livez() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let probe = Regex::new(r"livenessProbe:.*path: ([^,}]+)").unwrap();
    let mut found = 0;
    for page in std::fs::read_dir(docs).unwrap().map(|page| page.unwrap().path()) {
        let text = std::fs::read_to_string(&page).unwrap();
        assert_eq!(text.matches("livenessProbe:").count(), probe.captures_iter(&text).count(), "{}", page.display());
        for captures in probe.captures_iter(&text) {
            found += 1;
            assert_eq!(&captures[1], "/livez", "{}: any other path restarts pods without the database", page.display());
        }
    }
    assert!(found >= 2, "{found}");
}

#[test]
fn an_unknown_metric_label_or_function_is_detected() {
    let exported = Exported::from([("a_total".to_owned(), BTreeSet::from(["status".to_owned()]))]);
    let fails = |expression: &str| {
        let (expression, exported) = (expression.to_owned(), exported.clone());
        std::panic::catch_unwind(move || check("x", &expression, &exported)).is_err()
    };
    assert!(!fails(r#"sum by (job, status) (rate(a_total{status=~"5.."}[5m])) / sum(rate(a_total[5m])) > 0.01"#));
    for wrong in
        ["rate(b_total[5m])", r#"a_total{code="1"}"#, "sum by (code) (a_total)", "rte(a_total[5m])", "sum(a_total", "1"]
    {
        assert!(fails(wrong), "{wrong}");
    }
}
