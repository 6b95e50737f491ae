import json

import pytest

from edgeloop.data.breakdown import breakdowns
from edgeloop.data.conditions import MAX_VALUES, conditions_of
from edgeloop.data.dataset import Sample
from edgeloop.data.profile import condition_counts


def sample(number: int, label: str = "cat", split: str = "train", **metadata: str) -> Sample:
    known = json.dumps(metadata) if metadata else None
    return Sample(id=f"{number:03d}", uri="", sha256=None, split=split, label=label, metadata=known)


def taken(*values: str | None, name: str = "light") -> list[Sample]:
    return [sample(n) if value is None else sample(n, **{name: value}) for n, value in enumerate(values)]


def test_metadata_with_a_few_values_are_a_condition():
    assert conditions_of(taken("day", "night", "day", None)) == {"light": ("day", "night", "day", None)}


@pytest.mark.parametrize(
    "values", [("day", "day"), ("day", "night", None, None, None), tuple(map(str, range(MAX_VALUES + 1)))]
)
def test_one_value_or_many_or_those_of_a_few_samples_are_none(values):
    assert conditions_of(taken(*values)) == {}


@pytest.mark.parametrize("name", ["backward_steps", "label_fault", "unlabelled", "splits"])
def test_what_was_measured_of_each_sample_or_is_wrong_with_it_is_none(name):
    assert conditions_of(taken("0", "1", name=name)) == {}


def test_samples_without_metadata_have_no_conditions():
    assert conditions_of([sample(0), sample(1)]) == {}
    assert conditions_of([]) == {}


def test_the_profile_counts_each_condition_in_each_split():
    samples = [sample(0, light="day"), sample(1, light="day", split="test"), sample(2, light="night"), sample(3)]
    assert condition_counts(samples)["light"] == {
        "": {"train": 1, "val": 0, "test": 0},
        "day": {"train": 1, "val": 0, "test": 1},
        "night": {"train": 1, "val": 0, "test": 0},
    }


@pytest.fixture
def parts():
    samples = [
        sample(0, "cat", light="day"),
        sample(1, "cat", light="day", split="val"),
        sample(2, "dog", light="day"),
        sample(3, "dog", light="night"),
    ]
    (found,) = breakdowns(samples, {"critical": {"003"}, "warning": {"000", "001"}})
    assert (found.condition, found.classes) == ("light", ("cat", "dog"))
    return {part.value: part for part in found.parts}


def test_the_largest_part_comes_first(parts):
    assert list(parts) == ["day", "night"]


def test_a_part_has_its_share_of_all_samples(parts):
    assert (parts["day"].samples.number, parts["day"].samples.share) == (3, 0.75)


def test_bars_compare_with_the_largest_part(parts):
    assert [count.share for count in parts["night"].splits.values()] == pytest.approx([1 / 3, 0, 0])


def test_a_class_has_the_share_of_its_own_samples(parts):
    assert [(count.number, count.share) for count in parts["day"].classes] == [(2, 1.0), (1, 0.5)]


def test_samples_at_fault_are_counted_by_severity(parts):
    assert {s: (c.number, c.share) for s, c in parts["night"].faulty.items()} == {
        "critical": (1, 1.0),
        "warning": (0, 0.0),
    }
    assert parts["day"].faulty["warning"].number == 2


def test_a_picture_counts_for_each_class_of_its_boxes():
    boxes = '[["cat",0,0,1,1],["dog",0,0,1,1],["dog",2,2,1,1]]'
    samples = [
        Sample(id=str(n), uri="", sha256=None, split="train", label=None, boxes=boxes, metadata=f'{{"light":"{n}"}}')
        for n in range(2)
    ]
    (found,) = breakdowns(samples, {})
    assert [count.number for count in found.parts[0].classes] == [1, 1]
