//! The kinds of entity: their paths, and the types to create and update them.

use model_registry_api::entities::{
    Artifact, ArtifactCreate, ArtifactUpdate, Experiment, ExperimentCreate, ExperimentRun, ExperimentRunCreate,
    ExperimentRunUpdate, ExperimentUpdate, InferenceService, InferenceServiceCreate, InferenceServiceUpdate,
    ModelArtifact, ModelArtifactCreate, ModelArtifactUpdate, ModelVersion, ModelVersionCreate, ModelVersionUpdate,
    RegisteredModel, RegisteredModelCreate, RegisteredModelUpdate, ServeModel, ServeModelCreate, ServingEnvironment,
    ServingEnvironmentCreate, ServingEnvironmentUpdate,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A kind of entity with its own collection.
pub trait Resource: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The path of the collection.
    const COLLECTION: &'static str;
    /// The path that finds one entity.
    const ONE: &'static str;
    /// The body of a creation.
    type Create: Serialize + DeserializeOwned + Send + Sync;
    /// The body of an update.
    type Update: Serialize + DeserializeOwned + Send + Sync;
}

/// A kind of entity that is listed and created below a parent.
pub trait Child: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The path of the collection of the parent.
    const PARENTS: &'static str;
    /// The path of the list below a parent.
    const BELOW: &'static str;
    /// The body of a creation.
    type Create: Clone + Serialize + Send + Sync;

    /// Sets the parent in the body of a creation.
    fn set_parent(create: &mut Self::Create, parent_id: &str);
}

impl Resource for RegisteredModel {
    const COLLECTION: &'static str = "registered_models";
    const ONE: &'static str = "registered_model";
    type Create = RegisteredModelCreate;
    type Update = RegisteredModelUpdate;
}

impl Resource for ModelVersion {
    const COLLECTION: &'static str = "model_versions";
    const ONE: &'static str = "model_version";
    type Create = ModelVersionCreate;
    type Update = ModelVersionUpdate;
}

impl Child for ModelVersion {
    const PARENTS: &'static str = "registered_models";
    const BELOW: &'static str = "versions";
    type Create = ModelVersionCreate;

    fn set_parent(create: &mut Self::Create, parent_id: &str) {
        parent_id.clone_into(&mut create.registered_model_id);
    }
}

impl Resource for ServingEnvironment {
    const COLLECTION: &'static str = "serving_environments";
    const ONE: &'static str = "serving_environment";
    type Create = ServingEnvironmentCreate;
    type Update = ServingEnvironmentUpdate;
}

impl Resource for InferenceService {
    const COLLECTION: &'static str = "inference_services";
    const ONE: &'static str = "inference_service";
    type Create = InferenceServiceCreate;
    type Update = InferenceServiceUpdate;
}

impl Child for InferenceService {
    const PARENTS: &'static str = "serving_environments";
    const BELOW: &'static str = "inference_services";
    type Create = InferenceServiceCreate;

    fn set_parent(create: &mut Self::Create, parent_id: &str) {
        parent_id.clone_into(&mut create.serving_environment_id);
    }
}

impl Child for ServeModel {
    const PARENTS: &'static str = "inference_services";
    const BELOW: &'static str = "serves";
    type Create = ServeModelCreate;

    /// The path alone refers to the service.
    fn set_parent(_create: &mut Self::Create, _parent_id: &str) {}
}

impl Resource for Experiment {
    const COLLECTION: &'static str = "experiments";
    const ONE: &'static str = "experiment";
    type Create = ExperimentCreate;
    type Update = ExperimentUpdate;
}

impl Resource for ExperimentRun {
    const COLLECTION: &'static str = "experiment_runs";
    const ONE: &'static str = "experiment_run";
    type Create = ExperimentRunCreate;
    type Update = ExperimentRunUpdate;
}

impl Child for ExperimentRun {
    const PARENTS: &'static str = "experiments";
    const BELOW: &'static str = "experiment_runs";
    type Create = ExperimentRunCreate;

    fn set_parent(create: &mut Self::Create, parent_id: &str) {
        parent_id.clone_into(&mut create.experiment_id);
    }
}

impl Resource for Artifact {
    const COLLECTION: &'static str = "artifacts";
    const ONE: &'static str = "artifact";
    type Create = ArtifactCreate;
    type Update = ArtifactUpdate;
}

impl Resource for ModelArtifact {
    const COLLECTION: &'static str = "model_artifacts";
    const ONE: &'static str = "model_artifact";
    type Create = ModelArtifactCreate;
    type Update = ModelArtifactUpdate;
}

#[cfg(test)]
mod tests {
    use model_registry_api::Kind;

    use super::*;

    fn check<R: Resource>(kind: Kind) {
        let spec = kind.spec();
        assert_eq!((Some(R::COLLECTION), R::ONE), (spec.collection, spec.name), "{kind:?}");
    }

    fn check_child<C: Child>(kind: Kind) {
        let parent = kind.spec().parent.unwrap();
        assert_eq!((Some(C::PARENTS), C::BELOW), (parent.kind.spec().collection, parent.segment), "{kind:?}");
    }

    /// A new kind does not compile until it is here.
    #[test]
    fn paths_are_those_of_the_declarations() {
        for kind in Kind::ALL {
            match kind {
                Kind::RegisteredModel => check::<RegisteredModel>(kind),
                Kind::ModelVersion => {
                    check::<ModelVersion>(kind);
                    check_child::<ModelVersion>(kind);
                }
                Kind::ServingEnvironment => check::<ServingEnvironment>(kind),
                Kind::InferenceService => {
                    check::<InferenceService>(kind);
                    check_child::<InferenceService>(kind);
                }
                Kind::ServeModel => check_child::<ServeModel>(kind),
                Kind::Experiment => check::<Experiment>(kind),
                Kind::ExperimentRun => {
                    check::<ExperimentRun>(kind);
                    check_child::<ExperimentRun>(kind);
                }
                Kind::ModelArtifact => check::<ModelArtifact>(kind),
                // Served as artifacts of any kind.
                Kind::DocArtifact | Kind::DataSet | Kind::Metric | Kind::Parameter | Kind::MetricPoint => {
                    assert_eq!(kind.spec().collection, None);
                }
            }
        }
    }
}
