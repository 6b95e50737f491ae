"""`python -m components STEP name=path …`: one step on local paths, the same function that a cluster runs.

KFP's own executor calls the function. `_KFP_RUNTIME=true` makes `import kfp` cost a few hundredths of a second and
leaves the annotated functions plain, see `components`.
"""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from components import MONITOR_STEPS, dvc, execution, sidecar
from components import STEPS as RELEASE_STEPS
from components.exclusive import writing
from edgeloop.errors import EdgeloopError, InputFault
from edgeloop.terminal import exiting, print_json, run_app

if TYPE_CHECKING:
    from edgeloop.params import Params

PARAMS_FILE = Path("params.yaml")

STEPS = {**RELEASE_STEPS, **MONITOR_STEPS}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(no_args_is_help=True)
def step(
    name: Annotated[str, typer.Argument(metavar="STEP", help=f"One of: {', '.join(STEPS)}.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME=PATH…", help="A path for every artifact; params=FILE:SECTION, by default params.yaml."
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("-S", "--set", metavar="SECTION.FIELD=VALUE", help="Override one parameter.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Run one step on local paths. Prints what the step returns as JSON."""
    with exiting(debug=debug):
        call = call_of(name, arguments or [], overrides or [])
    os.environ.update(dvc.variables_of(os.environ, Path.cwd()))
    os.environ.setdefault("EDGELOOP_ENGINE", "components")
    with exiting(debug=debug), writing(call.outputs.values()):
        returned = performed(name, call, debug=debug)
    print_json(returned)


@dataclass(frozen=True)
class Call:
    """A step with everything that it is called with."""

    function: execution.Function
    section: dict[str, Any]
    values: dict[str, Any]
    inputs: dict[str, Path]
    outputs: dict[str, Path]


def performed(name: str, call: Call, *, debug: bool) -> dict[str, Any]:
    """Runs the step and leaves the sidecars; what the step returns."""
    try:
        written = execution.execute(call.function, call.values, call.inputs, call.outputs)
    except EdgeloopError as error:  # the step has said it in one line already
        if debug:
            raise
        sys.exit(error.exit_code)
    for key, path in call.outputs.items():
        metadata = written.get("artifacts", {}).get(key, {}).get("artifacts", [{}])[0].get("metadata", {})
        sidecar.write(path, step=name, section=call.section, metadata=metadata)
    return dict(written.get("parameterValues", {}))


def call_of(name: str, arguments: Sequence[str], overrides: Sequence[str]) -> Call:
    """The call that a command line asks for.

    Raises:
        InputFault: A name is wrong or missing, or an input does not exist or was made with other parameters.
        ParamsFault: The parameters are not valid, all sections together.
    """
    from edgeloop.params import SECTIONS

    from_params = {"params", *SECTIONS}
    function = function_of(name)
    given = dict(split_argument(argument) for argument in arguments)
    inputs, outputs = execution.ports(function)
    names = execution.parameter_names(function)
    plain = {key: needed for key, needed in names.items() if key not in from_params}
    needed = {*inputs, *outputs, *(key for key, needed in plain.items() if needed)}
    _refuse_wrong_names(name, given, known={*inputs, *outputs, *plain, "params"}, needed=needed)
    sections = parameters_of(given, name, overrides).set_values()
    for key in inputs:
        if not Path(given[key]).exists():
            raise InputFault("does not exist", where=f"{key}={given[key]}", fix="run the step that writes it")
        sidecar.refuse_stale(Path(given[key]), sections)
    values = {key: sections[name if key == "params" else key] for key in names if key in from_params}
    return Call(
        function=function,
        section=sections.get(name, sections),
        values={**values, **{key: plain_value(key, given[key]) for key in plain if key in given}},
        inputs={key: Path(given[key]) for key in inputs},
        outputs={key: Path(given[key]) for key in outputs},
    )


def function_of(name: str) -> Callable[..., Any]:
    """The component function of a step.

    Raises:
        InputFault: There is no such step.
    """
    if name not in STEPS:
        raise InputFault(f"no step is called {name!r}", where="components", fix=f"use one of: {', '.join(STEPS)}")
    os.environ["_KFP_RUNTIME"] = "true"
    function: Callable[..., Any] = getattr(importlib.import_module(STEPS[name]), name)
    return function


def split_argument(argument: str) -> tuple[str, str]:
    """`name=path` as a pair.

    Raises:
        InputFault: It has no `=`.
    """
    key, equals, value = argument.partition("=")
    if not equals or not key or not value:
        raise InputFault("is not NAME=PATH", where=argument, fix="for example: dataset=artifacts/prepare_data/dataset")
    return key, value


def plain_value(key: str, text: str) -> Any:
    """The value of a parameter that is no artifact, written as YAML.

    Raises:
        InputFault: It is none.
    """
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputFault("the value is not YAML", where=f"{key}={text}", fix="quote it") from error


def parameters_of(given: dict[str, str], name: str, overrides: Sequence[str]) -> "Params":
    """The validated whole of the parameter file that `given` names, params.yaml by default."""
    file, _, section = given.get("params", f"{PARAMS_FILE}:{name}").rpartition(":")
    if section != name:
        raise InputFault(f"is not section {name}", where=f"params={given['params']}", fix=f"use params=FILE:{name}")
    from edgeloop import params

    return params.load(Path(file), overrides=overrides)


def _refuse_wrong_names(step: str, given: dict[str, str], *, known: set[str], needed: set[str]) -> None:
    for key in given:
        if key not in known:
            raise InputFault(
                f"{step} has no {key!r}", where=f"{key}={given[key]}", fix=f"use: {', '.join(sorted(known))}"
            )
    if missing := sorted(needed - set(given)):
        raise InputFault(
            f"{missing[0]} is missing", where=step, fix=f"give {' '.join(f'{key}=PATH' for key in missing)}"
        )


if __name__ == "__main__":
    run_app(app)
