"""Evidence for people: Evidently's page about a window of telemetry. It draws; the verdict is made elsewhere."""

from pathlib import Path
from typing import Any

import numpy as np

from edgeloop.errors import DataFault
from edgeloop.files import whole_file, write_text
from edgeloop.latecomers import not_collecting
from edgeloop.plugins import missing_extra
from edgeloop.telemetry import read_window


def write_page(page: Path, *, reference: Path, current: Path, rows: int) -> None:
    """Writes the page, self-contained, about 4 MB.

    Args:
        page: Where.
        reference: Rows of the training split, Parquet or CSV, as telemetry.
        current: The window.
        rows: The most that are drawn of each; a larger table is sampled, by a fixed seed.

    Raises:
        DataFault: One of the two cannot be read.
        MissingExtra: Evidently is not installed.
    """
    before, now = _sampled(reference, rows), _sampled(current, rows)
    shared = [name for name in before if name in now]
    # Evidently refuses the whole page for one column without values.
    columns = [name for name in shared if np.isfinite(before[name]).any() and np.isfinite(now[name]).any()]
    if not columns:
        write_text(page, "<!doctype html><title>drift</title><p>No feature has values in both windows.</p>\n")
        return
    report = _report({name: before[name] for name in columns}, {name: now[name] for name in columns})
    with whole_file(page) as partial:
        report.save_html(str(partial))


def _sampled(path: Path, rows: int) -> dict[str, Any]:
    window = read_window(path)
    if window.rows <= rows:
        return window.columns
    chosen = np.sort(np.random.default_rng(0).choice(window.rows, rows, replace=False))
    return {name: column[chosen] for name, column in window.columns.items()}


def _report(before: dict[str, Any], now: dict[str, Any]) -> Any:
    try:
        with not_collecting():
            import pandas as pd
            from evidently import DataDefinition, Dataset, Report
            from evidently.presets import DataDriftPreset
    except ModuleNotFoundError as error:
        raise missing_extra(error, "drift") from error
    definition = DataDefinition(numerical_columns=list(before))
    tables = [Dataset.from_pandas(pd.DataFrame(table), data_definition=definition) for table in (now, before)]
    try:
        # Constant columns make numpy divide by zero in Evidently's correlations; nothing here depends on them.
        with np.errstate(all="ignore"):
            return Report([DataDriftPreset()], include_tests=True).run(*tables)
    except Exception as error:  # Evidently raises every kind for data that it does not like
        raise DataFault(f"Evidently cannot draw it ({error})", where="telemetry", fix="look at the columns") from error
