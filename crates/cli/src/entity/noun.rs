//! What the command line calls the kinds, and how their commands differ.

use model_registry_client::{
    Artifact, Experiment, ExperimentRun, InferenceService, Kind, ModelVersion, RegisteredModel, ServingEnvironment,
};
use serde_json::Value;

use super::operations::{self, Operations};
use super::parents;

/// A kind on the command line.
pub(crate) struct Noun {
    /// The command, a plural.
    pub(crate) command: &'static str,
    /// One of them, in messages and as the option that names one.
    pub(crate) singular: &'static str,
    /// Stands for one in help texts.
    pub(crate) placeholder: &'static str,
    /// Artifacts are of several kinds: all of them.
    pub(crate) kinds: &'static [Kind],
    pub(crate) about: &'static str,
    /// Columns of its table.
    pub(crate) columns: &'static [&'static str],
    /// What it belongs to, and the field that says to which.
    pub(crate) parent: Option<(&'static Noun, &'static str)>,
    /// The field and value of one that is archived, and what is done to it.
    pub(crate) archived: Option<Archived>,
    pub(crate) operations: Operations,
    pub(crate) reference_help: &'static str,
    pub(crate) examples: &'static str,
}

/// How a kind is taken out of use; nothing is deleted.
pub(crate) struct Archived {
    pub(crate) field: &'static str,
    pub(crate) value: &'static str,
    /// What undoes it.
    pub(crate) in_use: &'static str,
}

impl Noun {
    pub(crate) fn is_artifact(&self) -> bool {
        self.kinds.len() > 1
    }

