"""Checks the fake hub with the published client package of the real hub."""

import os
import sys
import tempfile

BASE = sys.argv[1]
os.environ["HF_ENDPOINT"] = BASE
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

TOKEN, TOKEN_WITHOUT_ACCESS = "hf_test", "hf_stranger"


def raises(kind, call, status):
    try:
        call()
    except kind as error:
        assert type(error) is kind, type(error)
        assert error.response.status_code == status, error.response.status_code
        return error
    raise AssertionError(f"no {kind.__name__}")


anonymous, without_access, member, unknown = (HfApi(endpoint=BASE, token=token) for token in (False, TOKEN_WITHOUT_ACCESS, TOKEN, "hf_no"))

# Pages: the package follows the links to the last page.
names = [model.id for model in anonymous.list_models(author="org", full=True)]
assert names == [f"org/m{number}" for number in range(5)] + ["org/secrets"], names
assert [model.id for model in anonymous.list_models(author="org", search="m3")] == ["org/m3"]
assert [model.id for model in anonymous.list_models(author="org", limit=3)] == names[:3]
assert "org/private" in [model.id for model in member.list_models(author="org")]
assert list(anonymous.list_models(author="absent")) == []

info = anonymous.model_info("org/m1")
assert (info.id, info.author, info.gated, info.private) == ("org/m1", "org", False, False), info
assert info.sha and info.created_at.year == 2024 and info.last_modified.month == 2, info
assert (info.library_name, info.pipeline_tag, info.tags[0]) == ("transformers", "text-generation", "license:apache-2.0")
assert [file.rfilename for file in info.siblings] == ["README.md"]
assert info.card_data["language"] == ["en", "de"], info.card_data

# Files at a revision, as the package downloads them.
with tempfile.TemporaryDirectory() as directory:
    snapshot_download("org/m0", local_dir=directory, endpoint=BASE, token=False, allow_patterns=["*.json", "weights/*"])
    for path, content in (("config.json", b"{}"), ("weights/w.bin", bytes([7]) * 300_000)):
        with open(os.path.join(directory, path), "rb") as file:
            assert file.read() == content, path
tree = {file.path: file for file in anonymous.list_repo_tree("org/m0", recursive=True) if hasattr(file, "size")}
assert tree["weights/w.bin"].size == 300_000 and tree["weights/w.bin"].lfs.sha256 == f"{7:064x}", tree

assert member.whoami()["name"] == "member"
raises(HfHubHTTPError, unknown.whoami, 401)

# Gated: 401 without a token, 403 without access, 200 with access.
raises(GatedRepoError, lambda: anonymous.model_info("org/secrets"), 401)
error = raises(GatedRepoError, lambda: without_access.model_info("org/secrets"), 403)
assert "restricted" in str(error), error
info = member.model_info("org/secrets")
assert (info.id, info.gated) == ("org/secrets", "manual"), info

# Callers without access cannot distinguish private from absent models.
for name in ("org/private", "org/absent"):
    raises(RepositoryNotFoundError, lambda: anonymous.model_info(name), 401)
    raises(RepositoryNotFoundError, lambda: without_access.model_info(name), 404)
info = member.model_info("org/private")
assert (info.id, info.private) == ("org/private", True), info

# The rate limit: the package retries, then raises the error of the hub.
error = raises(HfHubHTTPError, lambda: anonymous.model_info("org/limited"), 429)
assert "r=0" in error.response.headers["ratelimit"], error.response.headers
