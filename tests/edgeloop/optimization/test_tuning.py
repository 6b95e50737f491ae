"""Quantization-aware training on a problem of points in a plane, in memory."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeloop import plugins
from edgeloop.data.dataset import Sample
from edgeloop.data.inputs import RowPreprocessing
from edgeloop.models import CARD_FILE, ModelCard, load_network, write_weights
from edgeloop.optimization.recipes import Tuning
from edgeloop.optimization.tuning import Lesson, tune

torch = pytest.importorskip("torch")

POINTS = np.random.default_rng(0).uniform(-1, 1, size=(96, 2)).astype(np.float32)
TRUTHS = [int(x * y > 0) for x, y in POINTS]
LARGE = 100.0
TUNING = Tuning(epochs=20, learning_rate=3e-3, seed=0)


class Points:
    """What a dataset gives: the content of a sample."""

    def content(self, sample: Sample) -> bytes:
        x, y = POINTS[int(sample.id)].tolist()
        return json.dumps({"x": x, "y": y}).encode()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained network whose second layer has weights that int8 rounds badly."""
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    build = plugins.load("models", "mlp").build
    network = build((2,), 2, {"hidden": "8-8"})
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-2)
    for _ in range(150):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(torch.from_numpy(POINTS)), torch.tensor(TRUTHS)).backward()
        optimiser.step()
    card = ModelCard(
        task="classification", architecture="mlp", options={"hidden": "9-8"}, classes=("apart", "together"),
        preprocessing=RowPreprocessing(columns=("x", "y"), mean=(0.0, 0.0), std=(1.0, 1.0)), parameters=1,
    )  # fmt: skip
    card.write(folder / CARD_FILE)
    write_weights(folder / "weights.safetensors", coarse(network.state_dict()))
    return folder


def coarse(state: dict[str, Any]) -> dict[str, Any]:
    """The same function with the first neuron twice, which the next layer weighs by large numbers that cancel."""
    first, bias, second = state["1.weight"], state["1.bias"], state["3.weight"]
    twice = torch.cat([second, torch.full((8, 1), -LARGE)], dim=1)
    twice[:, 0] += LARGE
    doubled = {"1.weight": torch.cat([first, first[:1]]), "1.bias": torch.cat([bias, bias[:1]]), "3.weight": twice}
    return state | doubled


def lesson(model: Path) -> Lesson:
    samples = [Sample(f"{n:03d}", "", None, "train", None) for n in range(len(POINTS))]
    card = ModelCard.of(model)
    points: Any = Points()
    return Lesson(plugins.load("tasks", "classification"), card, points, samples, TRUTHS, samples[::2])


def tuned(model: Path, target: Path, **changed: Any) -> Path:
    tuning = TUNING.model_copy(update=changed)
    tune(
        model,
        model / "weights.safetensors",
        lesson=lesson(model),
        tuning=tuning,
        target=target,
        advance=lambda *_: None,
    )
    return target


def noise(model: Path, weights: Path) -> float:
    """Share of the power of the float answers that is lost when the network of these weights is rounded."""
    from edgeloop.optimization.awareness import AwareNetwork

    aware = AwareNetwork(load_network(model, weights), shape=(2,))
    aware.observe([POINTS])
    with torch.no_grad():
        expected = load_network(model)(torch.from_numpy(POINTS))
        return float((aware(torch.from_numpy(POINTS)) - expected).square().mean() / expected.square().mean())


def test_less_is_lost_by_rounding_afterwards(model: Path, tmp_path: Path) -> None:
    assert noise(model, tuned(model, tmp_path / "w")) < 0.5 * noise(model, model / "weights.safetensors")


def test_two_trainings_write_the_same_bytes(model: Path, tmp_path: Path) -> None:
    found = {tuned(model, tmp_path / name, epochs=2).read_bytes() for name in ("one", "other")}
    assert len(found) == 1


def test_another_seed_gives_other_weights(model: Path, tmp_path: Path) -> None:
    assert tuned(model, tmp_path / "one", epochs=2).read_bytes() != (
        tuned(model, tmp_path / "other", epochs=2, seed=1).read_bytes()
    )


def test_the_original_weights_stay(model: Path, tmp_path: Path) -> None:
    before = (model / "weights.safetensors").read_bytes()
    tuned(model, tmp_path / "w", epochs=1)
    assert (model / "weights.safetensors").read_bytes() == before


def test_a_gradient_that_is_no_number_makes_no_step(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = type(plugins.load("tasks", "classification"))
    monkeypatch.setattr(task, "loss", lambda *_: torch.tensor(float("nan")))
    network = load_network(model, tuned(model, tmp_path / "w", epochs=1))
    assert all(values.isfinite().all() for values in network.state_dict().values())


def test_every_epoch_is_told(model: Path, tmp_path: Path) -> None:
    told: list[str] = []
    tune(
        model, model / "weights.safetensors", lesson=lesson(model), tuning=TUNING.model_copy(update={"epochs": 2}),
        target=tmp_path / "w", advance=lambda _, text: told.append(text),
    )  # fmt: skip
    assert told == [f"quantization-aware training: epoch {n} of 2" for n in (1, 2)]
