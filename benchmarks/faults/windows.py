"""Faults of windows of sensor readings, in CSV files of a clock and two channels."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.faults.matrix import Clean, Fault, Row, copied, in_splits, torn

RATE_HZ = 100
LENGTH = 64
OPTIONS = {"length": LENGTH, "time_column": "t", "rate_hz": RATE_HZ, "full_scale": 100}

Column = NDArray[np.float64]
Change = Callable[[Column], Column]


def readings(count: int, seed: int = 0) -> list[list[str]]:
    """Rows of time and two channels."""
    values = np.random.default_rng(seed).standard_normal((count, 2))
    return [[f"{n / RATE_HZ:.3f}", f"{x:.6f}", f"{y:.6f}"] for n, (x, y) in enumerate(values)]


def write_csv(
    path: Path, rows: Sequence[Sequence[str]], header: str = "t,x,y", separator: str = ",", end: str = "\n"
) -> Path:
    """Writes a file; the header has commas, whatever separates the cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [header.replace(",", separator), *(separator.join(row) for row in rows)]
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def write_signals(root: Path) -> Path:
    """Two classes of ten files of two windows."""
    for number in range(20):
        name = ("good" if number < 10 else "worn") + f"/{number:02d}.csv"
        write_csv(root / name, readings(2 * LENGTH, number))
    return root


