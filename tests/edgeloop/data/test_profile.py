import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from edgeloop.data.dataset import Sample
from edgeloop.data.feature_table import write_features
from edgeloop.data.features import Column
from edgeloop.data.features.image import COLUMNS, ImageFeatures
from edgeloop.data.profile import Profile, bin_counts, class_counts, profile_of


def test_values_beyond_the_reference_have_a_bin():
    assert bin_counts(np.array([-1e300, 1e300]), (0.0, 1.0)) == (1, 0, 1)


@pytest.fixture
def feature(tmp_path):
    """Profiles one column of the training split."""

    def profiled(values):
        samples = [sample(number, "train") for number in range(len(values))]
        rows = [{"x": None if value is None else float(value)} for value in values]
        write_features([Column("x", "float", "any")], samples, rows, tmp_path / "features.parquet")
        (found,) = profile_of(samples, tmp_path / "features.parquet").features
        return found

    return profiled


def test_ten_bins_share_a_continuous_column_evenly(feature):
    assert feature(np.random.default_rng(0).normal(size=1000)).counts == (100,) * 10


def test_a_constant_column_tells_smaller_equal_and_larger_apart(feature):
    found = feature(np.full(50, 8.0))
    assert bin_counts(np.array([7.999, 8.0, 8.0, 8.001]), found.edges) == (1, 2, 1)


def test_a_value_that_fills_several_bins_has_one_of_its_own(feature):
    assert feature(np.concatenate([np.zeros(900), np.arange(1, 101)])).counts[1] == 900


def test_a_column_without_values_has_one_empty_bin(feature):
    assert feature([None, None, None]).counts == (0,)


def test_it_stays_small_however_many_values_differ(feature, tmp_path):
    assert len(json.dumps(feature(np.arange(1000)).values())) < 1500


def sample(number: int, split: str, error: str | None = None) -> Sample:
    return Sample(id=str(number), uri="", sha256=None, split=split, label="cat", error=error)


@pytest.fixture
def profile(tmp_path) -> Profile:
    row = ImageFeatures(8, 8, "L", 1, 100, 1.0, 1.0, 0, 9, 1.0, 0.0, 1.0, 0.0, 0.0, "0" * 16)
    far = ImageFeatures(99, 99, "RGB", 3, 100, 1.0, 1.0, 0, 9, 1.0, 0.0, 1.0, 0.0, 0.0, "0" * 16)
    other = replace(row, mode="P")
    samples = [sample(0, "train"), sample(1, "train", "broken"), sample(2, "test"), sample(3, "train")]
    rows = [asdict(row), None, asdict(far), asdict(other)]
    write_features(COLUMNS, samples, rows, tmp_path / "features.parquet")
    return profile_of(samples, tmp_path / "features.parquet")


def test_modes_are_those_of_the_training_split(profile):
    assert profile.modes == {"L": 1, "P": 1}


def test_features_are_those_of_the_training_split(profile):
    assert {f.name: f.maximum for f in profile.features}["width"] == 8


def test_an_unreadable_sample_is_counted_as_null(profile):
    assert (profile.unreadable, profile.features[0].nulls) == (1, 1)


def test_counts_name_every_split_and_class(profile):
    assert profile.counts == {"train": {"cat": 3}, "val": {"cat": 0}, "test": {"cat": 1}}


def test_it_is_read_as_it_was_written(profile, tmp_path):
    profile.write(tmp_path / "profile.json")
    assert Profile.of(tmp_path / "profile.json") == profile


def test_a_sample_with_boxes_counts_once_for_each_class_that_it_shows():
    boxes = '[["cat",0,0,1,1],["cat",2,2,1,1],["dog",1,1,1,1]]'
    shown = Sample(id="0", uri="", sha256=None, split="train", label=None, boxes=boxes)
    empty = Sample(id="1", uri="", sha256=None, split="train", label=None, boxes="[]")
    assert class_counts([shown, empty])["train"] == {"": 1, "cat": 1, "dog": 1}
