//! Parameters of paths, queries and headers.

use model_registry_api::Kind;
use model_registry_api::page::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use model_registry_server::openapi::if_none_match;
use serde_json::{Map, Value, json};

use super::kind_schemas::ID_PATTERN;
use super::reference;
use crate::routes::search::{DEFAULT_RESULTS, MAX_RESULTS, SEARCH_CHARACTERS, searched_kinds};

/// The id parameter of a path.
pub(super) fn path_id(name: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "description": "Id of the entity.", "schema": id()})
}

fn id() -> Value {
    json!({"type": "string", "format": "int64", "pattern": ID_PATTERN})
}

/// Every query and header parameter.
pub(super) fn all() -> Map<String, Value> {
    let string = || json!({"type": "string"});
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
    let page_size = format!("Items per page: {DEFAULT_PAGE_SIZE} by default, at most {MAX_PAGE_SIZE}.");
    let page_size_schema = json!({"type": "string", "format": "int32", "pattern": ID_PATTERN});
    let searched: Vec<&str> = searched_kinds().map(Kind::name).collect();
    let any_kind = searched.join("|");
    let kinds = format!("Only these kinds, separated by commas: {}.", searched.join(", "));
    let after = json!({"type": "string", "pattern": "^([0-9]{1,18}|newest)$"});
    let steps = json!({"type": "string", "pattern": "^[0-9]{1,9}(,[0-9]{1,9})*$"});
    Map::from_iter([
        query("name", string(), "Exact name of the entity."),
        query("externalId", string(), "Id in an external system."),
        query("parentResourceId", id(), "Id of the parent."),
        query("filterQuery", string(), FILTER),
        query("artifactType", reference("schemas", "ArtifactTypeQueryParam"), "Only artifacts of this kind."),
        query("pageSize", page_size_schema, &page_size),
        query(
            "orderBy",
            reference("schemas", "OrderByField"),
            "Sort key; the id by default. Equal values are ordered by id.",
        ),
        query("sortOrder", reference("schemas", "SortOrder"), "Sort direction; ascending by default."),
        query("nextPageToken", string(), "`nextPageToken` of the previous page; filter and order have to be the same."),
        query("total", json!({"type": "boolean", "default": false}), TOTAL),
        query("stepIds", steps, "Only values logged at these steps, separated by commas."),
        query(
            "after",
            after,
            "Return changes after this sequence number: `next` of the previous response, 0 for all, or `newest`.",
        ),
        query("limit", json!({"type": "integer", "minimum": 1}), "Changes per response: 100 by default, at most 1000."),
        query(
            "wait",
            json!({"type": "integer", "minimum": 0}),
            "Seconds to wait for a change if none exists yet, at most 30.",
        ),
        (
            "q".to_owned(),
            json!({
                "name": "q",
                "in": "query",
                "required": true,
                "description": SEARCHED,
                "schema": {"type": "string", "minLength": 1, "maxLength": SEARCH_CHARACTERS, "pattern": r"\S"},
            }),
        ),
        query("kinds", json!({"type": "string", "pattern": format!("^({any_kind})(,({any_kind}))*$")}), &kinds),
        (
            "searchPageSize".to_owned(),
            json!({
                "name": "pageSize",
                "in": "query",
                "required": false,
                "description": format!("Results: {DEFAULT_RESULTS} by default, at most {MAX_RESULTS}."),
                "schema": {"type": "integer", "format": "int32", "minimum": 1, "maximum": i32::MAX},
            }),
        ),
        header("ifMatch", "If-Match", string(), "Updates the entity only if its ETag is one of these; 412 otherwise."),
        ("ifNoneMatch".to_owned(), if_none_match()),
        header(
            "idempotencyKey",
            "Idempotency-Key",
            json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"}),
            "Within 24 hours a repeated request with the same key returns the stored response and creates nothing; a \
             different request with the same key is 422. Keys are scoped to the authenticated user.",
        ),
    ])
}

const SEARCHED: &str = "\
    An id, or text at the beginning of a name, external id or label, or in a name, without regard to case. A version, run or \
    inference service is found by `parent/name`, too. Labels are custom properties whose value is the empty string.";

const TOTAL: &str = "\
    Whether the response has the number of entities on all pages in `total`. It is exact up to 10,000 (`totalIsExact`), and otherwise \
    a lower bound.";

const FILTER: &str = "\
    A condition on the items, such as `name LIKE 'fraud-%' AND (accuracy > 0.9 OR NOT state = 'ARCHIVED')`. \
    It compares fields and custom properties by name with =, !=, <>, <, <=, >, >=, LIKE, ILIKE, IN, BETWEEN, \
    IS [NOT] NULL and IS [NOT] NAN. Names with other characters are written in back-quotes; a suffix such as `.int_value` selects a type.";
