"""The generated low-level client: every response must pass its strict types."""

import asyncio
import json

import mr_openapi
from common import BASE, IS_ALPHA, same
from mr_openapi.exceptions import BadRequestException, ConflictException, NotFoundException


def properties(**values):
    kinds = {
        "text": lambda value: mr_openapi.MetadataStringValue(string_value=value, metadataType="MetadataStringValue"),
        "int": lambda value: mr_openapi.MetadataIntValue(int_value=value, metadataType="MetadataIntValue"),
        "double": lambda value: mr_openapi.MetadataDoubleValue(double_value=value, metadataType="MetadataDoubleValue"),
        "bool": lambda value: mr_openapi.MetadataBoolValue(bool_value=value, metadataType="MetadataBoolValue"),
        "struct": lambda value: mr_openapi.MetadataStructValue(struct_value=value, metadataType="MetadataStructValue"),
    }
    return {name: mr_openapi.MetadataValue(kinds[name](value)) for name, value in values.items()}


async def refused(kind, call):
    try:
        await call
    except kind as error:
        body = json.loads(error.body)
        assert body["code"] and body["message"], error
        return error
    raise AssertionError(f"no {kind.__name__}")


async def check(api):
    model = await api.create_registered_model(
        mr_openapi.RegisteredModelCreate(
            name="low-level",
            externalId="ext",
            language=["de", "en"],
            customProperties=properties(text="x", int="7", double=1.0, bool=False, struct="eyJhIjoxfQ=="),
        )
    )
    same(model.custom_properties["int"].actual_instance.int_value, "7")
    same(model.custom_properties["struct"].actual_instance.struct_value, "eyJhIjoxfQ==")
    same((await api.get_registered_model(model.id)), model)
    same((await api.find_registered_model(external_id="ext")).id, model.id)
    version = await api.create_registered_model_version(
        model.id, mr_openapi.ModelVersion(name="v", registeredModelId=model.id)
    )
    same((await api.find_model_version(name="v", parent_resource_id=model.id)).id, version.id)
    for filter_query in ["text = 'x' AND `int` = 7", "double >= 1.0 AND bool = false", "name ILIKE 'LOW%'"]:
        page = await api.get_registered_models(filter_query=filter_query)
        same([item.id for item in page.items], [model.id])
    same((await api.get_registered_models(filter_query="text = 'y'")).items, [])
    await refused(BadRequestException, api.get_registered_models(filter_query="text ="))

    # Every kind of artifact, in one list.
    step = 3 if IS_ALPHA else "3"
    for artifact in [
        mr_openapi.ModelArtifact(name="model", uri="s3://m", artifactType="model-artifact"),
        mr_openapi.DocArtifact(name="doc", uri="s3://d", artifactType="doc-artifact"),
        mr_openapi.DataSet(name="data", uri="s3://s", digest="sha256:1", artifactType="dataset-artifact"),
        mr_openapi.Metric(name="metric", value=1.0, step=step, timestamp="1700000000000", artifactType="metric"),
        mr_openapi.Parameter(name="parameter", value="0.1", parameterType="number", artifactType="parameter"),
    ]:
        stored = await api.upsert_model_version_artifact(version.id, mr_openapi.Artifact(artifact))
        same(stored.actual_instance.name, artifact.name)
        same((await api.get_artifact(stored.actual_instance.id)), stored)
    listed = await api.get_model_version_artifacts(version.id)
    same([item.actual_instance.name for item in listed.items], ["model", "doc", "data", "metric", "parameter"])
    same(listed.items[3].actual_instance.step, step)

    environment = await api.create_serving_environment(mr_openapi.ServingEnvironmentCreate(name="env"))
    # Not by `create_inference_service`: 0.3.9 expects 200 of that one alone, and no server ever answered so.
    service = await api.create_environment_inference_service(
        environment.id,
        mr_openapi.InferenceServiceCreate(
            name="svc", registeredModelId=model.id, servingEnvironmentId=environment.id, modelVersionId=version.id
        ),
    )
    same((await api.get_inference_service_model(service.id)).id, model.id)
    same((await api.get_inference_service_version(service.id)).id, version.id)
    serve = await api.create_inference_service_serve(
        service.id, mr_openapi.ServeModelCreate(name="serve", modelVersionId=version.id)
    )
    same([item.id for item in (await api.get_inference_service_serves(service.id)).items], [serve.id])

    same((await refused(NotFoundException, api.get_registered_model("99999"))).status, 404)
    again = mr_openapi.RegisteredModelCreate(name="low-level")
    same((await refused(ConflictException, api.create_registered_model(again))).status, 409)


async def main():
    async with mr_openapi.ApiClient(mr_openapi.Configuration(host=BASE)) as client:
        await check(mr_openapi.ModelRegistryServiceApi(client))


asyncio.run(main())
