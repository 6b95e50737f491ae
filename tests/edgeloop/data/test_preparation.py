import shutil
from collections import Counter
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from edgeloop import plugins
from edgeloop.canonical import sha256_of_file
from edgeloop.data.dataset import INDEX_COLUMNS, Dataset, DatasetCard, read_index
from edgeloop.data.features.image import COLUMNS
from edgeloop.data.preparation import PrepareDataParams, prepare
from edgeloop.data.sources import NoOptions
from edgeloop.errors import DataFault


def prepared(target: Path, **params) -> DatasetCard:
    return prepare(PrepareDataParams(**params), dataset=target / "dataset", profile=target / "profile.json")


def errors(target: Path) -> dict[str, str]:
    return {s.id: s.error for s in read_index(target / "dataset") if s.error is not None}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    prepared(folder)
    return folder


def test_digits_are_split_70_20_10(digits):
    card = Dataset(digits / "dataset").card
    assert {name: round(n / 1797, 2) for name, n in card.counts.items()} == {"train": 0.7, "val": 0.1, "test": 0.2}


def test_digits_have_ten_classes_and_no_unreadable_sample(digits):
    card = Dataset(digits / "dataset").card
    assert (card.classes, card.unreadable) == (tuple("0123456789"), 0)


def test_digits_keep_their_grey_levels(digits):
    features = parquet.read_table(digits / "dataset/features.parquet").to_pydict()
    assert (max(features["maximum"]), min(features["minimum"]), set(features["mode"])) == (255, 0, {"L"})


def test_packed_samples_are_found_again(digits):
    dataset = Dataset(digits / "dataset")
    assert len(list(dataset.contents(dataset.samples))) == 1797


def test_a_damaged_shard_is_a_data_fault(digits, tmp_path):
    shutil.copytree(digits / "dataset", tmp_path / "dataset")
    (tmp_path / "dataset/shards/0000.zip").write_bytes(b"rubbish")
    dataset = Dataset(tmp_path / "dataset")
    with pytest.raises(DataFault, match="the shard is damaged"):
        dataset.content(dataset.samples[0])


def test_digits_are_byte_identical_in_another_folder(digits, tmp_path):
    prepared(tmp_path)
    files = [path for path in digits.rglob("*") if path.is_file()]
    assert len(files) == 6
    for path in files:
        assert sha256_of_file(path) == sha256_of_file(tmp_path / path.relative_to(digits)), path


def test_another_seed_gives_other_splits(digits, tmp_path):
    assert prepared(tmp_path, seed=1).digests != Dataset(digits / "dataset").card.digests


def test_the_tables_have_the_documented_columns(digits):
    assert tuple(parquet.read_schema(digits / "dataset/index.parquet").names) == INDEX_COLUMNS
    assert tuple(parquet.read_schema(digits / "dataset/features.parquet").names) == (
        "id",
        "split",
        *(column.name for column in COLUMNS),
    )


def test_the_same_pictures_elsewhere_give_the_same_card(pictures, tmp_path):
    shutil.copytree(pictures, tmp_path / "else where/copy")
    first = prepared(tmp_path / "1", source="image_folder", path=pictures)
    assert prepared(tmp_path / "2", source="image_folder", path=tmp_path / "else where/copy") == first


def test_the_order_of_the_source_does_not_matter(pictures, tmp_path, monkeypatch):
    first = prepared(tmp_path / "1", source="image_folder", path=pictures)
    source = plugins.load("sources", "image_folder")
    backwards = list(source.samples(pictures, NoOptions()))[::-1]
    monkeypatch.setattr(source, "samples", lambda _path, _options: iter(backwards))
    assert prepared(tmp_path / "2", source="image_folder", path=pictures) == first
    for name in ("index.parquet", "features.parquet"):
        assert sha256_of_file(tmp_path / "1/dataset" / name) == sha256_of_file(tmp_path / "2/dataset" / name)


