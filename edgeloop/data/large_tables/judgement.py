"""A table that does not fit into memory, judged by a suite."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgeloop import plugins
from edgeloop.contract import parsed
from edgeloop.data.anomalies import anomalies_found
from edgeloop.data.dataset import columns_of
from edgeloop.data.decision import decided
from edgeloop.data.large_tables.changes import found_in
from edgeloop.data.large_tables.page import page_of_large
from edgeloop.data.large_tables.rows import rows_of
from edgeloop.data.statistics import statistics_of
from edgeloop.data.statistics.checking import checked_by_statistics
from edgeloop.data.statistics.table import Table
from edgeloop.data.suite import (
    Checked,
    in_environment,
    read_suite,
    refuse_unknown_environment,
    shipped_suite,
    suite_file,
)
from edgeloop.data.table_roles import TableOptions
from edgeloop.data.table_schema import is_too_large
from edgeloop.data.validation import Judgement
from edgeloop.data.verdict import ExpectationResult
from edgeloop.errors import DataFault, InputFault
from edgeloop.files import write_text

if TYPE_CHECKING:
    from edgeloop.data.preparation import PrepareDataParams

SOURCE = "table"
MEMORY_MIB = 500
"""That the engine may use unless somebody says otherwise; the process needs some more."""


def is_large(preparation: "PrepareDataParams") -> bool:
    """Whether it reads a table that `prepare_data` refuses for its size.

    Raises:
        EdgeloopError: As `edgeloop.data.table_schema.is_too_large`.
    """
    if preparation.source != SOURCE or preparation.path is None:
        return False
    return is_too_large(preparation.path.expanduser(), options_of(preparation))


def options_of(preparation: "PrepareDataParams") -> TableOptions:
    """The options of the source."""
    return parsed(TableOptions, preparation.options, where="prepare_data.options")


def judge_large(
    preparation: "PrepareDataParams",
    *,
    workdir: Path,
    suite: Path | None = None,
    environment: str = "training",
    memory_mib: int = MEMORY_MIB,
    report: Path | None = None,
) -> Judgement:
    """As `edgeloop.data.validation.judge`, of a table of any size; nothing of it is kept.

    Args:
        preparation: How it is read; `split_by` may be class or given, see `edgeloop.data.large_tables`.
        workdir: Existing folder for what is thrown away: twice the table.
        suite: None for the shipped one.
        environment: One of `edgeloop.data.suite.ENVIRONMENTS`.
        memory_mib: For the engine.
        report: HTML page to write.

    Raises:
        InputFault: There is no such environment; or the rows are to be split by time.
        DataFault: The table or the suite is not valid, or a class has fewer readable rows than `min_class_samples`.
        EnvironmentFault: Memory or scratch space do not suffice.
        MissingExtra: A package of the extras `data` or `validation` is not installed.
    """
    from edgeloop.data.processes import available_cores

    refuse_unknown_environment(environment)
    if preparation.split_by == "time":
        raise InputFault("a table this large is not split", where="--split-by time", fix="leave it out")
    assert preparation.path is not None
    kind: str = plugins.load("sources", SOURCE).kind
    path = suite_file(suite) if suite is not None else shipped_suite(kind)
    applied = in_environment(read_suite(path), environment, where=path)
    failing = workdir / "failing.parquet"
    with rows_of(
        preparation.path.expanduser(),
        options_of(preparation),
        scratch=workdir,
        memory_mib=memory_mib,
        threads=available_cores(),
    ) as rows:
        table = rows.table
        if environment == "training":
            refuse_small_classes(table, preparation.min_class_samples, where=preparation.path)
        counted = statistics_of(table, columns=(), split="split")
        results = checked_by_statistics(applied, table, counted, where=path, failing=failing)
        found = anomalies_found(applied.expectations, results, lambda values, result: found_in(table, values, result))
        checks = _checks(results, failing)
        decision = decided((), checks, suite=applied.record, on_fault="stop", max_quarantined=0)
        verdict = decision.verdict.model_copy(
            update={
                "samples": counted.rows,
                "accepted": counted.rows_by_split() if decision.verdict.status == "pass" else {},
            }
        )
        if report is not None:
            write_text(report, page_of_large(table, rows.features, verdict, checks, name=preparation.path.stem))
    return Judgement(source=SOURCE, kind=kind, verdict=verdict, anomalies=found)


def _checks(results: Sequence[ExpectationResult], failing: Path) -> list[Checked]:
    """The results with the ids of the rows that do not meet them; of very many the first."""
    rows = columns_of(failing, ["expectation", "id"])
    ids: dict[int, list[str]] = defaultdict(list)
    for position, row in zip(rows["expectation"], rows["id"], strict=True):
        ids[position].append(row)
    return [Checked(result, tuple(ids.get(position, ()))) for position, result in enumerate(results, start=1)]


def refuse_small_classes(table: Table, minimum: int, *, where: Path) -> None:
    """Raises `DataFault` where a class has fewer readable rows than `minimum`, as `prepare_data` does."""
    label, readable = (table.position(name) for name in ("label", "readable"))
    rows = table.selected(
        f"c{label} AS label, count(*) FILTER (c{readable}) AS n", f"AND {table.present(label)} GROUP BY 1"
    )
    small = table.fetch(
        f"SELECT label, n, count(*) OVER () FROM ({rows}) WHERE n < {minimum} ORDER BY n, label LIMIT 1"  # noqa: S608
    )
    for name, count, classes in small:
        more = f" (and {classes - 1} more classes like it)" if classes > 1 else ""
        raise DataFault(
            f"class {name!r} has {count} readable samples, fewer than {minimum}{more}",
            where=str(where),
            fix="add samples, remove the class, lower --min-class-samples, or say -o target_is=quantity",
        )
