//! The properties of sources of skills that are read from files of the format `SKILL.md`: directories and Git repositories.
//!
//! Unlike properties of other sources they are read strictly: a misspelt filter must not publish everything.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use model_registry_api::catalog::{SKILL_TRUST_TIERS, SourceType};
use serde::{Deserialize, Serialize};

use super::repository_url;
use crate::configuration::{Source, SourceLocation};
use crate::name_filter::NameFilter;
use crate::problem::Problem;
use crate::yaml::{self, Entry};

/// The end of the keys of name patterns.
pub(crate) const PATTERNS: &str = "Skills";
/// The key of repositories, in properties and in a file of their own.
const REPOSITORIES: &str = "repositories";

/// The properties as they are written, of all types of sources.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SkillProperties {
    trust_tier: Option<String>,
    sync_interval_minutes: Option<i64>,
    repositories: Option<Vec<RepositoryEntry>>,
    yaml_catalog_path: Option<String>,
    path: Option<String>,
    scan_paths: Option<Vec<String>>,
    provider: Option<String>,
    category: Option<String>,
    labels: Option<Vec<String>>,
    included_skills: Option<Vec<String>>,
    excluded_skills: Option<Vec<String>>,
    skill_overrides: Option<Vec<SkillOverride>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryEntry {
    url: Option<String>,
    canonical_url: Option<String>,
    refs: Option<Vec<String>>,
    scan_paths: Option<Vec<String>>,
    auth_secret_name: Option<String>,
    provider: Option<String>,
    category: Option<String>,
    labels: Option<Vec<String>>,
    included_skills: Option<Vec<String>>,
    excluded_skills: Option<Vec<String>>,
    skill_overrides: Option<Vec<SkillOverride>>,
}

/// Replaces what a skill gets from its repository or directory.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct SkillOverride {
    pub(crate) name: String,
    pub(crate) category: Option<String>,
    pub(crate) labels: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct RepositoriesFile {
    repositories: Option<Vec<RepositoryEntry>>,
}

/// What the configuration says about the skills of a repository or directory; never their own content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Selection {
    pub(crate) trust_tier: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) scan_paths: Vec<String>,
    included: Vec<String>,
    excluded: Vec<String>,
    /// The lists of included and excluded patterns of the source itself, which apply in addition.
    of_source: [Vec<String>; 2],
    pub(crate) overrides: Vec<SkillOverride>,
}

/// Selects the skills that are published, by name.
pub(crate) struct SkillFilter {
    own: NameFilter,
    of_source: NameFilter,
}

impl SkillFilter {
    pub(crate) fn allows(&self, name: &str) -> bool {
        self.own.allows(name) && self.of_source.allows(name)
    }
}

/// A Git repository to read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Repository {
    pub(crate) url: String,
    /// The identity of the repository in skills.
    pub(crate) canonical_url: String,
    /// Empty for the default branch.
    pub(crate) refs: Vec<String>,
    pub(crate) auth_secret_name: Option<String>,
    pub(crate) selection: Selection,
}

/// The valid settings of a source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum SkillSettings {
    Git {
        repositories: Vec<Repository>,
        /// Time between two syncs; `None` for the default.
        interval: Option<Duration>,
    },
    Directory {
        /// Relative to the sources file.
        path: String,
        selection: Box<Selection>,
    },
}

impl Selection {
    pub(crate) fn filter(&self) -> SkillFilter {
        let [included, excluded] = &self.of_source;
        // Empty patterns were refused.
        let filter = |included, excluded| NameFilter::new(PATTERNS, included, excluded).unwrap_or_default();
        SkillFilter { own: filter(&self.included, &self.excluded), of_source: filter(included, excluded) }
    }

    fn new(
        trust_tier: Option<&String>,
        [provider, category]: [&Option<String>; 2],
        [labels, scan_paths, included, excluded]: [&Option<Vec<String>>; 4],
        overrides: Option<&Vec<SkillOverride>>,
    ) -> Result<Self, String> {
        let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
        let selection = Self {
            trust_tier: trust_tier.cloned(),
            provider: provider.clone().filter(|provider| !provider.is_empty()),
            category: category.clone().filter(|category| !category.is_empty()),
            labels: list(labels),
            scan_paths: scan_paths.iter().flatten().map(|path| normal_path(path)).collect::<Result<_, _>>()?,
            included: list(included),
            excluded: list(excluded),
            of_source: Default::default(),
            overrides: overrides.cloned().unwrap_or_default(),
        };
        NameFilter::new(PATTERNS, &selection.included, &selection.excluded).map_err(|empty| empty.to_string())?;
        Ok(selection)
    }
}

/// A path to search, without `./` and slashes at its ends.
fn normal_path(path: &str) -> Result<String, String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(format!("scanPaths: `{path}` leads out of the directory"));
    }
    Ok(parts.join("/"))
}

