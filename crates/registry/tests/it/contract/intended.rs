//! Intended differences from the contract, each with its reason.

use model_registry_testkit::contract::{Intended, because};

pub(super) const IN_BOTH: &[Intended] = &[
    // Operations.
    because("POST /registered_models:register: additional", "registers a model, a version and artifacts at once"),
    because("schema Registration*: additional", "the bodies of that operation"),
    because("GET /changes: additional", "the change feed"),
    because("schema Change*: additional", "the responses of the change feed"),
    because("GET /*/filter_options: additional", "what filters can use, as the catalog has it"),
    because("schema FilterOption*: additional", "the responses of that operation"),
    because("GET /search: additional", "a search over all kinds"),
    because("schema Search*: additional", "the responses of that operation"),
    because("GET * parameters query total: additional", "the number of entities on all pages"),
    because("*List properties total*: additional", "the number of entities on all pages"),
    because("* parameters header If-Match: additional", "conditional updates"),
    because("* parameters header If-None-Match: additional", "conditional reads"),
    because("* parameters header Idempotency-Key: additional", "makes creations idempotent"),
    // Statuses that the Kubeflow Model Registry returns as well without documenting them, and further ones of ours.
    because("GET * responses 304: additional", "If-None-Match"),
    because("* responses 412: additional", "If-Match"),
    because("GET * responses 400: additional", "invalid ids, filters, page tokens and escapes are reported"),
    because("* responses 403: additional", "permissions are checked if a policy is configured"),
    because("* responses 404: additional", "parents must exist; the other operations have the same set of statuses"),
    because("PATCH * responses 409: additional", "an external id may be taken"),
    because("* responses 413: additional", "bodies are limited"),
    because("POST * responses 422: additional", "required fields, reused Idempotency-Keys"),
    because("* responses 504: additional", "requests have a time limit"),
    because("POST /registered_models/*/versions responses 200: additional", "a body with an id updates that version"),
    // Parameters.
    because("GET * parameters query name schema pattern: missing", "a name may be any string"),
    because("GET * parameters query externalId schema pattern: missing", "an external id may be any string"),
    because("GET * parameters query filterQuery schema pattern: missing", "a filter may contain any string"),
    because("OrderByField *", "fields and properties are orders, too"),
    // Request bodies.
    because("* additionalProperties: none -> false", "unknown fields are rejected, except in artifacts"),
    because(
        "* properties * nullable: none -> true",
        "null clears a field in an update and counts as absent in a creation",
    ),
    because("* properties * maxLength: none -> 255", "limits are documented"),
    because("* properties name maxLength: none -> 250", "limits are documented"),
    because("* properties * maxItems: none -> 500", "limits are documented"),
    because("* properties customProperties maxProperties: none -> 1000", "limits are documented"),
    because("Metric* required: none -> [\"value\"]", "neither server accepts a metric without its value"),
    because("schema *Upsert: additional", "bodies that may have an id accept fewer fields than responses have"),
    because("POST * body schema $ref: \"ModelVersion\" -> \"ModelVersionUpsert\"", "as above"),
    because("POST * body schema $ref: \"Artifact\" -> \"ArtifactUpsert\"", "as above"),
    because("ArtifactUpsert oneOf: * -> *Upsert\"}]", "as above"),
    because("ArtifactUpsert discriminator mapping * -> \"*Upsert\"", "as above"),
    because("InferenceService* properties modelVersionId pattern: *", "an empty id counts as absent"),
    because("*Upsert properties id pattern: none -> *", "the id in a body must be a valid id"),
    // Schemas.
    because("* properties artifactType enum: none -> *", "a response is exactly one member of the union"),
    because("* required: none -> [\"artifactType\"]", "a response is exactly one member of the union"),
    because("Metadata* additionalProperties: missing", "unknown members of a value are ignored"),
    because("MetadataIntValue properties int_value format: \"int32\" -> \"int64\"", "integers have 64 bits"),
    because("MetadataIntValue properties int_value pattern: *", "integers have 64 bits"),
    because("Metric* properties value *", "NaN and infinities are strings"),
    because("MetadataDoubleValue properties double_value *", "NaN and infinities are strings"),
    because("ParameterType type: none -> \"string\"", "its members are strings"),
    because("schema BaseModel: missing", "inlined into the schemas that use it"),
    because("schema BaseResourceCreate: missing", "inlined into the schemas that use it"),
    because("schema BaseResourceUpdate: missing", "inlined into the schemas that use it"),
];

pub(super) const IN_V1ALPHA3: &[Intended] = &[
    because("POST /inference_services responses 200: missing", "a creation returns 201"),
    because("POST /inference_services responses 201: additional", "a creation returns 201"),
    because("POST /experiments/*/experiment_runs responses 200: additional", "a body with an id updates that run"),
    because("POST * body schema $ref: \"ExperimentRun\" -> \"ExperimentRunUpsert\"", "see ModelVersionUpsert"),
    because(
        "ExperimentRunUpsert properties name minLength: missing",
        "an empty name counts as absent, and one is generated",
    ),
    because("Metric* properties step m*imum: none -> *", "the range of 64-bit integers"),
];

pub(super) const IN_V1: &[Intended] = &[
    because("Parameter* properties parameterType default: missing", "a parameter without a type has none"),
    because("Metric* properties step pattern: none -> *", "v1 writes steps as strings"),
];
