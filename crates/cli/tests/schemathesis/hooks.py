"""Constraints for schemathesis that a schema cannot express.

The `mend_…` functions turn generated requests that are valid only by the schema into valid ones: a filter follows a
grammar, a page token comes from the previous page, a find needs a key. `filter_failure` accepts correct responses that a
check rejects; each entry names the operation, parameter or message, and the reason.
"""

import os
import re
import sys
import uuid

import requests
import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import EnsureResourceAvailability, JsonSchemaError, RejectedPositiveData

# In the directory of this file.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import catalog_hooks

FINDS = {
    "artifact",
    "experiment",
    "experiment_run",
    "inference_service",
    "model_artifact",
    "model_version",
    "registered_model",
    "serving_environment",
}
PARENTLESS = {"experiment", "registered_model", "serving_environment"}


def relative(case):
    """The path template below the base path of its version."""
    return re.sub(r"^/api/model_registry/v1(alpha3)?/", "", case.path)


def is_positive(case, location):
    return case.meta is None or not case.meta.is_negative_at(location)


# ---- valid requests ----


@schemathesis.hook
def before_call(context, case, kwargs):
    if is_positive(case, ParameterLocation.QUERY):
        mend_query(case)
    if is_positive(case, ParameterLocation.HEADER):
        mend_headers(case)
    if catalog_hooks.is_catalog(case):
        catalog_hooks.mend(case, is_positive)
    elif isinstance(case.body, dict) and is_positive(case, ParameterLocation.BODY):
        mend_body(case, case.body)


def mend_query(case):
    query = dict(case.query or {})
    # Page tokens are opaque: only one of the same list, order and filter is valid.
    query.pop("nextPageToken", None)
    # A random string is not a valid filter; it becomes a value in one.
    if "filterQuery" in query:
        text = str(query["filterQuery"]).replace("\\", "").replace("'", "''")
        query["filterQuery"] = f"name != '{text}' OR description LIKE '%'"
    path = relative(case)
    # A sequence that was never assigned is rejected, and waiting would only take time.
    if path == "changes":
        query["after"] = "0"
        query.pop("wait", None)
    if path in FINDS and not query.get("externalId"):
        if not query.get("name"):
            query["name"] = "a"
        # Names of children are unique only within their parent.
        if path not in PARENTLESS and not query.get("parentResourceId"):
            query["parentResourceId"] = "1"
    if query != (case.query or {}):
        case.query = query


def mend_headers(case):
    headers = case.headers or {}
    # A key that is reused with another body is rejected (422), so every request gets a new key.
    if headers.get("Idempotency-Key"):
        headers["Idempotency-Key"] = uuid.uuid4().hex
    # A random string never matches an entity tag (412).
    if "If-Match" in headers:
        headers["If-Match"] = "*"


def mend_body(case, body):
    path = relative(case)
    drop_undeclared_fields(case, body)
    # Schemathesis reuses types from other operations, but this path serves only model artifacts.
    if path.startswith("model_artifacts") and body.get("artifactType"):
        body["artifactType"] = "model-artifact"
    if "artifacts" in path or path == "registered_models:register":
        for artifact in [body, *(body.get("artifacts") or [])]:
            mend_artifact(artifact)
    # The contract allows any string as id.
    if isinstance(body.get("id"), str) and not re.fullmatch(r"[0-9]{0,9}", body["id"]):
        body["id"] = ""
    # The times of a run are numbers in strings, and a run cannot end before it starts.
    if "experiment" in path and isinstance(body.get("startTimeSinceEpoch"), str):
        body["startTimeSinceEpoch"] = "1700000000000"
    if "experiment" in path and isinstance(body.get("endTimeSinceEpoch"), str):
        body["endTimeSinceEpoch"] = "1700000000001"
    # The type of an artifact cannot be changed.
    if case.method == "PATCH" and path == "artifacts/{id}":
        found = requests.get(case.operation.base_url.rstrip("/") + case.formatted_path, timeout=10)
        if found.status_code == 200:
            kind = found.json()["artifactType"]
            if kind != body.get("artifactType"):
                body.clear()
                body["artifactType"] = kind


def mend_artifact(artifact):
    # A metric requires a value, although the contract does not.
    if artifact.get("artifactType") == "metric" and artifact.get("value") is None:
        artifact["value"] = 1.0
    # The contract does not limit steps to 64 bits.
    step = artifact.get("step")
    if isinstance(step, int) and not -(2**63) <= step < 2**63:
        artifact["step"] = 0


