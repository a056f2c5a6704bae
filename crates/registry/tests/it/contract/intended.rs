//! What differs from the contract on purpose.

use model_registry_testkit::contract::{Intended, because};

pub(super) const IN_BOTH: &[Intended] = &[
    // Operations.
    because("POST /registered_models:register: additional", "registers a model, a version and artifacts at once"),
    because("schema Registration*: additional", "the bodies of that operation"),
    because("GET /changes: additional", "the change feed"),
    because("schema Change*: additional", "what the change feed answers"),
    because("* parameters header If-Match: additional", "changes only what the client has seen"),
    because("* parameters header If-None-Match: additional", "spares sending what the client has"),
    because("* parameters header Idempotency-Key: additional", "makes creations repeatable"),
    // Statuses that the reference's server gives as well, or that ours gives beyond it.
    because("GET * responses 304: additional", "If-None-Match"),
    because("* responses 412: additional", "If-Match"),
    because("GET * responses 400: additional", "bad ids, filters, page tokens and escapes are told to be so"),
    because("* responses 403: additional", "rights are checked where a policy is configured"),
    because("* responses 404: additional", "parents have to exist; the same set for every operation otherwise"),
    because("PATCH * responses 409: additional", "an external id may be taken"),
    because("* responses 413: additional", "bodies are limited"),
    because("POST * responses 422: additional", "required fields, reused Idempotency-Keys"),
    because("* responses 504: additional", "the time of a request is limited"),
    because("POST /inference_services responses 200: missing", "what was created is answered with 201"),
    because("POST /inference_services responses 201: additional", "what was created is answered with 201"),
    because("POST /registered_models/*/versions responses 200: additional", "a body with an id changes that version"),
    // Parameters.
    because("GET * parameters query name schema pattern: missing", "names may be any text"),
    because("GET * parameters query externalId schema pattern: missing", "external ids may be any text"),
    because("GET * parameters query filterQuery schema pattern: missing", "filters may compare with any text"),
    // Request bodies.
    because("* additionalProperties: none -> false", "unknown fields are refused, except of artifacts"),
    because("* properties * nullable: none -> true", "null clears in a change and counts as absent in a creation"),
    because("* properties * maxLength: none -> 255", "limits are told"),
    because("* properties name maxLength: none -> 250", "limits are told"),
    because("* properties * maxItems: none -> 500", "limits are told"),
    because("* properties customProperties maxProperties: none -> 1000", "limits are told"),
    because("Metric* required: none -> [\"value\"]", "neither server accepts a metric without its value"),
    because("schema *Upsert: additional", "bodies that may carry an id accept less than answers tell"),
    because("POST * body schema $ref: \"ModelVersion\" -> \"ModelVersionUpsert\"", "as above"),
    because("POST * body schema $ref: \"Artifact\" -> \"ArtifactUpsert\"", "as above"),
    because("ArtifactUpsert oneOf: * -> *Upsert\"}]", "as above"),
    because("ArtifactUpsert discriminator mapping * -> \"*Upsert\"", "as above"),
    because("InferenceService* properties modelVersionId pattern: *", "an empty id is none"),
    because("*Upsert properties id pattern: none -> *", "the id of a body has to be one"),
    // Schemas.
    because("* properties artifactType enum: none -> *", "an answer is exactly one of the members of the union"),
    because("* required: none -> [\"artifactType\"]", "an answer is exactly one of the members of the union"),
    because("Metadata* additionalProperties: missing", "unknown members of a value are ignored"),
    because("MetadataIntValue properties int_value format: \"int32\" -> \"int64\"", "integers have 64 bits"),
    because("MetadataIntValue properties int_value pattern: *", "integers have 64 bits"),
    because("ParameterType type: none -> \"string\"", "its members are texts"),
    because("schema BaseModel: missing", "a part of other schemas that is written out in them"),
    because("schema BaseResourceCreate: missing", "a part of other schemas that is written out in them"),
    because("schema BaseResourceUpdate: missing", "a part of other schemas that is written out in them"),
];

pub(super) const IN_V1ALPHA3: &[Intended] = &[
    because("POST /experiments/*/experiment_runs responses 200: additional", "a body with an id changes that run"),
    because("POST * body schema $ref: \"ExperimentRun\" -> \"ExperimentRunUpsert\"", "see ModelVersionUpsert"),
    because("ExperimentRunUpsert properties name minLength: missing", "an empty name is none: one is generated"),
    because("Metric* properties step m*imum: none -> *", "the limits of 64 bits"),
];

pub(super) const IN_V1: &[Intended] = &[
    because("* properties experimentId: missing", "v1 has no experiments"),
    because("* properties experimentRunId: missing", "v1 has no experiments"),
    because("Metric* properties step type: \"integer\" -> \"string\"", "v1 writes steps as texts"),
    because("Metric* properties step pattern: none -> *", "v1 writes steps as texts"),
];
