"""What every data source promises."""

from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from edgeloop import plugins
from edgeloop.data.sources import RawSample
from edgeloop.errors import DataFault

PATHLESS = {"digits"}


@pytest.fixture(params=plugins.names("sources"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(name: str, tmp_path: Path) -> Path | None:
    if name in PATHLESS:
        return None
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(4):
            pixels = np.full((6, 6), 10 * number, dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / label / f"{number}.png")
    return tmp_path


def listed(name: str, path: Path | None) -> list[RawSample]:
    source = plugins.load("sources", name)
    return list(source.samples(path, source.options()))


@pytest.fixture
def samples(name: str, path: Path | None) -> list[RawSample]:
    return listed(name, path)


def test_it_has_samples(samples):
    assert samples


def test_ids_are_unique(samples):
    assert len({sample.id for sample in samples}) == len(samples)


def test_ids_are_the_same_at_every_reading(name, path, samples):
    assert {s.id for s in listed(name, path)} == {s.id for s in samples}


def test_ids_name_no_place_on_this_machine(path, samples):
    assert not any(sample.id.startswith("/") or str(path) in sample.id for sample in samples)


def test_a_sample_has_either_content_or_an_absolute_uri(samples):
    for sample in samples:
        assert (sample.content is None) != (sample.uri is None)
        assert sample.uri is None or urlsplit(sample.uri).scheme


def test_every_sample_is_of_a_class(samples):
    assert all(isinstance(sample.label, str) and sample.label for sample in samples)


def test_a_path_that_it_cannot_use_is_a_data_fault(name, tmp_path):
    with pytest.raises(DataFault):
        listed(name, tmp_path / "nowhere")


def test_a_missing_path_is_a_data_fault_where_one_is_needed(name):
    if name in PATHLESS:
        assert listed(name, None)
        return
    with pytest.raises(DataFault):
        listed(name, None)
