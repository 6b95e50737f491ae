from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from edgeloop.data.dataset import Dataset
from edgeloop.own_files.effort import LARGE, SMALL, Effort, bounded, effort_of


@pytest.mark.parametrize(("shape", "effort"), [((3, 96, 96), SMALL), ((3, 224, 224), LARGE), ((20,), SMALL)])
def test_a_large_input_is_asked_less(shape: tuple[int, ...], effort: Effort) -> None:
    assert effort_of(shape) is effort


def test_samples_that_judge_are_of_all_classes(made: Any, tmp_path: Path) -> None:
    could = len(Dataset(made.dataset, made.validation).split("val"))
    assert bounded(made.dataset, made.validation, samples=9, folder=tmp_path / "few") == (9, could)
    found = Counter(sample.label for sample in Dataset(made.dataset, tmp_path / "few").split("val"))
    assert sorted(found.values()) == [3, 3, 3]


def test_what_calibrates_stays(made: Any, tmp_path: Path) -> None:
    bounded(made.dataset, made.validation, samples=9, folder=tmp_path / "few")
    train = [Dataset(made.dataset, folder).split("train") for folder in (made.validation, tmp_path / "few")]
    assert train[0] == train[1]
