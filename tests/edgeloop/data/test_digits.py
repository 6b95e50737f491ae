import importlib.machinery
import io

import numpy as np
import pytest
from PIL import Image

from edgeloop import plugins
from edgeloop.data.sources import NoOptions
from edgeloop.errors import DataFault, MissingExtra


def samples():
    return list(plugins.load("sources", "digits").samples(None, NoOptions()))


def test_they_are_those_that_scikit_learn_loads():
    from sklearn.datasets import load_digits

    loaded = load_digits()
    pictures = [np.asarray(Image.open(io.BytesIO(sample.content))) for sample in samples()]
    assert np.array_equal(np.stack(pictures), np.rint(loaded.images * 255 / 16))
    assert [int(sample.label) for sample in samples()] == loaded.target.tolist()


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"digits"):
        samples()


def test_files_in_another_place_are_a_fault_that_names_it(monkeypatch, tmp_path):
    spec = importlib.machinery.ModuleSpec("sklearn", None, is_package=True)
    spec.submodule_search_locations.append(str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    with pytest.raises(DataFault, match="holds no digits"):
        samples()