/// Reads the properties of an entry of a sources file. An unknown key is an error.
pub(crate) fn read_properties(id: &str, properties: Entry<'_>) -> Result<SkillProperties, Problem> {
    let (read, unknown) = properties.read::<SkillProperties>();
    let invalid = |reason: &dyn Display| format!("skill source \"{id}\": invalid properties: {reason}");
    let read = read.map_err(|error| properties.problem_at(error.position(), invalid(&error)))?;
    match unknown.first() {
        Some(unknown) => Err(properties.problem_at(Some(unknown.position), invalid(unknown))),
        None => Ok(read),
    }
}

/// Checks the properties of a source; `None` for a source that is not read from files of the format `SKILL.md`.
pub(crate) fn validate(
    source: &Source,
    location: &SourceLocation,
    properties: &SkillProperties,
) -> Option<Result<SkillSettings, Problem>> {
    let problem = |property: &str, reason: String| {
        location.property_problem(&source.origin, property, format!("skill source \"{}\": {reason}", source.id))
    };
    let settings = match source.asset_type.spec().sources.source_type(&source.source_type)? {
        SourceType::Git => git(properties, &problem, &|path| read_file(&source.path(path), path)),
        SourceType::Directory => directory(properties).map_err(|(property, reason)| problem(property, reason)),
        _ => return None,
    };
    let lists = [&source.included, &source.excluded].map(|list| list.clone().unwrap_or_default());
    Some(settings.map(|settings| settings.with_patterns_of_source(&lists)))
}

impl SkillSettings {
    fn with_patterns_of_source(mut self, lists: &[Vec<String>; 2]) -> Self {
        match &mut self {
            Self::Git { repositories, .. } => {
                for repository in repositories {
                    repository.selection.of_source.clone_from(lists);
                }
            }
            Self::Directory { selection, .. } => selection.of_source.clone_from(lists),
        }
        self
    }
}

/// The settings of an entry that a client wants to preview. No file is read for it.
pub(crate) fn preview_settings(entry: Entry<'_>, patterns: [&Vec<String>; 2]) -> Result<SkillSettings, Problem> {
    let properties = match entry.get("properties").filter(|properties| !properties.node.is_null()) {
        Some(properties) => read_properties("preview", properties)?,
        None => SkillProperties::default(),
    };
    let place = entry.get("properties").unwrap_or(entry);
    let problem = |_: &str, reason: String| place.problem(reason);
    let refused = |path: &str| Err(format!("files of the server are not read for a preview, so not `{path}` either"));
    let settings = git(&properties, &problem, &|path| refused(path))?;
    Ok(settings.with_patterns_of_source(&patterns.map(Clone::clone)))
}

/// Reads the file with repositories of this path.
type ReadRepositories<'a> = &'a dyn Fn(&str) -> Result<Vec<RepositoryEntry>, String>;

fn git(
    properties: &SkillProperties,
    problem: &dyn Fn(&str, String) -> Problem,
    read_repositories: ReadRepositories<'_>,
) -> Result<SkillSettings, Problem> {
    let of_directories: [(&str, bool); 8] = [
        ("path", properties.path.is_some()),
        ("scanPaths", properties.scan_paths.is_some()),
        ("provider", properties.provider.is_some()),
        ("category", properties.category.is_some()),
        ("labels", properties.labels.is_some()),
        ("includedSkills", properties.included_skills.is_some()),
        ("excludedSkills", properties.excluded_skills.is_some()),
        ("skillOverrides", properties.skill_overrides.is_some()),
    ];
    if let Some((key, _)) = of_directories.iter().find(|(_, is_set)| *is_set) {
        let reason = format!("invalid properties: unknown key `{key}`: repositories have it, each its own");
        return Err(problem(key, reason));
    }
    let trust_tier = trust_tier(properties).map_err(|reason| problem("trustTier", reason))?;
    let interval = match properties.sync_interval_minutes {
        Some(..0) => {
            return Err(problem("syncIntervalMinutes", "syncIntervalMinutes must not be negative".to_owned()));
        }
        Some(minutes @ 1..) => Some(Duration::from_secs(u64::try_from(minutes).unwrap_or_default().saturating_mul(60))),
        None | Some(0) => None,
    };
    let inline = properties.repositories.as_ref().filter(|repositories| !repositories.is_empty());
    let file = properties.yaml_catalog_path.as_ref().filter(|path| !path.is_empty());
    let repositories = match (inline, file) {
        (Some(_), Some(_)) => {
            let reason = "specify either \"repositories\" (inline) or \"yamlCatalogPath\" (file), not both";
            return Err(problem(REPOSITORIES, reason.to_owned()));
        }
        (None, None) => {
            let reason = "no repositories configured: set \"repositories\" inline or \"yamlCatalogPath\"";
            return Err(problem(REPOSITORIES, reason.to_owned()));
        }
        (Some(inline), None) => inline.clone(),
        (None, Some(path)) => {
            read_repositories(path).map_err(|reason| problem(crate::configuration::YAML_PATH, reason))?
        }
    };
    let repositories = check_repositories(&repositories, trust_tier).map_err(|reason| problem(REPOSITORIES, reason))?;
    Ok(SkillSettings::Git { repositories, interval })
}

