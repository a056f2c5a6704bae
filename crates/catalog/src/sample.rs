//! The sample catalog inside the executable: invented models and servers, so that the first screen is not empty.

use std::path::{Path, PathBuf};

/// Only sources of the sample have such a path: other sources' paths start at their own file's directory.
const ROOT: &str = "built-in:";

const FILES: [(&str, &str); 4] = [
    ("sources.yaml", include_str!("../sample/sources.yaml")),
    ("models.yaml", include_str!("../sample/models.yaml")),
    ("community-models.yaml", include_str!("../sample/community-models.yaml")),
    ("mcp-servers.yaml", include_str!("../sample/mcp-servers.yaml")),
];

/// The sources file of the sample, for [`crate::Settings::sources`].
pub fn sample_sources() -> PathBuf {
    Path::new(ROOT).join("sources.yaml")
}

/// The text of a file of the sample.
pub(crate) fn find(path: &Path) -> Option<&'static str> {
    let name = path.strip_prefix(ROOT).ok()?;
    FILES.iter().find(|(known, _)| Path::new(known) == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use crate::check::check;

    #[test]
    fn the_sample_has_no_mistakes_and_enough_to_look_at() {
        let report = check(&Settings { sources: vec![sample_sources()], ..Settings::default() });
        assert_eq!(report.problems, []);
        let items = |id: &str| report.sources.iter().find(|source| source.id == id).map_or(0, |source| source.items);
        assert!(items("sample_models") + items("sample_community_models") >= 20);
        assert!(items("sample_mcp_servers") >= 6);
    }
}
