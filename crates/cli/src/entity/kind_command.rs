//! The kinds of entity as subcommands: names, columns, parents, help.

use model_registry_client::{
    Artifact, Experiment, ExperimentRun, InferenceService, Kind, ModelVersion, RegisteredModel, ServingEnvironment,
};
use serde_json::Value;

use super::operations::{self, Operations};
use super::parent_names::ParentNames;

/// The subcommand of a kind of entity. The commands of all kinds share one implementation; kinds differ by this data
/// and by the declaration of their fields in `KindSpec`.
pub(crate) struct KindCommand {
    /// The singular, in messages and as the option that names a parent.
    pub(crate) singular: &'static str,
    /// The placeholder of a reference in help texts.
    pub(crate) placeholder: &'static str,
    /// The kinds; artifacts are of several kinds.
    pub(crate) kinds: &'static [Kind],
    pub(crate) about: &'static str,
    /// The default columns of a table.
    pub(crate) columns: &'static [&'static str],
    /// The field that `archive` sets; `None` if the kind cannot be archived.
    pub(crate) archived: Option<ArchivedState>,
    pub(crate) operations: Operations,
    /// Help on references, after the common one.
    pub(crate) reference_help: &'static str,
    pub(crate) examples: &'static str,
}

/// The states of a kind that can be archived; archiving deletes nothing.
pub(crate) struct ArchivedState {
    pub(crate) field: &'static str,
    pub(crate) archived: &'static str,
    /// The value that restores the entity.
    pub(crate) active: &'static str,
}

impl KindCommand {
    /// The subcommand of a kind; `None` if the command line does not have the kind.
    pub(super) fn of(kind: Kind) -> Option<&'static Self> {
        KIND_COMMANDS.into_iter().find(|command| command.kinds.contains(&kind))
    }

    /// The name of the subcommand, a plural.
    pub(crate) fn name(&self) -> &'static str {
        self.kinds[0].spec().command.unwrap_or_default()
    }

    /// The kind of the parent and the field with its id; `None` for artifacts, whose parents are in the URL.
    pub(crate) fn parent(&self) -> Option<(&'static Self, &'static str)> {
        let parent = self.kinds[0].spec().parent.as_ref()?;
        Some((Self::of(parent.kind)?, parent.field?))
    }

    /// The kinds of the parents that an entity may have.
    pub(crate) fn parent_kinds(&self) -> Vec<&'static Self> {
        if self.is_artifact() {
            let owners = Kind::ALL.into_iter().filter(|kind| kind.spec().has_artifacts);
            return owners.filter_map(Self::of).collect();
        }
        self.parent().into_iter().map(|(parent, _)| parent).collect()
    }

    pub(crate) fn is_artifact(&self) -> bool {
        self.kinds.len() > 1
    }

    pub(crate) fn article(&self) -> &'static str {
        if self.singular.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
    }

    /// A reference for examples.
    pub(crate) fn example(&self) -> &'static str {
        match self.kinds[0] {
            Kind::RegisteredModel => "fraud-detector",
            Kind::ModelVersion => "fraud-detector/v1",
            Kind::Experiment => "tuning",
            Kind::ExperimentRun => "tuning/first",
            Kind::ServingEnvironment => "production",
            Kind::InferenceService => "production/fraud",
            _ => "fraud-detector/v1/weights",
        }
    }

    /// Arguments of `create` for examples.
    pub(crate) fn create_example(&self) -> String {
        let options = match self.kinds[0] {
            Kind::InferenceService => "--model fraud-detector --version fraud-detector/v1",
            Kind::ModelArtifact => "--uri s3://models/fraud/1 --model-format-name onnx",
            _ => "--description 'finds fraud' --property tier=gold",
        };
        format!("{} {options}", self.example())
    }

    /// The id of the parent of an entity.
    pub(crate) fn parent_id<'a>(&self, entity: &'a Value) -> Option<&'a str> {
        entity.get(self.parent()?.1)?.as_str()
    }

    /// The reference of an entity, which commands accept.
    pub(crate) fn reference(&self, entity: &Value, parents: &ParentNames) -> String {
        let field = |key: &str| entity.get(key).and_then(Value::as_str).unwrap_or_default();
        let (id, name) = (field("id"), field("name"));
        // The name of an artifact is unique within one of its parents only.
        if self.is_artifact() {
            return format!("id:{id}");
        }
        let is_ambiguous = name.is_empty() || (self.parent().is_some() && name.contains('/'));
        match self.parent_id(entity) {
            _ if is_ambiguous => format!("id:{id}"),
            Some(parent) => format!("{}/{name}", parents.of(parent)),
            None if name.starts_with("id:") || name.starts_with("name:") || is_digits(name) => format!("name:{name}"),
            None => name.to_owned(),
        }
    }
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

const ARCHIVED: ArchivedState = ArchivedState { field: "state", archived: "ARCHIVED", active: "LIVE" };

pub(crate) static MODELS: KindCommand = KindCommand {
    singular: "model",
    placeholder: "MODEL",
    kinds: &[Kind::RegisteredModel],
    about: "Manage registered models",
    columns: &["id", "name", "state", "owner", "updated", "description"],
    archived: Some(ARCHIVED),
    operations: operations::of::<RegisteredModel>(),
    reference_help: "",
    examples: "Examples:
  model-registry models create fraud-detector --owner risk --property tier=gold
  model-registry models list --filter \"owner = 'risk'\" --columns name,owner,tier
  model-registry models get fraud-detector --output yaml
  model-registry models deployments fraud-detector",
};

