"""The measurements: two tables, the trade-off, and the distributions behind the quantiles."""

from collections.abc import Callable, Mapping, Sequence

from edgeloop.benchmarking import BenchmarkReport, CandidateRow, Quantile
from edgeloop.report.blocks import (
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Figure,
    Fold,
    Notice,
    Row,
    Section,
    Table,
    absent,
    checks_table,
    status_cell,
)
from edgeloop.report.drawings.distributions import Distribution, distributions_drawn
from edgeloop.report.drawings.tradeoff import MOST_NAMED, Mark, tradeoff_drawn
from edgeloop.report.numerals import (
    NONE,
    SPACE,
    TimeUnit,
    count,
    percent,
    points,
    significant,
    size,
    time_unit,
    value_text,
)
from edgeloop.report.reading import Absent, Contents
from edgeloop.selection import Selection

_TITLE = "Benchmark"

_MOST_FALLEN = 4
"""Operators that a cell names."""

_DRAWABLE_MS = (1e-6, 1e9)
"""A nanosecond to eleven days: what is no such time is a fault of the file, and would flatten all others."""


def benchmark(contents: Contents) -> Section:
    """The section."""
    report = contents.benchmark
    if isinstance(report, Absent):
        return absent("benchmark", _TITLE, report.reason)
    selection = None if isinstance(contents.selection, Absent) else contents.selection
    unit = unit_of(report)
    winner = selection.winner if selection else None
    blocks: list[Block] = [_latency_table(report, unit, winner), _cost_table(report, unit, winner)]
    blocks.append(_tradeoff(report, selection, unit))
    blocks += _distributions(report, contents, unit, winner)
    if table := checks_table("Targets", [(report.metric, check) for check in report.checks], subject="metric"):
        blocks.append(table)
    if placed := [row for row in report.rows if row.placement]:
        blocks.append(_placements(placed))
    blocks.append(_protocol(report))
    return Section("benchmark", _TITLE, tuple(blocks))


def unit_of(report: BenchmarkReport) -> TimeUnit:
    """The unit of all latencies on the page."""
    return time_unit(row.latency.p50.value_ms for row in report.rows if row.latency)


def _latency_table(report: BenchmarkReport, unit: TimeUnit, winner: str | None) -> Table:
    unit_note = f"[{unit.name}]"
    columns = (
        Column("candidate", numeric=False), Column("status", numeric=False),
        *(Column(name, unit_note) for name in ("p50", "p90", "p95", "p99")),
        Column("min · LV", f"[{unit.name}]"), Column("mean · AV", f"[{unit.name}]"),
        Column("max · HV", f"[{unit.name}]"), Column("throughput", "[1/s]"), Column("samples"),
    )  # fmt: skip
    rows = tuple(_marked(row, winner, _latency_cells(row, unit)) for row in report.rows)
    note = (
        "Steady state, batch 1. Below each quantile its one-sided 99 % upper confidence bound by order statistics;"
        " selection judges the bound. LV, AV, HV: lowest, average and highest value."
    )
    return Table("Latency", columns, rows, note)


def _marked(row: CandidateRow, winner: str | None, cells: tuple[Cell, ...]) -> Row:
    star = f"★{SPACE}" if row.candidate == winner else ""
    version = f"{row.target.runtime} {row.runtime_version or ''}".strip()
    name = Cell(f"{star}{row.candidate}", note=f"{version} · {row.profile}", mark="name")
    return Row((name, *cells), mark="winner" if star else "" if row.status == "pass" else "attention")


def _latency_cells(row: CandidateRow, unit: TimeUnit) -> tuple[Cell, ...]:
    status = status_cell(row.status, note=row.reason)
    if row.latency is None:
        return status, Cell("not measured", mark="open", title=row.reason), *[Cell(NONE)] * 8
    found = row.latency
    block = f"means of {row.block}" if row.block is not None and row.block > 1 else ""
    dropped = (
        f"{row.rounds_dropped} of {row.rounds_kept + row.rounds_dropped} rounds dropped" if row.rounds_dropped else ""
    )
    starts = ", ".join(map(unit.full, row.restart_p50_ms))
    return (
        status,
        *(_quantile(quantile, unit) for quantile in (found.p50, found.p90, found.p95, found.p99)),
        Cell(unit.of(found.minimum_ms)),
        Cell(unit.of(found.mean_ms)),
        Cell(unit.of(found.maximum_ms)),
        Cell(significant(found.throughput_per_s)),
        Cell(
            count(found.samples), note=", ".join(filter(None, (block, dropped))), title=f"p50 of each start: {starts}"
        ),
    )


def _quantile(quantile: Quantile, unit: TimeUnit) -> Cell:
    bound = "no bound: too few samples" if quantile.upper_ms is None else f"≤{SPACE}{unit.of(quantile.upper_ms)}"
    return Cell(unit.of(quantile.value_ms), note=bound)


