"""The stand-in hub, asked by the package that the real hub publishes: what this accepts, the catalog may rely on."""

import os
import sys

BASE = sys.argv[1]
os.environ["HF_ENDPOINT"] = BASE
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"

from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

TOKEN, STRANGER = "hf_test", "hf_stranger"


def refused(kind, call, status):
    try:
        call()
    except kind as error:
        assert type(error) is kind, type(error)
        assert error.response.status_code == status, error.response.status_code
        return error
    raise AssertionError(f"no {kind.__name__}")


nobody, stranger, member, impostor = (HfApi(endpoint=BASE, token=token) for token in (False, STRANGER, TOKEN, "hf_no"))

# Pages: the package follows the links to the end.
names = [model.id for model in nobody.list_models(author="org", full=True)]
assert names == [f"org/m{number}" for number in range(5)] + ["org/secrets"], names
assert [model.id for model in nobody.list_models(author="org", search="m3")] == ["org/m3"]
assert [model.id for model in nobody.list_models(author="org", limit=3)] == names[:3]
assert "org/private" in [model.id for model in member.list_models(author="org")]
assert list(nobody.list_models(author="absent")) == []

info = nobody.model_info("org/m1")
assert (info.id, info.author, info.gated, info.private) == ("org/m1", "org", False, False), info
assert info.sha and info.created_at.year == 2024 and info.last_modified.month == 2, info
assert (info.library_name, info.pipeline_tag, info.tags[0]) == ("transformers", "text-generation", "license:apache-2.0")
assert [file.rfilename for file in info.siblings] == ["README.md"]
assert info.card_data["language"] == ["en", "de"], info.card_data

assert member.whoami()["name"] == "member"
refused(HfHubHTTPError, impostor.whoami, 401)

# Gated: known and denied, unknown and denied, known and let in.
refused(GatedRepoError, lambda: nobody.model_info("org/secrets"), 401)
error = refused(GatedRepoError, lambda: stranger.model_info("org/secrets"), 403)
assert "restricted" in str(error), error
info = member.model_info("org/secrets")
assert (info.id, info.gated) == ("org/secrets", "manual"), info

# Private and absent look the same to others.
for name in ("org/private", "org/absent"):
    refused(RepositoryNotFoundError, lambda: nobody.model_info(name), 401)
    refused(RepositoryNotFoundError, lambda: stranger.model_info(name), 404)
info = member.model_info("org/private")
assert (info.id, info.private) == ("org/private", True), info

# A limit, as the hub tells it. The package waits and asks again, or says what the hub said.
error = refused(HfHubHTTPError, lambda: nobody.model_info("org/limited"), 429)
assert "r=0" in error.response.headers["ratelimit"], error.response.headers
