//! Parameters of paths, queries and headers.

use model_registry_api::page::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use model_registry_server::openapi::if_none_match;
use serde_json::{Map, Value, json};

use super::kind_schemas::ID_PATTERN;
use super::reference;

/// The id in a path.
pub(super) fn path_id(name: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "description": "Id of the entity.", "schema": id()})
}

fn id() -> Value {
    json!({"type": "string", "format": "int64", "pattern": ID_PATTERN})
}

/// Every parameter that operations refer to.
pub(super) fn all() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    let query = |name: &str, schema: Value, description: &str| {
        let parameter =
            json!({"name": name, "in": "query", "required": false, "description": description, "schema": schema});
        (name.to_owned(), parameter)
    };
    let header = |key: &str, name: &str, schema: Value, description: &str| {
        let parameter =
            json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema});
        (key.to_owned(), parameter)
    };
    let page_size = format!("Items on a page: {DEFAULT_PAGE_SIZE} by default, {MAX_PAGE_SIZE} at most.");
    let page_size_schema = json!({"type": "string", "format": "int32", "pattern": ID_PATTERN});
    let after = json!({"type": "string", "pattern": "^([0-9]{1,18}|newest)$"});
    let steps = json!({"type": "string", "pattern": "^[0-9]{1,9}(,[0-9]{1,9})*$"});
    Map::from_iter([
        query("name", text(), "Name of the entity, compared exactly."),
        query("externalId", text(), "Id in an external system."),
        query("parentResourceId", id(), "Id of the parent."),
        query("filterQuery", text(), FILTER),
        query("artifactType", reference("schemas", "ArtifactTypeQueryParam"), "Only artifacts of this kind."),
        query("pageSize", page_size_schema, &page_size),
        query("orderBy", reference("schemas", "OrderByField"), "What the list is ordered by; the id by default."),
        query("sortOrder", reference("schemas", "SortOrder"), "Direction of the list; ascending by default."),
        query("nextPageToken", text(), "`nextPageToken` of the previous page, with the same filter and order."),
        query("stepIds", steps, "Only values logged at these steps, separated by commas."),
        query("after", after, "The sequence to read behind: `next` of the last answer, 0 for all, or `newest`."),
        query("limit", json!({"type": "integer", "minimum": 1}), "Changes in an answer: 100 by default, 1000 at most."),
        query(
            "wait",
            json!({"type": "integer", "minimum": 0}),
            "Seconds to wait for a change if there is none, 30 at most.",
        ),
        header(
            "ifMatch",
            "If-Match",
            text(),
            "Changes the entity only if its ETag is one of these, and answers 412 otherwise.",
        ),
        ("ifNoneMatch".to_owned(), if_none_match()),
        header(
            "idempotencyKey",
            "Idempotency-Key",
            json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"}),
            "Within 24 hours the same request with the same key gets the same answer and creates nothing again; another \
             request with the same key gets 422. Keys belong to the user who sends them.",
        ),
    ])
}

const FILTER: &str = "\
    A condition that items have to meet, such as `name LIKE 'fraud-%' AND (accuracy > 0.9 OR NOT state = 'ARCHIVED')`. \
    It compares fields and custom properties by name with =, !=, <>, <, <=, >, >=, LIKE, ILIKE, IN, BETWEEN and \
    IS [NOT] NULL; other names are written in back-quotes, and `.int_value` and the like behind a name choose a type.";
