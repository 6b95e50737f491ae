import io

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from edgeloop.data.dataset import Dataset
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.errors import EnvironmentFault
from edgeloop.training import TrainParams
from edgeloop.training.batches import (
    Pictures,
    decoded,
    fitted_preprocessing,
    normalised,
    ordered,
    shifted,
    steps_in_epoch,
)


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
    ours = normalised(decoded(opened, "val", image=image).pixels, preprocessing).numpy()
    assert np.array_equal(ours[0], preprocessing.apply(opened.content(opened.split("val")[0])))


def test_mean_and_std_are_those_of_every_channel():
    pixels = np.random.default_rng(0).integers(0, 256, size=(9, 3, 4, 4), dtype=np.uint8)
    pictures = Pictures(torch.from_numpy(pixels), torch.zeros(9, dtype=torch.int64))
    preprocessing = fitted_preprocessing(pictures, image=ImageInput(height=4, width=4, mode="RGB"))
    assert np.allclose(preprocessing.mean, (pixels / 255).mean(axis=(0, 2, 3)))
    assert np.allclose(preprocessing.std, (pixels / 255).std(axis=(0, 2, 3)))


def test_a_constant_channel_is_divided_by_one():
    pictures = Pictures(torch.full((3, 1, 2, 2), 7, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64))
    assert fitted_preprocessing(pictures, image=ImageInput(height=2, width=2)).std == (1.0,)


@pytest.mark.parametrize(("count", "batch_size", "sizes"), [
    (10, 4, [4, 4, 2]), (9, 4, [4, 5]), (3, 64, [3]), (1, 4, [1]), (4, 4, [4]), (3, 1, [1, 1, 1]), (5, 2, [2, 3]),
])  # fmt: skip
def test_every_sample_is_in_one_batch_and_none_is_left_alone(count, batch_size, sizes):
    batches = ordered(count, batch_size=batch_size, rng=np.random.default_rng(0))
    assert [len(batch) for batch in batches] == sizes
    assert sorted(np.concatenate(batches)) == list(range(count))
    assert steps_in_epoch(count, batch_size=batch_size) == len(sizes)


def test_a_shifted_picture_is_moved_as_a_whole_over_black():
    pixels = torch.zeros(50, 2, 5, 5, dtype=torch.uint8)
    pixels[:, :, 2, 2] = torch.tensor([3, 4], dtype=torch.uint8)
    moved = shifted(pixels, shift=2, rng=np.random.default_rng(0))
    assert moved.shape == pixels.shape
    assert (moved.sum(dim=(2, 3)) == torch.tensor([3, 4])).all()
    assert torch.equal(moved[:, 0] > 0, moved[:, 1] > 0)
    assert len({tuple(place) for place in (moved[:, 0] > 0).nonzero()[:, 1:].tolist()}) > 15


def test_no_shift_changes_nothing():
    pixels = torch.arange(16, dtype=torch.uint8).reshape(1, 1, 4, 4)
    assert torch.equal(shifted(pixels, shift=0, rng=np.random.default_rng(0)), pixels)


def test_a_shift_out_of_sight_is_refused_with_the_parameters():
    with pytest.raises(ValidationError, match="out of sight"):
        TrainParams(image=ImageInput(height=4, width=8), augment_shift=4)


def test_pixels_that_no_memory_holds_are_refused_before_they_are_read(bars_dataset, monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: 10)
    with pytest.raises(EnvironmentFault, match=r"lower train\.image"):
        decoded(Dataset(bars_dataset["dataset"]), "train", image=ImageInput(height=8, width=8))