    pub(crate) fn article(&self) -> &'static str {
        if self.singular.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
    }

    /// One that stands in examples.
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

    pub(crate) fn create_example(&self) -> String {
        let options = match self.kinds[0] {
            Kind::InferenceService => "--model fraud-detector --version fraud-detector/v1",
            Kind::ModelArtifact => "--uri s3://models/fraud/1 --model-format-name onnx",
            _ => "--description 'finds fraud' --property tier=gold",
        };
        format!("{} {options}", self.example())
    }

    /// The id of what an entity belongs to.
    pub(crate) fn parent_id<'a>(&self, entity: &'a Value) -> Option<&'a str> {
        entity.get(self.parent?.1)?.as_str()
    }

    /// How the command line names an entity.
    pub(crate) fn reference(&self, entity: &Value, parents: &parents::Names) -> String {
        let text = |key: &str| entity.get(key).and_then(Value::as_str).unwrap_or_default();
        let (id, name) = (text("id"), text("name"));
        // Artifacts of several owners have no name of their own.
        if self.is_artifact() {
            return format!("id:{id}");
        }
        let is_ambiguous = name.is_empty() || (self.parent.is_some() && name.contains('/'));
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

const ARCHIVED: Archived = Archived { field: "state", value: "ARCHIVED", in_use: "LIVE" };

pub(crate) static MODELS: Noun = Noun {
    command: "models",
    singular: "model",
    placeholder: "MODEL",
    kinds: &[Kind::RegisteredModel],
    about: "Models, the parents of their versions",
    columns: &["id", "name", "state", "owner", "updated", "description"],
    parent: None,
    archived: Some(ARCHIVED),
    operations: operations::of::<RegisteredModel>(),
    reference_help: "",
    examples: "Examples:
  model-registry models create fraud-detector --owner risk --property tier=gold
  model-registry models list --filter \"owner = 'risk'\" --columns name,owner,tier
  model-registry models get fraud-detector --output yaml",
};

pub(crate) static VERSIONS: Noun = Noun {
    command: "versions",
    singular: "version",
    placeholder: "MODEL/VERSION",
    kinds: &[Kind::ModelVersion],
    about: "Versions of models",
    columns: &["id", "parent", "name", "state", "author", "updated", "description"],
    parent: Some((&MODELS, "registeredModelId")),
    archived: Some(ARCHIVED),
    operations: operations::of::<ModelVersion>(),
    reference_help: "\nA version's name follows its model's: `fraud-detector/v1`, or `v1 --model fraud-detector`.",
    examples: "Examples:
  model-registry versions create fraud-detector/v1 --author ada --property accuracy=0.93
  model-registry versions list --model fraud-detector --filter 'accuracy > 0.9'
  model-registry versions archive fraud-detector/v1 --yes",
};

pub(crate) static ARTIFACTS: Noun = Noun {
    command: "artifacts",
    singular: "artifact",
    placeholder: "ARTIFACT",
    kinds: &Kind::ARTIFACTS,
    about: "Artifacts of versions and runs: models, documents, data sets, metrics, parameters",
    columns: &["id", "artifactType", "name", "state", "uri", "value", "updated"],
    parent: None,
    archived: Some(Archived { field: "state", value: "MARKED_FOR_DELETION", in_use: "LIVE" }),
    operations: operations::of::<Artifact>(),
    reference_help: "\nAn artifact's name follows its version's: `fraud-detector/v1/weights`, \
                     or `weights --version fraud-detector/v1`, or `weights --run tuning/first`.",
    examples: "Examples:
  model-registry artifacts create weights --version fraud-detector/v1 --uri s3://models/fraud/1
  model-registry artifacts list --version fraud-detector/v1
  model-registry artifacts update weights --version fraud-detector/v1 --model-format-name onnx",
};

pub(crate) static EXPERIMENTS: Noun = Noun {
    command: "experiments",
    singular: "experiment",
    placeholder: "EXPERIMENT",
    kinds: &[Kind::Experiment],
    about: "Experiments, the parents of their runs",
    columns: &["id", "name", "state", "owner", "updated", "description"],
    parent: None,
    archived: Some(ARCHIVED),
    operations: operations::of::<Experiment>(),
    reference_help: "",
    examples: "Examples:
  model-registry experiments create tuning --owner ada
  model-registry experiments list --order-by updated --descending --limit 10",
};

pub(crate) static RUNS: Noun = Noun {
    command: "runs",
    singular: "run",
    placeholder: "EXPERIMENT/RUN",
    kinds: &[Kind::ExperimentRun],
    about: "Runs of experiments",
    columns: &["id", "parent", "name", "status", "state", "owner", "updated"],
    parent: Some((&EXPERIMENTS, "experimentId")),
    archived: Some(ARCHIVED),
    operations: operations::of::<ExperimentRun>(),
    reference_help: "\nA run's name follows its experiment's: `tuning/first`, or `first --experiment tuning`.",
    examples: "Examples:
  model-registry runs create tuning/first --owner ada
  model-registry runs list --experiment tuning --filter \"status = 'RUNNING'\"
  model-registry runs update tuning/first --status FINISHED",
};

pub(crate) static ENVIRONMENTS: Noun = Noun {
    command: "environments",
    singular: "environment",
    placeholder: "ENVIRONMENT",
    kinds: &[Kind::ServingEnvironment],
    about: "Environments that models are served in",
    columns: &["id", "name", "updated", "description"],
    parent: None,
    archived: None,
    operations: operations::of::<ServingEnvironment>(),
    reference_help: "\nAn environment has no state: it cannot be archived.",
    examples: "Examples:
  model-registry environments create production --description 'namespace models'
  model-registry environments list",
};

pub(crate) static SERVICES: Noun = Noun {
    command: "services",
    singular: "service",
    placeholder: "ENVIRONMENT/SERVICE",
    kinds: &[Kind::InferenceService],
    about: "Inference services: models that are served in an environment",
    columns: &["id", "parent", "name", "desiredState", "runtime", "updated"],
    parent: Some((&ENVIRONMENTS, "servingEnvironmentId")),
    archived: Some(Archived { field: "desiredState", value: "UNDEPLOYED", in_use: "DEPLOYED" }),
    operations: operations::of::<InferenceService>(),
    reference_help: "\nA service's name follows its environment's: `production/fraud`, or `fraud --environment production`.",
    examples: "Examples:
  model-registry services create production/fraud --model fraud-detector --version fraud-detector/v1
  model-registry services list --environment production
  model-registry services archive production/fraud --yes",
};

/// Every kind that has commands.
pub(crate) static NOUNS: [&Noun; 7] = [&MODELS, &VERSIONS, &ARTIFACTS, &EXPERIMENTS, &RUNS, &ENVIRONMENTS, &SERVICES];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_with_a_command_is_in_the_noun_of_that_command() {
        for spec in Kind::ALL.map(Kind::spec) {
            let nouns: Vec<_> = NOUNS.iter().filter(|noun| noun.kinds.contains(&spec.kind)).collect();
            let commands: Vec<_> = nouns.iter().map(|noun| noun.command).collect();
            assert_eq!(commands, spec.command.into_iter().collect::<Vec<_>>(), "{}", spec.schema);
            for noun in nouns {
                let parent = spec.parent.map(|parent| (parent.kind, parent.field));
                assert_eq!(noun.parent.map(|(noun, field)| (noun.kinds[0], Some(field))), parent, "{}", spec.schema);
            }
        }
    }
}
