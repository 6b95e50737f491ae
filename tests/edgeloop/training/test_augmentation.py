"""Random changes of samples: what each does, which samples have it, and that all can be repeated."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from edgeloop import plugins
from edgeloop.data.dataset import Sample
from edgeloop.data.inputs import RowPreprocessing, WindowInput, WindowPreprocessing
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import ParamsFault
from edgeloop.params import validated
from edgeloop.tasks import Task
from edgeloop.tasks.detection import Detection
from edgeloop.training.augmentation import Augmentation, augmented, refuse_absent, refuse_unfitting, strengths_of
from edgeloop.training.batches import shifted

PICTURE = Preprocessing(image=ImageInput(height=12, width=12, mode="RGB"), mean=(0.5,) * 3, std=(0.25,) * 3)
WINDOW = WindowPreprocessing(window=WindowInput(), channels=2, length=8, mean=(0.0, 0.0), std=(1.0, 10.0))
BANDS = WindowPreprocessing(window=WindowInput(bands=4), channels=1, length=8, mean=(0.0,) * 4, std=(1.0,) * 4)
ROW = RowPreprocessing(columns=("a", "b"), mean=(0.0, 0.0), std=(1.0, 100.0))


def pictures(count: int = 40) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(5).integers(0, 256, size=(count, 3, 12, 12), dtype=np.uint8))


def changed(
    values: torch.Tensor,
    *entries: dict[str, Any],
    preprocessing: Any = PICTURE,
    seed: int = 0,
    samples: tuple[Sample, ...] = (),
    truths: Any = None,
    task: Task | None = None,
) -> tuple[torch.Tensor, list[Any]]:
    strengths = strengths_of([Augmentation(**entry) for entry in entries], samples, count=len(values))
    assert strengths is not None
    return augmented(
        values,
        truths if truths is not None else list(range(len(values))),
        np.arange(len(values)),
        strengths=strengths,
        task=task or plugins.load("tasks", "classification"),
        preprocessing=preprocessing,
        rng=np.random.default_rng(seed),
    )


def lit(*values: str | None) -> tuple[Sample, ...]:
    known = [None if value is None else f'{{"condition": "{value}"}}' for value in values]
    return tuple(Sample(f"{k}", "", "0" * 64, "train", "a", metadata=text) for k, text in enumerate(known))


def test_no_entry_needs_nothing():
    assert strengths_of([], (), count=3) is None


def test_an_entry_without_strengths_changes_nothing():
    values = pictures()
    assert torch.equal(changed(values, {})[0], values.float() / 255)


def test_the_same_seed_changes_the_same():
    entry = {"gain": 0.2, "contrast": 0.2, "blur": 1.0, "noise": 0.1, "mirror": True}
    one, other, another = (changed(pictures(), entry, seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(one, other)
    assert not torch.equal(one, another)


@pytest.mark.parametrize("entry", [{"gain": 0.9}, {"contrast": 0.9}, {"blur": 2.0}, {"noise": 0.5}, {"mirror": True}])
def test_pictures_stay_between_black_and_white(entry):
    values, _ = changed(pictures(), entry)
    assert values.shape == (40, 3, 12, 12)
    assert float(values.min()) >= 0
    assert float(values.max()) <= 1
    assert not torch.equal(values, pictures().float() / 255)


def test_gain_multiplies_a_whole_picture_by_at_most_what_is_allowed():
    grey = torch.full((200, 3, 12, 12), 100, dtype=torch.uint8)
    values, _ = changed(grey, {"gain": 0.3})
    factors = values / (100 / 255)
    assert torch.allclose(factors, factors[:, :1, :1, :1].expand_as(factors))
    assert 0.69 < float(factors.min()) < 0.75
    assert 1.25 < float(factors.max()) < 1.31


def test_contrast_keeps_the_mean_of_a_picture():
    soft = pictures() // 4 + 96
    values, _ = changed(soft, {"contrast": 0.5})
    before = soft.float() / 255
    assert torch.allclose(values.mean(dim=(1, 2, 3)), before.mean(dim=(1, 2, 3)), atol=1e-5)
    assert not torch.allclose(values.std(dim=(1, 2, 3)), before.std(dim=(1, 2, 3)), atol=1e-3)


def test_blur_is_a_gaussian_of_each_picture():
    from scipy.ndimage import gaussian_filter

    values, _ = changed(pictures(3), {"blur": 1.2}, seed=4)
    deviations = np.random.default_rng(4).random(3, dtype=np.float32) * np.float32(1.2)
    for k, deviation in enumerate(deviations):
        expected = gaussian_filter(pictures(3)[k].numpy() / 255, (0, deviation, deviation), mode="nearest", truncate=9)
        assert np.allclose(values[k].numpy(), expected, atol=3e-3)


def test_blur_mixes_neither_pictures_nor_channels():
    values = torch.zeros(4, 3, 12, 12, dtype=torch.uint8)
    values[1, 2] = 255
    blurred, _ = changed(values, {"blur": 3.0})
    assert torch.allclose(blurred, values.float() / 255, atol=1e-5)


def test_the_shift_of_boxes_and_the_turn_of_boxes_go_together():
    """A bright rectangle is where its box says, after both."""
    values = torch.zeros(60, 3, 12, 12, dtype=torch.uint8)
    values[:, :, 3:6, 2:6] = 255
    boxes = [np.array([[2, 3, 6, 6, 0]], dtype=np.float32) for _ in range(60)]
    task = Detection()
    moved, shift = shifted(values, most=2, rng=np.random.default_rng(0))
    assert shift is not None
    truths = shift.moved(boxes, task, shape=(3, 12, 12))
    turned, told = changed(moved, {"mirror": True}, truths=truths, task=task)
    for picture, truth in zip(turned, told, strict=True):
        down, right = np.nonzero(picture[0].numpy())
        assert truth[0, :4].tolist() == [right.min(), down.min(), right.max() + 1, down.max() + 1]
    lefts = {float(truth[0, 0]) for truth in told}
    assert min(lefts) < 5 < max(lefts)


def test_a_task_with_places_that_cannot_mirror_them_refuses():
    class Still(Task):
        moved = Detection.moved

    with pytest.raises(ParamsFault, match="cannot say what is right for a mirrored picture"):
        refuse_unfitting([Augmentation(mirror=True)], Still(), axes=3, where="train")


def test_half_of_the_pictures_are_turned():
    values, _ = changed(pictures(400), {"mirror": True})
    same = (values == pictures(400).float() / 255).all(dim=(1, 2, 3)).sum()
    assert 150 < int(same) < 250


def test_readings_are_multiplied_channel_by_channel_alike():
    readings = torch.ones(100, 2, 8)
    values, _ = changed(readings, {"gain": 0.5}, preprocessing=WINDOW)
    assert torch.equal(values, values[:, :1, :1].expand_as(values))
    assert 0.5 <= float(values.min()) < float(values.max()) <= 1.5


def test_a_gain_of_readings_is_a_summand_of_the_logarithm_of_their_power():
    readings, seed = np.random.default_rng(0).normal(size=(1, 8, 1)), 3
    factor = float(1 + (2 * np.random.default_rng(seed).random(1, dtype=np.float32)[0] - 1) * np.float32(0.5))

    def powers(content: np.ndarray) -> torch.Tensor:
        from edgeloop.data.windows import window_bytes

        return torch.from_numpy(BANDS.apply(window_bytes(content)))[None]

    values, _ = changed(powers(readings[0]), {"gain": 0.5}, preprocessing=BANDS, seed=seed)
    assert torch.allclose(values, powers(readings[0] * factor), atol=1e-4)


@pytest.mark.parametrize("preprocessing", [WINDOW, ROW])
def test_noise_is_measured_by_the_deviation_of_a_channel_or_column(preprocessing):
    values, _ = changed(torch.zeros(3000, *preprocessing.shape), {"noise": 0.5}, preprocessing=preprocessing)
    spread = values.reshape(3000, 2, -1).std(dim=(0, 2)) / torch.tensor(preprocessing.std)
    assert torch.allclose(spread, torch.full((2,), 0.5 / np.sqrt(3)), rtol=0.1)  # strengths are even from 0 to 0.5


def test_the_first_entry_that_fits_a_sample_is_its_own():
    entries = [Augmentation(where={"condition": "night"}, noise=0.1), Augmentation(gain=0.2)]
    strengths = strengths_of(entries, lit("day", "night", None), count=3)
    assert strengths.entry.tolist() == [1, 0, 1]
    assert strengths.noise.tolist() == [0, np.float32(0.1), 0]
    assert strengths.gain.tolist() == [np.float32(0.2), 0, np.float32(0.2)]


def test_a_sample_that_no_entry_fits_is_left_as_it_is():
    night = {"where": {"condition": "night"}, "noise": 0.3, "gain": 0.3, "blur": 1.0}
    values, _ = changed(pictures(3), night, samples=lit("day", "night", "day"))
    before = pictures(3).float() / 255
    assert torch.equal(values[[0, 2]], before[[0, 2]])
    assert not torch.equal(values[1], before[1])


def test_groups_and_labels_are_columns_too():
    samples = (Sample("0", "", "", "train", "a", group="g"), Sample("1", "", "", "train", "b", group="g"))
    entries = [Augmentation(where={"label": "b", "group": "g"}, noise=0.1)]
    assert strengths_of(entries, samples, count=2).entry.tolist() == [-1, 0]


def test_a_value_that_no_sample_has_is_refused_with_the_nearest():
    entries = [Augmentation(gain=0.2), Augmentation(where={"condition": "nihgt"}, noise=0.1)]
    told = r"train\.augment\.2\.where: no sample of train has the condition 'nihgt'; did you mean night"
    with pytest.raises(ParamsFault, match=told):
        refuse_absent(entries, lit("day", "night", None), where="train")
    refuse_absent([Augmentation(where={"condition": "night"}, noise=0.1)], lit("day", "night"), where="train")


def test_a_column_that_no_sample_has_is_named_with_the_nearest():
    entries = [Augmentation(where={"conditoin": "night"}, noise=0.1)]
    with pytest.raises(ParamsFault, match=r"'conditoin'.*did you mean condition"):
        strengths_of(entries, lit("day"), count=1)


@pytest.mark.parametrize(
    ("source", "train", "told"),
    [
        ("vibration", {"model": "cnn_1d", "augment": [{"blur": 1}]}, "blur is not for windows; use gain or noise"),
        ("vibration", {"model": "cnn_1d", "augment": [{}, {"mirror": True}]}, "train.augment.2: mirror is not for"),
        ("digits", {"trials": [{"augment": [{"nosie": 0.1}]}]}, "trial 1: augment.0.nosie: unknown key; did you mean"),
        ("digits", {"augment": [{"nosie": 0.1}]}, "augment.0.nosie: unknown key; did you mean noise"),
    ],
)
def test_what_does_not_suit_the_samples_is_refused_before_anything_runs(source, train, told):
    with pytest.raises(ParamsFault) as caught:
        validated({"prepare_data": {"source": source}, "train": train}, where="params.yaml")
    assert told in caught.value.line()


def test_rows_of_a_table_take_noise_alone():
    task: Callable[..., Any] = plugins.load("tasks", "regression")
    refuse_unfitting([Augmentation(noise=0.1)], task, axes=1, where="train")
    with pytest.raises(ParamsFault, match="gain is not for rows"):
        refuse_unfitting([Augmentation(gain=0.1)], task, axes=1, where="train")
