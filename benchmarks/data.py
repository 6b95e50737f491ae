"""Profile and validation of ten million rows, out of core and beside Great Expectations on pandas.

Every run is a process of its own, so that its peak memory (VmHWM) is its own; the file is read once before, so that
the page cache is warm; imports are timed apart. The figures are true on an idle machine only.
The tables take 8 GB where temporary files lie.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROWS = 10_000_000
CHUNK = 500_000
NUMBERS = tuple(f"x{number:02d}" for number in range(15))
MEMORY_MIB = 500
THREADS = 2
LEVELS = (0.01, 0.25, 0.5, 0.75, 0.99)


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        large, small = folder / "large.parquet", folder / "small.parquet"
        write_table(large, rows=ROWS)
        write_table(small, rows=ROWS // 10)
        more = [folder / f"more{part}.parquet" for part in range(1, 5)]
        for part, path in enumerate(more, start=1):
            write_table(path, rows=ROWS, first=part * ROWS)
        size_gb = large.stat().st_size / 1e9
        warmed(large)
        ours, dozen, theirs = (measured(way, [large]) for way in ("statistics", "dozen", "pandas"))
        yield from compared(ours, dozen, theirs, what=f"{ROWS // 1_000_000}M rows × 20 columns, {size_gb:.1f} GB")
        few, many = measured("statistics", [small]), measured("statistics", [large, *more])
        repeated = measured("statistics", [large] * 2)
    peaks = ", ".join(f"{run['peak_mib']:.0f}" for run in (few, ours, many))
    yield "peak memory at 1M, 10M and 50M rows", f"{peaks} MiB", "flat"
    yield "50M rows", spent(many), "none, for comparison"
    yield "20M rows, every id twice", f"{spent(repeated)}, {repeated['peak_mib']:.0f} MiB", "≤ 1 GB"


def compared(
    ours: dict[str, Any], dozen: dict[str, Any], theirs: dict[str, Any], *, what: str
) -> Iterator[tuple[str, str, str]]:
    """The figures of one table."""
    yield f"{what}: profile and 12 expectations", spent(ours), "≤ 10 s on 2 cores"
    yield "the same, peak memory", f"{ours['peak_mib']:.0f} MiB", "≤ 1 GB"
    yield "the same, imports", f"{ours['import_s']:.1f} s", "none, for comparison"
    yield "the 12 expectations without a profile", spent(dozen), "none, for comparison"
    yield "Great Expectations on pandas, the same 12", spent(theirs), "none, for comparison"
    yield "times as fast at the same 12", f"{theirs['total_s'] / dozen['total_s']:.1f}", "≥ 3"
    share = ours["peak_mib"] / theirs["peak_mib"]
    yield "share of its memory, profile included", f"{share:.2f} of {theirs['peak_mib']:.0f} MiB", "≤ 0.33"
    answers = zip(ours["answers"], theirs["answers"], strict=True)
    differing = [place for place, (mine, other) in enumerate(answers, start=1) if not same(mine, other)]
    yield "answers that differ", str(differing or "none"), "none"


def spent(run: dict[str, Any]) -> str:
    """Wall time, and the processor time behind it."""
    return f"{run['total_s']:.1f} s ({run['cpu_s']:.1f} s of processor time)"


def same(ours: list[Any], theirs: list[Any]) -> bool:
    """Whether two answers are equal, but for the rounding of sums."""
    close = ours == theirs
    if isinstance(ours[2], float) and isinstance(theirs[2], float):
        close = ours[:2] == theirs[:2] and abs(ours[2] - theirs[2]) <= 1e-9 * max(1.0, abs(theirs[2]))
    return close


def measured(way: str, files: list[Path]) -> dict[str, Any]:
    """What a process of its own reports."""
    command = [sys.executable, "-m", "benchmarks.data", way, *(str(file) for file in files)]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        sys.exit(f"{way}: {ended.stderr}")
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def warmed(path: Path) -> None:
    """Reads a file into the page cache."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def write_table(path: Path, *, rows: int, first: int = 0, seed: int = 7) -> None:
    """Five columns of text and fifteen of numbers: normal, log-normal, uniform and rounded ones, some with nulls.

    Args:
        path: File to write.
        rows: Of the table.
        first: Number of its first row; no id of another number is the same.
        seed: Of the values.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as parquet

    def chosen(draw: Any, names: list[str]) -> Any:
        places = pa.array(draw.integers(0, len(names), count), pa.int32())
        return pa.DictionaryArray.from_arrays(places, pa.array(names)).cast(pa.string())

    writer = None
    for start in range(first, first + rows, CHUNK):
        count = min(CHUNK, first + rows - start)
        draw = np.random.default_rng([seed, start])
        columns = {
            "id": pa.array([f"s{number:09d}" for number in range(start, start + count)]),
            "split": chosen(draw, ["train", "train", "train", "test", "val"]),
            "label": chosen(draw, [f"class{number}" for number in range(10)]),
            "condition": chosen(draw, ["day", "night", "fog"]),
            "serial": chosen(draw, [f"dev-{number:04d}" for number in range(5000)]),
        }
        for place, name in enumerate(NUMBERS):
            shapes = (draw.normal(size=count), draw.lognormal(size=count), draw.uniform(0, 255, count))
            values = shapes[place % 3] if place else np.round(shapes[0] * 1000) / 10
            columns[name] = pa.array(values, mask=draw.random(count) < 0.01 if place % 5 == 0 else None)
        table = pa.table(columns)
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def expectations() -> tuple[dict[str, Any], ...]:
    """The dozen; three of them fail, by rows and by a figure."""

    def expected(name: str, **kwargs: Any) -> dict[str, Any]:
        return {"type": f"expect_{name}", "kwargs": kwargs, "severity": "warning"}

    quantiles = {"quantiles": list(LEVELS), "value_ranges": [[0, 255]] * len(LEVELS)}
    return (
        expected("column_values_to_not_be_null", column="label"),
        expected("column_values_to_be_in_set", column="label", value_set=[f"class{number}" for number in range(10)]),
        expected("column_values_to_be_between", column="x01", max_value=100),
        expected("column_values_to_be_unique", column="id"),
        expected("column_mean_to_be_between", column="x05", min_value=127, max_value=128),
        expected("column_stdev_to_be_between", column="x03", min_value=0.9, max_value=1.1),
        expected("column_quantile_values_to_be_between", column="x02", quantile_ranges=quantiles),
        expected("column_max_to_be_between", column="x04", max_value=50),
        expected("table_row_count_to_be_between", min_value=1000),
        expected("column_unique_value_count_to_be_between", column="label", min_value=2, max_value=20),
        expected("table_columns_to_match_set", column_set=["id", "split", "label", "condition", "serial", *NUMBERS]),
        expected("column_values_to_match_regex", column="serial", regex=r"^dev-(?:[0-3]\d{3}|4[0-8]\d{2}|49\d[0-8])$"),
    )


def by_statistics(files: list[Path], *, columns: tuple[str, ...] | None) -> dict[str, Any]:
    """A profile of the columns, all where None, and the expectations, out of core."""
    began = time.perf_counter()
    import duckdb  # noqa: F401
    import great_expectations  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    from edgeloop.data.statistics import opened, statistics_of
    from edgeloop.data.statistics.checking import checked_by_statistics
    from edgeloop.data.suite import Suite
    from edgeloop.data.verdict import SuiteRecord

    imported, cpu = time.perf_counter(), time.process_time()
    suite = Suite(SuiteRecord(name="dozen", sha256="0" * 64), expectations())
    with (
        tempfile.TemporaryDirectory() as scratch,
        opened(files, memory_mib=MEMORY_MIB, threads=THREADS, scratch=Path(scratch)) as table,
    ):
        statistics = statistics_of(table, columns=columns, split="split", label="label", condition="condition")
        results = checked_by_statistics(
            suite, table, statistics, where=Path("dozen"), failing=Path(scratch) / "failing.parquet"
        )
    ended = time.perf_counter()
    return {
        "import_s": imported - began,
        "total_s": ended - imported,
        "cpu_s": time.process_time() - cpu,
        "answers": [[result.status, result.failing, result.observed] for result in results],
    }


def by_pandas(files: list[Path]) -> dict[str, Any]:
    """The expectations alone, on the whole table in memory; failing rows are counted and not named."""
    began = time.perf_counter()
    import great_expectations as gx
    import pandas as pd
    import pyarrow.parquet  # noqa: F401
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    imported, cpu = time.perf_counter(), time.process_time()
    frame = pd.concat([pd.read_parquet(file) for file in files]) if len(files) > 1 else pd.read_parquet(files[0])
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("table").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    answers = []
    for values in expectations():
        outcome = batch.validate(ExpectationConfiguration(**values).to_domain_obj(), result_format="BASIC")
        found = outcome.result
        status = "pass" if outcome.success else "fail"
        answers.append([status, int(found.get("unexpected_count") or 0), plain(found.get("observed_value"))])
    return {
        "import_s": imported - began,
        "total_s": time.perf_counter() - imported,
        "cpu_s": time.process_time() - cpu,
        "answers": answers,
    }


def plain(value: Any) -> Any:
    """A value of numpy as one of JSON."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value.item() if hasattr(value, "item") else value


def peak_mib() -> float:
    """VmHWM of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    way, paths = sys.argv[1], [Path(name) for name in sys.argv[2:]]
    report = by_pandas(paths) if way == "pandas" else by_statistics(paths, columns=() if way == "dozen" else None)
    print(json.dumps({**report, "peak_mib": peak_mib()}))
