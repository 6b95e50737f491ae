"""The release pipeline: from raw data to a registered model. The only description of the DAG."""

from typing import Any

from kfp import dsl

from components.benchmarking import benchmark as benchmark_step
from components.checking import check_params as check_params_step
from components.conversion import convert as convert_step
from components.evaluation import evaluate as evaluate_step
from components.factory import component
from components.preparation import prepare_data as prepare_data_step
from components.quantization import quantize as quantize_step
from components.registration import register as register_step
from components.selection import select as select_step
from components.training import train as train_step
from components.validation import validate_data as validate_data_step
from edgeloop.params import Params


def release_pipeline(params: Params) -> Any:
    """The pipeline with `params` as the defaults of its parameters, one a section.

    No control flow: what runs on many targets does so inside `benchmark`. Every task starts after `check_params`, so
    that a value typed into the page of a cluster fails in its first second.
    """
    defaults = params.set_values()

    @dsl.pipeline(name="release", description="Data to a validated, measured, chosen and registered model")
    def release(
        prepare_data: dict[str, Any] = defaults["prepare_data"],
        validate_data: dict[str, Any] = defaults["validate_data"],
        train: dict[str, Any] = defaults["train"],
        convert: dict[str, Any] = defaults["convert"],
        quantize: dict[str, Any] = defaults["quantize"],
        benchmark: dict[str, Any] = defaults["benchmark"],
        select: dict[str, Any] = defaults["select"],
        evaluate: dict[str, Any] = defaults["evaluate"],
        register: dict[str, Any] = defaults["register"],
        trigger: dict[str, Any] = {},  # noqa: B006 -- KFP writes the default into the pipeline, nobody can change it
    ) -> str:
        checked = component(check_params_step)(
            prepare_data=prepare_data,
            validate_data=validate_data,
            train=train,
            convert=convert,
            quantize=quantize,
            benchmark=benchmark,
            select=select,
            evaluate=evaluate,
            register=register,
        )
        prepared = component(prepare_data_step)(params=prepare_data).after(checked)
        data = prepared.outputs["dataset"]
        validated = component(validate_data_step)(
            params=validate_data, dataset=data, profile=prepared.outputs["profile"]
        )
        accepted = validated.outputs["validation"]
        trained = component(train_step)(params=train, dataset=data, validation=accepted)
        converted = component(convert_step)(
            params=convert, model=trained.outputs["model"], dataset=data, validation=accepted
        )
        quantized = component(quantize_step)(
            params=quantize, converted=converted.outputs["converted"], dataset=data, validation=accepted
        )
        variants = {"converted": converted.outputs["converted"], "quantized": quantized.outputs["quantized"]}
        measured = component(benchmark_step)(params=benchmark, dataset=data, validation=accepted, **variants)
        selected = component(select_step)(
            params=select, measurements=measured.outputs["measurements"], quantized=variants["quantized"]
        )
        evaluated = component(evaluate_step)(
            params=evaluate, selection=selected.outputs["selection"], dataset=data, validation=accepted, **variants
        )
        registered = component(register_step)(
            params=register,
            trigger=trigger,
            checked=checked.outputs["checked"],
            dataset=data,
            profile=prepared.outputs["profile"],
            validation=accepted,
            model=trained.outputs["model"],
            history=trained.outputs["history"],
            measurements=measured.outputs["measurements"],
            selection=selected.outputs["selection"],
            evaluation=evaluated.outputs["evaluation"],
            **variants,
        )
        without_cache = (prepared, measured, registered)
        for task in without_cache:
            task.set_caching_options(enable_caching=False)
        return registered.outputs["Output"]

    return release
