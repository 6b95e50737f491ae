"""Telemetry: what devices saw, as features; never the samples themselves.

A window is a Parquet or CSV file, a row a sample. Columns are named as the features of the profile (units as in
`edgeloop.data.features`); others, such as `prediction` or `device`, are not compared, and what is no number is not
read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop.canonical import sha256_of_bytes
from edgeloop.errors import DataFault, translated
from edgeloop.plugins import missing_extra

MAX_BYTES = 1 << 30
"""A larger window is refused: a monitor looks at a day, not at a year."""


@dataclass(frozen=True)
class Window:
    """Rows of telemetry.

    Args:
        rows: How many.
        columns: float64 of `rows` values for each column of numbers; NaN where a value is missing.
        digest: `sha256:…` over the rows, whatever their order.
    """

    rows: int
    columns: dict[str, NDArray[np.float64]]
    digest: str


def read_window(path: Path) -> Window:
    """The window in a file.

    Raises:
        DataFault: It is empty, too large, unreadable, or has no column of numbers.
    """
    with translated(path):
        size = path.stat().st_size
    if size > MAX_BYTES:
        raise DataFault(f"has {size} bytes, more than {MAX_BYTES}", where=str(path), fix="cut it into windows")
    table = _table(path)
    read = {name: _numbers(table, name) for name in table.column_names}
    columns = {name: column for name, column in read.items() if column is not None}
    if not columns:
        raise DataFault("has no column of numbers", where=str(path), fix="write one a feature")
    if table.num_rows == 0:
        raise DataFault("has no rows", where=str(path), fix="give a window with samples")
    matrix = np.column_stack([columns[name] for name in sorted(columns)])
    ordered = np.ascontiguousarray(matrix[np.lexsort(matrix.T[::-1])])
    header = ",".join(sorted(columns)).encode()
    return Window(table.num_rows, columns, f"sha256:{sha256_of_bytes(header + ordered.tobytes())}")


def _table(path: Path) -> Any:
    try:
        import pyarrow as pa
        from pyarrow import csv, parquet
    except ModuleNotFoundError as error:
        raise missing_extra(error, "data") from error
    try:
        with translated(path):
            table = csv.read_csv(path) if path.suffix == ".csv" else parquet.ParquetFile(path).read()
        names = table.column_names  # decoded only now
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DataFault(
            f"is not a readable Parquet or CSV file ({str(error).splitlines()[0]})",
            where=str(path),
            fix="write it again",
        ) from error
    if len(set(names)) < len(names):
        raise DataFault("has two columns of one name", where=str(path), fix="write one column a feature")
    return table


def _numbers(table: Any, name: str) -> NDArray[np.float64] | None:
    """A column as numbers, NaN where there is none; None where it holds something else."""
    import pyarrow as pa

    try:
        column = table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException:
        return None
    return np.asarray(column, dtype=np.float64)
