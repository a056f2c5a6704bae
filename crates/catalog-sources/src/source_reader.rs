//! Reads the sources of a configuration into snapshots, which a load writes to the database in one transaction.

use model_registry_api::catalog::SourceType;
use model_registry_catalog_store::{CatalogItems, SourceSnapshot};

use crate::configuration::{Configuration, PATH, Source, SourceLocation, YAML_PATH};
use crate::files;
use crate::hub;
use crate::item_reader::{self, ReadItems};
use crate::name_filter::{InvalidPattern, NameFilter};
use crate::performance_metrics::PerformanceMetrics;
use crate::problem::Problem;
use crate::problem_list::ProblemList;
use crate::skills::{self, SkillSettings};
use crate::{remote, server_lists, yaml};

/// The items of a source, and what is wrong with it.
pub struct LoadedSource {
    pub snapshot: SourceSnapshot,
    /// Why items or records of performance metrics were left out.
    pub problems: Vec<Problem>,
    /// Number of records of performance metrics that were left out.
    pub performance_metrics_skipped: usize,
    /// Mistakes for which nothing was left out.
    pub notices: Vec<Problem>,
}

/// Reads all sources except hubs and repositories, which are synced separately. Blocks while files are read and parsed.
pub fn read_sources(configuration: &Configuration, metrics: &PerformanceMetrics) -> Vec<LoadedSource> {
    let mut sources: Vec<&Source> = configuration.sources.values().collect();
    // Items get their first ids in this order.
    sources.sort_by_key(|source| source.asset_type);
    sources.into_iter().filter_map(|source| read(source, configuration.locations.get(&source.id)?, metrics)).collect()
}

/// Why nothing of a source could be read.
struct Failure {
    /// The `error` of the source.
    error: String,
    problem: Problem,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { error: problem.to_string(), problem }
    }
}

/// Returns `None` for sources that are read over the network.
fn read(source: &Source, location: &SourceLocation, metrics: &PerformanceMetrics) -> Option<LoadedSource> {
    let snapshot = SourceSnapshot {
        source_id: source.id.clone(),
        status: "disabled",
        error: None,
        skipped: 0,
        ignored: 0,
        items: Some(CatalogItems::default()),
        kept: Vec::new(),
        is_part: false,
        next_sync: None,
    };
    if !source.enabled && source.problem.is_none() {
        return Some(without_notices(snapshot, Vec::new()));
    }
    if remote::is_remote(source) {
        return None;
    }
    Some(match read_items(source, location, metrics) {
        Ok(read) => finish(source, location, snapshot, read),
        // Without items: those that were published before stay.
        Err(Failure { error, problem }) => {
            let snapshot = SourceSnapshot { status: "error", error: Some(error), items: None, ..snapshot };
            without_notices(snapshot, vec![problem])
        }
    })
}

fn without_notices(snapshot: SourceSnapshot, problems: Vec<Problem>) -> LoadedSource {
    LoadedSource { snapshot, problems, performance_metrics_skipped: 0, notices: Vec::new() }
}

fn finish(source: &Source, location: &SourceLocation, snapshot: SourceSnapshot, read: ReadItems) -> LoadedSource {
    let ReadItems { items, mut kept, is_part, kept_if_stored, problems, metrics_problems, warnings, ignored, notices } =
        read;
    kept.extend(kept_if_stored);
    let (skipped, performance_metrics_skipped) = (problems.count(), metrics_problems.count());
    let label = source.asset_type.spec().label;
    let mut snapshot = if skipped > 0 && items.is_empty() {
        let error = format!("all {label}(s) failed to load from source {}: {}", source.id, problems.summary());
        SourceSnapshot { status: "error", error: Some(error), skipped, items: None, ..snapshot }
    } else {
        let mut errors = Vec::new();
        if skipped > 0 {
            let summary = problems.summary();
            errors.push(format!(
                "failed to load {skipped} {label}(s): {summary}; earlier versions of them, if any, are still served"
            ));
        }
        if performance_metrics_skipped > 0 {
            errors.push(metrics_error(&metrics_problems));
        }
        if warnings.count() > 0 {
            errors.push(format!("{} warning(s): {}", warnings.count(), warnings.summary()));
        }
        let status = if errors.is_empty() { "available" } else { "partially-available" };
        let error = Some(errors.join("; ")).filter(|error| !error.is_empty());
        SourceSnapshot { status, error, skipped, items: Some(items), kept, is_part, ..snapshot }
    };
    report_ignored(&mut snapshot, ignored, location);
    let mut problems = problems.into_problems(&source.id);
    problems.extend(metrics_problems.into_problems(&source.id));
    let mut all_notices = warnings.into_problems(&source.id);
    all_notices.extend(notices.into_problems(&source.id));
    LoadedSource { snapshot, problems, performance_metrics_skipped, notices: all_notices }
}

