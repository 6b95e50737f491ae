import io

import numpy as np
import pytest
import torch
from PIL import Image

from edgeloop.data.dataset import Dataset
from edgeloop.data.inputs import PictureReader, RowReader, WindowInput, WindowReader, per_axis
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.data.windows import window_bytes
from edgeloop.errors import DataFault, EnvironmentFault
from edgeloop.training.batches import Split, cut, decoded, normalised, shifted, steps_in_epoch


def colour_png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="png")
    return content.getvalue()


def test_batches_are_normalised_bit_for_bit_as_in_deployment():
    pixels = np.random.default_rng(0).integers(0, 256, size=(7, 5, 3), dtype=np.uint8)
    preprocessing = Preprocessing(
        image=ImageInput(height=7, width=5, mode="RGB"), mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6)
    )
    ours = normalised(torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None], preprocessing)[0].numpy()
    assert np.array_equal(ours, preprocessing.apply(colour_png(pixels)))


def test_resized_pictures_lose_nothing_as_bytes(bars_dataset):
    image = ImageInput(height=5, width=11, mode="L")
    preprocessing = Preprocessing(image=image, mean=(0.0,), std=(1.0,))
    opened = Dataset(bars_dataset["dataset"])
    ours = normalised(
        torch.from_numpy(decoded(opened, opened.split("val"), reader=PictureReader(image))), preprocessing
    ).numpy()
    assert np.array_equal(ours[0], preprocessing.apply(opened.content(opened.split("val")[0])))


def test_mean_and_std_are_those_of_every_channel():
    pixels = np.random.default_rng(0).integers(0, 256, size=(9, 3, 4, 4), dtype=np.uint8)
    preprocessing = PictureReader(ImageInput(height=4, width=4, mode="RGB")).fitted(pixels)
    assert np.allclose(preprocessing.mean, (pixels / 255).mean(axis=(0, 2, 3)))
    assert np.allclose(preprocessing.std, (pixels / 255).std(axis=(0, 2, 3)))


def test_mean_and_std_of_many_pictures_are_those_of_all():
    pixels = np.random.default_rng(0).integers(0, 256, size=(150, 1, 3, 3), dtype=np.uint8)
    preprocessing = PictureReader(ImageInput(height=3, width=3)).fitted(pixels)
    assert np.isclose(preprocessing.mean[0], (pixels / 255).mean())
    assert np.isclose(preprocessing.std[0], (pixels / 255).std())


def test_a_constant_channel_is_divided_by_one():
    pixels = np.full((3, 1, 2, 2), 7, dtype=np.uint8)
    assert PictureReader(ImageInput(height=2, width=2)).fitted(pixels).std == (1.0,)


@pytest.mark.parametrize("bands", [None, 8])
def test_windows_are_normalised_bit_for_bit_as_in_deployment(bands):
    windows = [window_bytes(np.random.default_rng(n).normal(size=(64, 3))) for n in range(5)]
    reader = WindowReader(WindowInput(bands=bands))
    values = np.stack([reader.read(window, where="w") for window in windows])
    preprocessing = reader.fitted(values)
    ours = normalised(torch.from_numpy(values), preprocessing).numpy()
    assert ours.shape[1:] == preprocessing.shape == (3, bands or 64)
    assert np.array_equal(ours[2], preprocessing.apply(windows[2]))
    assert abs(ours.mean()) < 1e-5


def test_a_tone_stands_in_the_band_of_its_frequency():
    times = np.arange(256) / 256
    tone = np.sin(2 * np.pi * 40 * times)[:, None]  # 40 of 128 frequencies
    assert WindowReader(WindowInput(bands=8)).read(window_bytes(tone), where="w").argmax() == 2


def test_a_window_of_another_length_is_refused():
    reader = WindowReader(WindowInput())
    reader.read(window_bytes(np.zeros((8, 2))), where="one")
    with pytest.raises(DataFault, match="has 9 readings of 2 channels, not 8 of 2"):
        reader.read(window_bytes(np.zeros((9, 2))), where="other")


def test_rows_are_normalised_column_by_column():
    reader = RowReader()
    rows = [b'{"b": 1, "a": 10}', b'{"b": 3, "a": 30}']
    preprocessing = reader.fitted(np.stack([reader.read(row, where="r") for row in rows]))
    assert preprocessing.columns == ("a", "b")
    assert preprocessing.apply(rows[0]).tolist() == [-1.0, -1.0]


def test_text_in_a_row_is_named():
    with pytest.raises(DataFault, match="no number in the column 'a' but 'x'"):
        RowReader().read(b'{"a": "x"}', where="r")


def test_a_single_number_is_of_every_axis():
    assert per_axis(np.array([2.0]), (3, 4)).shape == (1, 1)


def test_a_window_comes_round():
    window = torch.arange(10.0).reshape(1, 1, 10)
    moved, shift = shifted(window, most=3, rng=np.random.default_rng(1))
    assert torch.equal(moved, torch.roll(window, int(shift.right[0]), dims=2))


def test_only_the_kept_samples_are_left():
    split = Split(torch.arange(3.0).reshape(3, 1), ("a", "b", "c")).where([True, False, True])
    assert (split.values.ravel().tolist(), split.truths) == ([0.0, 2.0], ("a", "c"))


@pytest.mark.parametrize(("count", "batch_size", "sizes"), [
    (10, 4, [4, 4, 2]), (9, 4, [4, 5]), (3, 64, [3]), (1, 4, [1]), (4, 4, [4]), (3, 1, [1, 1, 1]), (5, 2, [2, 3]),
])  # fmt: skip
def test_every_sample_is_in_one_batch_and_none_is_left_alone(count, batch_size, sizes):
    batches = cut(np.random.default_rng(0).permutation(count), batch_size=batch_size)
    assert [len(batch) for batch in batches] == sizes
    assert sorted(np.concatenate(batches)) == list(range(count))
    assert steps_in_epoch(count, batch_size=batch_size) == len(sizes)


def test_a_shifted_picture_is_moved_as_a_whole_over_black():
    pixels = torch.zeros(50, 2, 5, 5, dtype=torch.uint8)
    pixels[:, :, 2, 2] = torch.tensor([3, 4], dtype=torch.uint8)
    moved = shifted(pixels, most=2, rng=np.random.default_rng(0))[0]
    assert moved.shape == pixels.shape
    assert (moved.sum(dim=(2, 3)) == torch.tensor([3, 4])).all()
    assert torch.equal(moved[:, 0] > 0, moved[:, 1] > 0)
    assert len({tuple(place) for place in (moved[:, 0] > 0).nonzero()[:, 1:].tolist()}) > 15


def test_no_shift_changes_nothing():
    pixels = torch.arange(16, dtype=torch.uint8).reshape(1, 1, 4, 4)
    assert torch.equal(shifted(pixels, most=0, rng=np.random.default_rng(0))[0], pixels)


def test_pixels_that_no_memory_holds_are_refused_before_they_are_read(bars_dataset, monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: 10)
    opened = Dataset(bars_dataset["dataset"])
    with pytest.raises(EnvironmentFault, match=r"lower train\.image"):
        decoded(opened, opened.split("train"), reader=PictureReader(ImageInput(height=8, width=8)))
