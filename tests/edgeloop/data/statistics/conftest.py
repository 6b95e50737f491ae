"""Tables with planted faults, and what opens them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from edgeloop.data.statistics import Table, opened

ROWS = 20_000


def faulty_columns(rows: int = ROWS, seed: int = 5) -> dict[str, pa.Array]:
    """Columns of every kind; ids, labels, widths and three sorts of numbers with faults among them."""
    draw = np.random.default_rng(seed)
    ids = [f"s{number:06d}" for number in range(rows)]
    ids[rows // 2] = ids[17]
    labels = draw.choice(["cat", "dog", "owl"], rows).astype(object)
    labels[:3], labels[3] = None, 'it\'s a "cat"; --'
    serials = np.array([f"dev-{n:04d}" for n in draw.integers(0, 3000, rows)], dtype=object)
    serials[[5, 99]] = ["dev-12", "DEV-0001\n"]
    normal = draw.normal(3, 2, rows)
    normal[[7, 8, 9]] = np.nan
    heavy = np.where(draw.random(rows) < 0.4, 0.0, np.exp(draw.normal(size=rows) * 4))
    endless = draw.uniform(-1, 1, rows)
    endless[[1, 2, 3]] = [np.inf, -np.inf, np.inf]
    return {
        "id": pa.array(ids),
        "split": pa.array(draw.choice(["train", "test", "val"], rows)),
        "label": pa.array(labels),
        "condition": pa.array(draw.choice(["day", "fog"], rows)),
        "serial": pa.array(serials),
        "width": pa.array(draw.integers(1, 64, rows)),
        "gappy": pa.array(draw.integers(-9, 9, rows), mask=draw.random(rows) < 0.1),
        "normal": pa.array(normal, mask=draw.random(rows) < 0.05),
        "heavy": pa.array(heavy),
        "endless": pa.array(endless),
        "flag": pa.array(draw.random(rows) < 0.3),
        "empty": pa.array([None] * rows, pa.float64()),
        "nothing": pa.array(np.full(rows, np.nan)),
    }


@pytest.fixture(scope="session")
def faulty(tmp_path_factory) -> Path:
    """A file of 20,000 rows with planted faults."""
    path = tmp_path_factory.mktemp("faulty") / "table.parquet"
    parquet.write_table(pa.table(faulty_columns()), path, row_group_size=3_000)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Iterator:
    """Opens Parquet, or writes columns and opens them."""
    with ExitStack() as stack:

        def make(source: Path | list[Path] | dict, **limits: int) -> Table:
            if isinstance(source, dict):
                path = tmp_path / f"table{len(list(tmp_path.iterdir()))}.parquet"
                parquet.write_table(pa.table(source), path)
                source = path
            scratch = tmp_path / "scratch"
            scratch.mkdir(exist_ok=True)
            settings = {"memory_mib": 200, "threads": 2, **limits}
            return stack.enter_context(opened(source, scratch=scratch, **settings))

        yield make
