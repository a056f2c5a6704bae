use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    DataSet, DataSetCreate, DataSetUpdate, DocArtifact, DocArtifactCreate, DocArtifactUpdate, Metric, MetricCreate,
    MetricUpdate, ModelArtifact, ModelArtifactCreate, ModelArtifactUpdate, Parameter, ParameterCreate, ParameterUpdate,
};

/// An artifact of any kind, discriminated by `artifactType`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "artifactType")]
pub enum Artifact {
    #[serde(rename = "model-artifact")]
    Model(Box<ModelArtifact>),
    #[serde(rename = "doc-artifact")]
    Doc(Box<DocArtifact>),
    #[serde(rename = "dataset-artifact")]
    DataSet(Box<DataSet>),
    #[serde(rename = "metric")]
    Metric(Box<Metric>),
    #[serde(rename = "parameter")]
    Parameter(Box<Parameter>),
    /// The JSON of an artifact kind unknown to this version.
    #[serde(untagged)]
    Other(Map<String, Value>),
}

impl Artifact {
    pub fn id(&self) -> &str {
        match self {
            Self::Model(artifact) => &artifact.id,
            Self::Doc(artifact) => &artifact.id,
            Self::DataSet(artifact) => &artifact.id,
            Self::Metric(artifact) => &artifact.id,
            Self::Parameter(artifact) => &artifact.id,
            Self::Other(artifact) => artifact.get("id").and_then(Value::as_str).unwrap_or_default(),
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Model(artifact) => &artifact.name,
            Self::Doc(artifact) => &artifact.name,
            Self::DataSet(artifact) => &artifact.name,
            Self::Metric(artifact) => &artifact.name,
            Self::Parameter(artifact) => &artifact.name,
            Self::Other(artifact) => artifact.get("name").and_then(Value::as_str).unwrap_or_default(),
        }
    }
}

/// Creation body of [`Artifact`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "artifactType")]
pub enum ArtifactCreate {
    #[serde(rename = "model-artifact")]
    Model(Box<ModelArtifactCreate>),
    #[serde(rename = "doc-artifact")]
    Doc(Box<DocArtifactCreate>),
    #[serde(rename = "dataset-artifact")]
    DataSet(Box<DataSetCreate>),
    #[serde(rename = "metric")]
    Metric(Box<MetricCreate>),
    #[serde(rename = "parameter")]
    Parameter(Box<ParameterCreate>),
}

/// Update body of [`Artifact`]; its `artifactType` has to be that of the artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "artifactType")]
pub enum ArtifactUpdate {
    #[serde(rename = "model-artifact")]
    Model(Box<ModelArtifactUpdate>),
    #[serde(rename = "doc-artifact")]
    Doc(Box<DocArtifactUpdate>),
    #[serde(rename = "dataset-artifact")]
    DataSet(Box<DataSetUpdate>),
    #[serde(rename = "metric")]
    Metric(Box<MetricUpdate>),
    #[serde(rename = "parameter")]
    Parameter(Box<ParameterUpdate>),
}

impl From<ModelArtifact> for Artifact {
    fn from(artifact: ModelArtifact) -> Self {
        Self::Model(Box::new(artifact))
    }
}

impl From<DocArtifact> for Artifact {
    fn from(artifact: DocArtifact) -> Self {
        Self::Doc(Box::new(artifact))
    }
}

impl From<DataSet> for Artifact {
    fn from(artifact: DataSet) -> Self {
        Self::DataSet(Box::new(artifact))
    }
}

impl From<Metric> for Artifact {
    fn from(artifact: Metric) -> Self {
        Self::Metric(Box::new(artifact))
    }
}

impl From<Parameter> for Artifact {
    fn from(artifact: Parameter) -> Self {
        Self::Parameter(Box::new(artifact))
    }
}

impl From<ModelArtifactCreate> for ArtifactCreate {
    fn from(artifact: ModelArtifactCreate) -> Self {
        Self::Model(Box::new(artifact))
    }
}

impl From<DocArtifactCreate> for ArtifactCreate {
    fn from(artifact: DocArtifactCreate) -> Self {
        Self::Doc(Box::new(artifact))
    }
}

impl From<DataSetCreate> for ArtifactCreate {
    fn from(artifact: DataSetCreate) -> Self {
        Self::DataSet(Box::new(artifact))
    }
}

impl From<MetricCreate> for ArtifactCreate {
    fn from(artifact: MetricCreate) -> Self {
        Self::Metric(Box::new(artifact))
    }
}

impl From<ParameterCreate> for ArtifactCreate {
    fn from(artifact: ParameterCreate) -> Self {
        Self::Parameter(Box::new(artifact))
    }
}

impl From<ModelArtifactUpdate> for ArtifactUpdate {
    fn from(artifact: ModelArtifactUpdate) -> Self {
        Self::Model(Box::new(artifact))
    }
}

impl From<DocArtifactUpdate> for ArtifactUpdate {
    fn from(artifact: DocArtifactUpdate) -> Self {
        Self::Doc(Box::new(artifact))
    }
}

impl From<DataSetUpdate> for ArtifactUpdate {
    fn from(artifact: DataSetUpdate) -> Self {
        Self::DataSet(Box::new(artifact))
    }
}

impl From<MetricUpdate> for ArtifactUpdate {
    fn from(artifact: MetricUpdate) -> Self {
        Self::Metric(Box::new(artifact))
    }
}

impl From<ParameterUpdate> for ArtifactUpdate {
    fn from(artifact: ParameterUpdate) -> Self {
        Self::Parameter(Box::new(artifact))
    }
}
