"""Which source is guessed for what lies at a path."""

import json
import os
from pathlib import Path

import pytest

from edgeloop.data.recognition import parsed_options, preparation, recognised
from edgeloop.errors import DataFault, InputFault, ParamsFault, PluginFault


def laid(root, *names, **contents):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contents.get(path.suffix.removeprefix("."), "x"))
    return root


COCO = json.dumps({"images": [], "annotations": [], "categories": []})


@pytest.mark.parametrize(
    ("names", "source"),
    [
        (["cat/0.png", "dog/deep/1.jpg"], "image_folder"),
        (["cat/0.png", "dog/1.jpg", "quarantine.parquet"], "image_folder"),
        (["cat/0.png", "dog/1.jpg", "notes.csv"], "image_folder"),
        (["data.yaml", "images/0.png", "labels/0.txt"], "yolo"),
        (["images/train/0.png", "labels/train/0.txt"], "yolo"),
        (["data.yaml", "train/images/0.png", "train/labels/0.txt"], "yolo"),
        (["annotations/instances.json", "images/0.png"], "coco"),
        (["annotations.json", "pictures/0.png"], "coco"),
        (["pump/0.csv", "fan/1.csv"], "signals"),
        (["0.parquet", "1.parquet"], "signals"),
    ],
)
def test_a_folder_is_recognised(tmp_path, names, source):
    assert recognised(laid(tmp_path, *names, json=COCO)).source == source


@pytest.mark.parametrize(
    ("name", "source"), [("a.csv", "signals"), ("a.PARQUET", "signals"), ("a.json", "coco"), ("data.yaml", "yolo")]
)
def test_a_file_is_recognised(tmp_path, name, source):
    assert recognised(laid(tmp_path, name, json=COCO) / name).source == source


@pytest.mark.parametrize("address", ["s3://bucket/data", "gs://b/x/y.csv", "dvc://data", "file:///data/mine"])
def test_an_address_is_an_address_though_a_path_keeps_one_stroke_of_it(address):
    chosen = preparation(Path(address), source="image_folder")
    assert (chosen.path, chosen.url) == (None, address)
    with pytest.raises(InputFault, match=r"not guessed; name it, such as --source image_folder"):
        preparation(Path(address), source=None)


@pytest.mark.parametrize("place", ["data", "/data/mine", "a:b", "c:/data", "./s3:x/y"])
def test_a_place_on_this_machine_is_none(place):
    chosen = preparation(Path(place), source="image_folder")
    assert (chosen.path, chosen.url) == (Path(place), None)


SENSOR = "time,x\n" + "".join(f"2026-01-01T00:00:{n:02d},{n % 3}\n" for n in range(30))
STATES = "t,x,state\n" + "".join(f"{n / 10},{n % 3},running\n" for n in range(30))
SALES = "date,price,town\n" + "".join(f"2026-01-{1 + n * n % 28:02d},{n},Fes\n" for n in range(30))
FLOWERS = "width,height,species\n" + "".join(f"{n},{n / 2},{'ab'[n % 2]}\n" for n in range(30))
CODED = "width,height,Target\n" + "".join(f"{n},{n / 2},{n % 2}\n" for n in range(30))
NUMBERS = "x,y\n" + "".join(f"{n},{n / 2}\n" for n in range(30))


@pytest.mark.parametrize(
    ("text", "source", "because"),
    [
        (SENSOR, "signals", "the column 'time' is a clock"),
        (STATES, "signals", "the column 't' is a clock"),
        (NUMBERS, "signals", "numbers only"),
        ("", "signals", "a .csv file"),
        (SALES, "table", "no clock, and text in the column 'town'"),
        (FLOWERS, "table", "no clock, and text in the column 'species'"),
        (CODED, "table", "no clock, and a column 'Target'"),
    ],
    ids=["sensor", "states", "numbers", "empty", "sales", "flowers", "coded"],
)
def test_a_table_is_told_from_signals_by_its_columns(tmp_path, text, source, because):
    (tmp_path / "a.csv").write_text(text)
    found = recognised(tmp_path)
    assert found.source == source
    assert because in found.because


@pytest.mark.parametrize(
    ("text", "option", "source"), [(FLOWERS, "length=8", "signals"), (NUMBERS, "target=y", "table")]
)
def test_an_option_that_only_one_of_both_has_decides(tmp_path, text, option, source):
    (tmp_path / "a.csv").write_text(text)
    assert recognised(tmp_path / "a.csv", [option]).source == source


def test_a_separator_that_is_named_is_used_to_look_at_the_columns(tmp_path):
    (tmp_path / "a.csv").write_text(FLOWERS.replace(",", "#"))
    assert recognised(tmp_path / "a.csv", ["separator='#'"]).source == "table"


def test_a_pipe_among_the_files_is_not_opened(tmp_path):
    (tmp_path / "pump").mkdir()
    os.mkfifo(tmp_path / "pump/a.csv")
    assert recognised(tmp_path).source == "signals"


def test_json_of_something_else_is_not_coco(tmp_path):
    laid(tmp_path, "a.json", json='{"images": 3}')
    with pytest.raises(DataFault, match="holds nothing that a source is known for; name one with --source: "):
        recognised(tmp_path / "a.json")


def test_hidden_files_count_for_nothing(tmp_path):
    assert recognised(laid(tmp_path, "pump/0.csv", "pump/.thumbs/0.png", ".git/0.png")).source == "signals"


def test_a_missing_path_is_refused(tmp_path):
    with pytest.raises(DataFault, match="does not exist"):
        recognised(tmp_path / "nowhere")


def test_a_named_source_is_not_second_guessed(tmp_path):
    laid(tmp_path, "cat/0.png")
    chosen = preparation(tmp_path, source="signals", options=["length=512"])
    assert (chosen.source, chosen.options) == ("signals", {"length": 512})


def test_neither_path_nor_source_is_refused():
    with pytest.raises(DataFault, match="needs a path or a source"):
        preparation(None, source=None)


def test_an_unknown_source_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(PluginFault, match="did you mean signals"):
        preparation(tmp_path, source="signal")


def test_an_unknown_option_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(ParamsFault, match="did you mean length"):
        preparation(tmp_path, source="signals", options=["lenght=512"])


@pytest.mark.parametrize("option", ["length", "=3", "length=[1"])
def test_an_option_that_is_no_pair_is_refused(option):
    with pytest.raises(ParamsFault, match="-o "):
        parsed_options([option])


def test_json_of_very_deep_lists_is_refused(tmp_path):
    file = tmp_path / "deep.json"
    file.write_text("[" * 200_000)
    with pytest.raises(DataFault, match="holds nothing that a source is known for"):
        recognised(file)
