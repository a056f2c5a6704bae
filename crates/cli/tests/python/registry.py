"""Models, versions and artifacts through the published client."""

import json

from common import API, connect, raises, same, send
from model_registry.exceptions import StoreError
from model_registry.types import DocArtifact, ModelArtifact, ModelVersionState, RegisteredModelState
from mr_openapi.exceptions import BadRequestException

registry = connect()
METADATA = {"text": "x", "empty": "", "int": 7, "negative": -3, "double": 0.5, "whole": 2.0, "yes": True, "no": False}


def register(name, version, **keywords):
    return registry.register_model(
        name,
        f"s3://bucket/{name}",
        version=version,
        model_format_name="onnx",
        model_format_version="1",
        **keywords,
    )


# An empty registry.
same(registry.get_registered_model("churn"), None)
same(list(registry.get_registered_models()), [])
assert "does not exist" in str(raises(StoreError, registry.get_model_version, "churn", "1"))

# Registration with metadata of every type.
model = register(
    "churn",
    "1.0",
    version_description="first",
    owner="grace",
    storage_key="key",
    storage_path="path",
    service_account_name="account",
    model_source_kind="kfp",
    model_source_class="pipelinerun",
    model_source_group="group",
    model_source_id="7",
    model_source_name="run",
    metadata=METADATA,
)
same((model.name, model.owner, model.state), ("churn", "grace", RegisteredModelState.LIVE))
version = registry.get_model_version("churn", "1.0")
same((version.author, version.description, version.registered_model_id), ("ada", "first", model.id))
same(version.custom_properties, METADATA)
same([type(version.custom_properties[key]) for key in METADATA], [type(value) for value in METADATA.values()])
artifact = registry.get_model_artifact("churn", "1.0")
same((artifact.name, artifact.uri), ("churn", "s3://bucket/churn"))
same((artifact.model_format_name, artifact.storage_key, artifact.model_source_id), ("onnx", "key", "7"))
assert "already exists" in str(raises(StoreError, register, "churn", "1.0"))
same(register("churn", "2.0").id, model.id)
same(registry.get_model_version("churn", "none"), None)
same(registry.get_registered_model("none"), None)

# An update keeps absent fields, and integral doubles stay doubles.
model.description = "described"
model = registry.update(model)
same((model.description, model.owner), ("described", "grace"))
version.custom_properties = {**version.custom_properties, "int": 8}
version = registry.update(version)
same(version.custom_properties, {**METADATA, "int": 8})
same(type(version.custom_properties["whole"]), float)
# What transfers record about the files is kept by an update that does not mention it.
files = {"digest": "sha256:" + "0" * 64, "size": 123_456_789_012.0}
artifact.custom_properties = {**(artifact.custom_properties or {}), **files}
registry.update(artifact)
artifact = registry.get_model_artifact("churn", "1.0")
artifact.uri = "s3://elsewhere"
same(registry.update(artifact).uri, "s3://elsewhere")
artifact = registry.get_model_artifact("churn", "1.0")
same(artifact.model_source_name, "run")
same({key: artifact.custom_properties[key] for key in files}, files)
same(type(artifact.custom_properties["size"]), float)

# Archiving.
version.state = ModelVersionState.ARCHIVED
registry.update(version)
same(registry.get_model_version("churn", "1.0").state, ModelVersionState.ARCHIVED)
model.state = RegisteredModelState.ARCHIVED
registry.update(model)
same(registry.get_registered_model("churn").state, RegisteredModelState.ARCHIVED)

# Names of versions may have colons and at most 250 characters.
for name in ["v1:2:3", "v" * 250, "ä b/c?d&e=f"]:
    register("names", name)
    same(registry.get_model_version("names", name).name, name)
error = raises(BadRequestException, register, "names", "v" * 255)
assert "250" in error.data.message, error.data.message
model_id = registry.get_registered_model("names").id
status, _ = send("POST", "/model_versions", {"name": "v1:2:3", "registeredModelId": model_id})
same(status, 409)

# Paging in every order. The pager requests the first page again to detect the end.
for number in range(23):
    same(send("POST", "/registered_models", {"name": f"page-{number:02}"})[0], 201)
names = ["churn", "names", *(f"page-{number:02}" for number in range(23))]
# Updated last, so that it is last only in the order of updates.
same(send("PATCH", f"/registered_models/{model.id}", {"description": "changed last"})[0], 200)
by_change = [*names[1:], "churn"]
for order, expected in [
    (lambda pager: pager.order_by_id(), names),
    (lambda pager: pager.order_by_creation_time(), names),
    (lambda pager: pager.order_by_update_time(), by_change),
]:
    for direction in ["ascending", "descending"]:
        pager = order(registry.get_registered_models().page_size(10))
        pager = getattr(pager, direction)()
        wanted = expected if direction == "ascending" else expected[::-1]
        same([item.name for item in pager], wanted)
same([item.name for item in registry.get_model_versions("names").page_size(1)], ["v1:2:3", "v" * 250, "ä b/c?d&e=f"])
assert "does not exist" in str(raises(StoreError, registry.get_model_versions, "none"))

# A standalone artifact keeps its id when it is attached to a version.
runner, api = registry.async_runner, registry._api
alone = runner(api.upsert_model_artifact(ModelArtifact(name="alone", uri="s3://alone")))
version = registry.get_model_version("churn", "2.0")
attached = runner(api.upsert_model_version_artifact(alone, version.id))
same((attached.id, attached.uri), (alone.id, "s3://alone"))
artifacts = runner(api.get_model_version_artifacts(version.id))
assert alone.id in [item.id for item in artifacts], artifacts
doc = runner(api.upsert_model_version_artifact(DocArtifact(uri="s3://doc"), version.id))
assert doc.name, "the server names artifacts that have no name"

# The type of an artifact cannot be changed.
status, text = send("PATCH", f"/artifacts/{doc.id}", {"artifactType": "model-artifact", "uri": "s3://x"})
same(status, 400)
assert "artifact type" in json.loads(text)["message"], text

# Strings that clients compare exactly.
same(
    send("POST", "/registered_models", {"name": "m", "ext_id": 1}),
    (400, '{"code":"Bad Request","message":"json: unknown field \\"ext_id\\""}'),
)
same(
    send("POST", "/registered_models", {"description": "no name"}),
    (422, '{"code":"Bad Request","message":"required field \'name\' is zero value."}'),
)
same(
    send("POST", "/model_versions", {"name": "v"}),
    (422, '{"code":"Bad Request","message":"required field \'registeredModelId\' is zero value."}'),
)
same(send("GET", "/registered_models/999999")[0], 404)
same(send("POST", "/registered_models", {"name": "churn"})[0], 409)
print("checked", API)
