"""`edgeloop data profile`: a table, pictures, and two parts that merge."""

import json

import pytest
from typer.testing import CliRunner

from edgeloop.__main__ import app
from edgeloop.data.statistics import TableStatistics


def run(*arguments: object):
    return CliRunner().invoke(app, ["data", "profile", *map(str, arguments)])


@pytest.fixture
def parts(tmp_path):
    """A table in two parts and as a whole."""
    lines = [f"{n % 17},{'ab'[n % 2]},{n % 3 == 0}" for n in range(60)]
    for name, some in (("whole", lines), ("first", lines[:25]), ("second", lines[25:])):
        (tmp_path / f"{name}.csv").write_text("\n".join(["x,label,flag", *some]) + "\n")
    return tmp_path


def test_a_table_is_summed_up(parts):
    said = run(parts / "whole.csv", "--out", parts / "whole.json")
    assert (said.exit_code, "60 rows of" in said.stdout) == (0, True)
    column = TableStatistics.of(parts / "whole.json").column("x")
    assert (column.count, column.minimum, column.maximum, column.distinct) == (60, 0, 16, 17)


def test_two_parts_merge_into_the_whole(parts):
    run(parts / "whole.csv", "--out", parts / "whole.json")
    for name in ("first", "second"):
        run(parts / f"{name}.csv", "--like", parts / "whole.json", "--out", parts / f"{name}.json")
    merged = json.loads(run("--merge", parts / "first.json", parts / "second.json", "--json").stdout)
    whole = json.loads((parts / "whole.json").read_text())
    assert (merged["rows"], merged["groups"]) == (60, whole["groups"])
    (ours,) = [column for column in merged["columns"] if column["name"] == "x"]
    (theirs,) = [column for column in whole["columns"] if column["name"] == "x"]
    exact = ("count", "nulls", "minimum", "maximum", "edges", "counts", "distinct", "listed")
    assert {name: ours[name] for name in exact} == {name: theirs[name] for name in exact}
    assert ours["m2"] == pytest.approx(theirs["m2"])


def test_other_sources_give_the_profile_of_prepare_data():
    said = run("--source", "digits", "--json")
    assert (said.exit_code, json.loads(said.stdout)["samples"]) == (0, 1797)


def test_what_is_no_profile_is_refused(parts):
    ended = run("--merge", parts / "whole.csv", parts / "first.csv")
    assert (ended.exit_code, "holds no statistics of a table" in ended.stderr) == (2, True)


def test_a_merge_takes_no_data(parts):
    ended = run(parts / "whole.csv", "--merge", parts / "whole.csv", parts / "first.csv")
    assert (ended.exit_code, "takes the place of the data" in ended.stderr) == (2, True)
