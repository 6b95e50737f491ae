"""Where it ran, and how to run it again."""

import shlex
from typing import Any

from edgeloop.lineage.evidence import RunEvidence
from edgeloop.report.blocks import Block, Cell, Code, Column, Fact, Facts, Fold, Notice, Paragraph, Row, Section, Table
from edgeloop.report.inputs import ReportInputs
from edgeloop.report.numerals import NONE, value_text
from edgeloop.report.reading import Absent, Contents
from edgeloop.report.sections.variants import flattened
from edgeloop.report.state import CHECK

_SIDES = ("before", "after")


def repeat(contents: Contents, inputs: ReportInputs, stopped: str | None) -> Section:
    """The section."""
    blocks: list[Block] = []
    report = contents.benchmark
    if isinstance(report, Absent):
        blocks.append(Notice(f"Environment: benchmark {report.reason}."))
    else:
        blocks += [block for device, sides in report.environments.items() for block in _environment(device, sides)]
    if not isinstance(contents.lineage, Absent):
        blocks += [_run(piece) for piece in contents.lineage.pieces(RunEvidence)]
    blocks += _commands(contents, inputs, stopped)
    return Section("repeat", "Environment and how to repeat", tuple(blocks))


def _environment(device: str, sides: dict[str, Any]) -> list[Block]:
    """What stayed, what moved while it was measured, and what the device does not tell."""
    flat = {name: dict(flattened(sides.get(name) or {})) for name in _SIDES}
    keys = [key for key in dict.fromkeys([*flat["before"], *flat["after"]]) if key]
    if not keys:
        return [Notice(f"Device {device} was lost: nothing is known of it.")]
    pairs = {key: (flat["before"].get(key, NONE), flat["after"].get(key, NONE)) for key in keys}
    stayed = [Fact(key, before) for key, (before, after) in pairs.items() if before == after != NONE]
    untold = [key for key, pair in pairs.items() if pair == (NONE, NONE)]
    moved = tuple(
        Row((Cell(key, mark="name"), Cell(before, mark="reason"), Cell(after, mark="reason")))
        for key, (before, after) in pairs.items()
        if before != after
    )
    blocks: list[Block] = [Facts(tuple(stayed), title=f"Device {device}")]
    if untold:
        blocks.append(Paragraph(f"Not told by this device: {', '.join(untold)}."))
    if moved:
        columns = (Column("moved", numeric=False), *(Column(f"{name} measuring", numeric=False) for name in _SIDES))
        blocks.append(Table(f"What moved on {device} while it was measured", columns, moved))
    return blocks


def _run(piece: RunEvidence) -> Facts:
    body = piece.body
    dirty = {True: "with changes beyond it", False: "clean", None: ""}[body.dirty]
    facts = [
        Fact("engine", body.engine or "the library alone"),
        Fact("edgeloop, Python", f"{body.edgeloop_version}, {body.python_version}"),
        Fact("host", body.host),
        Fact("registered", body.registered_at.replace("T", " ")),
        Fact("commit", body.commit or "no Git", note=dirty),
    ]
    facts += [Fact(f"run id, {name}", run_id) for name, run_id in body.run_ids.items()]
    if body.trigger is not None:
        facts.append(Fact("trigger", body.trigger.reason, note=value_text(body.trigger.parent)))
    return Facts(tuple(facts), title="Run")


def _commands(contents: Contents, inputs: ReportInputs, stopped: str | None) -> list[Block]:
    """Lines to copy, for a run that failed and for one that did not."""
    blocks: list[Block] = []
    if stopped is not None:
        # what validation refused was read by prepare_data: mended data have to be read again
        first = "" if stopped in (CHECK, "prepare_data", "validate_data") else f" --from {stopped}"
        kept = "; earlier steps are kept" if first else ""
        lines = f"python -m pipelines run{first}   # after mending, with the options of this run{kept}"
        blocks.append(Code(lines, title="Go on from where it stopped"))
    again = ["make env                     # the pinned environment", "python -m pipelines run"]
    if not isinstance(contents.lineage, Absent):
        bundle = (
            shlex.quote(str(inputs.lineage.parent)) if inputs.lineage and not inputs.lineage.is_absolute() else "BUNDLE"
        )
        again.append(f"edgeloop lineage show {bundle}")
        again.append(f"edgeloop lineage diff OLD_BUNDLE {bundle}")
        again.append(f"edgeloop predict {bundle} INPUT…")
    blocks.append(Code("\n".join(again), title="Run it again, with the parameters below as params.yaml"))
    if isinstance(contents.params, Absent):
        blocks.append(Notice(f"Parameters: {contents.params.reason}."))
    else:
        blocks.append(Fold("params.yaml of this run, defaults filled in", (Code(_as_yaml(contents.params)),)))
    return blocks


def _as_yaml(values: dict[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)
    return text