/// Adds what was ignored in the items and in the configuration of a source to its `error`. It does not change the status.
fn report_ignored(snapshot: &mut SourceSnapshot, mut ignored: ProblemList, location: &SourceLocation) {
    ignored.extend(location.notices.iter().cloned());
    snapshot.ignored = ignored.count();
    if ignored.count() > 0 {
        let message = format!("ignored {}: {}", ignored.count(), ignored.summary());
        snapshot.error = Some(snapshot.error.take().into_iter().chain([message]).collect::<Vec<_>>().join("; "));
    }
}

/// Adds what was ignored in the configuration of a source that is read over the network to its `error`.
pub fn report_ignored_configuration(snapshot: &mut SourceSnapshot, configuration: &Configuration) {
    if let Some(location) = configuration.locations.get(&snapshot.source_id) {
        report_ignored(snapshot, ProblemList::default(), location);
    }
}

/// The `error` of a source with performance metrics that were left out.
pub(crate) fn metrics_error(problems: &ProblemList) -> String {
    format!("failed to read {} performance metrics record(s): {}", problems.count(), problems.summary())
}

fn read_items(source: &Source, location: &SourceLocation, metrics: &PerformanceMetrics) -> Result<ReadItems, Failure> {
    if let Some(problem) = &source.problem {
        return Err(problem.clone().into());
    }
    let failure = |reason: String| {
        let problem = location.problem(format!("source `{}`: {reason}", source.id));
        Failure { error: reason, problem }
    };
    let spec = &source.asset_type.spec().sources;
    if source.source_type.is_empty() {
        return Err(failure("source has no type defined".to_owned()));
    }
    match spec.source_type(&source.source_type) {
        Some(SourceType::Yaml) => read_yaml(source, location, metrics),
        Some(source_type) if server_lists::is_server_list(source_type) => {
            read_server_list(source_type, source, location)
        }
        Some(SourceType::Git) => Ok(ReadItems::default()),
        Some(SourceType::Directory) => read_directory(source, location),
        // A hub; a valid one is not read here.
        Some(_) => hub::selectors(source).map(|_| ReadItems::default()).map_err(failure),
        None => {
            let known: Vec<&str> = spec.types.iter().map(|known| known.as_str()).collect();
            let unknown = &source.source_type;
            Err(failure(format!("{} type \"{unknown}\" not registered: use {}", spec.label, known.join(" or "))))
        }
    }
}

fn read_server_list(source_type: SourceType, source: &Source, location: &SourceLocation) -> Result<ReadItems, Failure> {
    let failure = |reason: String| {
        let reason_of_source = format!("source `{}`: {reason}", source.id);
        Failure { problem: location.property_problem(&source.origin, PATH, reason_of_source), error: reason }
    };
    let missing = || failure(format!("missing required property: {PATH}, the path of a file or directory"));
    let path = source.path(source.string_property(PATH).ok_or_else(missing)?);
    let filter = name_filter(source).map_err(|empty| failure(empty.to_string()))?;
    let read = server_lists::read(source_type, &path, &source.id, &filter);
    read.map_err(|problem| Failure { error: format!("failed to read {PATH}: {problem}"), problem })
}

fn read_directory(source: &Source, location: &SourceLocation) -> Result<ReadItems, Failure> {
    let Some(SkillSettings::Directory { path, selection }) = source.skills.as_deref() else {
        return Err(location.problem(format!("source `{}`: no directory", source.id)).into());
    };
    skills::read_directory(&source.path(path), selection, &source.id).map_err(|problem| {
        let error = format!("failed to read the directory of skills: {problem}");
        Failure { error, problem }
    })
}

/// The patterns of a source.
fn name_filter(source: &Source) -> Result<NameFilter, InvalidPattern> {
    let [included, excluded] = source.patterns();
    let suffix = source.asset_type.spec().sources.patterns.unwrap_or_default();
    NameFilter::new(suffix, &included, &excluded)
}

fn read_yaml(source: &Source, location: &SourceLocation, metrics: &PerformanceMetrics) -> Result<ReadItems, Failure> {
    let failure = |reason: String| {
        let reason_of_source = format!("source `{}`: {reason}", source.id);
        Failure { problem: location.property_problem(&source.origin, YAML_PATH, reason_of_source), error: reason }
    };
    let missing = || failure(format!("missing required property: {YAML_PATH}, the path of the data file"));
    let path = source.path(source.string_property(YAML_PATH).ok_or_else(missing)?);
    let filter = name_filter(source).map_err(|empty| failure(empty.to_string()))?;
    yaml::open(&path).map_err(|problem| failure(format!("failed to read {YAML_PATH} file: {problem}")))?;
    let read = files::read_unchanged(&path, || {
        let reader = yaml::open(&path)?;
        item_reader::read_items(source.asset_type, &path, reader, &source.id, &filter, metrics)
    });
    read.map_err(|problem| Failure { error: format!("failed to parse {YAML_PATH} file: {problem}"), problem })
}
