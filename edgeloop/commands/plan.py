"""`edgeloop plan`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from edgeloop.commands import Debug, Json
from edgeloop.terminal import exiting, print_json, print_pairs, print_table

if TYPE_CHECKING:
    from edgeloop.planning import Workload


def plan(
    model: Annotated[
        str | None, typer.Option("--model", help="Architecture; that of params.yaml unless given.")
    ] = None,
    options: Annotated[list[str] | None, typer.Option("-o", metavar="OPTION=VALUE", help="Of the model.")] = None,
    input_text: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="3x224x224",
            help="Shape of a sample; that of params.yaml for its own model, else what the model was published for.",
        ),
    ] = None,
    classes: Annotated[int, typer.Option("--classes", min=1, help="Answers of the model.")] = 10,
    optimizer: Annotated[Literal["adamw", "sgd"], typer.Option("--optimizer")] = "adamw",
    precision: Annotated[Literal["fp32", "fp64", "bf16", "fp16"], typer.Option("--precision")] = "fp32",
    memory: Annotated[str | None, typer.Option("--memory", help="Such as 8GB; this machine's unless given.")] = None,
    device: Annotated[Literal["cpu", "cuda"], typer.Option("--device")] = "cpu",
    batch: Annotated[int | None, typer.Option("--batch", min=1, max=65_536, help="Samples a step.")] = None,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Of train, in an epoch.")] = 1000,
    calibrate: Annotated[bool, typer.Option("--calibrate/--no-calibrate", help="Time some real steps.")] = True,
    report: Annotated[Path | None, typer.Option("--report", help="HTML page to write.")] = None,
    write: Annotated[Path | None, typer.Option("--write", help="params.yaml that gets train.batch_size.")] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Predict memory, operations and time of a training, layer by layer, before it is started."""
    with exiting(debug=debug):
        from edgeloop.params import FILE
        from edgeloop.planning import Memory
        from edgeloop.planning.limits import parsed_size
        from edgeloop.planning.page import write_page
        from edgeloop.planning.planner import plan as planned
        from edgeloop.planning.resolution import write_batch_size
        from edgeloop.planning.table import COLUMNS, facts_of, rows_of

        workload = workload_of(
            write or FILE,
            model=model,
            options=options or (),
            shape=input_text,
            rest={"classes": classes, "optimizer": optimizer, "precision": precision, "device": device},
        )
        given = Memory(size_bytes=parsed_size(memory), source="--memory") if memory else None
        found = planned(workload, memory=given, batch=batch, samples=samples, calibrate=calibrate)
        if write is not None:
            write_batch_size(write, resolved(found.batch, fits=found.largest_batch))
        if report is not None:
            write_page(found, report)
        if as_json:
            print_json(found.values())
        else:
            print_table(f"{workload.model}, bytes and operations a sample", COLUMNS, rows_of(found))
            print_pairs(facts_of(found))


def workload_of(
    params: Path, *, model: str | None, options: Sequence[str], shape: str | None, rest: dict[str, Any]
) -> "Workload":
    """What is planned: the options of the command over section train of `params`, whose other values stay.

    Raises:
        ParamsFault: Something in it is wrong, or the shape of a sample is not known.
    """
    from edgeloop.contract import parsed
    from edgeloop.planning import Workload

    section = section_of(params, required=model is None)
    chosen = model or section.model
    own = dict(section.model_options) if chosen == section.model else {}
    values = {
        "model": chosen,
        "options": {**own, **parsed_options(options)},
        "input_shape": parsed_shape(shape) if shape else shape_of(section, chosen),
        **rest,
    }
    return parsed(Workload, values, where="edgeloop plan")


def section_of(path: Path, *, required: bool) -> Any:
    """Section train of a params.yaml, whose batch size may be `auto`; the defaults where there is no file."""
    from edgeloop.contract import parsed
    from edgeloop.overlays import read_yaml
    from edgeloop.planning.resolution import AUTO
    from edgeloop.training import TrainParams

    if not required and not path.is_file():
        return TrainParams()
    values = dict(read_yaml(path).get("train") or {})
    if values.get("batch_size") == AUTO:
        del values["batch_size"]
    return parsed(TrainParams, values, where=f"{path}: train")


def shape_of(section: Any, model: str) -> tuple[int, ...]:
    """Of the pictures, or their parts, of section train for its own model, else what the model was published for.

    Raises:
        ParamsFault: Nothing says, so that the shape has to be given.
    """
    from edgeloop import plugins
    from edgeloop.errors import ParamsFault
    from edgeloop.models import PICTURE
    from edgeloop.planning.inputs import USUAL_INPUTS
    from edgeloop.training.crops import learned_shape

    takes_pictures = PICTURE in plugins.load("models", model).inputs
    if model in USUAL_INPUTS and (model != section.model or not takes_pictures):
        return USUAL_INPUTS[model]
    if not takes_pictures:
        raise ParamsFault(f"{model} takes no pictures", where="--input", fix="give the shape, such as --input 2x2048")
    return learned_shape(section.image.shape, section.crop_side)


def parsed_shape(text: str) -> tuple[int, ...]:
    """3x224x224 as numbers.

    Raises:
        ParamsFault: It is no shape.
    """
    from edgeloop.errors import ParamsFault

    sides = text.lower().split("x")
    if not all(side.isdecimal() and 0 < int(side) < 10**9 for side in sides):
        raise ParamsFault(f"{text!r} is no shape", where="--input", fix="write it as 3x224x224, without the batch")
    return tuple(map(int, sides))


def parsed_options(texts: Sequence[str]) -> dict[str, Any]:
    """`width=0.5` as a name and a value, the value as YAML.

    Raises:
        ParamsFault: It has no `=`.
    """
    from edgeloop.overlays import parsed_override

    found: dict[str, Any] = {}
    for text in texts:
        found |= parsed_override(f"option.{text}")["option"]
    return found


def resolved(batch: int, *, fits: int) -> int:
    """The batch to write.

    Raises:
        EnvironmentFault: It does not fit.
    """
    from edgeloop.errors import EnvironmentFault

    if batch > fits:
        fix = f"ask for at most {fits}" if fits else "choose a smaller network or input"
        raise EnvironmentFault(f"a batch of {batch} does not fit", where="--write", fix=fix)
    return batch
