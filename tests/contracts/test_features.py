"""What the features of every kind of sample promise."""

import pytest

from edgeloop import plugins
from edgeloop.data.dataset import INDEX_COLUMNS
from edgeloop.data.features import Column, compared
from edgeloop.data.sources import RawSample
from edgeloop.errors import DataFault


@pytest.fixture(params=plugins.names("features"))
def features(request):
    return plugins.load("features", request.param)


def test_the_kind_of_every_source_has_features():
    kinds = {plugins.load("sources", name).kind for name in plugins.names("sources")}
    assert kinds <= set(plugins.names("features"))


def test_columns_have_names_of_their_own(features):
    names = [column.name for column in features.columns]
    assert len(names) == len(set(names))
    assert not set(names) & set(INDEX_COLUMNS)


def test_every_column_says_what_it_is(features):
    for column in features.columns:
        assert column.says
        assert column.type in ("int", "float", "text")


def test_something_is_compared(features):
    assert compared(features.columns)


def test_a_dataset_has_the_columns_of_its_kind_first(features):
    described = features.described([])
    assert described[: len(features.columns)] == features.columns


@pytest.mark.parametrize("content", [b"", b"rubbish" * 9, b"\x93NUMPY\x01\x00", b"PAR1"])
def test_rubbish_is_a_data_fault_that_names_no_place(features, content):
    with pytest.raises(DataFault) as fault:
        features.read(content, RawSample(id="a/b", label="a", uri="file:///secret/a/b"))
    assert "secret" not in fault.value.what


def test_text_is_not_compared():
    assert compared((Column("a", "text", "x"), Column("b", "int", "x"), Column("c", "float", "x", compared=False))) == (
        "b",
    )
