import pytest

from edgeloop.errors import GateRefused
from edgeloop.evaluation.limits import gap_checks, min_by_checks, min_class_checks, min_metric_check
from edgeloop.evaluation.parts import Part
from edgeloop.gates import stop_unless_passed


def parts(**values: tuple[float | None, int]) -> list[Part]:
    return [
        Part(column="condition", value=name, samples=count, metric=metric) for name, (metric, count) in values.items()
    ]


def of_classes(**values: tuple[float | None, int]) -> dict[str, object]:
    return {"per_class": [{"class": name, "ap50": ap, "support": count} for name, (ap, count) in values.items()]}


def test_a_metric_at_the_limit_passes():
    assert min_metric_check(0.95, 0.95).status == "pass"


def test_the_gap_between_best_and_worst_may_be_a_limit():
    (check,) = gap_checks(parts(fog=(0.5, 1), day=(0.9, 1), rain=(None, 1)), 0.3)
    assert (check.name, check.status, check.value) == ("gap_condition", "fail", pytest.approx(0.4))
    assert check.reason.startswith("condition fog lies 0.4000 below")


def test_without_limits_nothing_is_checked():
    given = parts(fog=(0.5, 1))
    assert (*gap_checks(given, None), *min_by_checks(given, {}, least=1)) == ()
    assert min_class_checks(of_classes(a=(0.5, 1)), None, measure="ap50", least=1) == ()


def test_the_worst_value_of_a_column_is_judged():
    (check,) = min_by_checks(parts(day=(0.95, 30), fog=(0.85, 30)), {"condition": 0.85}, least=30)
    assert (check.name, check.status, check.value) == ("min_by_condition", "pass", 0.85)


def test_a_value_below_the_limit_fails_and_is_named():
    (check,) = min_by_checks(parts(day=(0.95, 30), fog=(0.8, 30)), {"condition": 0.85}, least=30)
    assert (check.status, check.value) == ("fail", 0.8)
    assert check.reason == "below 0.8500: fog 0.8000"


def test_a_value_of_too_few_samples_is_not_evaluated():
    (check,) = min_by_checks(parts(day=(0.95, 30), fog=(0.99, 29)), {"condition": 0.85}, least=30)
    assert (check.status, check.value) == ("not evaluated", None)
    assert check.reason.endswith("fog (29)")


def test_a_failure_outweighs_what_was_not_evaluated():
    (check,) = min_by_checks(parts(day=(0.5, 30), fog=(0.99, 2)), {"condition": 0.85}, least=30)
    assert check.status == "fail" and "fog (2)" in check.reason


def test_a_column_that_no_sample_has_is_not_evaluated():
    (check,) = min_by_checks(parts(day=(0.9, 30)), {"weather": 0.85}, least=1)
    assert check.status == "not evaluated"


def test_what_is_not_evaluated_stops_the_run():
    checks = min_by_checks(parts(day=(0.95, 30), fog=(0.99, 2)), {"condition": 0.85}, least=30)
    with pytest.raises(GateRefused, match=r"min_by_condition not evaluated: .* fog \(2\)"):
        stop_unless_passed(checks, where="evaluate", fix="more data")


@pytest.mark.parametrize(
    ("classes", "status"),
    [
        ({"stop": (0.9, 50), "yield": (0.86, 50)}, "pass"),
        ({"stop": (0.9, 50), "yield": (0.84, 50)}, "fail"),
        ({"stop": (0.9, 50), "yield": (None, 0)}, "not evaluated"),
        ({}, "not evaluated"),
    ],
)
def test_every_class_is_held_to_the_limit(classes, status):
    (check,) = min_class_checks(of_classes(**classes), 0.85, measure="ap50", least=20)
    assert (check.name, check.status) == ("min_class_metric", status)


def test_of_many_bad_classes_a_few_are_named():
    classes = {f"c{k}": (0.1, 50) for k in range(9)}
    (check,) = min_class_checks(of_classes(**classes), 0.85, measure="ap50", least=20)
    assert check.reason.endswith("c4 0.1000 and 4 more")
