"""How far the run came, and what of it the page may show."""

from dataclasses import replace
from typing import Any

from edgeloop.lineage.evidence import SelectionEvidence
from edgeloop.params import SECTIONS
from edgeloop.report.drawings.steps import State
from edgeloop.report.inputs import ReportInputs
from edgeloop.report.reading import NOT_RUN, Absent, Contents

_OUTPUTS: dict[str, tuple[str, ...]] = {
    "prepare_data": ("dataset", "profile"),
    "validate_data": ("verdict",),
    "train": ("model", "summary", "history", "answers", "cost"),
    "convert": ("converted",),
    "quantize": ("quantized",),
    "benchmark": ("benchmark", "samples_ms"),
    "select": ("selection",),
    "evaluate": ("evaluation", "examples"),
    "register": ("lineage",),
}
"""Step → fields of `Contents`; by the first the page knows that the step ran."""

STEPS = tuple(name for name in SECTIONS if name in _OUTPUTS)
"""The steps of the release pipeline, in their order."""

CHECK = "check_params"
"""Comes before them and leaves nothing to show."""


def stopped_step(inputs: ReportInputs, contents: Contents) -> str | None:
    """The step at which a failed run stopped; None for a run that did not fail.

    It is what the caller says; else the step that the failure names first; else the first one that said no or left
    nothing; else the last.
    """
    if inputs.failure is None:
        return None
    for named in (inputs.stopped_at, inputs.failure.partition(":")[0].strip()):
        if named in (*STEPS, CHECK):
            return named
    return next((step for step in STEPS if refused(step, contents) or not present(step, contents)), STEPS[-1])


def until(contents: Contents, step: str | None) -> Contents:
    """Only what steps up to `step` wrote: what lies there of later ones is of an earlier run."""
    if step is None:
        return contents
    begin = 0 if step == CHECK else STEPS.index(step) + 1
    later = [name for after in STEPS[begin:] for name in _OUTPUTS[after]]
    hidden: dict[str, Any] = dict.fromkeys(later, NOT_RUN)
    return replace(contents, **hidden)


def without_leftovers(contents: Contents) -> Contents:
    """Without what contradicts the selection: it is of an earlier run, of which a part was run again."""
    choice = contents.selection
    if isinstance(choice, Absent):
        return contents
    changed: dict[str, Any] = {}
    if not isinstance(contents.evaluation, Absent) and contents.evaluation.candidate != choice.winner:
        changed["examples"] = NOT_RUN
        changed["evaluation"] = Absent(f"of an earlier run, whose winner was {contents.evaluation.candidate}")
    if not isinstance(contents.lineage, Absent):
        registered = [piece.body.winner.candidate for piece in contents.lineage.pieces(SelectionEvidence)]
        if choice.winner not in registered:
            changed["lineage"] = Absent(
                f"of an earlier run, whose winner was {', '.join(registered) or 'not recorded'}"
            )
    return replace(contents, **changed)


def states(contents: Contents, stopped: str | None) -> dict[str, State]:
    """The state of every step."""
    return {step: "stopped" if step == stopped else "done" if present(step, contents) else "not run" for step in STEPS}


def present(step: str, contents: Contents) -> bool:
    """Whether the step left what it has to leave."""
    return not isinstance(getattr(contents, _OUTPUTS[step][0]), Absent)


def refused(step: str, contents: Contents) -> bool:
    """Whether the step's own judgement stopped the run."""
    match step:
        case "validate_data":
            return not isinstance(contents.verdict, Absent) and contents.verdict.status != "pass"
        case "train":
            return not isinstance(contents.summary, Absent) and _any_missed(contents.summary.checks)
        case "convert":
            return not isinstance(contents.converted, Absent) and not all(
                variant.accepted for variant in contents.converted.variants
            )
        case "select":
            return not isinstance(contents.selection, Absent) and contents.selection.winner is None
        case "evaluate":
            return not isinstance(contents.evaluation, Absent) and _any_missed(contents.evaluation.checks)
        case _:
            return False


def _any_missed(checks: tuple[Any, ...]) -> bool:
    return any(check.status != "pass" for check in checks)
