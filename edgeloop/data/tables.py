"""CSV and Parquet files read row by row, see `edgeloop.data.csv_tables` and `edgeloop.data.parquet_tables`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeloop.data.csv_tables import opened_csv
from edgeloop.data.parquet_tables import opened_parquet
from edgeloop.data.table_rows import Layout, Table

SUFFIXES = (".csv", ".tsv", ".parquet")


@contextmanager
def opened(path: Path, layout: Layout) -> Iterator[Table]:
    """The table in a file, open for the length of the block.

    Raises:
        Unreadable: It cannot be read, or not to its end; then while its rows are read.
    """
    read = opened_parquet if path.suffix.lower() == ".parquet" else opened_csv
    with read(path, layout) as table:
        yield table
