"""A suite proposed from a table out of core is the one proposed from it in memory."""

import numpy as np
import pytest
from typer.testing import CliRunner

from edgeloop.__main__ import app
from edgeloop.data import table_schema
from edgeloop.data.inference import inferred_suite
from edgeloop.data.large_tables.proposal import proposal_for_large
from edgeloop.data.preparation import PrepareDataParams, prepare


@pytest.fixture
def rows(tmp_path):
    """Rows with splits, gaps, a few words and many."""
    draw = np.random.default_rng(3)
    lines = [
        f"r{n},{draw.normal():.4f},{draw.integers(40) if n % 4 else ''},{'ab'[n % 2]},{draw.choice(['red', 'blue'])},"
        f"note {n},{['train', 'train', 'test', 'val'][n % 4]}"
        for n in range(240)
    ]
    (tmp_path / "rows.csv").write_text("\n".join(["id,width,count,label,colour,remark,split", *lines]) + "\n")
    return tmp_path / "rows.csv"


def test_it_is_the_proposal_made_in_memory(rows, tmp_path):
    params = PrepareDataParams(source="table", path=rows, split_by="given")
    prepare(params, dataset=tmp_path / "dataset", profile=tmp_path / "profile.json")
    theirs = inferred_suite(tmp_path / "dataset", tmp_path / "profile.json", name="mine")
    (tmp_path / "scratch").mkdir()
    ours = proposal_for_large(params, workdir=tmp_path / "scratch", name="mine", memory_mib=200)
    assert ours["expectations"] == theirs["expectations"]
    assert ours["meta"]["inferred_from"] == {"dataset": "rows", "samples": 240}


@pytest.mark.slow  # Great Expectations takes seconds to import
def test_a_large_table_passes_what_was_proposed_from_it(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(table_schema, "MAX_ROWS", 50)
    suite = tmp_path / "mine.json"
    proposed = CliRunner().invoke(app, ["data", "infer", str(rows), "--source", "table", "--out", str(suite)])
    assert "out of core" in proposed.stderr
    ended = CliRunner().invoke(app, ["data", "validate", str(rows), "--source", "table", "--suite", str(suite)])
    assert (ended.exit_code, "could not check" in ended.stdout) == (0, False)
