"""The variants: how each file was made, how near it is to what it was made from, and what was judged."""

from typing import Any

from edgeloop.report.blocks import (
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Fold,
    Notice,
    Row,
    Section,
    Table,
    absent,
    checks_table,
    status_cell,
)
from edgeloop.report.numerals import NONE, percent, short_digest, size, value_text
from edgeloop.report.reading import Absent, Contents
from edgeloop.variants import Variant, VariantSet

_TITLE = "Variants"


def variants(contents: Contents) -> Section:
    """The section."""
    sets = {"convert": contents.converted, "quantize": contents.quantized}
    found = [variant for one in sets.values() if isinstance(one, VariantSet) for variant in one.variants]
    if isinstance(contents.converted, Absent) and not found:
        return absent("variants", _TITLE, contents.converted.reason)
    blocks: list[Block] = [_table(found)]
    blocks += [Notice(f"{step}: {one.reason}.") for step, one in sets.items() if isinstance(one, Absent)]
    checks = [(variant.name, check) for variant in found for check in variant.checks]
    if table := checks_table("Checks", checks, subject="variant"):
        blocks.append(table)
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


def _calibration(record: dict[str, Any]) -> Fold:
    facts = tuple(Fact(key, text if len(text) <= 80 else f"{text[:79]}…") for key, text in flattened(record))
    return Fold("Calibration set", (Facts(facts),))


def _details(variant: Variant) -> Facts:
    values = {"options": variant.made_by.options, **variant.details}
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
