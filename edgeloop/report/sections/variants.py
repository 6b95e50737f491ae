"""The variants: how each file was made, how near it is to what it was made from, and what was judged."""

from collections.abc import Sequence
from typing import Any

from edgeloop.report.blocks import (
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Figure,
    Fold,
    Notice,
    Row,
    Section,
    Table,
    absent,
    checks_table,
    status_cell,
)
from edgeloop.report.drawings.sensitivity import sensitivity_drawn
from edgeloop.report.numerals import NONE, drop, percent, short_digest, size, value_text
from edgeloop.report.reading import Absent, Contents
from edgeloop.variants import UnmadeVariant, Variant, VariantSet

_TITLE = "Variants"
SHOWN = ("tried", "trials", "sensitivity", "fallback")
"""What is drawn or told elsewhere in the section."""


def variants(contents: Contents) -> Section:
    """The section."""
    sets = {"convert": contents.converted, "quantize": contents.quantized}
    found = [variant for one in sets.values() if isinstance(one, VariantSet) for variant in one.variants]
    if isinstance(contents.converted, Absent) and not found:
        return absent("variants", _TITLE, contents.converted.reason)
    blocks: list[Block] = [_table(found)]
    blocks += [Notice(f"{step}: {one.reason}.") for step, one in sets.items() if isinstance(one, Absent)]
    unmade = [variant for one in sets.values() if isinstance(one, VariantSet) for variant in one.unmade]
    blocks += _dropped(found, unmade)
    checks = [(variant.name, check) for variant in found for check in variant.checks]
    checks += [(variant.name, check) for variant in unmade for check in variant.checks]
    missed = [(name, check) for name, check in checks if check.status != "pass"]
    if table := checks_table("Checks that were missed", missed, subject="variant"):
        blocks.append(table)
    if table := checks_table("Checks", checks, subject="variant"):
        blocks.append(Fold(f"All {len(checks)} checks of the files", (table,)))
    blocks += [block for variant in found for block in _search(variant)]
    narrow = [variant for variant in found if variant.precision == "int8"]
    if narrow and not any("sensitivity" in variant.details for variant in narrow):
        reached = "that is done where the answers of a first int8 file are judged and miss a limit"
        blocks.append(Notice(f"No layer's sensitivity was measured: {reached}."))
    if isinstance(contents.quantized, VariantSet) and contents.quantized.calibration:
        blocks.append(_calibration(contents.quantized.calibration))
    if details := [_details(variant) for variant in found if variant.details or variant.made_by.options]:
        blocks.append(Fold("Options and parity of each variant", tuple(details)))
    return Section("variants", _TITLE, tuple(blocks))


def _table(found: list[Variant]) -> Table:
    heads = ("variant", "format", "precision", "gates", "made by", "made from", "size", "size ratio", "sha256")
    columns = tuple(Column(head, numeric=head in ("size", "size ratio")) for head in heads)
    sizes = {variant.name: variant.size_bytes for variant in found}
    rows = tuple(_row(variant, sizes) for variant in found)
    return Table("How each was made", columns, rows, "Size ratio: the file over the one that it was made from.")


def _row(variant: Variant, sizes: dict[str, int]) -> Row:
    missed = [check.name for check in variant.checks if check.status != "pass"]
    judged = status_cell("fail", note=", ".join(missed)) if missed else status_cell("pass")
    source = sizes.get(variant.made_from or "")
    cells = (
        Cell(variant.name, mark="name"),
        Cell(variant.format),
        Cell(variant.precision),
        judged
        if variant.checks
        else Cell(NONE, note="the trained weights" if variant.made_from is None else "no check"),
        Cell(variant.made_by.name, note=variant.made_by.version),
        Cell(variant.made_from or "training"),
        Cell(size(variant.size_bytes), title=f"{variant.size_bytes:,} bytes"),
        Cell(percent(variant.size_bytes / source, 1) if source else NONE),
        Cell(short_digest(variant.sha256), mark="digest short", title=variant.sha256),
    )
    return Row(cells, mark="attention" if missed else "")


def _dropped(found: Sequence[Variant], unmade: Sequence[UnmadeVariant]) -> list[Block]:
    """Why each of the others is not among the files to choose from."""
    refused = [(one.name, why) for one in found if (why := one.details.get("fallback"))]
    return [
        *(Notice(f"{name}: {why}.", mark="fail") for name, why in refused),
        *(Notice(f"{one.name}: not evaluated: {one.reason}.", mark="open") for one in unmade),
    ]


def _search(variant: Variant) -> list[Block]:
    """What was tried for a variant whose first file failed."""
    blocks: list[Block] = []
    if trials := variant.details.get("trials"):
        heads = ("trial", "rung", "calibration", "layers kept float", "bias correction", "lost", "size", "gates")
        columns = tuple(Column(head, numeric=head in ("layers kept float", "lost", "size")) for head in heads)
        rows = tuple(_trial(number, trial) for number, trial in enumerate(trials, start=1))
        blocks.append(Table(f"What was tried for {variant.name}", columns, rows, "Lost: of the metric, on val."))
    if harms := variant.details.get("sensitivity"):
        kept = set(variant.made_by.options.get("kept_float", ()))
        drawn = sensitivity_drawn([(harm["layer"], harm["sqnr_db"], harm["layer"] in kept) for harm in harms])
        if drawn is not None:
            note = "Signal over noise of the outputs when this layer alone is quantized: the shorter, the more harm."
            blocks.append(Figure(drawn, f"Sensitivity of the layers of {variant.name}", note))
    return blocks


def _trial(number: int, trial: dict[str, Any]) -> Row:
    kept, lost = trial.get("kept_float", ()), trial.get("drop")
    failed = ", ".join(trial["failed"])
    cells = (
        Cell(str(number)),
        Cell(trial["rung"], mark="name"),
        Cell(trial.get("method") or NONE),
        Cell(str(len(kept)), title=", ".join(kept)),
        Cell(trial["bias_correction"]),
        Cell(NONE if lost is None else drop(lost)),
        Cell(size(trial["size_bytes"])),
        status_cell("pass" if trial["accepted"] else "fail", note=failed),
    )
    return Row(cells, mark="" if trial["accepted"] else "attention")


def _calibration(record: dict[str, Any]) -> Fold:
    facts = tuple(Fact(key, text if len(text) <= 80 else f"{text[:79]}…") for key, text in flattened(record))
    return Fold("Calibration set", (Facts(facts),))


def _details(variant: Variant) -> Facts:
    options = {key: value for key, value in variant.made_by.options.items() if key not in SHOWN}
    values = {"options": options, **{key: value for key, value in variant.details.items() if key not in SHOWN}}
    facts = tuple(Fact(key, text) for key, text in flattened(values))
    return Facts(facts, title=variant.name)


def flattened(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """The leaves of nested mappings and of lists of mappings by dotted key."""
    if isinstance(value, dict) and value:
        return [
            pair for key, item in value.items() for pair in flattened(item, f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        return [pair for k, item in enumerate(value) for pair in flattened(item, f"{prefix}[{k}]")]
    return [(prefix, "none" if value in ({}, [], ()) else value_text(value))]