def write_parquet(root: Path) -> Path:
    """The same as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    for number in range(20):
        path = root / ("good" if number < 10 else "worn") / f"{number:02d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = np.array(readings(2 * LENGTH, number), dtype=float).T
        parquet.write_table(pa.table(dict(zip("txy", columns, strict=True))), path)
    return root


def spoiled(seed: int, count: int = LENGTH, **changes: Change) -> Callable[[Path], object]:
    """A plant that adds the file FILE with changed columns."""

    def plant(root: Path) -> None:
        times_s, x, y = np.array(readings(count, seed), dtype=float).T
        columns = {"t": times_s, "x": x, "y": y}
        columns |= {name: change(columns[name]) for name, change in changes.items()}
        rows = [[f"{value:.6f}" for value in row] for row in zip(*columns.values(), strict=True)]
        write_csv(root / FILE, rows)

    return plant


FILE = "good/spoiled.csv"
SIGNALS = Clean("signals: CSV with a clock", "signals", write_signals, OPTIONS)


def _windows(file: str, *firsts: int) -> frozenset[str]:
    return frozenset(f"{file}@{first:010d}" for first in firsts)


def _of_file(name: str, plant: Callable[[Path], object], *said: tuple[str, str], at: tuple[int, ...] = (0,)) -> Fault:
    return Fault(name, SIGNALS, _windows(FILE, *at), said, plant)


def _from(reading: int, count: int = LENGTH) -> NDArray[np.bool_]:
    return np.arange(count) >= reading


def _at(reading: int, value: float) -> Change:
    return lambda column: np.where(np.arange(len(column)) == reading, value, column)


def _times(factor: float, *, start: int = 0) -> Change:
    return lambda column: np.where(np.arange(len(column)) >= start, factor * column, column)


def _overdriven(column: Column) -> Column:
    swinging: Column = 9 * np.sin(np.arange(len(column)) * 60 / RATE_HZ)
    return swinging.clip(-4, 4)


def _write_text(root: Path) -> None:
    write_csv(root / FILE, [*readings(LENGTH - 1, 107), ["0.63", "=1+1", "0"]])


def _keep_three_worn(root: Path) -> None:
    for number in range(12, 20):
        (root / f"worn/{number}.csv").rename(root / f"good/{number}.csv")
    write_csv(root / "worn/11.csv", readings(LENGTH, 11))


def _worn_to_train(rows: Mapping[str, Row]) -> None:
    for row in rows.values():
        if row["label"] == "worn":
            row["split"] = "train"


_G = 9.80665
"""m/s² in one g."""

_CRITICAL, _WARNING = "critical", "warning"
_COPIES = ("copies", _WARNING)
_BOTH = (0, LENGTH)
_TWINS = _windows("good/00.csv", *_BOTH) | _windows("good/copy.csv", *_BOTH)

FAULTS = (
    _of_file("text among readings", _write_text, ("readable", _CRITICAL)),
    _of_file("gaps", spoiled(101, t=lambda t: t + 0.05 * _from(30)), ("gap_share", _CRITICAL)),
    _of_file("timestamps that run back", spoiled(100, t=lambda t: t - 0.2 * _from(30)), ("backward_steps", _CRITICAL)),
    _of_file("wrong rate", spoiled(102, t=_times(1 / 1.02)), ("rate_error", _CRITICAL)),
    _of_file("NaN", spoiled(103, x=_at(9, np.nan)), ("nan_share", _CRITICAL)),
    _of_file("infinity", spoiled(103, x=_at(9, np.inf)), ("nan_share", _CRITICAL)),
    _of_file("clipping", spoiled(104, x=_overdriven), ("clipped_share", _WARNING)),
    _of_file(
        "stuck channel, for a while", spoiled(105, y=lambda y: np.where(_from(20), y, 0.125)), ("stuck_share", _WARNING)
    ),
    _of_file("stuck channel, all the time", spoiled(105, y=_times(0)), ("stuck_share", _WARNING)),
    _of_file(
        "unit jump: g, then m/s²",
        spoiled(108, 4 * LENGTH, x=_times(_G, start=74), y=_times(_G, start=74)),
        ("scale_shift", _WARNING),
        at=(64, 128, 192),
    ),
    _of_file(
        "another unit: thousandfold",
        spoiled(109, x=_times(1000), y=_times(1000)),
        ("scale_shift", _WARNING),
        ("clipped_share", _WARNING),  # beyond the full scale
    ),
    _of_file("another unit: thousandths", spoiled(110, x=_times(1e-3), y=_times(1e-3)), ("scale_shift", _WARNING)),
    Fault(
        "duplicates",
        SIGNALS,
        _TWINS,
        (_COPIES,),
        copied("good/00.csv", "good/copy.csv"),
        in_splits(train=" ".join(sorted(_TWINS))),
    ),
    Fault(
        "byte-identical across splits",
        SIGNALS,
        _TWINS,
        (("splits_of_bytes", _CRITICAL), _COPIES),
        copied("good/00.csv", "good/copy.csv"),
        in_splits(train=" ".join(_windows("good/00.csv", *_BOTH)), test=" ".join(_windows("good/copy.csv", *_BOTH))),
    ),
    Fault(
        "one window under two labels",
        SIGNALS,
        _windows("good/00.csv", *_BOTH) | _windows("worn/copy.csv", *_BOTH),
        (("labels_of_bytes", _CRITICAL), _COPIES),
        copied("good/00.csv", "worn/copy.csv"),
        in_splits(train=" ".join(_windows("good/00.csv", *_BOTH) | _windows("worn/copy.csv", *_BOTH))),
    ),
    Fault(
        "group leakage",
        SIGNALS,
        _windows("good/01.csv", *_BOTH),
        (("splits_of_group", _CRITICAL),),
        edit=torn(*sorted(_windows("good/01.csv", *_BOTH))),
    ),
    Fault(
        "class balance",
        SIGNALS,
        _windows("worn/10.csv", *_BOTH) | _windows("worn/11.csv", 0),
        (("class_balance", _WARNING),),
        _keep_three_worn,
        prepare={"min_class_samples": 3},
    ),
    Fault(
        "split shares: a class all in train",
        SIGNALS,
        frozenset().union(*(_windows(f"worn/{number}.csv", *_BOTH) for number in range(10, 20))),
        (("split_share", _WARNING),),
        edit=_worn_to_train,
    ),
)
