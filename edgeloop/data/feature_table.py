"""The feature table of a dataset: a row a sample, and in its schema what each column is.

A Parquet file of `id`, `split` and the columns of the features; a field's metadata holds `says` and `compared` of its
`Column`, so that whoever reads the file later needs neither the samples nor the plug-in that looked at them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edgeloop.data.dataset import Sample
from edgeloop.data.features import Column, Value
from edgeloop.errors import DataFault, translated
from edgeloop.plugins import missing_extra

if TYPE_CHECKING:
    import pyarrow as pa

FEATURES_FILE = "features.parquet"

_OF_SAMPLES = ("id", "split")
_PART_ROWS = 1 << 12
_TYPES: Mapping[Literal["int", "float", "text"], str] = {"int": "int64", "float": "double", "text": "string"}


def write_features(
    columns: Sequence[Column], samples: Sequence[Sample], rows: Iterable[Mapping[str, Value] | None], path: Path
) -> None:
    """Writes the table.

    Args:
        columns: Of the features.
        samples: Whose id and split are kept.
        rows: Their features, in the same order; None where a sample could not be read.
        path: File to write.
    """
    import pyarrow as pa
    import pyarrow.parquet as parquet

    of_features = [_field(column) for column in columns]
    schema = pa.schema([*(pa.field(name, pa.string()) for name in _OF_SAMPLES), *of_features])
    batches = []
    for part, of_part in _parts(samples, rows):
        of_samples = [pa.array([getattr(sample, name) for sample in part], pa.string()) for name in _OF_SAMPLES]
        values = [pa.array([(row or {}).get(field.name) for row in of_part], field.type) for field in of_features]
        batches.append(pa.record_batch([*of_samples, *values], schema=schema))
    parquet.write_table(pa.Table.from_batches(batches, schema).combine_chunks(), path)


def _parts(
    samples: Sequence[Sample], rows: Iterable[Mapping[str, Value] | None]
) -> Iterator[tuple[Sequence[Sample], list[Mapping[str, Value] | None]]]:
    """Some thousand samples at a time, each with its row: what is not a column yet takes the more memory."""
    reader = iter(rows)
    for start in range(0, len(samples), _PART_ROWS):
        part = samples[start : start + _PART_ROWS]
        yield part, list(islice(reader, len(part)))


def _field(column: Column) -> "pa.Field":
    import pyarrow as pa

    what = {"says": column.says, "compared": "yes" if column.compared else "no"}
    return pa.field(column.name, pa.type_for_alias(_TYPES[column.type]), metadata=what)


def columns_in(path: Path) -> tuple[Column, ...]:
    """The columns of the features in a table that `write_features` wrote.

    Raises:
        InputFault: There is no such file.
        DataFault: It is damaged, or another table.
        MissingExtra: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as parquet
    except ModuleNotFoundError as error:
        raise missing_extra(error, "data") from error
    try:
        with translated(path):
            schema = parquet.read_schema(path)
    except pa.ArrowException as error:
        raise _no_table(path) from error
    return tuple(_column(field, path) for field in schema if field.name not in _OF_SAMPLES)


def _column(field: "pa.Field", path: Path) -> Column:
    names = {kind: name for name, kind in _TYPES.items()}
    what = field.metadata or {}
    kind = names.get(str(field.type))
    if kind is None or not what.keys() >= {b"says", b"compared"}:
        raise _no_table(path)
    return Column(field.name, kind, what[b"says"].decode(), compared=what[b"compared"] == b"yes")


def _no_table(path: Path) -> DataFault:
    return DataFault("is no table of features", where=str(path), fix="run prepare_data again")
