//! Schemas of what running an MCP server takes: hints of its publisher.

use serde_json::{Map, Value, json};

use super::build::{choice, described, flag_or, formed, list_of, named, object, schema, short, text, texts};

/// Names of objects of Kubernetes, with dots and without.
const SUBDOMAIN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
const LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
const PATH: &str = "^/[a-zA-Z0-9/_.-]*$";
const NAME_LIMIT: u32 = 253;

pub(super) fn all() -> Map<String, Value> {
    named([
        ("MCPRuntimeMetadata", runtime_metadata()),
        ("MCPEnvVarMetadata", environment_variable()),
        ("MCPResourceRecommendation", resources()),
        ("MCPPrerequisites", prerequisites()),
        ("MCPServiceAccountRequirement", service_account()),
        ("MCPSecretRequirement", mounted("MCPSecretKey", false, "A secret that a server reads.")),
        ("MCPSecretKey", object("key description", key_fields())),
        ("MCPConfigMapRequirement", mounted("MCPConfigMapKey", true, "A config map that a server reads.")),
        ("MCPConfigMapKey", config_map_key()),
    ])
}

fn runtime_metadata() -> Value {
    let mut path = formed(PATH, "The path it answers at.");
    path["default"] = "/mcp".into();
    described(
        "What running a server takes.",
        object(
            "",
            [
                (
                    "defaultPort",
                    json!({"type": "integer", "minimum": 1, "maximum": 65535, "description": "The port it listens on."}),
                ),
                ("defaultArgs", texts("Arguments it is started with.")),
                ("requiredEnvironmentVariables", list_of("MCPEnvVarMetadata", "Variables that have to be set.")),
                ("optionalEnvironmentVariables", list_of("MCPEnvVarMetadata", "Variables that may be set.")),
                ("recommendedResources", schema("MCPResourceRecommendation")),
                (
                    "healthEndpoints",
                    object("", [("liveness", text("Path of the probe.")), ("readiness", text("Path of the probe."))]),
                ),
                (
                    "capabilities",
                    object(
                        "",
                        [
                            ("requiresNetwork", flag_or(true, "Whether it needs a network.")),
                            ("requiresFileSystem", flag_or(false, "Whether it needs a file system.")),
                            ("requiresGPU", flag_or(false, "Whether it needs a GPU.")),
                        ],
                    ),
                ),
                ("mcpPath", path),
                ("prerequisites", schema("MCPPrerequisites")),
            ],
        ),
    )
}

fn environment_variable() -> Value {
    let mut kind = choice(&["string", "int", "boolean", "secret", "config"], "What its value is.");
    kind["default"] = "string".into();
    object(
        "name description",
        [
            ("name", text("Name.")),
            ("description", text("What it is for.")),
            ("required", flag_or(false, "Whether it has to be set.")),
            ("defaultValue", text("What counts where it is not set.")),
            ("type", kind),
            ("example", text("A value as it may be.")),
        ],
    )
}

fn resources() -> Value {
    let amounts =
        || object("", [("cpu", text("As Kubernetes writes it.")), ("memory", text("As Kubernetes writes it."))]);
    object("", [("minimal", amounts()), ("recommended", amounts()), ("high", amounts())])
}

fn prerequisites() -> Value {
    object(
        "",
        [
            ("serviceAccount", schema("MCPServiceAccountRequirement")),
            ("secrets", list_of("MCPSecretRequirement", "Secrets.")),
            ("configMaps", list_of("MCPConfigMapRequirement", "Config maps.")),
            ("environmentVariables", list_of("MCPEnvVarMetadata", "Environment variables.")),
            ("customResources", texts("Whatever else has to be there.")),
        ],
    )
}

fn service_account() -> Value {
    object(
        "",
        [
            ("required", flag_or(false, "Whether it needs one of its own.")),
            ("hint", short(500, "What it has to be allowed.")),
            ("suggestedName", limited(formed(LABEL, "A name for it."), NAME_LIMIT)),
        ],
    )
}

/// A secret or config map.
fn mounted(keys: &str, is_file: bool, description: &str) -> Value {
    described(
        description,
        object(
            "name description",
            [
                ("name", limited(formed(SUBDOMAIN, "Name."), NAME_LIMIT)),
                ("description", short(1_000, "What it is for.")),
                ("keys", list_of(keys, "What it holds.")),
                ("mountAsFile", flag_or(is_file, "Whether it is mounted.")),
                ("mountPath", limited(formed(PATH, "Where it is mounted."), 4_096)),
            ],
        ),
    )
}

fn key_fields() -> [super::build::Field; 4] {
    [
        ("key", short(NAME_LIMIT, "Name of the key.")),
        ("description", short(500, "What it is for.")),
        ("envVarName", short(NAME_LIMIT, "The variable that it is read from.")),
        ("required", flag_or(false, "Whether it has to be there.")),
    ]
}

fn config_map_key() -> Value {
    let mut schema = object("key description", key_fields());
    schema["properties"]["defaultContent"] = short(10_000, "What counts where nobody gives anything.");
    schema
}

fn limited(mut schema: Value, limit: u32) -> Value {
    schema["maxLength"] = limit.into();
    schema
}
