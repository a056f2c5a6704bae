//! What differs from the contract on purpose.

use model_registry_testkit::contract::{Intended, because};

pub(super) const INTENDED: &[Intended] = &[
    // Statuses that the reference's server gives as well, or that ours gives beyond it.
    because("GET * responses 400: additional", "bad ids, filters, page tokens and escapes are told to be so"),
    because("* responses 403: additional", "rights are checked where a policy is configured"),
    because("* responses 404: additional", "the same set for every operation"),
    because("* responses 503: additional", "the database may be away"),
    because("* responses 504: additional", "the time of a request is limited"),
    because("POST /sources/preview responses 413: additional", "bodies are limited"),
    // Parameters.
    because("GET * parameters query filterQuery schema pattern: missing", "filters may compare with any text"),
    because("GET /sources parameters query name schema pattern: missing", "names may be any text"),
    because("GET /models parameters query orderBy schema *", "properties, names of accuracies and more order models"),
    because("GET /sources parameters query orderBy schema *", "neither server orders sources by a time"),
    because("* parameters query targetRPS schema format: none -> \"int32\"", "limits are told"),
    because("* parameters query targetRPS schema m*imum: none -> *", "limits are told"),
    // Schemas.
    because("Catalog*Artifact properties artifactType enum: none -> *", "an answer is one member of the union"),
    because("MCPEndpoints properties websocket: additional", "what was configured is told"),
    because("Metadata* additionalProperties: missing", "unknown members of a value are ignored"),
    because("MetadataIntValue properties int_value format: \"int32\" -> \"int64\"", "integers have 64 bits"),
    because("MetadataIntValue properties int_value pattern: *", "integers have 64 bits"),
];
