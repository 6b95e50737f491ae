"""`python -m pipelines`: run, compile and choose the pipeline. Heavy imports happen inside the commands."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from edgeloop.errors import InputFault
from edgeloop.terminal import exiting, print_json, print_pairs, run_app

if TYPE_CHECKING:
    from edgeloop.params import Params

app = typer.Typer(
    help="The release pipeline on this machine, and as a file for Kubeflow Pipelines.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

PARAMS_FILE = Path("params.yaml")
SCENARIOS = Path("scenarios")

Overrides = Annotated[
    list[str] | None, typer.Option("-S", "--set", metavar="SECTION.FIELD=VALUE", help="Override one parameter.")
]
Scenario = Annotated[str | None, typer.Option("--scenario", metavar="NAME", help="Overlay from scenarios/NAME.yaml.")]
ParamsFile = Annotated[Path, typer.Option("--params", help="Parameters of the run.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def scenario_file(name: str | None) -> Path | None:
    """The overlay of a scenario.

    Raises:
        InputFault: There is none of that name.
    """
    if name is None:
        return None
    known = sorted(path.stem for path in SCENARIOS.glob("*.yaml"))
    if name not in known:
        raise InputFault(f"no scenario is called {name!r}", where=str(SCENARIOS), fix=f"use one of: {', '.join(known)}")
    return SCENARIOS / f"{name}.yaml"


def loaded(file: Path, scenario: str | None = None, overrides: list[str] | None = None) -> "Params":
    """The validated parameters of a command.

    Raises:
        InputFault: There is no such scenario.
        ParamsFault: The parameters are not valid, all sections together.
    """
    from edgeloop import params

    return params.load(file, scenario=scenario_file(scenario), overrides=overrides or [])


def show_finished(finished: Any, *, as_json: bool) -> None:
    """The result of a run on stdout."""
    if as_json:
        paths = {"bundle": str(finished.bundle) if finished.bundle else None, "report": str(finished.report)}
        print_json({**finished.registration, **paths, "steps": list(finished.steps)})
        return
    shown = {"report": str(finished.report)}
    if finished.bundle is not None:
        facts = finished.registration
        shown = {
            "registered": facts["uri"],
            "alias": facts["promotion"],
            "subject": facts["subject_digest"],
            "bundle": str(finished.bundle),
            **shown,
        }
    print_pairs(shown)


@app.command()
def run(
    overrides: Overrides = None,
    scenario: Scenario = None,
    params_file: ParamsFile = PARAMS_FILE,
    first: Annotated[str | None, typer.Option("--from", metavar="STEP", help="Begin here, on earlier outputs.")] = None,
    only: Annotated[str | None, typer.Option("--only", metavar="STEP", help="Run this step alone.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, show the plan, run nothing.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Run the release pipeline here: data to a registered model. Ends with the path of the report."""
    with exiting(debug=debug):
        if first is not None and only is not None:
            raise InputFault("--from and --only exclude each other", where="run", fix="give one of them")
        params = loaded(params_file, scenario, overrides)
        from pipelines import local

        if dry_run:
            steps = local.planned(params, first=first, only=only)
            print_json({"steps": steps, "params": params.values()}) if as_json else print("\n".join(steps))
            return
        show_finished(local.run(params, first=first, only=only), as_json=as_json)


