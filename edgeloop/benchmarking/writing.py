"""The folder that `benchmark` writes: `report.json`, `samples.parquet` and `metrics.json`.

`samples.parquet` has one row a sample: candidate, restart, round (both counted from 0), kept (whether it counts),
latency_ns (of one query; the mean of a block) and block (queries timed together). `metrics.json` holds, by
candidate, the few numbers that `dvc metrics` compares.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgeloop.benchmarking import BenchmarkReport
from edgeloop.benchmarking.records import Record, latencies_of
from edgeloop.files import write_json
from edgeloop.plugins import missing_extra

REPORT_FILE, SAMPLES_FILE, METRICS_FILE = "report.json", "samples.parquet", "metrics.json"


def write_benchmark(report: BenchmarkReport, *, records: Sequence[Record], folder: Path) -> None:
    """Fills the folder."""
    report.write(folder / REPORT_FILE)
    write_json(folder / METRICS_FILE, metrics_of(report))
    _write_samples(records, folder / SAMPLES_FILE)


def metrics_of(report: BenchmarkReport) -> dict[str, dict[str, float | int]]:
    """Accuracy, p90 bound and size by candidate, without what is not known."""
    numbers = {
        row.candidate: {
            report.metric: row.accuracy,
            "p90_upper_ms": row.latency.p90.upper_ms if row.latency else None,
            "size_bytes": row.size_bytes,
        }
        for row in report.rows
    }
    return {
        candidate: {name: value for name, value in values.items() if value is not None}
        for candidate, values in numbers.items()
    }


def _write_samples(records: Sequence[Record], path: Path) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as parquet
    except ModuleNotFoundError as error:
        raise missing_extra(error, "data") from error
    rows = [
        (record.candidate.name, turn, kept)
        for record in records
        for turn, kept in zip(record.turns, record.kept, strict=True)
    ]
    lengths = [len(turn.timed.latencies_ns) for _, turn, _ in rows]
    names = np.repeat(np.asarray([name for name, _, _ in rows], dtype=object), lengths)
    columns = {
        "candidate": pa.array(names, pa.string()),
        "restart": pa.array(np.repeat([turn.restart for _, turn, _ in rows], lengths), pa.int32()),
        "round": pa.array(np.repeat([turn.number for _, turn, _ in rows], lengths), pa.int32()),
        "kept": pa.array(np.repeat(np.asarray([kept for _, _, kept in rows], dtype=bool), lengths), pa.bool_()),
        "latency_ns": pa.array(latencies_of([turn for _, turn, _ in rows]) if rows else [], pa.float64()),
        "block": pa.array(np.repeat([turn.timed.block for _, turn, _ in rows], lengths), pa.int32()),
    }
    parquet.write_table(pa.table(columns), path, compression="zstd")
