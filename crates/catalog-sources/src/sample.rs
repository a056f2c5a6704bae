//! The built-in sample catalog: invented models, servers, agents and skills, so that the first screen is not empty.

use std::path::{Path, PathBuf};

/// Prefix of the paths of the sample. Other sources cannot use it: their paths are relative to the directory of their file.
const ROOT: &str = "built-in:";

const FILES: [(&str, &str); 6] = [
    ("sources.yaml", include_str!("../sample/sources.yaml")),
    ("models.yaml", include_str!("../sample/models.yaml")),
    ("community-models.yaml", include_str!("../sample/community-models.yaml")),
    ("mcp-servers.yaml", include_str!("../sample/mcp-servers.yaml")),
    ("agents.yaml", include_str!("../sample/agents.yaml")),
    ("skills.yaml", include_str!("../sample/skills.yaml")),
];

/// The sources file of the sample, for [`crate::Settings::sources`].
pub fn sample_sources() -> PathBuf {
    Path::new(ROOT).join("sources.yaml")
}

/// The content of a file of the sample.
pub(crate) fn find(path: &Path) -> Option<&'static str> {
    let name = path.strip_prefix(ROOT).ok()?;
    FILES.iter().find(|(known, _)| Path::new(known) == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Settings;
    use crate::check::check;
    use crate::yaml;

    #[test]
    fn the_sample_has_no_problems_and_enough_items() {
        let report = check(&Settings { sources: vec![sample_sources()], ..Settings::default() });
        assert_eq!(report.problems, []);
        let items = |id: &str| report.sources.iter().find(|source| source.id == id).map_or(0, |source| source.items);
        assert!(items("sample_models") + items("sample_community_models") >= 20);
        assert!(items("sample_mcp_servers") >= 6);
        assert!(items("sample_agents") >= 3);
        assert!(items("sample_skills") >= 3);
    }

    #[test]
    fn its_models_have_many_providers_and_performance_metrics() {
        let (mut providers, mut with_metrics) = (BTreeSet::new(), 0);
        for file in ["models.yaml", "community-models.yaml"] {
            let file = Path::new(ROOT).join(file);
            let node = yaml::document(&file, find(&file).unwrap()).unwrap().unwrap();
            for model in node.get("models").and_then(|models| models.elements()).unwrap() {
                providers.insert(model.get("provider").and_then(|provider| provider.as_str()).unwrap().to_owned());
                let artifacts = model.get("artifacts").and_then(|artifacts| artifacts.elements()).unwrap_or_default();
                let types = artifacts.iter().filter_map(|artifact| artifact.get("metricsType")?.as_str());
                with_metrics += usize::from(types.collect::<Vec<_>>().contains(&"performance-metrics"));
            }
        }
        assert!(providers.len() >= 5, "{providers:?}");
        assert!(with_metrics >= 10, "{with_metrics} models have performance metrics");
    }
}
