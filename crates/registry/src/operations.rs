//! Every operation of the API: path, handler and OpenAPI entry in one declaration.
//!
//! Operations that kinds have in common derive from the declarations of the kinds (`operations/kinds.rs`); the others
//! are listed here.

mod kinds;

use axum::routing::{MethodRouter, get, post};
use model_registry_api::{ApiVersion, Kind, KindSpec};

use crate::routes::{
    Context, artifacts, changes, filter_options, inference_services, metric_history, register, search,
};

/// What an operation does. Its method, bodies and statuses follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// GET one entity by name or external id.
    Find,
    /// GET a page of a list.
    List,
    /// GET one entity by the id in its path.
    Get,
    /// POST `<schema>Create`.
    Create,
    /// POST `<schema>Upsert`: creates an entity, or updates the existing one that the body identifies.
    Upsert,
    /// PATCH with `<schema>Update`.
    Update,
    /// POST a model, a version and artifacts at once.
    Register,
    /// GET the change feed.
    Changes,
    /// GET what filters of a list can use.
    FilterOptions,
    /// GET entities of every kind that match a text.
    Search,
}

/// What an operation is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    /// The names of schemas and responses in the OpenAPI document derive from it.
    pub(crate) schema: &'static str,
    pub(crate) label: &'static str,
    pub(crate) label_plural: &'static str,
}

pub(crate) struct Operation {
    pub(crate) action: Action,
    /// Below the base path; its only parameter is `{id}`.
    pub(crate) path: String,
    /// The OpenAPI `operationId`; in v1 with the suffix `V1`.
    pub(crate) id: String,
    pub(crate) subject: Subject,
    pub(crate) summary: String,
    /// Query parameters in addition to those that follow from the action.
    pub(crate) query: &'static [&'static str],
    pub(crate) handler: MethodRouter<Context>,
}

const ARTIFACT: Subject = Subject { schema: "Artifact", label: "artifact", label_plural: "artifacts" };
const REGISTRATION: Subject = Subject { schema: "Registration", label: "registration", label_plural: "registrations" };
const FILTER_OPTIONS: Subject =
    Subject { schema: "FilterOptions", label: "filter option", label_plural: "filter options" };
const SEARCH: Subject = Subject { schema: "SearchResults", label: "search result", label_plural: "search results" };
const CHANGE: Subject = Subject { schema: "Change", label: "change", label_plural: "changes" };

/// Query parameters of find operations.
const BY_NAME: &[&str] = &["name", "externalId"];
const BY_NAME_AND_PARENT: &[&str] = &["name", "externalId", "parentResourceId"];

/// The operations of a version.
pub(crate) fn all(version: ApiVersion) -> Vec<Operation> {
    let served = Kind::ALL.into_iter().filter(|kind| kind.spec().is_served_by(version));
    let mut operations: Vec<_> = served.flat_map(kinds::operations).collect();
    operations.extend(special());
    if Kind::MetricPoint.spec().is_served_by(version) {
        operations.extend(metric_histories());
    }
    operations
}