fn directory(properties: &SkillProperties) -> Result<SkillSettings, (&'static str, String)> {
    for (key, is_set) in [
        ("repositories", properties.repositories.is_some()),
        ("yamlCatalogPath", properties.yaml_catalog_path.is_some()),
        ("syncIntervalMinutes", properties.sync_interval_minutes.is_some()),
    ] {
        if is_set {
            return Err((key, format!("invalid properties: unknown key `{key}` for a source of type directory")));
        }
    }
    let trust_tier = trust_tier(properties).map_err(|reason| ("trustTier", reason))?;
    let path = properties.path.clone().filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| ("path", "missing required property: path, the directory to search".to_owned()))?;
    let selection = Selection::new(
        trust_tier,
        [&properties.provider, &properties.category],
        [&properties.labels, &properties.scan_paths, &properties.included_skills, &properties.excluded_skills],
        properties.skill_overrides.as_ref(),
    );
    Ok(SkillSettings::Directory { path, selection: Box::new(selection.map_err(|reason| ("includedSkills", reason))?) })
}

fn trust_tier(properties: &SkillProperties) -> Result<Option<&String>, String> {
    let Some(tier) = properties.trust_tier.as_ref().filter(|tier| !tier.is_empty()) else { return Ok(None) };
    if SKILL_TRUST_TIERS.contains(&tier.as_str()) {
        return Ok(Some(tier));
    }
    Err(format!("invalid trustTier \"{tier}\": valid values are [{}]", SKILL_TRUST_TIERS.join(" ")))
}

/// Reads the repositories of a file; `shown` is its path as it is configured.
fn read_file(path: &Path, shown: &str) -> Result<Vec<RepositoryEntry>, String> {
    let text = yaml::read_text(path).map_err(|problem| format!("reading repositories file \"{shown}\": {problem}"))?;
    let unusable = |reason: &dyn Display| format!("parsing repositories file \"{shown}\": {reason}");
    let node = yaml::document(path, &text).map_err(|problem| unusable(&problem))?;
    let repositories = match &node {
        None => None,
        Some(node) => {
            let root = Entry { file: path, node };
            if node.entries().is_none() {
                // Without its content: the path may lead to any file of the machine.
                return Err(unusable(&root.problem("expected a map with the list `repositories`")));
            }
            let (read, unknown) = root.read::<RepositoriesFile>();
            let read = read.map_err(|error| unusable(&root.problem_at(error.position(), &error)))?;
            if let Some(unknown) = unknown.first() {
                return Err(unusable(&root.problem_at(Some(unknown.position), unknown)));
            }
            read.repositories
        }
    };
    repositories
        .filter(|repositories| !repositories.is_empty())
        .ok_or_else(|| "at least one repository is required".to_owned())
}

fn check_repositories(entries: &[RepositoryEntry], trust_tier: Option<&String>) -> Result<Vec<Repository>, String> {
    let mut repositories: Vec<Repository> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let here = |reason: String| format!("repository[{index}]: {reason}");
        let url = entry.url.as_deref().unwrap_or_default();
        if url.is_empty() {
            return Err(here("url is required".to_owned()));
        }
        repository_url::check(url).map_err(here)?;
        let key = repository_url::comparison_key(url);
        if let Some(first) = repositories.iter().find(|other| repository_url::comparison_key(&other.url) == key) {
            return Err(format!("duplicate repository url \"{url}\" (equivalent to \"{}\")", first.url));
        }
        let canonical_url = entry.canonical_url.as_deref().filter(|url| !url.is_empty()).unwrap_or(url);
        let selection = Selection::new(
            trust_tier,
            [&entry.provider, &entry.category],
            [&entry.labels, &entry.scan_paths, &entry.included_skills, &entry.excluded_skills],
            entry.skill_overrides.as_ref(),
        );
        let mut refs: Vec<String> = Vec::new();
        for name in entry.refs.iter().flatten().map(|name| name.trim()) {
            if name.is_empty() || name.contains(|character: char| character.is_whitespace() || character.is_control()) {
                return Err(here(format!("`{name}` is not the name of a branch, a tag or a commit")));
            }
            if !refs.iter().any(|known| known == name) {
                refs.push(name.to_owned());
            }
        }
        repositories.push(Repository {
            url: url.to_owned(),
            canonical_url: canonical_url.to_owned(),
            refs,
            auth_secret_name: entry.auth_secret_name.clone().filter(|name| !name.is_empty()),
            selection: selection.map_err(here)?,
        });
    }
    Ok(repositories)
}
