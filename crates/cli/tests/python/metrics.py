"""`/metrics` after some traffic, parsed by the official parsers of both text formats and checked against the naming rules
of Prometheus."""

import json
import re
import sys
import time
import urllib.error
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

BASE = sys.argv[1]
API = "/api/model_registry/v1alpha3"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
MODEL = API + "/registered_models/{id}"
LIST = API + "/registered_models"


def send(method, path, body=None, accept="*/*"):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data=data, method=method, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def families(read, text):
    found = {}
    for family in read(text):
        assert family.name not in found, f"{family.name} is there twice"
        found[family.name] = family
    return found


def check_names(found):
    """The rules of `promtool check metrics`."""
    for family in found.values():
        assert re.fullmatch(r"(model_registry|process)_[a-z0-9_]+", family.name), family.name
        assert family.documentation, f"{family.name} has no HELP"
        assert family.type in ("counter", "gauge", "histogram", "info"), f"{family.name} is {family.type}"
        assert not family.name.endswith(("_total", "_count", "_sum", "_bucket", "_info")) or family.type == "gauge"
        assert not re.search(r"_(milliseconds|ms|minutes|hours|kilobytes|mb|counter|gauge|histogram)$", family.name)
        for sample in family.samples:
            if family.type == "counter":
                assert sample.name == family.name + "_total", sample
            if family.type == "histogram":
                suffix = sample.name.removeprefix(family.name)
                assert suffix in ("_bucket", "_sum", "_count"), sample


def value(found, family, suffix, **labels):
    name = family + suffix
    for sample in found[family].samples:
        if sample.name == name and sample.labels == labels:
            return sample.value
    raise AssertionError(f"no {name} {labels}: {found[family].samples}")


def main():
    models = [json.loads(send("POST", LIST, {"name": f"m{number}"})[2])["id"] for number in range(3)]
    for identifier in models:
        assert send("GET", LIST + "/" + identifier)[0] == 200
        assert send("PATCH", LIST + "/" + identifier, {"description": 'with "quotes"'})[0] == 200
    assert send("GET", LIST + "/999")[0] == 404
    assert send("POST", LIST, {"name": "m0"})[0] == 409
    assert send("GET", "/no/such/path\"\\")[0] == 404
    assert send("GET", "/api/model_catalog/v1alpha1/models")[0] == 200
    assert send("GET", API + "/changes")[0] == 200
    # The catalog is read in the background.
    for _ in range(300):
        if "catalog_source_items{" in send("GET", "/metrics")[2]:
            break
        time.sleep(0.1)

    status, content, text = send("GET", "/metrics")
    assert (status, content) == (200, TEXT), content
    plain = families(read_text, text)
    check_names(plain)
    status, content, text = send("GET", "/metrics", accept=OPENMETRICS + ";q=0.6,*/*;q=0.1")
    assert (status, content) == (200, OPENMETRICS), content
    strict = families(read_openmetrics, text)
    check_names(strict)
    # What is an `info` in one format is a gauge in the other.
    assert {name.removesuffix("_info") for name in plain} == set(strict), (plain, strict)

    requests, durations = "model_registry_http_requests", "model_registry_http_request_duration_seconds"
    assert value(strict, requests, "_total", route=MODEL, method="GET", status="200") == 3
    assert value(strict, requests, "_total", route=MODEL, method="GET", status="404") == 1
    assert value(strict, requests, "_total", route=LIST, method="POST", status="201") == 3
    assert value(strict, requests, "_total", route=LIST, method="POST", status="409") == 1
    assert value(strict, requests, "_total", route="none", method="GET", status="404") == 1
    assert value(strict, durations, "_count", route=MODEL, method="GET") == 4
    assert value(strict, durations, "_bucket", route=MODEL, method="GET", le="+Inf") == 4
    assert 0 < value(strict, durations, "_sum", route=MODEL, method="GET") < 60
    assert value(strict, "model_registry_http_requests_in_flight", "") == 1
    assert value(strict, "model_registry_database_ready", "") == 1
    assert value(strict, "model_registry_database_pool_connections", "") >= 1
    assert value(strict, "model_registry_database_pool_idle_connections", "") >= 0
    assert value(strict, "model_registry_database_statements", "_total") > 10
    assert value(strict, "model_registry_change_sequence", "") == 6
    assert value(strict, "model_registry_change_oldest_sequence", "") >= 0
    assert value(strict, "model_registry_changes_deleted", "_total") == 0
    assert list(strict["model_registry_build"].samples)[0].labels["version"]
    assert sum(sample.value for sample in strict["model_registry_catalog_source_items"].samples) > 0
    for name in ("skipped", "last_success_timestamp_seconds", "load_seconds"):
        assert strict["model_registry_catalog_source_" + name].samples, name


main()
