"""The monitor pipeline: a window of telemetry, and a release from the model in use when the world has moved."""

from typing import Any

from kfp import dsl

from components.drift_detection import detect_drift as detect_drift_step
from components.factory import component
from components.trigger import describe_trigger as describe_trigger_step
from edgeloop.params import Params
from pipelines.release import release_pipeline


def monitor_pipeline(params: Params, *, model: str) -> Any:
    """The pipeline that watches `model` (NAME@ALIAS), with `params` as the defaults of its parameters.

    The release starts from that very model: `train.init_from` is set here, once, for every engine.
    """
    train = params.train.model_copy(update={"init_from": model})
    release = release_pipeline(params.model_copy(update={"train": train}))
    settings = params.detect_drift.set_values()

    @dsl.pipeline(name="monitor", description="Telemetry to a verdict, and to a retrained model when it says drift")
    def monitor(telemetry: str, model: str = model, detect_drift: dict[str, Any] = settings):
        found = component(detect_drift_step)(params=detect_drift, model=model, telemetry=telemetry)
        found.set_caching_options(enable_caching=False)
        with dsl.If(found.outputs["Output"] == "retrain"):
            trigger = component(describe_trigger_step)(detection=found.outputs["detection"])
            release(trigger=trigger.output)

    return monitor
