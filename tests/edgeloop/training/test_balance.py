"""Drawing rare conditions as often as common ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeloop.errors import ParamsFault
from edgeloop.tracking import untracked_run
from edgeloop.training import TrainParams
from edgeloop.training.balance import balanced_rows, rows_by
from edgeloop.training.fit import train
from edgeloop.training.summary import TrainingSummary

VALUES = ["day"] * 90 + ["night"] * 7 + ["fog"] * 3


def drawn(seed: int = 0, values: list[str] = VALUES) -> np.ndarray:
    return balanced_rows(rows_by(values), rng=np.random.default_rng(seed))


def trained(folders: dict[str, Path], out: Path, **changes: Any) -> TrainingSummary:
    mlp = {"epochs": 1, "batch_size": 16, "model": "mlp", "model_options": {"hidden": "8"}, "threads": 1}
    params = TrainParams.model_validate({**mlp, **changes})
    return train(params, **folders, model=out / "model", history=out / "history", tracker=untracked_run)


def test_an_epoch_is_as_long_as_it_was():
    assert len(drawn()) == 100


def test_every_value_is_drawn_equally_often():
    counts = [sum(VALUES[row] == value for row in drawn()) for value in ("day", "night", "fog")]
    assert sorted(counts) == [33, 33, 34]


def test_what_is_drawn_again_is_drawn_alike():
    counts = np.bincount(drawn(), minlength=100)
    assert set(counts[90:97]) <= {4, 5}
    assert set(counts[97:]) <= {11, 12}
    assert counts[:90].max() == 1


def test_another_epoch_draws_others_of_the_common_value():
    rng, groups = np.random.default_rng(0), rows_by(VALUES)
    one, two = (set(balanced_rows(groups, rng=rng).tolist()) for _ in range(2))
    assert one != two


def test_the_same_seed_draws_the_same():
    assert drawn(seed=3).tolist() == drawn(seed=3).tolist()
    assert drawn(seed=3).tolist() != drawn(seed=4).tolist()


def test_the_order_is_mixed():
    assert len({VALUES[row] for row in drawn()[:20]}) == 3


def test_fewer_samples_than_values_are_still_an_epoch():
    assert sorted(drawn(values=["a", "b"]).tolist()) == [0, 1]


def test_a_balanced_training_is_another_one(lit_bars, tmp_path):
    """The summary says how many samples each entry of `augment` is for."""
    entries = [{"where": {"condition": "night"}, "noise": 0.2}, {"gain": 0.2}]
    balanced, plain = (
        trained(lit_bars, tmp_path / f"{name}", balance_by=name, augment=entries) for name in ("condition", None)
    )
    assert balanced.augmented == (9, 81)
    assert balanced.weights_sha256 != plain.weights_sha256
    assert balanced.steps == plain.steps


def test_a_column_that_no_sample_has_is_refused(lit_bars, tmp_path):
    with pytest.raises(ParamsFault, match=r"train\.balance_by.*did you mean condition"):
        trained(lit_bars, tmp_path, balance_by="conditions")
