"""params.yaml: one section a step, validated as a whole before anything runs.

The defaults live in the section models, beside their owners; what is laid over them: `edgeloop.overlays`.
"""

import warnings
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import model_validator

from edgeloop import plugins
from edgeloop.benchmarking import BenchmarkParams
from edgeloop.canonical import digest_of
from edgeloop.contract import Contract, parsed
from edgeloop.conversion import ConvertParams
from edgeloop.data.preparation import PrepareDataParams
from edgeloop.data.validation import ValidateDataParams
from edgeloop.drift import DetectDriftParams
from edgeloop.errors import ParamsFault
from edgeloop.evaluation import EvaluateParams
from edgeloop.overlays import Layers, layers_of
from edgeloop.quantization import QuantizeParams
from edgeloop.registration import RegisterParams
from edgeloop.selection import SelectParams
from edgeloop.training import TrainParams
from edgeloop.training.augmentation import refuse_unfitting
from edgeloop.training.crops import refuse_uncroppable

FILE = Path("params.yaml")


with warnings.catch_warnings():
    # `register` is also a method of ABCMeta; pydantic warns, and no instance ever sees that method
    warnings.filterwarnings("ignore", message='Field name "register"')

    class Params(Contract):
        """The whole of params.yaml."""

        prepare_data: PrepareDataParams = PrepareDataParams()
        validate_data: ValidateDataParams = ValidateDataParams()
        train: TrainParams = TrainParams()
        convert: ConvertParams = ConvertParams()
        quantize: QuantizeParams = QuantizeParams()
        benchmark: BenchmarkParams = BenchmarkParams()
        select: SelectParams = SelectParams()
        evaluate: EvaluateParams = EvaluateParams()
        register: RegisterParams = RegisterParams()
        detect_drift: DetectDriftParams = DetectDriftParams()

        @model_validator(mode="after")
        def _consistent(self) -> "Params":
            """What no section can see alone."""
            for complaint in (
                _scheme_without_format(self),
                _limits_apart(self),
                _targets_twice(self),
            ):
                if complaint:
                    raise ValueError(complaint)
            return self

        @property
        def digest(self) -> str:
            """Over the validated values, not over what was typed."""
            return digest_of(self.values())


SECTIONS = tuple(Params.model_fields)
MONITOR_SECTIONS = ("detect_drift",)
"""Sections of the monitor pipeline; the others are the release pipeline's, in the order of its steps."""
RELEASE_SECTIONS = tuple(name for name in SECTIONS if name not in MONITOR_SECTIONS)


def _scheme_without_format(params: Params) -> str | None:
    if params.quantize.schemes and "onnx" not in params.convert.formats:
        return f"quantize.schemes {', '.join(params.quantize.schemes)} needs onnx in convert.formats"
    return None


def _limits_apart(params: Params) -> str | None:
    drop = params.select.limits.max_accuracy_drop
    if drop is not None and params.quantize.limits.max_accuracy_drop > drop:
        return (
            f"quantize.limits.max_accuracy_drop ({params.quantize.limits.max_accuracy_drop:g}) is looser than"
            f" select.limits.max_accuracy_drop ({drop:g}): what quantize lets through, select would refuse"
        )
    return None


def _targets_twice(params: Params) -> str | None:
    names = [target.name for target in params.benchmark.targets]
    twice = sorted({name for name in names if names.count(name) > 1})
    return f"benchmark.targets names {', '.join(twice)} twice" if twice else None


def load(path: Path = FILE, *, scenario: Path | None = None, overrides: Sequence[str] = ()) -> Params:
    """The parameters of a run: defaults, `path`, then the scenario, then the overrides.

    Args:
        path: params.yaml.
        scenario: An overlay of the same shape.
        overrides: `section.field=value`, the value as YAML.

    Raises:
        ParamsFault: A key, type, range or combination is wrong; file, section, field and the nearest name are named.
    """
    layers = layers_of(path, scenario, overrides)
    try:
        return validated(layers.laid(), where=str(path))
    except ParamsFault as fault:
        raise _blamed(fault, layers) from fault


def _blamed(fault: ParamsFault, layers: Layers) -> ParamsFault:
    """The same fault, of the first layer that brings it: only all layers together have to be right."""
    for some in layers.growing():
        try:
            validated(some.laid(), where=some.last)
        except ParamsFault as earlier:
            if earlier.what == fault.what:
                return earlier
    return fault


