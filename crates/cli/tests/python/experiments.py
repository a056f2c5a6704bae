"""Experiments, runs and metrics, which only the older version of the client supports."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import mr_openapi
from common import BASE, connect, same
from model_registry.types import Metric

registry = connect()
runner, api = registry.async_runner, registry._api

# A run with logged parameters, metrics and artifacts.
with registry.start_experiment_run(experiment_name="training", owner="ada", description="d") as run:
    run.log_param("rate", 0.1)
    run.log_param("layers", 3)
    run.log_param("optimizer", "adam")
    run.log_param("shuffle", True)
    run.log_metric("loss", 0.75, step=2, timestamp="1700000000000")
    run.log_metric("accuracy", 1.0)
    run.log_dataset("train", uri="s3://train", source_type="s3", source="bucket", schema="{}", profile="{}")
    info = run.info
same(run.get_log("metrics", "loss").value, 0.75)
same(run.get_log("metrics", "loss").step, 2)
same(run.get_log("params", "optimizer").value, "adam")
logs = {log.name: log for log in registry.get_experiment_run_logs(run_id=info.id).page_size(3)}
same(sorted(logs), ["accuracy", "layers", "loss", "optimizer", "rate", "shuffle", "train"])
same((logs["loss"].value, logs["loss"].timestamp), (0.75, "1700000000000"))
same(logs["train"].uri, "s3://train")
same({log.experiment_run_id for log in logs.values()}, {info.id})
by_names = registry.get_experiment_run_logs(run_name=info.name, experiment_name="training")
same(sorted(log.name for log in by_names), sorted(logs))
same(registry.get_experiment_run(info.id).name, info.name)
same([item.name for item in registry.get_experiments()], ["training"])

# A nested run refers to the enclosing run.
with registry.start_experiment_run(experiment_name="training") as outer:
    with registry.start_experiment_run(nested=True) as inner:
        inner.log_metric("loss", 0.5)
nested = registry.get_experiment_run(inner.info.id)
same(nested.custom_properties["kubeflow.parent_run_id"], outer.info.id)
same(len(list(registry.get_experiment_runs(experiment_name="training").page_size(2))), 3)

# The history keeps every step of a metric; the metric has the last value.
steps = 21
for step in range(steps):
    metric = Metric(name="epoch-loss", value=1.0 / (step + 1), step=step, timestamp=str(1700000000000 + step))
    runner(api.upsert_experiment_run_artifact(experiment_run_id=info.id, artifact=metric))


async def low_level(call):
    async with mr_openapi.ApiClient(mr_openapi.Configuration(host=BASE)) as client:
        return await call(mr_openapi.ModelRegistryServiceApi(client))


async def history(service):
    points, token = [], None
    while token != "":
        page = await service.get_experiment_run_metric_history(
            info.id, name="epoch-loss", page_size="10", next_page_token=token
        )
        points += page.items
        token = page.next_page_token
    return points


points = asyncio.run(low_level(history))
same([point.step for point in points], list(range(steps)))
same(points[4].value, 0.2)
some = asyncio.run(
    low_level(lambda service: service.get_experiment_run_metric_history(info.id, name="epoch-loss", step_ids="3, 5"))
)
same([point.step for point in some.items], [3, 5])
logs = {log.name: log for log in registry.get_experiment_run_logs(run_id=info.id)}
same((logs["epoch-loss"].step, logs["epoch-loss"].value), (steps - 1, 1.0 / steps))


# Several threads with their own runs, in one experiment that all of them create.
def work(number):
    registry = connect()
    ids = []
    for _ in range(2):
        with registry.start_experiment_run(experiment_name=f"shared-{number % 2}") as run:
            run.log_param("thread", number)
            run.log_metric("loss", float(number))
        ids.append(run.info.id)
    return ids


# The client checks before it creates, so the experiments are created first.
for name in ["shared-0", "shared-1"]:
    registry.create_experiment(name)
with ThreadPoolExecutor(4) as threads:
    runs = list(threads.map(work, range(4)))
same(len({run for ids in runs for run in ids}), 8)
for number, ids in enumerate(runs):
    for run in ids:
        logs = {log.name: log for log in registry.get_experiment_run_logs(run_id=run)}
        same((logs["loss"].value, sorted(logs)), (float(number), ["loss", "thread"]))
