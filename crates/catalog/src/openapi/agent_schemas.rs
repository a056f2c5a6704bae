//! Schemas of agents and their artifacts.

use model_registry_api::catalog::{CatalogKind, CatalogVersion};
use serde_json::{Map, Value};

use super::build::{all_of, artifact_type, boolean, described, named, object, one_of_artifacts, string, uri};

pub(super) fn all() -> Map<String, Value> {
    named([
        ("AgentEnvVar", variable()),
        ("AgentImageArtifact", image()),
        ("AgentArtifact", one_of_artifacts(&[("template-artifact", "AgentTemplateArtifact")])),
        ("AgentArtifactList", super::build::page_of("AgentArtifact")),
        ("AgentTemplateArtifact", template()),
    ])
}

fn variable() -> Value {
    described(
        "An environment variable that an agent needs.",
        object(
            "name required",
            [("name", string("Name.")), ("required", boolean("Whether the agent does not run without it."))],
        ),
    )
}

fn image() -> Value {
    let own = object(
        "artifactType uri",
        [("artifactType", artifact_type("image-artifact")), ("uri", uri("URI of the image."))],
    );
    all_of("An image to run an agent from.", own, &["BaseResource"])
}

fn template() -> Value {
    let (kind, version) = (CatalogKind::AgentTemplate, CatalogVersion::default());
    let mut template = super::resource("The text of a file that deploys an agent.", kind, version);
    if let Some(artifact_type_schema) = template.pointer_mut("/allOf/0/properties/artifactType") {
        *artifact_type_schema = artifact_type("template-artifact");
    }
    template
}