def validated(values: Mapping[str, Any], *, where: str) -> Params:
    """The parameters in `values`, every named plug-in found.

    Raises:
        ParamsFault: As `load`.
    """
    params = parsed(Params, values, where=where)
    for kind, field, name in _plugin_names(params):
        try:
            known = plugins.names(kind)
        except ImportError as error:  # a broken third-party plug-in package
            raise ParamsFault(f"{field}: {error}", where=where, fix="mend the plug-in") from error
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(known)}"
            raise ParamsFault(f"{field}: no plug-in named {name!r}", where=where, fix=hint)
    for kind, name, field, options in (
        ("sources", params.prepare_data.source, "prepare_data.options", params.prepare_data.options),
        ("models", params.train.model, "train.model_options", params.train.model_options),
        ("tasks", params.train.task, "train.task_options", params.train.task_options),
    ):
        parsed(plugins.load(kind, name).options, options, where=f"{where}: {field}")
    _refuse_no_place(params, where)
    _refuse_other_samples(params, where)
    _refuse_other_answers(params, where)
    _refuse_out_of_sight(params, where)
    _refuse_unfitting_changes(params, where)
    for number, recipe in enumerate(params.train.recipes if params.train.trials else (), start=1):
        _refuse_recipe(params.model_copy(update={"train": recipe}), f"{where}: trial {number} of train.trials")
    return params


def _refuse_recipe(params: Params, where: str) -> None:
    """Refuses a trial, which stands in the section `train` of these parameters."""
    model = plugins.load("models", params.train.model)
    parsed(model.options, params.train.model_options, where=f"{where}: model_options")
    _refuse_other_answers(params, where)
    _refuse_out_of_sight(params, where)
    _refuse_unfitting_changes(params, where)


def _refuse_no_place(params: Params, where: str) -> None:
    section = params.prepare_data
    if plugins.load("sources", section.source).needs_place and section.path is None and section.url is None:
        raise ParamsFault(
            f"prepare_data.source {section.source} needs prepare_data.path or prepare_data.url",
            where=where,
            fix="say where the data lies",
        )


def _refuse_other_samples(params: Params, where: str) -> None:
    source, task = params.prepare_data.source, params.train.task
    given, wanted = plugins.load("sources", source).kind, plugins.load("tasks", task).kinds
    if given not in wanted:
        raise ParamsFault(
            f"train.task: {task} learns from {' or '.join(wanted)} samples, prepare_data.source {source} has {given}s",
            where=where,
            fix="choose a task and a source that go together",
        )


def _refuse_other_answers(params: Params, where: str) -> None:
    task, model = params.train.task, params.train.model
    given, wanted = plugins.load("models", model).answers, plugins.load("tasks", task).asks
    if given != wanted:
        fitting = [name for name in plugins.names("models") if plugins.load("models", name).answers == wanted]
        raise ParamsFault(
            f"train.model: {model} answers with {given}, and train.task {task} asks for {wanted}",
            where=where,
            fix=f"use one of: {', '.join(fitting)}",
        )


def _refuse_unfitting_changes(params: Params, where: str) -> None:
    """What blurs pictures does not blur rows of a table."""
    kind, task = plugins.load("sources", params.prepare_data.source).kind, plugins.load("tasks", params.train.task)
    axes = {"window": 2, "table": 1}.get(kind, 3)
    refuse_unfitting(params.train.augment, task, axes=axes, where=f"{where}: train")
    refuse_uncroppable(params.train.crop_side, task, shape=params.train.image.shape, where=f"{where}: train")


def _refuse_out_of_sight(params: Params, where: str) -> None:
    """A shift as wide as the picture leaves nothing of it."""
    if plugins.load("sources", params.prepare_data.source).kind not in ("image", "detection"):
        return
    side = min(params.train.image.height, params.train.image.width)
    if params.train.augment_shift >= side:
        raise ParamsFault(
            f"train.augment_shift: {params.train.augment_shift} moves pictures of {side} pixels out of sight",
            where=where,
            fix="lower it or raise train.image",
        )


def _plugin_names(params: Params) -> list[tuple[str, str, str]]:
    """Kind, field and name of every plug-in that the parameters name."""
    named = [
        ("sources", "prepare_data.source", params.prepare_data.source),
        ("tasks", "train.task", params.train.task),
        ("models", "train.model", params.train.model),
        ("registries", "register.registry", params.register.registry),
        ("drift", "detect_drift.detector", params.detect_drift.detector),
    ]
    named += [
        ("models", "train.trials.model", str(trial["model"])) for trial in params.train.trials if "model" in trial
    ]
    named += [("conversion", "convert.formats", name) for name in params.convert.formats]
    named += [("quantization", "quantize.schemes", name) for name in params.quantize.schemes]
    named += [("runtimes", "benchmark.targets.runtime", target.runtime) for target in params.benchmark.targets]
    return named


def section(name: str, values: Mapping[str, Any]) -> Any:
    """One validated section, as a step gets it.

    Raises:
        ParamsFault: As `load`.
    """
    model = Params.model_fields[name].annotation
    assert isinstance(model, type) and issubclass(model, Contract)
    return parsed(model, values, where=f"section {name}")