pub(crate) static VERSIONS: KindCommand = KindCommand {
    singular: "version",
    placeholder: "MODEL/VERSION",
    kinds: &[Kind::ModelVersion],
    about: "Manage versions of models",
    columns: &["id", "parent", "name", "state", "author", "updated", "description"],
    archived: Some(ARCHIVED),
    operations: operations::of::<ModelVersion>(),
    reference_help: "\nThe name of a version includes its model: `fraud-detector/v1`, or `v1 --model fraud-detector`.",
    examples: "Examples:
  model-registry versions create fraud-detector/v1 --author ada --property accuracy=0.93
  model-registry versions list --model fraud-detector --filter 'accuracy > 0.9'
  model-registry versions archive fraud-detector/v1 --yes",
};

pub(crate) static ARTIFACTS: KindCommand = KindCommand {
    singular: "artifact",
    placeholder: "ARTIFACT",
    kinds: &Kind::ARTIFACTS,
    about: "Manage artifacts of versions and runs: models, documents, data sets, metrics, parameters",
    columns: &["id", "artifactType", "name", "state", "uri", "value", "updated"],
    archived: Some(ArchivedState { field: "state", archived: "MARKED_FOR_DELETION", active: "LIVE" }),
    operations: operations::of::<Artifact>(),
    reference_help: "\nThe name of an artifact includes its version: `fraud-detector/v1/weights`, \
                     or `weights --version fraud-detector/v1`, or `weights --run tuning/first`.",
    examples: "Examples:
  model-registry artifacts create weights --version fraud-detector/v1 --uri s3://models/fraud/1
  model-registry artifacts list --version fraud-detector/v1
  model-registry artifacts update weights --version fraud-detector/v1 --model-format-name onnx",
};

pub(crate) static EXPERIMENTS: KindCommand = KindCommand {
    singular: "experiment",
    placeholder: "EXPERIMENT",
    kinds: &[Kind::Experiment],
    about: "Manage experiments",
    columns: &["id", "name", "state", "owner", "updated", "description"],
    archived: Some(ARCHIVED),
    operations: operations::of::<Experiment>(),
    reference_help: "",
    examples: "Examples:
  model-registry experiments create tuning --owner ada
  model-registry experiments list --order-by updated --descending --limit 10",
};

pub(crate) static RUNS: KindCommand = KindCommand {
    singular: "run",
    placeholder: "EXPERIMENT/RUN",
    kinds: &[Kind::ExperimentRun],
    about: "Manage runs of experiments",
    columns: &["id", "parent", "name", "status", "state", "owner", "updated"],
    archived: Some(ARCHIVED),
    operations: operations::of::<ExperimentRun>(),
    reference_help: "\nThe name of a run includes its experiment: `tuning/first`, or `first --experiment tuning`.",
    examples: "Examples:
  model-registry runs create tuning/first --owner ada
  model-registry runs list --experiment tuning --filter \"status = 'RUNNING'\"
  model-registry runs update tuning/first --status FINISHED",
};

pub(crate) static ENVIRONMENTS: KindCommand = KindCommand {
    singular: "environment",
    placeholder: "ENVIRONMENT",
    kinds: &[Kind::ServingEnvironment],
    about: "Manage serving environments",
    columns: &["id", "name", "updated", "description"],
    archived: None,
    operations: operations::of::<ServingEnvironment>(),
    reference_help: "\nAn environment has no state, so it cannot be archived.",
    examples: "Examples:
  model-registry environments create production --description 'namespace models'
  model-registry environments list",
};

pub(crate) static SERVICES: KindCommand = KindCommand {
    singular: "service",
    placeholder: "ENVIRONMENT/SERVICE",
    kinds: &[Kind::InferenceService],
    about: "Manage inference services: models served in an environment",
    columns: &["id", "parent", "name", "model", "version", "desiredState", "runtime", "updated"],
    archived: Some(ArchivedState { field: "desiredState", archived: "UNDEPLOYED", active: "DEPLOYED" }),
    operations: operations::of::<InferenceService>(),
    reference_help: "\nThe name of a service includes its environment: `production/fraud`, or `fraud --environment production`.",
    examples: "Examples:
  model-registry services create production/fraud --model fraud-detector --version fraud-detector/v1
  model-registry services list --environment production
  model-registry services archive production/fraud --yes",
};

/// The kinds that have a subcommand.
pub(crate) static KIND_COMMANDS: [&KindCommand; 7] =
    [&MODELS, &VERSIONS, &ARTIFACTS, &EXPERIMENTS, &RUNS, &ENVIRONMENTS, &SERVICES];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_with_a_command_has_one_kind_command() {
        for spec in Kind::ALL.map(Kind::spec) {
            let commands: Vec<_> = KIND_COMMANDS.iter().filter(|command| command.kinds.contains(&spec.kind)).collect();
            let names: Vec<_> = commands.iter().map(|command| command.name()).collect();
            assert_eq!(names, spec.command.into_iter().collect::<Vec<_>>(), "{}", spec.schema);
        }
    }

    #[test]
    fn parents_derive_from_the_kinds() {
        let names =
            |command: &KindCommand| command.parent_kinds().iter().map(|parent| parent.name()).collect::<Vec<_>>();
        assert_eq!(names(&MODELS), [""; 0]);
        assert_eq!(names(&VERSIONS), ["models"]);
        assert_eq!(names(&ARTIFACTS), ["versions", "runs"]);
        assert_eq!(names(&SERVICES), ["environments"]);
    }
}