def _cost_table(report: BenchmarkReport, unit: TimeUnit, winner: str | None) -> Table:
    """A column that no candidate has a value in becomes a sentence below the table."""
    columns = (
        Column(report.metric, "on val"), Column("agreement", "with reference"), Column("rel. error", "largest"),
        Column("size"), Column("peak memory"), Column("load", "[ms]"), Column("first", "[ms]"),
        Column("preprocess", f"p50 [{unit.name}]"), Column("p50 ratio", "to fp32"), Column("energy", "per inference"),
        Column("CPU share", "median round"),
    )  # fmt: skip
    baseline = reference_accuracy(report)
    cells = [_cost_cells(row, unit, baseline) for row in report.rows]
    empty = [k for k in range(len(columns)) if all(row[k].mark for row in cells)]
    kept = [k for k in range(len(columns)) if k not in empty]
    rows = tuple(_marked(row, winner, tuple(own[k] for k in kept)) for row, own in zip(report.rows, cells, strict=True))
    told = [f"{columns[k].label} ({'; '.join(_reasons(report, [row[k] for row in cells]))})" for k in empty]
    missing = f" Not measured on any candidate: {', '.join(told)}." if told else ""
    note = (
        f"Reference: {report.reference}; below the {report.metric} the difference to its own. Accuracy and parity are"
        " of the very file that was timed. Peak memory is that of a process that only loads and runs the model. A"
        f" round with a CPU share under 95 % was contended and does not count.{missing}"
    )
    heads = (Column("candidate", numeric=False), *(columns[k] for k in kept))
    return Table("Accuracy and cost", heads, rows, note)


def _reasons(report: BenchmarkReport, cells: Sequence[Cell]) -> list[str]:
    """Why a whole column is empty, without what the statuses tell already."""
    told = {row.reason for row in report.rows if row.reason}
    return sorted({cell.title for cell in cells} - told) or ["see the statuses"]


def _cost_cells(row: CandidateRow, unit: TimeUnit, baseline: float | None) -> tuple[Cell, ...]:
    change = "" if row.accuracy is None or baseline is None else points(row.accuracy - baseline)
    no_quality = row.accuracy_reason or row.reason
    return (
        _value(row.accuracy, percent, row, reason=no_quality, note=change),
        _value(row.agreement, percent, row, reason=no_quality),
        _value(row.max_relative_error, lambda error: significant(error, 2), row, reason=no_quality),
        Cell(size(row.size_bytes), title=f"{row.size_bytes:,} bytes"),
        _value(row.peak_memory_bytes, size, row),
        _value(row.load_ms, significant, row),
        _value(row.first_ms, significant, row),
        _value(row.preprocess_ms, unit.of, row),
        _value(row.latency_ratio, lambda ratio: f"{significant(ratio)}{SPACE}×", row, reason=_no_ratio(row)),
        _value(
            row.energy_mj,
            lambda mj: f"{significant(mj)}{SPACE}mJ",
            row,
            reason=row.energy_reason,
            note=row.energy_reason,
        ),
        _value(row.contention, lambda share: percent(share, 1), row),
    )


def _value(
    value: float | None, show: Callable[[float], str], row: CandidateRow, *, reason: str = "", note: str = ""
) -> Cell:
    """A value, or that it was not measured and why; the reason of the row's status is not told in every cell."""
    if value is not None:
        return Cell(show(value), note=note)
    why = reason or row.reason or "no reason was recorded"
    return Cell("not measured", note="see the status above" if why == row.reason else why, mark="open", title=why)


def _no_ratio(row: CandidateRow) -> str:
    return row.reason or "no fp32 candidate on this target"


def reference_accuracy(report: BenchmarkReport) -> float | None:
    """Of the reference variant, wherever it was measured first: what accuracy drops are against."""
    rows = [row for row in report.rows if row.variant == report.reference and row.accuracy is not None]
    return rows[0].accuracy if rows else None


def _tradeoff(report: BenchmarkReport, selection: Selection | None, unit: TimeUnit) -> Block:
    quantile = selection.limits.latency_quantile if selection else "p90"
    drawn, left_out = _marks(report, selection, quantile)
    limits = selection.limits if selection else None
    baseline = reference_accuracy(report)
    floor = None
    if limits is not None and limits.max_accuracy_drop is not None and baseline is not None:
        floor = baseline - limits.max_accuracy_drop
    picture = tradeoff_drawn(
        drawn,
        unit=unit,
        quantile=f"99 % upper bound of {quantile}",
        metric=report.metric,
        max_latency_ms=limits.max_latency_ms if limits else None,
        min_accuracy=floor,
    )
    missing = f" Not drawn: {'; '.join(left_out)}." if left_out else ""
    if picture is None:
        return Notice(f"Latency against {report.metric}: no candidate has both.{missing}")
    told = ", ".join(f"{mark.number} {mark.name}" for mark in drawn)
    numbers = f" Numbers: {told}." if len(drawn) > MOST_NAMED else ""
    note = (
        f"Up and left is better. Filled: within the limits; hollow: rejected; ringed with ★: chosen. The dot is the"
        f" bound that is judged, the whisker reaches to the median. The step line is the Pareto front of latency and"
        f" {report.metric} among those within the limits; selection weighs size and memory as well.{missing}{numbers}"
    )
    return Figure(picture, f"Latency against {report.metric}", note)


