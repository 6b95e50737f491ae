"""The statistics of a table of any size, as one small value that is kept, compared and merged."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from edgeloop.data.features.table import COLUMNS
from edgeloop.data.large_tables.judgement import MEMORY_MIB, options_of
from edgeloop.data.large_tables.rows import rows_of
from edgeloop.data.statistics import TableStatistics, merged, statistics_of
from edgeloop.errors import DataFault, translated

if TYPE_CHECKING:
    from edgeloop.data.preparation import PrepareDataParams


def statistics_of_table(
    preparation: "PrepareDataParams", *, workdir: Path, memory_mib: int = MEMORY_MIB, like: Path | None = None
) -> TableStatistics:
    """The statistics of a table: of what its rows hold, and of how many cells of a row are at fault.

    Args:
        preparation: How it is read.
        workdir: Existing folder for what is thrown away: twice the table.
        memory_mib: For the engine.
        like: Statistics whose bins are taken; the deciles of this very table for columns that it does not have.

    Raises:
        DataFault: The table or `like` is not valid; or classes and splits make too many groups.
        EnvironmentFault: Memory or scratch space do not suffice.
        MissingExtra: A package of the extra `data` is not installed.
    """
    from edgeloop.data.processes import available_cores

    assert preparation.path is not None
    known = {} if like is None else {column.name: column.edges for column in _read(like).columns if column.edges}
    place, options, cores = preparation.path.expanduser(), options_of(preparation), available_cores()
    with rows_of(place, options, scratch=workdir, memory_mib=memory_mib, threads=cores) as rows:
        columns = [column.name for column in rows.features if column not in COLUMNS or column.type != "text"]
        edges = {name: known[name] for name in columns if name in known}
        return statistics_of(rows.table, columns=columns, split="split", label="label", edges=edges)


def merged_files(first: Path, second: Path) -> TableStatistics:
    """The statistics of two disjoint parts of a table.

    Raises:
        DataFault: One is no such file, or they have other columns or bins.
    """
    return merged(_read(first), _read(second))


def _read(path: Path) -> TableStatistics:
    try:
        with translated(path):
            return TableStatistics.model_validate(json.loads(path.read_bytes()))
    except (ValueError, ValidationError) as error:
        raise DataFault(
            "holds no statistics of a table", where=str(path), fix="write it with `edgeloop data profile --out`"
        ) from error