@app.command(name="compile")
def compile_(
    overrides: Overrides = None,
    scenario: Scenario = None,
    params_file: ParamsFile = PARAMS_FILE,
    output: Annotated[Path, typer.Option("--output", help="Folder for the compiled files.")] = Path("manifests/kfp"),
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the pipeline and its reusable components as YAML for Kubeflow Pipelines."""
    with exiting(debug=debug):
        params = loaded(params_file, scenario, overrides)
        from pipelines.compiling import compile_all

        written = compile_all(params, output)
        print_json([str(path) for path in written]) if as_json else print("\n".join(map(str, written)))


@app.command()
def scenario(
    name: Annotated[str | None, typer.Argument(help="Scenario to write; none lists them.")] = None,
    params_file: ParamsFile = PARAMS_FILE,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a scenario into params.yaml, for DVC and for editing; without NAME list the scenarios."""
    with exiting(debug=debug):
        from pipelines import scenarios

        if name is None:
            known = scenarios.descriptions(SCENARIOS)
            print_json(known) if as_json else print("\n".join(f"{key:<20} {text}" for key, text in known.items()))
            return
        overlay = scenario_file(name)
        assert overlay is not None
        scenarios.write(overlay, params_file)
        print_json({"params": str(params_file), "scenario": name}) if as_json else print(f"wrote {params_file}")


@app.command()
def dvc(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; refuse a dvc.yaml that is stale.")] = False,
    debug: Debug = False,
) -> None:
    """Write dvc.yaml from the compiled pipeline, so that `dvc repro` runs the same steps."""
    with exiting(debug=debug):
        params = loaded(PARAMS_FILE)
        from pipelines import local, stages

        if check:
            stages.refuse_stale(params)
            local.refuse_unknown_devices(params)
            return
        stages.write(params)
        print(f"wrote {stages.STAGES_FILE}")


Model = Annotated[str, typer.Option("--model", metavar="NAME@ALIAS", help="The model in use.")]


@app.command()
def monitor(
    model: Model,
    telemetry: Annotated[Path, typer.Option("--telemetry", help="Window of telemetry, Parquet or CSV.")],
    overrides: Overrides = None,
    scenario: Scenario = None,
    params_file: ParamsFile = PARAMS_FILE,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare a window with the training data; retrain and register on drift. Exit code 1: a gate refused that."""
    with exiting(debug=debug):
        params = loaded(params_file, scenario, overrides)
        from pipelines import watch as watching

        outcome = watching.monitor(params, model=model, telemetry=telemetry)
        print_json(outcome.values()) if as_json else print_pairs(
            {"window": outcome.window_digest, "outcome": outcome.state, "reason": outcome.reason}
        )
        raise typer.Exit(outcome.exit_code)


@app.command()
def watch(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder into which windows are renamed.")],
    model: Model,
    every: Annotated[str, typer.Option("--every", help="Time between looks: 30s, 10m, 1h, 1d.")] = "10m",
    once: Annotated[bool, typer.Option("--once", help="Look once and end, for cron.")] = False,
    overrides: Overrides = None,
    scenario: Scenario = None,
    params_file: ParamsFile = PARAMS_FILE,
    debug: Debug = False,
) -> None:
    """Look at every window that appears in DIR, each once, also after a restart; one JSON line a window.

    With --once the exit code is the highest of the windows: 1 a gate refused a successor, 2 or 3 one was not looked at.
    """
    with exiting(debug=debug):
        params = loaded(params_file, scenario, overrides)
        from pipelines import watch as watching

        code = watching.watch(params, folder, model=model, every_s=seconds(every), rounds=1 if once else None)
        raise typer.Exit(code)


@app.command()
def retrain(
    model: Model,
    reason: Annotated[Literal["schedule", "drift", "manual"], typer.Option("--reason", help="Kept in the lineage.")],
    overrides: Overrides = None,
    scenario: Scenario = None,
    params_file: ParamsFile = PARAMS_FILE,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Release again, beginning with the registered model."""
    with exiting(debug=debug):
        params = loaded(params_file, scenario, overrides)
        from pipelines import watch as watching

        show_finished(watching.retrain(params, model=model, reason=reason), as_json=as_json)


def seconds(text: str) -> float:
    """`10m` in seconds.

    Raises:
        InputFault: It is no time.
    """
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isdigit() or int(number) == 0:
        raise InputFault("is no time", where=f"--every {text}", fix="write such as 30s, 10m, 1h or 1d")
    return float(int(number) * units[unit])


def main() -> None:
    """The command line."""
    run_app(app)


if __name__ == "__main__":
    main()
