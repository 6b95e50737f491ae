"""Every fault that validation names, planted alone, and whether the shipped suite finds it; clean data beside it.

A fault is caught where the expectation that is meant for it names the samples at fault and no others, and nothing else
is critical.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.faults import detection, images, tables, windows
from benchmarks.faults.matrix import Clean, Fault, Outcome, outcome_of, said_of_clean, said_of_fault

FAULTS = (*images.FAULTS, *detection.FAULTS, *windows.FAULTS, *tables.FAULTS)

WRITTEN = (
    images.PHOTOS,
    detection.YOLO,
    detection.COCO,
    windows.SIGNALS,
    Clean("signals: CSV without a clock", "signals", windows.write_signals, {"length": 64, "channels": ["x", "y"]}),
    Clean("signals: Parquet", "signals", windows.write_parquet, windows.OPTIONS),
    tables.TABLE,
    tables.SPLIT_TABLE,
)
"""Clean data in files."""

DRAWN = (
    Clean("digits", "digits"),
    Clean("traffic_signs", "traffic_signs"),
    Clean("traffic_signs_crops", "traffic_signs_crops"),
    *(Clean(f"vibration, shift {shift}", "vibration", None, {"shift": shift}) for shift in ("none", "mounting")),
    Clean("vibration, shift temperature", "vibration", None, {"shift": "temperature"}),
)
"""Clean data of the sources that make their own, at their default size."""


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    caught = 0
    for fault in FAULTS:
        with tempfile.TemporaryDirectory() as work:
            outcome = outcome_of(fault, said_of_fault(fault, Path(work)))
        caught += outcome.is_caught
        yield f"{fault.clean.kind}: {fault.name}", told(fault, outcome), "all right, nothing else critical"
    yield "planted faults that are caught", f"{caught} of {len(FAULTS)}", "all"
    for clean in (*WRITTEN, *DRAWN):
        with tempfile.TemporaryDirectory() as work:
            said = said_of_clean(clean, Path(work))
        critical = sorted(column for column, severity in said if severity == "critical")
        lesser = sorted(f"{column} {len(ids)}" for (column, severity), ids in said.items() if severity != "critical")
        shown = f"critical: {', '.join(critical) or 'nothing'}; lesser: {', '.join(lesser) or 'nothing'}"
        yield f"clean, {clean.name}", shown, "nothing critical"


def told(fault: Fault, outcome: Outcome) -> str:
    """A row: `2 of 2 right, 0 extra, by copies (warning)`; what is critical beside it."""
    column, severity = fault.said[0]
    found = f"by {column} ({severity})" if outcome.right else f"missed by {column} ({severity})"
    beside = f"; also critical: {', '.join(outcome.also_critical)}" if outcome.also_critical else ""
    return f"{outcome.right} of {len(fault.ids)} right, {outcome.extra} extra, {found}{beside}"
