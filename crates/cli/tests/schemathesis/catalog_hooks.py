"""The part of `hooks.py` for the catalog."""

import requests

from schemathesis.core.parameters import ParameterLocation

PREFIXES = tuple(f"/api/{family}_catalog/" for family in ("model", "mcp", "agent", "skill"))
ORDERS = ("ID", "NAME", "CREATE_TIME", "LAST_UPDATE_TIME")


def is_catalog(case):
    return case.path.startswith(PREFIXES)


def mend(case, is_positive):
    if is_positive(case, ParameterLocation.QUERY):
        mend_query(case)
    if is_positive(case, ParameterLocation.PATH) and case.path_parameters:
        mend_path(case)
    if isinstance(case.body, dict) and is_positive(case, ParameterLocation.BODY):
        mend_form(case.body)


def mend_query(case):
    query = dict(case.query or {})
    # Sources are selected by id or by label, not both.
    if query.get("source"):
        query.pop("sourceLabel", None)
    # The name must be one of the configuration.
    if query.get("namedQuery"):
        query["namedQuery"] = named_queries(case)[0]
    # Recommendations are rejected for properties that no performance metrics have.
    if query.get("recommendations"):
        for name in ("rpsProperty", "latencyProperty", "hardwareCountProperty", "hardwareTypeProperty"):
            query.pop(name, None)
    # An order that a list does not have is an error in v1.
    if "/v1/" in case.path and "/labels" not in case.path and query.get("orderBy") not in ORDERS:
        query.pop("orderBy", None)
    if query != (case.query or {}):
        case.query = query


def mend_path(case):
    """Makes half of the requests refer to an existing model."""
    parameters = dict(case.path_parameters)
    source = parameters.get("source_id")
    if source is None or len(str(source)) % 2 == 1:
        return
    model = get(case, "/api/model_catalog/v1alpha1/models?pageSize=1")["items"][0]
    parameters["source_id"] = model["source_id"]
    for name in ("model_name", "model_name+"):
        if name in parameters:
            parameters[name] = model["name"]
    case.path_parameters = parameters


def mend_form(form):
    # A random string is not a valid configuration; it becomes a name in one.
    text = "".join(character for character in str(form.get("config", "")) if character.isalnum())[:50]
    form["config"] = f"type: yaml\nexcludedModels: ['x{text}']\n".encode()
    form["catalogData"] = f"models: [{{name: 'x{text}'}}, {{name: y}}]".encode()


def is_valid_form(case):
    """Any string is a valid file in the schema, so a form with the required file is valid."""
    return is_catalog(case) and isinstance(case.body, dict) and "config" in case.body


def lenient_parameters(case):
    """Parameters with values that the catalog accepts although the schema does not."""
    if not is_catalog(case):
        return set()
    # A list may be one string with commas.
    lenient = {"source", "sourceLabel"}
    # An unknown asset type has no sources: clients of the Kubeflow Model Registry expect an empty list instead of 400.
    if case.path.endswith("/sources"):
        lenient.add("assetType")
    for name, value in (case.query or {}).items():
        # Like the Kubeflow Model Registry, it accepts further words for booleans.
        if name in ("includeTools", "recommendations") and str(value) in ("0", "1", "t", "T", "f", "F"):
            lenient.add(name)
        # The first value of a repeated parameter counts, and an empty one counts as absent.
        if isinstance(value, (list, dict)) and str(next(iter(value), "")) == "":
            lenient.add(name)
    return lenient


def named_queries(case):
    return list(get(case, "/api/mcp_catalog/v1alpha1/mcp_servers/filter_options")["namedQueries"])


def get(case, path):
    response = requests.get(case.operation.base_url.rstrip("/") + path, timeout=10)
    response.raise_for_status()
    return response.json()
