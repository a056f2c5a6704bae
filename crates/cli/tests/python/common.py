"""Shared by the scripts: the client under test, its API version, raw requests."""

import json
import sys
import urllib.error
import urllib.request
import warnings
from importlib.metadata import version

from model_registry import ModelRegistry

BASE = sys.argv[1]
CLIENT = version("model-registry")
IS_ALPHA = CLIENT == "0.3.9"
API = BASE + "/api/model_registry/" + ("v1alpha3" if IS_ALPHA else "v1")

warnings.simplefilter("ignore")


def connect() -> ModelRegistry:
    """Connects as a user does; the constructor requests one model from the server."""
    host, port = BASE.rsplit(":", 1)
    return ModelRegistry(host, int(port), author="ada", is_secure=False)


def send(method: str, path: str, body=None):
    """Sends a request without the client; returns the status and the body."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(API + path, data=data, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def same(actual, expected):
    assert actual == expected, f"expected {expected!r}, got {actual!r}"


def raises(kind, function, *arguments, **keywords):
    """Returns the error that the call must raise."""
    try:
        result = function(*arguments, **keywords)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}, but {result!r}")
