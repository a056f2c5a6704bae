//! What the job leaves as its termination message.

use serde::Serialize;

use super::settings::Intent;

/// The entities that a successful job has created or updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub intent: Intent,
    pub model_id: Option<String>,
    pub version_id: Option<String>,
    pub artifact_id: String,
}

#[derive(Serialize)]
struct Document<'a> {
    intent: &'a str,
    #[serde(rename = "RegisteredModel", skip_serializing_if = "Option::is_none")]
    model: Option<Id<'a>>,
    #[serde(rename = "ModelVersion", skip_serializing_if = "Option::is_none")]
    version: Option<Id<'a>>,
    #[serde(rename = "ModelArtifact")]
    artifact: Id<'a>,
}

#[derive(Serialize)]
struct Id<'a> {
    id: &'a str,
}

impl Outcome {
    /// The message that the user interface reads.
    pub fn message(&self) -> String {
        let document = Document {
            intent: self.intent.name(),
            model: self.model_id.as_deref().map(|id| Id { id }),
            version: self.version_id.as_deref().map(|id| Id { id }),
            artifact: Id { id: &self.artifact_id },
        };
        serde_json::to_string_pretty(&document).unwrap_or_default()
    }
}

/// The message of a failure; the user interface shows it.
pub fn failure_message(error: &dyn std::fmt::Display) -> String {
    format!("Unexpected error: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_has_the_ids_in_their_order() {
        let outcome = Outcome {
            intent: Intent::CreateModel,
            model_id: Some("1".to_owned()),
            version_id: Some("2".to_owned()),
            artifact_id: "3".to_owned(),
        };
        let expected = "{\n  \"intent\": \"create_model\",\n  \"RegisteredModel\": {\n    \"id\": \"1\"\n  },\n  \"ModelVersion\": {\n    \
                        \"id\": \"2\"\n  },\n  \"ModelArtifact\": {\n    \"id\": \"3\"\n  }\n}";
        assert_eq!(outcome.message(), expected);
        let update = Outcome { intent: Intent::UpdateArtifact, model_id: None, version_id: None, ..outcome };
        assert!(!update.message().contains("RegisteredModel"));
    }
}
