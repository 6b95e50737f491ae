"""Parquet of any size, opened for queries with a bound on memory and threads.

What lies in a file cannot steer a query: columns are addressed by position (`c0`, `c1` …), so no name ever reaches
SQL; paths are passed as values, with their wildcards made literal; the connection can read the given files and its
scratch folder and nothing else. Minima and maxima that a file claims for its row groups are not believed: neither an
answer nor the skipping of rows follows from them.
"""

import glob
import importlib
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeloop.canonical import sha256_of_bytes
from edgeloop.data.statistics.values import Kind
from edgeloop.errors import DataFault, EnvironmentFault, InputFault, translated
from edgeloop.plugins import missing_extra

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_KINDS: dict[str, Kind] = {
    "BOOLEAN": "boolean",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT"), "integer"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"), "integer"),
    **dict.fromkeys(("FLOAT", "DOUBLE", "DECIMAL", '"NULL"'), "float"),
    "VARCHAR": "text",
    **dict.fromkeys(("DATE", "TIME", "TIME WITH TIME ZONE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"), "opaque"),
    **dict.fromkeys(("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "INTERVAL", "BLOB", "UUID"), "opaque"),
}
BYTES_A_VALUE = 48
"""What the engine holds for a value that is told apart from others, beside a text's own bytes."""
BLOCK = 1 << 16
"""So many numbers are looked at at once: what the processor keeps near."""
_SHARE = 0.75
_DISABLED = "statistics_propagation,filter_pushdown,join_order"
"""The optimizers that believe what a file says of its row groups, and the one that moves a count of all rows before a
join that few of them pass."""


@dataclass(frozen=True)
class Table:
    """An open table.

    Args:
        names: Of the columns, in their order.
        kinds: Theirs.
        where: Its path, for error messages.
        connection: The engine's.
        memory_mib: That the engine may use.
        threads: Likewise.
        scratch: Folder for what does not fit into memory.
        condition: SQL that its rows meet.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    where: str
    connection: Any
    memory_mib: int
    threads: int
    scratch: Path
    condition: str = "true"

    def position(self, name: str) -> int:
        """The position of a column.

        Raises:
            DataFault: There is none of that name.
        """
        if name not in self.names:
            raise DataFault(f"has no column {name!r}", where=self.where, fix="name one of its columns")
        return self.names.index(name)

    def only(self, name: str, value: str) -> "Table":
        """The rows whose text in the column `name` is `value`."""
        return replace(self, condition=f"({self.condition}) AND c{self.position(name)} = {text(value)}")

    def number(self, position: int) -> str:
        """SQL: the value of a numeric column as a double."""
        return f"CAST(c{position} AS DOUBLE)"

    def finite(self, position: int) -> str:
        """SQL: likewise, and null where it is a NaN or infinite."""
        value = self.number(position)
        return value if self.kinds[position] != "float" else f"CASE WHEN isfinite({value}) THEN {value} END"

    def present(self, position: int) -> str:
        """SQL: whether there is a value; a NaN is none."""
        there = f"c{position} IS NOT NULL"
        return f"{there} AND NOT isnan({self.number(position)})" if self.kinds[position] == "float" else there

    def comparable(self, position: int) -> str:
        """SQL: the value as it compares with others of its kind; whole numbers stay whole."""
        return self.number(position) if self.kinds[position] == "float" else f"c{position}"

    def matches(self, position: int, pattern: str) -> str:
        """SQL: whether a pattern is found in a text; Python's `re` looks for what the engine's RE2 cannot.

        Raises:
            re.error: It is a pattern to neither.
        """
        engine = _engine()
        try:
            self.connection.execute("SELECT regexp_matches('', $pattern)", {"pattern": pattern}).fetchall()
        except engine.InvalidInputException:
            name = f"matches_{sha256_of_bytes(pattern.encode())}"
            self._register(name, pattern)
            return f"{name}(c{position})"
        return f"regexp_matches(c{position}, {text(pattern)})"

    def _register(self, name: str, pattern: str) -> None:
        """A function of the connection that looks for `pattern`."""
        compiled = re.compile(pattern)
        known = "SELECT count(*) FROM duckdb_functions() WHERE function_name = $name"
        if not self.connection.execute(known, {"name": name}).fetchall()[0][0]:
            self.connection.create_function(name, lambda value: compiled.search(value) is not None, ["VARCHAR"], "BOOL")

    def selected(self, selection: str, rest: str = "") -> str:
        """SQL: `SELECT selection FROM this table`, and what follows the conditions on its rows."""
        return f"SELECT {selection} FROM source WHERE {self.condition} {rest}"  # noqa: S608

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of the answer."""
        with self._translated():
            rows: list[tuple[Any, ...]] = self.connection.execute(sql).fetchall()
            return rows

    def make(self, sql: str) -> None:
        """Executes SQL that makes a view, or a table that is gone when this one is closed."""
        with self._translated():
            self.connection.execute(sql)

    def parts(self, counted: str, value: str) -> list[str]:
        """SQL conditions that deal rows out by their value: those of one part fit into most of the memory.

        Args:
            counted: SQL that asks for the number of values and the mean length of their text in bytes.
            value: SQL of the value.
        """
        ((rows, length_bytes),) = self.fetch(counted)
        held_bytes = rows * (BYTES_A_VALUE + float(length_bytes))
        parts = max(1, math.ceil(held_bytes / (self.memory_mib * 2**20 * _SHARE)))
        return [f"hash({value}) % {parts} = {part}" for part in range(parts)]

    def batches(self, sql: str, *, rows: int) -> Iterator[Any]:
        """The rows of the answer as Arrow's record batches of so many rows."""
        with self._translated():
            yield from self.connection.sql(sql).to_arrow_reader(rows)

    def numbers(self, finite: str) -> "Iterator[NDArray[np.float64]]":
        """The values of SQL for doubles that are finite or null, without the nulls, at most BLOCK at a time."""
        for batch in self.batches(self.selected(f"{finite} AS x", f"AND {finite} IS NOT NULL"), rows=BLOCK):
            yield batch.column(0).to_numpy(zero_copy_only=False)

    @contextmanager
    def lent(self, name: str, **columns: "NDArray[Any]") -> Iterator[None]:
        """Arrays as a table of that name, for the length of the block."""
        import pyarrow as pa

        self.connection.register(name, pa.table(columns))
        try:
            yield
        finally:
            self.connection.unregister(name)

    @contextmanager
    def beside(self) -> "Iterator[Table]":
        """The same table for another thread."""
        with self.connection.cursor() as connection:
            yield replace(self, connection=connection)

    def fetch_arrays(self, sql: str) -> dict[str, Any]:
        """The columns of the answer as numpy arrays."""
        with self._translated():
            columns: dict[str, Any] = self.connection.execute(sql).fetchnumpy()
            return columns

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with _translated(self.where):
            yield


def number(value: float) -> str:
    """SQL: exactly this double."""
    return f"CAST('{float(value)!r}' AS DOUBLE)"


def text(value: str) -> str:
    """SQL: exactly this text."""
    quoted = value.replace("'", "''").replace("\0", "' || chr(0) || '")
    return f"('{quoted}')"


@contextmanager
def opened(source: Path | Sequence[Path], *, memory_mib: int, threads: int, scratch: Path) -> Iterator[Table]:
    """The table in a Parquet file, a folder of them, a pattern such as `part-*.parquet`, or several of these.

    Args:
        source: Files of one schema; a folder is searched to its depth; a file that is named twice is read twice.
        memory_mib: For the engine; what does not fit is spilled to `scratch`. The process needs some 200 MiB more.
        threads: For the engine.
        scratch: Existing folder for what is spilled; left as it was found.

    Raises:
        InputFault: Nothing lies there.
        DataFault: A file is damaged, of another schema, or has nested columns or two columns of one name.
        EnvironmentFault: Later, in a query: memory or disk do not suffice.
        MissingExtra: A package of the extra `data` is not installed.
    """
    engine = _engine()
    sources = [source] if isinstance(source, Path) else list(source)
    paths = [path.absolute() for entry in sources for path in _files(entry)]
    where = str(sources[0]) if sources else "no file"
    if not paths:
        raise InputFault("has no Parquet file", where=where, fix="check the path")
    names = _names(paths)
    settings = {
        "memory_limit": f"{memory_mib}MiB",
        "threads": threads,
        "temp_directory": str(scratch.absolute()),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    with _translated(where), engine.connect(":memory:", config=settings) as connection:
        connection.execute(f"SET disabled_optimizers = '{_DISABLED}'")
        literal = [glob.escape(str(path)) for path in paths]
        allowed = sorted({*literal, *(str(path) for path in paths)})
        connection.execute("SET allowed_paths = $paths", {"paths": allowed})
        relation = connection.read_parquet(literal, hive_partitioning=False, file_row_number=False)
        kinds = tuple(_kind(name, str(kind), where) for name, kind in zip(names, relation.types, strict=True))
        relation.create_view("files")
        columns = ", ".join(f"c{position}" for position in range(len(names)))
        connection.execute(f"CREATE VIEW source AS SELECT * FROM files AS files({columns})")  # noqa: S608
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield Table(
            names=names,
            kinds=kinds,
            where=where,
            connection=connection,
            memory_mib=memory_mib,
            threads=threads,
            scratch=scratch,
        )


def _engine() -> Any:
    try:
        return importlib.import_module("duckdb")
    except ModuleNotFoundError as error:
        raise missing_extra(error, "data") from error


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        return sorted(path for path in source.rglob("*.parquet") if path.is_file())
    if source.is_file():
        return [source]
    return sorted(Path(path) for path in glob.glob(str(source), recursive=True) if Path(path).is_file())  # noqa: PTH207


def _names(paths: Sequence[Path]) -> tuple[str, ...]:
    """The names of the columns, which all files share."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as parquet
    except ModuleNotFoundError as error:
        raise missing_extra(error, "data") from error
    schemas = {}
    for path in dict.fromkeys(paths):
        try:
            with translated(path):
                schemas[path] = parquet.read_schema(path)
        except (pa.ArrowException, ValueError) as error:  # ValueError: a name that is no UTF-8
            raise _unreadable(path) from error
    first, schema = next(iter(schemas.items()))
    for path, other in schemas.items():
        if not other.equals(schema):
            raise DataFault(f"has other columns than {first.name}", where=str(path), fix="read it as another table")
    names = tuple(schema.names)
    for position, name in enumerate(names):
        if name.lower() in {earlier.lower() for earlier in names[:position]}:
            raise DataFault(f"has two columns called {name!r}", where=str(first), fix="rename one of them")
    return names


def _kind(name: str, kind: str, where: str) -> Kind:
    known = _KINDS.get(kind.partition("(")[0].strip()) if not kind.endswith("]") else None
    if known is None:
        raise DataFault(
            f"column {name!r} is of type {kind[:80]}, which has no statistics", where=where, fix="flatten or drop it"
        )
    return known


def _unreadable(where: Path | str) -> DataFault:
    return DataFault("is not a readable Parquet file", where=str(where), fix="write it again")


@contextmanager
def _translated(where: str) -> Iterator[None]:
    """Turns an error of the engine into a fault of ours."""
    engine = _engine()
    try:
        yield
    except engine.OutOfMemoryException as error:
        raise EnvironmentFault(
            f"needs more memory or scratch space ({_line(error)})", where=where, fix="allow more memory_mib"
        ) from error
    except engine.Error as error:
        raise DataFault(f"cannot be read ({_line(error)})", where=where, fix="write it again") from error


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