def drop_undeclared_fields(case, body):
    """Removes unknown fields, which the server rejects although the contract and two of our schemas allow them."""
    document = case.operation.schema.raw_schema
    operation = document["paths"][case.path].get(case.method.lower())
    # Some cases use a method that the path does not have.
    if operation is None:
        return
    declared = set()
    collect_properties(operation["requestBody"]["content"]["application/json"]["schema"], document, declared)
    for name in [name for name in body if name not in declared]:
        del body[name]


def collect_properties(schema, document, into):
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    into.update(schema.get("properties", {}))
    for key in ("allOf", "oneOf", "anyOf"):
        for member in schema.get(key, []):
            collect_properties(member, document, into)


# ---- correct responses that a check rejects ----


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether the failure counts."""
    if isinstance(failure, AcceptedNegativeData):
        return not is_lenient(case, failure.message)
    if isinstance(failure, RejectedPositiveData):
        return not is_rightly_rejected(response)
    if isinstance(failure, EnsureResourceAvailability):
        return not is_about_another_entity(case, response)
    if isinstance(failure, JsonSchemaError):
        # A logo may be any string, in requests and hence in responses.
        return not re.search(r'is not a "uri"', failure.message)
    return True


def is_lenient(case, message):
    """Whether the server accepts the values for parity with the Kubeflow Model Registry, although the schema does not."""
    negative = {location for location in ParameterLocation if case.meta.is_negative_at(location)}
    if catalog_hooks.is_valid_form(case):
        negative.discard(ParameterLocation.BODY)
        # Unknown parameters are ignored.
        if not negative or "unexpected properties" in message:
            return True
    if negative == {ParameterLocation.QUERY}:
        # The invalid parts, such as "parameters `orderBy`, `sortOrder` in query".
        wrong = re.findall(r"`(\w+)`", message.partition("Invalid component")[2].partition(" in query")[0])
        # Any value but DESC is ascending; in v1alpha3 and the catalogs of v1alpha1 without other orders, an unknown one is that of ids.
        by_id = ("/api/mcp_catalog/v1alpha1", "/api/agent_catalog/v1alpha1", "/api/skill_catalog/v1alpha1")
        takes_any_order = "/v1alpha3/" in case.path or case.path.startswith(by_id)
        lenient = {"sortOrder", "stepIds"} | ({"orderBy"} if takes_any_order else set())
        # An empty value counts as absent.
        lenient |= {name for name, value in (case.query or {}).items() if value == ""}
        lenient |= catalog_hooks.lenient_parameters(case)
        return bool(wrong) and set(wrong) <= lenient
    if negative == {ParameterLocation.PATH}:
        # An id out of range is unknown like others, and the list below an unknown parent is empty.
        is_number = re.fullmatch(r"[-+]?[0-9]+", str(next(iter(case.path_parameters.values()))))
        return case.method == "GET" and not case.path.endswith("}") and bool(is_number)
    if negative == {ParameterLocation.BODY}:
        # A null body counts as an empty object.
        if case.body is None:
            return True
        # The invalid parts, such as "in body - registeredModel -> logo: Incorrect type".
        wrong = re.findall(r"in body - (?:.* -> )?(\w+): ", message)
        # The parent in the path overrides that in the body.
        overridden = {"registeredModelId", "experimentId", "servingEnvironmentId"} if "{" in case.path else set()
        # A step is a number or a string in both versions.
        return bool(wrong) and set(wrong) <= {"logo", "licenseLink", "step"} | overridden
    return False


# Messages of 400 responses to requests that are valid only by the schema.
REJECTIONS = [
    # Schemathesis generates some examples with null bytes.
    "null bytes",
    # Some numbers with 19 digits exceed 64 bits.
    "64-bit integer",
    # The id in a body may be that of an entity elsewhere or of another kind.
    "belongs to another parent",
    # A version of another model.
    "belongs to registeredModelId",
    "mismatched types, artifact with id",
    # The contract does not limit the requests per second of recommendations.
    "targetRPS",
    # The contract gives sources the orders of all lists; neither server has all of them.
    "use ID or NAME",
]


def is_rightly_rejected(response):
    message = response.json().get("message", "") if response.status_code == 400 else ""
    return any(rejection in message for rejection in REJECTIONS)


def is_about_another_entity(case, response):
    """Whether the created entity exists, but the body refers to another one that does not."""
    served = case.method == "POST" and relative(case).endswith(("/inference_services", "/serves"))
    message = response.json().get("message", "") if response.status_code == 404 else ""
    return served and message.startswith(("no registered model found", "no model version found"))
