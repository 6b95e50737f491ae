import pytest
import yaml

from edgeloop.errors import ParamsFault
from edgeloop.params import load
from edgeloop.planning.resolution import write_batch_size

TEXT = """\
# mine
prepare_data:
  source: digits
train: # what is learned
  model: cnn # small
  batch_size: auto # as many as fit
  epochs: 3

select:
  prefer: latency
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(TEXT)
    return path


def test_auto_becomes_a_number_and_every_other_character_stays(file):
    write_batch_size(file, 48)
    assert file.read_text() == TEXT.replace("auto", "48")


def test_a_number_is_replaced(file):
    write_batch_size(file, 48)
    write_batch_size(file, 7)
    assert file.read_text() == TEXT.replace("auto", "7")


def test_a_section_without_the_field_gets_it(file):
    file.write_text(TEXT.replace("  batch_size: auto # as many as fit\n", ""))
    write_batch_size(file, 5)
    assert yaml.safe_load(file.read_text())["train"] == {"batch_size": 5, "model": "cnn", "epochs": 3}


@pytest.mark.parametrize("text", ["select:\n  prefer: latency\n", "train: {model: cnn}\n", ""])
def test_a_file_without_such_a_section_is_left_alone(file, text):
    file.write_text(text)
    with pytest.raises(ParamsFault, match=r"write train\.batch_size: 5 yourself"):
        write_batch_size(file, 5)
    assert file.read_text() == text


def test_a_run_refuses_auto_and_names_the_command(file):
    with pytest.raises(ParamsFault, match=r"edgeloop plan --write params\.yaml") as caught:
        load(file)
    assert "\n" not in caught.value.line()
