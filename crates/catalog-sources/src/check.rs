//! Checks sources without a server or a database: `model-registry catalog check`.

use std::collections::HashMap;

use model_registry_catalog_store::CatalogItems;

use crate::Settings;
use crate::configuration::SourcesFiles;
use crate::performance_metrics::PerformanceMetrics;
use crate::problem::Problem;
use crate::remote::Remote;
use crate::source_reader::{self, LoadedSource};

/// What a server would publish, and all problems.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    pub sources: Vec<CheckedSource>,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedSource {
    pub id: String,
    pub name: String,
    /// Wire name of the asset type, such as `models`.
    pub asset_type: &'static str,
    pub status: &'static str,
    /// Number of items that are published.
    pub items: usize,
    /// Number of items that are left out.
    pub skipped: usize,
}

/// Reads all sources as a server does, except hubs.
pub fn check(settings: &Settings) -> CheckReport {
    let (configuration, mut problems) = SourcesFiles::default().load(&settings.sources);
    let (metrics, metrics_problems) = PerformanceMetrics::find(&settings.performance_metrics, None);
    let loaded = source_reader::read_sources(&configuration, &metrics);
    problems.extend(metrics_problems);
    let mut sources = Vec::new();
    let mut loaded: HashMap<String, LoadedSource> =
        loaded.into_iter().map(|loaded| (loaded.snapshot.source_id.clone(), loaded)).collect();
    for source in configuration.sources.values() {
        let mut checked = CheckedSource {
            id: source.id.clone(),
            name: source.name.clone(),
            asset_type: source.asset_type.as_str(),
            status: match Remote::of(source) {
                Some(Remote::Repositories) => "read from Git",
                _ => "read from the hub",
            },
            items: 0,
            skipped: 0,
        };
        if let Some(LoadedSource { snapshot, problems: source_problems, notices, .. }) = loaded.remove(&source.id) {
            checked.status = snapshot.status;
            checked.items = snapshot.items.as_ref().map_or(0, CatalogItems::len);
            checked.skipped = snapshot.skipped;
            problems.extend(source_problems);
            problems.extend(notices);
        }
        sources.push(checked);
    }
    CheckReport { sources, problems }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use model_registry_testkit::make_fifo;

    use super::*;

    fn check_file(file: PathBuf) -> CheckReport {
        check(&Settings { sources: vec![file], ..Settings::default() })
    }

    fn reasons(report: &CheckReport) -> String {
        report.problems.iter().map(|problem| format!("{problem}\n")).collect::<Vec<_>>().concat()
    }

    #[test]
    fn what_is_not_a_regular_file_is_reported_with_its_kind_and_the_other_sources_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        make_fifo(&path("fifo"));
        std::fs::create_dir(path("directory")).unwrap();
        std::fs::write(path("good.yaml"), "models: [{name: a}]\n").unwrap();
        let kinds = [
            ("fifo", path("fifo"), "it is a FIFO (named pipe), not a regular file"),
            ("directory", path("directory"), "it is a directory, not a regular file"),
            ("device", PathBuf::from("/dev/zero"), "it is a device, not a regular file"),
            (
                "kernel",
                PathBuf::from("/proc/self/status"),
                "it is a file of the kernel (such as /proc), not a regular file",
            ),
        ];
        let source = |id: &str, path: &Path| {
            format!("- {{id: {id}, name: {id}, type: yaml, properties: {{yamlCatalogPath: '{}'}}}}\n", path.display())
        };
        let mut text = String::from("model_catalogs:\n");
        text.extend(kinds.iter().map(|(id, path, _)| source(id, path)));
        text += &source("good", &path("good.yaml"));
        std::fs::write(path("sources.yaml"), text).unwrap();
        let report = check_file(path("sources.yaml"));
        let all = reasons(&report);
        for (id, path, reason) in kinds {
            let expected = format!("{}: cannot be read: {reason}", path.display());
            assert!(all.contains(&expected), "{expected}\n{all}");
            // It is the sources file itself.
            let report = check_file(path);
            assert!(report.sources.is_empty() && reasons(&report).contains(reason), "{id}: {}", reasons(&report));
        }
        let good = report.sources.iter().find(|source| source.id == "good").map(|source| (source.status, source.items));
        assert_eq!(good, Some(("available", 1)));
        // The watcher reads all of them as well.
        let files = [path("fifo"), PathBuf::from("/dev/zero"), path("good.yaml")].into_iter().collect();
        assert_eq!(crate::KnownFiles::default().fingerprint(&files).len(), 32);
    }

    #[test]
    fn an_error_shows_no_line_of_a_file_that_is_not_of_the_catalog() {
        let directory = tempfile::tempdir().unwrap();
        let secret = directory.path().join("shadow");
        let sources = directory.path().join("sources.yaml");
        let list =
            |kind: &str| format!("- {{id: a, name: a, type: {kind}, properties: {{%: '{}'}}}}\n", secret.display());
        for content in [
            "root:$6$hunter2:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n",
            "hunter2 a:\nhunter2 a:\n",
            "*hunter2\n",
            "&hunter2 [*hunter2, !hunter2 1, %hunter2]\n",
            "%hunter2 1\n---\na: 1\n",
            "? hunter2\n: [hunter2\n",
            "PASSWORD=hunter2\n",
            "hunter2",
            "[hunter2]\nhunter2 = 1\n",
            "- hunter2\n- a\n",
            "\"hunter2\"",
            "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n",
        ] {
            std::fs::write(&secret, content).unwrap();
            let text = format!(
                "model_catalogs:\n{}mcp_catalogs:\n{}{}",
                list("yaml").replace('%', "yamlCatalogPath"),
                list("mcp-registry").replace("id: a", "id: b").replace('%', "path"),
                list("docker-mcp-catalog").replace("id: a", "id: c").replace('%', "path"),
            );
            std::fs::write(&sources, text).unwrap();
            let reports = [check_file(sources.clone()), check_file(secret.clone())];
            for report in &reports {
                let all = reasons(report);
                assert!(!all.is_empty() && !all.contains("hunter2"), "{content}: {all}");
            }
        }
    }

    #[test]
    fn a_long_quotation_is_cut() {
        let directory = tempfile::tempdir().unwrap();
        let sources = directory.path().join("sources.yaml");
        std::fs::write(&sources, format!("model_catalogs: []\n{}: 1\n", "x".repeat(1 << 20))).unwrap();
        let report = check_file(sources);
        assert!(reasons(&report).len() < 8_192, "{}", reasons(&report).len());
    }
}