def _marks(report: BenchmarkReport, selection: Selection | None, quantile: str) -> tuple[list[Mark], list[str]]:
    """What can be drawn, and what cannot with the reason."""
    rejected = {judged.candidate for judged in selection.candidates if judged.rejected} if selection else set()
    marks, left_out = [], []
    for number, row in enumerate(report.rows, start=1):
        if row.latency is None or row.accuracy is None:
            why = row.reason or row.accuracy_reason or "not measured"
            left_out.append(f"{row.candidate} ({why})")
            continue
        judged: Quantile = getattr(row.latency, quantile)
        marks.append(
            Mark(
                number=number,
                name=row.candidate,
                p50_ms=row.latency.p50.value_ms,
                judged_ms=judged.value_ms if judged.upper_ms is None else judged.upper_ms,
                accuracy=row.accuracy,
                admitted=row.status == "pass" and row.candidate not in rejected,
                winner=selection is not None and row.candidate == selection.winner,
            )
        )
        if judged.upper_ms is None:
            left_out.append(f"the bound of {row.candidate} (too few samples; the dot is {quantile} itself)")
    strange = [mark for mark in marks if not (_drawable(mark.p50_ms) and _drawable(mark.judged_ms))]
    left_out += [f"{mark.name} (its latency is no possible time)" for mark in strange]
    return [mark for mark in marks if mark not in strange], left_out


def _drawable(value_ms: float) -> bool:
    low, high = _DRAWABLE_MS
    return low <= value_ms <= high


def _distributions(report: BenchmarkReport, contents: Contents, unit: TimeUnit, winner: str | None) -> Sequence[Block]:
    samples = contents.samples_ms
    if isinstance(samples, Absent):
        return [Notice(f"Latency distribution: {samples.reason}.")]
    distributions = [
        Distribution(row.candidate, samples[row.candidate], _quantiles(row), winner=row.candidate == winner)
        for row in report.rows
        if samples.get(row.candidate) and row.latency
    ]
    picture = distributions_drawn(distributions, unit=unit)
    if picture is None:
        return [Notice("Latency distribution: no sample was kept.")]
    note = (
        "Raw samples of the rounds that count. The height is the square root of the share, so that single stragglers"
        " show beside the peak; the marks are p50, p90 and p99, the line reaches from minimum to maximum."
    )
    return [Figure(picture, "Latency distribution", note)]


def _quantiles(row: CandidateRow) -> dict[str, float]:
    assert row.latency is not None
    named = {"p50": row.latency.p50.value_ms, "p90": row.latency.p90.value_ms, "p99": row.latency.p99.value_ms}
    return {name: value for name, value in named.items() if _drawable(value)}


def _placements(rows: Sequence[CandidateRow]) -> Table:
    """Who computes the operators, in which type, and which fell back; all names are in the cell's title."""
    columns = tuple(Column(head, numeric=False) for head in ("candidate", "runtime", "computed by", "in", "fell back"))
    note = (
        "Operators as the runtime executes them, after its own fusions. Fell back: computed by another provider or by a"
        " slow reference kernel, or in a wider type than others of a quantized file; some are kept float on purpose."
    )
    return Table("Where the operators are computed", columns, tuple(map(_placement, rows)), note)


def _placement(row: CandidateRow) -> Row:
    assert row.placement is not None
    placement, shown = row.placement, row.placement.fell_back[:_MOST_FALLEN]
    more = len(placement.fell_back) - len(shown)
    return Row(
        (
            Cell(row.candidate, mark="name"),
            Cell(row.target.runtime, note=row.runtime_version or ""),
            Cell(_counted(placement.providers)),
            Cell(_counted(placement.precisions)),
            Cell(
                "; ".join(shown) + (f"; {more} more" if more else "") or NONE,
                title="; ".join(placement.fell_back),
                mark="reason",
            ),
        )
    )


def _counted(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count(number)}" for name, number in found.items()) or NONE


def _protocol(report: BenchmarkReport) -> Fold:
    facts = tuple(Fact(key, value_text(value)) for key, value in report.protocol.items())
    return Fold("Protocol: durations, counts and rules", (Facts(facts),))
