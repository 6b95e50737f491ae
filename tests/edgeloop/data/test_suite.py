"""Which expectations of a suite apply where, and which suite is shipped for what."""

from pathlib import Path

import pandas as pd
import pytest

from edgeloop.data.suite import SUITE_OF_KIND, Suite, checked, in_environment, read_suite, shipped_suite
from edgeloop.data.verdict import SuiteRecord
from edgeloop.errors import DataFault, InputFault

WHERE = Path("mine.json")


def suite(*metas) -> Suite:
    kwargs = [{"column": f"c{number}"} for number in range(len(metas))]
    expectations = [
        {"type": "expect_column_to_exist", "kwargs": k, **({} if meta is None else {"meta": meta})}
        for k, meta in zip(kwargs, metas, strict=True)
    ]
    return Suite(SuiteRecord(name="mine", sha256="0"), tuple(expectations))


BOTH, TRAINING, SERVING = None, {"environments": ["training"]}, {"environments": ["serving"]}


@pytest.mark.parametrize(("environment", "columns"), [("training", ["c0", "c1"]), ("serving", ["c0", "c2"])])
def test_an_expectation_of_another_environment_is_left_out(environment, columns):
    applied = in_environment(suite(BOTH, TRAINING, SERVING), environment, where=WHERE)
    assert [e["kwargs"]["column"] for e in applied.expectations] == columns
    assert (applied.record.environment, applied.record.left_out) == (environment, 1)


def test_meta_without_environments_applies_everywhere():
    assert in_environment(suite({"owner": "me"}), "serving", where=WHERE).record.left_out == 0


def test_an_unknown_environment_is_refused_with_the_nearest():
    with pytest.raises(InputFault, match=r"no environment named 'trainng'; did you mean training\?"):
        in_environment(suite(BOTH), "trainng", where=WHERE)


def test_an_unknown_environment_in_the_suite_is_refused_with_the_nearest():
    with pytest.raises(DataFault, match=r"mine.json: expectation 2: no environment named 'servng'; did you mean serv"):
        in_environment(suite(BOTH, {"environments": ["servng"]}), "training", where=WHERE)


@pytest.mark.parametrize("environments", [[], "training", None])
def test_environments_that_are_no_list_are_refused(environments):
    with pytest.raises(DataFault, match="is not a list of names"):
        in_environment(suite({"environments": environments}), "training", where=WHERE)


def test_a_suite_of_which_nothing_applies_is_refused():
    with pytest.raises(DataFault, match="no expectation applies in serving"):
        in_environment(suite(TRAINING), "serving", where=WHERE)


def test_every_shipped_suite_can_be_read(root):
    names = {path.name for path in (root / "suites").glob("*.json")} & set(SUITE_OF_KIND.values())
    for name in names:
        suite = read_suite(root / "suites" / name)
        assert in_environment(suite, "training", where=Path(name)).expectations, name


def test_a_kind_without_a_suite_is_refused_by_name():
    with pytest.raises(InputFault, match="no suite is shipped for sound samples"):
        shipped_suite("sound")


@pytest.mark.slow  # Great Expectations takes seconds to import
def test_a_column_without_any_value_could_not_be_checked():
    kwargs = {"column": "width", "max_value": 3}
    expectation = {"type": "expect_column_values_to_be_between", "kwargs": kwargs, "severity": "critical"}
    frame = pd.DataFrame({"id": ["a", "b"], "width": [None, None]})
    (check,) = checked(Suite(SuiteRecord(name="s", sha256="0"), (expectation,)), frame, where=WHERE)
    assert (check.result.status, check.result.reason) == ("could not check", "no sample has a value")
