"""A suite proposed from a table that does not fit into memory, by the rules of `edgeloop.data.inference`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeloop import plugins
from edgeloop.data.dataset import SPLITS
from edgeloop.data.inference import proposed
from edgeloop.data.large_tables.judgement import MEMORY_MIB, SOURCE, options_of, refuse_small_classes
from edgeloop.data.large_tables.rows import rows_of
from edgeloop.data.seen_values import MAX_VALUES, is_few
from edgeloop.data.statistics.ranks import order_statistics
from edgeloop.data.statistics.table import Table
from edgeloop.data.usual_ranges import set_aside, widened_range

if TYPE_CHECKING:
    from edgeloop.data.preparation import PrepareDataParams


def proposal_for_large(
    preparation: "PrepareDataParams", *, workdir: Path, name: str, memory_mib: int = MEMORY_MIB
) -> dict[str, Any]:
    """As `edgeloop.data.inference.inferred_suite`, of a table of any size.

    Args:
        preparation: How it is read.
        workdir: Existing folder for what is thrown away: twice the table.
        name: Of the suite.
        memory_mib: For the engine.

    Raises:
        EdgeloopError: As `edgeloop.data.large_tables.judgement.judge_large`.
    """
    from edgeloop.data.processes import available_cores

    assert preparation.path is not None
    place = preparation.path.expanduser()
    options, cores = options_of(preparation), available_cores()
    kind: str = plugins.load("sources", SOURCE).kind
    with rows_of(place, options, scratch=workdir, memory_mib=memory_mib, threads=cores) as rows:
        refuse_small_classes(rows.table, preparation.min_class_samples, where=place)
        return proposed(kind, rows.features, SeenTable(rows.table), name=name, dataset=place.stem)


@dataclass(frozen=True)
class SeenTable:
    """See `edgeloop.data.seen_values.Seen`: what was seen in a table of any size."""

    table: Table

    @cached_property
    def samples(self) -> int:
        """See `Seen`."""
        return int(self._figures("count(*)")[0])

    @cached_property
    def labels(self) -> Sequence[str]:
        """See `Seen`."""
        label = self.table.position("label")
        found = self.table.selected(f"DISTINCT c{label} AS label", f"AND {self.table.present(label)} ORDER BY label")
        return [name for (name,) in self.table.fetch(found)]

    @property
    def labels_of_boxes(self) -> Sequence[str]:
        """See `Seen`: a table has no boxes."""
        return ()

    def given(self, column: str) -> bool:
        """See `Seen`."""
        return bool(self._figures(f"count(c{self.table.position(column)})")[0])

    def few_values(self, column: str) -> list[str]:
        """See `Seen`."""
        position = self.table.position(column)
        present = f"AND {self.table.present(position)}"
        values = self.table.fetch(self.table.selected(f"DISTINCT c{position}", f"{present} LIMIT {MAX_VALUES + 1}"))
        given = int(self._figures(f"count(c{position})")[0])
        return sorted(value for (value,) in values) if is_few(len(values), given=given) else []

    def usual_range(self, column: str, *, whole: bool) -> tuple[float, float, float] | None:
        """See `Seen`."""
        value = self.table.finite(self.table.position(column))
        count, low, high = self._figures(f"count({value}), min({value}), max({value})")
        if not count:
            return None
        ranks = sorted({set_aside(count), count - 1 - set_aside(count)})
        rungs = order_statistics(
            lambda: self.table.numbers(value),
            ranks=ranks,
            minimum=float(low),
            maximum=float(high),
            count=int(count),
        )
        ends = rungs[ranks[0]].value, rungs[ranks[-1]].value
        return widened_range(*ends, lowest=float(low), count=int(count), whole=whole)

    def smallest_balance(self) -> float | None:
        """See `Seen`."""
        smallest: float | None = self._figures(f"min(c{self.table.position('class_balance')})")[0]
        return smallest

    def missing_share(self, column: str) -> float:
        """See `Seen`."""
        readable = f"c{self.table.position('readable')}"
        position = self.table.position(column)
        rows, given = self._figures(f"count(*) FILTER ({readable}), count(c{position}) FILTER ({readable})")
        return float((rows - given) / rows)

    def split_counts(self) -> Sequence[int]:
        """See `Seen`."""
        split = self.table.position("split")
        counts = ", ".join(f"count(*) FILTER (c{split} = '{name}')" for name in SPLITS)
        return [int(count) for count in self._figures(counts)]

    def _figures(self, selection: str) -> tuple[Any, ...]:
        return self.table.fetch(self.table.selected(selection))[0]