/// Operations of one kind only, of artifacts of any kind, or of no kind.
fn special() -> [Operation; 11] {
    [
        operation(Action::Register, "/registered_models:register", "registerModel", REGISTRATION)
            .summary("Finds or creates a model, and creates a version of it with artifacts, all or nothing.")
            .handler(post(register::register)),
        operation(Action::List, "/artifacts", "getArtifacts", ARTIFACT)
            .summary("Lists artifacts of every kind.")
            .query(&["artifactType"])
            .handler(get(artifacts::list)),
        operation(Action::FilterOptions, "/artifacts/filter_options", "getArtifactFilterOptions", FILTER_OPTIONS)
            .summary("Gets what filters on artifacts can use: names, types, frequent values, ranges of numbers.")
            .query(&["artifactType"])
            .handler(get(filter_options::of_artifacts)),
        operation(Action::Create, "/artifacts", "createArtifact", ARTIFACT)
            .summary("Creates an artifact without a parent.")
            .handler(post(artifacts::create)),
        operation(Action::Get, "/artifacts/{id}", "getArtifact", ARTIFACT)
            .summary("Gets an artifact.")
            .handler(get(artifacts::get_one)),
        operation(Action::Update, "/artifacts/{id}", "updateArtifact", ARTIFACT)
            .summary("Updates an artifact; the body has to carry its `artifactType`.")
            .handler(axum::routing::patch(artifacts::update)),
        operation(Action::Find, "/artifact", "findArtifact", ARTIFACT)
            .summary("Finds an artifact by name and version or run, or by external id.")
            .query(BY_NAME_AND_PARENT)
            .handler(get(artifacts::find)),
        operation(
            Action::Get,
            "/inference_services/{id}/model",
            "getInferenceServiceModel",
            Kind::RegisteredModel.spec().into(),
        )
        .summary("Gets the registered model that an inference service serves.")
        .handler(get(inference_services::model)),
        operation(
            Action::Get,
            "/inference_services/{id}/version",
            "getInferenceServiceVersion",
            Kind::ModelVersion.spec().into(),
        )
        .summary("Gets the model version that an inference service serves: the one it names, or the model's newest.")
        .handler(get(inference_services::version)),
        operation(Action::Search, "/search", "getSearchResults", SEARCH)
            .summary("Finds entities of every kind by name, id, external id or label, the best matches first.")
            .query(&["q", "kinds", "searchPageSize"])
            .handler(get(search::search)),
        operation(Action::Changes, "/changes", "getChanges", CHANGE)
            .summary("Lists the changes after a sequence number, waits for new ones, or streams them.")
            .query(&["after", "limit", "wait"])
            .handler(get(changes::list)),
    ]
}

fn metric_histories() -> [Operation; 2] {
    let subject = Kind::MetricPoint.spec().into();
    let query = &["name", "stepIds"];
    [
        operation(Action::List, "/experiment_runs/{id}/metric_history", "getExperimentRunMetricHistory", subject)
            .summary("Lists every metric value that an experiment run logged.")
            .query(query)
            .handler(get(metric_history::of_run)),
        operation(Action::List, "/experiment_runs/metric_history", "getExperimentRunsMetricHistory", subject)
            .summary("Lists every metric value that all experiment runs logged.")
            .query(query)
            .handler(get(metric_history::of_all_runs)),
    ]
}

/// An operation without summary, further query parameters and handler.
fn operation(action: Action, path: impl Into<String>, id: impl Into<String>, subject: Subject) -> Operation {
    Operation {
        action,
        path: path.into(),
        id: id.into(),
        subject,
        summary: String::new(),
        query: &[],
        handler: MethodRouter::new(),
    }
}

impl Operation {
    fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    fn query(mut self, query: &'static [&'static str]) -> Self {
        self.query = query;
        self
    }

    fn handler(mut self, handler: MethodRouter<Context>) -> Self {
        self.handler = handler;
        self
    }

    /// The name of the path parameter in the OpenAPI document of a version: that of the contract, or `id` below `/artifacts`.
    pub(crate) fn path_parameter(&self, version: ApiVersion) -> Option<String> {
        let (collection, _) = self.path.strip_prefix('/')?.split_once("/{id}")?;
        let spec = Kind::ALL.into_iter().map(Kind::spec).find(|spec| spec.collection == Some(collection));
        Some(spec.map_or_else(|| "id".to_owned(), |spec| spec.id_parameter(version)))
    }
}

impl From<&'static KindSpec> for Subject {
    fn from(spec: &'static KindSpec) -> Self {
        Self { schema: spec.schema, label: spec.label, label_plural: spec.label_plural }
    }
}

/// A label with its indefinite article: `an artifact`.
pub(crate) fn with_article(label: &str) -> String {
    let article = if label.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {label}")
}

/// A sentence with its first letter, which has to be ASCII, in upper case.
pub(crate) fn capitalised(sentence: &str) -> String {
    let mut sentence = sentence.to_owned();
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}
