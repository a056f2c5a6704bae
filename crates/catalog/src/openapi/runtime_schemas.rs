//! Schemas of the requirements for running an MCP server, which are hints of its publisher.

use serde_json::{Map, Value, json};

use super::build::{
    array_of, boolean_or, described, enumeration, named, object, schema, string, string_like, string_up_to, strings,
};

/// Names of Kubernetes objects, with and without dots.
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
    let mut path = string_like(PATH, "Path of the MCP endpoint.");
    path["default"] = "/mcp".into();
    described(
        "Requirements for running a server.",
        object(
            "",
            [
                (
                    "defaultPort",
                    json!({"type": "integer", "minimum": 1, "maximum": 65535, "description": "Port that it listens on."}),
                ),
                ("defaultArgs", strings("Arguments of its command line.")),
                ("requiredEnvironmentVariables", array_of("MCPEnvVarMetadata", "Required environment variables.")),
                ("optionalEnvironmentVariables", array_of("MCPEnvVarMetadata", "Optional environment variables.")),
                ("recommendedResources", schema("MCPResourceRecommendation")),
                (
                    "healthEndpoints",
                    object(
                        "",
                        [("liveness", string("Path of the probe.")), ("readiness", string("Path of the probe."))],
                    ),
                ),
                (
                    "capabilities",
                    object(
                        "",
                        [
                            ("requiresNetwork", boolean_or(true, "Whether it needs a network.")),
                            ("requiresFileSystem", boolean_or(false, "Whether it needs a file system.")),
                            ("requiresGPU", boolean_or(false, "Whether it needs a GPU.")),
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
    let mut kind = enumeration(&["string", "int", "boolean", "secret", "config"], "Type of the value.");
    kind["default"] = "string".into();
    object(
        "name description",
        [
            ("name", string("Name.")),
            ("description", string("Purpose.")),
            ("required", boolean_or(false, "Whether it has to be set.")),
            ("defaultValue", string("Value if it is not set.")),
            ("type", kind),
            ("example", string("An example value.")),
        ],
    )
}

fn resources() -> Value {
    let amounts = || {
        object(
            "",
            [
                ("cpu", string("A quantity in the notation of Kubernetes.")),
                ("memory", string("A quantity in the notation of Kubernetes.")),
            ],
        )
    };
    object("", [("minimal", amounts()), ("recommended", amounts()), ("high", amounts())])
}

fn prerequisites() -> Value {
    object(
        "",
        [
            ("serviceAccount", schema("MCPServiceAccountRequirement")),
            ("secrets", array_of("MCPSecretRequirement", "Secrets.")),
            ("configMaps", array_of("MCPConfigMapRequirement", "Config maps.")),
            ("environmentVariables", array_of("MCPEnvVarMetadata", "Environment variables.")),
            ("customResources", strings("Other objects that have to exist.")),
        ],
    )
}

fn service_account() -> Value {
    object(
        "",
        [
            ("required", boolean_or(false, "Whether it needs its own service account.")),
            ("hint", string_up_to(500, "Permissions that it needs.")),
            ("suggestedName", limited(string_like(LABEL, "Suggested name."), NAME_LIMIT)),
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
                ("name", limited(string_like(SUBDOMAIN, "Name."), NAME_LIMIT)),
                ("description", string_up_to(1_000, "Purpose.")),
                ("keys", array_of(keys, "Keys.")),
                ("mountAsFile", boolean_or(is_file, "Whether it is mounted as files.")),
                ("mountPath", limited(string_like(PATH, "Path of the mount."), 4_096)),
            ],
        ),
    )
}

fn key_fields() -> [super::build::Field; 4] {
    [
        ("key", string_up_to(NAME_LIMIT, "Name of the key.")),
        ("description", string_up_to(500, "Purpose.")),
        ("envVarName", string_up_to(NAME_LIMIT, "Environment variable with its value.")),
        ("required", boolean_or(false, "Whether the key has to exist.")),
    ]
}

fn config_map_key() -> Value {
    let mut schema = object("key description", key_fields());
    schema["properties"]["defaultContent"] = string_up_to(10_000, "Content if none is configured.");
    schema
}

fn limited(mut schema: Value, limit: u32) -> Value {
    schema["maxLength"] = limit.into();
    schema
}