def test_a_relative_path_starts_at_the_current_folder(pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(pictures.parent)
    assert prepared(tmp_path, source="image_folder", path=Path(pictures.name)).counts["train"] > 0


def test_a_changed_picture_is_noticed(pictures, tmp_path):
    prepared(tmp_path, source="image_folder", path=pictures)
    (pictures / "cat/01.png").write_bytes((pictures / "cat/02.png").read_bytes())
    dataset = Dataset(tmp_path / "dataset")
    with pytest.raises(DataFault, match="has changed since"):
        list(dataset.contents(dataset.samples))


def test_a_bad_sample_is_a_row_with_its_reason(pictures, tmp_path, png):
    whole = (pictures / "cat/01.png").read_bytes()
    (pictures / "cat/rubbish.png").write_bytes(b"rubbish" * 9)
    (pictures / "cat/truncated.png").write_bytes(whole[: len(whole) // 2])
    (pictures / "cat/bomb.png").write_bytes(png(60_000, 60_000))
    (pictures / "cat/text.txt").write_text("no picture")
    card = prepared(tmp_path, source="image_folder", path=pictures)
    assert set(errors(tmp_path)) == {"cat/rubbish.png", "cat/truncated.png", "cat/bomb.png", "cat/text.txt"}
    assert card.unreadable == 4


def test_no_reason_names_this_machine(pictures, tmp_path):
    (pictures / "cat/rubbish.png").write_bytes(b"rubbish" * 9)
    (pictures / "cat/gone.png").symlink_to("nothing")
    prepared(tmp_path, source="image_folder", path=pictures)
    assert not any(str(tmp_path) in reason or "0x" in reason for reason in errors(tmp_path).values())


def test_a_file_too_large_for_a_picture_is_not_read(pictures, tmp_path):
    with (pictures / "cat/film.png").open("wb") as file:
        file.truncate((256 << 20) + 1)
    prepared(tmp_path, source="image_folder", path=pictures)
    assert errors(tmp_path)["cat/film.png"].startswith("is a file of 268,435,457 bytes")


def test_a_bad_sample_moves_no_good_one_to_another_split(pictures, tmp_path):
    prepared(tmp_path / "1", source="image_folder", path=pictures)
    (pictures / "cat/aaa.png").write_bytes(b"rubbish")
    prepared(tmp_path / "2", source="image_folder", path=pictures)
    before = {s.id: s.split for s in read_index(tmp_path / "1/dataset")}
    after = {s.id: s.split for s in read_index(tmp_path / "2/dataset") if s.error is None}
    assert after == before


def test_a_class_with_too_few_readable_samples_is_refused(pictures, tmp_path, picture):
    picture(pictures / "elk/0.png", 900)
    (pictures / "elk/1.png").write_bytes(b"rubbish")
    with pytest.raises(DataFault, match=r"pictures: class 'elk' has 1 readable samples, fewer than 10"):
        prepared(tmp_path, source="image_folder", path=pictures)


def test_a_class_that_lacks_samples_which_cannot_be_read_is_refused_with_the_reason(tmp_path):
    rows = [f"{number},{'ab'[number % 2]}\n" for number in range(40)]
    (tmp_path / "cut.csv").write_text("".join(["x,label\n", *rows[:12], "\0", *rows[12:]]))
    told = r"class 'a' has 6 readable samples, fewer than 10 \(and 1 more .*\); 1 cannot be read, the first, .*null"
    with pytest.raises(DataFault, match=told):
        prepared(tmp_path / "out", source="table", path=tmp_path / "cut.csv")


def test_a_split_that_copies_leave_empty_is_refused_with_their_number(tmp_path, picture):
    for number in range(40):
        picture(tmp_path / f"set/{'ab'[number % 2]}/{number:02d}.png", number % 2)
    told = "the split val would have no readable sample: 40 samples have 2 contents, and equal ones stay together"
    with pytest.raises(DataFault, match=told):
        prepared(tmp_path / "out", source="image_folder", path=tmp_path / "set")


def test_a_refused_dataset_leaves_nothing_behind(pictures, tmp_path, picture):
    picture(pictures / "elk/0.png", 900)
    with pytest.raises(DataFault):
        prepared(tmp_path / "out", source="image_folder", path=pictures)
    assert list((tmp_path / "out").iterdir()) == []


def test_digits_with_a_path_are_refused(pictures, tmp_path):
    with pytest.raises(DataFault, match="takes no path"):
        prepared(tmp_path, path=pictures)


@pytest.fixture
def scenes(tmp_path, picture):
    """40 pictures: all show a sign, every second a light too, and one a class without a name."""
    for number in range(40):
        picture(tmp_path / f"scenes/images/{number:02d}.png", number)
        lines = [
            "0 .5 .5 .5 .5",
            *(["1 .2 .2 .1 .1"] if number % 2 else []),
            *(["7 .2 .2 .1 .1"] if not number else []),
        ]
        (tmp_path / "scenes/labels").mkdir(exist_ok=True)
        (tmp_path / f"scenes/labels/{number:02d}.txt").write_text("\n".join(lines))
    (tmp_path / "scenes/data.yaml").write_text("names: [sign, light]\n")
    return tmp_path / "scenes"


def test_the_classes_of_a_detection_set_are_those_of_its_boxes(scenes, tmp_path):
    assert prepared(tmp_path, source="yolo", path=scenes).classes == ("light", "sign")


def test_every_split_shows_every_class(scenes, tmp_path):
    prepared(tmp_path, source="yolo", path=scenes)
    rows = read_index(tmp_path / "dataset")
    lights = Counter(row.split for row in rows if "light" in (row.boxes or ""))
    assert lights == {"train": 14, "test": 4, "val": 2}


def test_a_class_that_too_few_pictures_show_is_refused(scenes, tmp_path):
    with pytest.raises(DataFault, match="class 'light' has 20 readable samples, fewer than 21"):
        prepared(tmp_path, source="yolo", path=scenes, min_class_samples=21)
