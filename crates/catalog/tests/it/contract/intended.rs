//! Intended differences from the contracts, with reasons.

use model_registry_testkit::contract::{Intended, because};

/// Parts of the paths that are not served yet.
pub(super) const NOT_YET_SERVED: &[&str] = &[];

/// Fields, parameters and members that the catalog does not have yet.
pub(super) const NOT_YET: &[Intended] = &[];

pub(super) const IN_BOTH: &[Intended] = &[
    // Statuses that the Kubeflow Model Registry returns too, and additional ones.
    because("GET * responses 400: additional", "invalid ids, filters, page tokens and escapes"),
    because("* responses 403: additional", "a policy may deny the request"),
    because("* responses 404: additional", "every operation declares the same statuses"),
    because("* responses 503: additional", "the database may be unavailable"),
    because("* responses 504: additional", "requests have a timeout"),
    because("POST /sources/preview responses 413: additional", "bodies have a maximum size"),
    // Parameters.
    because("GET * parameters query filterQuery schema pattern: missing", "filters may contain any character"),
    because("GET /sources parameters query name schema pattern: missing", "names may contain any character"),
    because("GET /models parameters query orderBy schema *", "models can be ordered by properties too"),
    because("GET /sources parameters query orderBy schema *", "sources cannot be ordered by times"),
    because("* parameters query targetRPS schema format: none -> \"int32\"", "the limits are declared"),
    because("* parameters query targetRPS schema m*imum: none -> *", "the limits are declared"),
    // Schemas.
    because("*Artifact properties artifactType enum: none -> *", "the value is fixed for each schema of the union"),
    because("Skill properties bodyLineCount format: missing", "integers have 64 bits"),
    because("Skill properties trustTier *", "the values are listed at the field"),
    because("schema SkillTrustTier: missing", "the values are listed at the field"),
    because("MCPEndpoints properties websocket: additional", "the configured endpoint is published"),
    because("Metadata* additionalProperties: missing", "unknown members of a value are ignored"),
    because("MetadataIntValue properties int_value format: \"int32\" -> \"int64\"", "integers have 64 bits"),
    because("MetadataIntValue properties int_value pattern: *", "integers have 64 bits"),
];

pub(super) const IN_V1ALPHA1: &[Intended] = &[because(
    "PreviewCatalogSourceResponse discriminator mapping *: none -> *",
    "previews support every asset type in both versions",
)];

pub(super) const IN_V1: &[Intended] =
    &[because("* operationId: * -> \"*V1\"", "one document has the operations of both versions")];
