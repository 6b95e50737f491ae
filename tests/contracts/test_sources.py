"""What every data source promises."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from edgeloop import plugins
from edgeloop.data.dataset import local_path
from edgeloop.data.pushing import push
from edgeloop.data.sources import RawSample
from edgeloop.data.storage import view_of
from edgeloop.errors import DataFault


def picture(path: Path, brightness: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((6, 6), brightness, dtype=np.uint8)).save(path)


def write_image_folder(root: Path) -> None:
    for label in ("a", "b"):
        for number in range(4):
            picture(root / label / f"{number}.png", 10 * number)


def write_yolo(root: Path) -> None:
    (root / "labels").mkdir(parents=True)
    (root / "data.yaml").write_text("names: [a, b]\ntrain: images\n")
    for number in range(4):
        picture(root / "images" / f"{number}.png", 10 * number)
        (root / "labels" / f"{number}.txt").write_text(f"{number % 2} 0.5 0.5 0.5 0.5\n")


def write_coco(root: Path) -> None:
    for number in range(4):
        picture(root / "images" / f"{number}.png", 10 * number)
    instances = {
        "images": [{"id": n, "file_name": f"{n}.png", "width": 6, "height": 6} for n in range(4)],
        "annotations": [{"id": n, "image_id": n, "category_id": n % 2, "bbox": [1, 1, 3, 3]} for n in range(4)],
        "categories": [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}],
    }
    (root / "annotations").mkdir()
    (root / "annotations" / "instances.json").write_text(json.dumps(instances))


def write_signals(root: Path) -> None:
    for label in ("a", "b"):
        (root / label).mkdir(parents=True)
        rows = "\n".join(f"{n},{n * n}" for n in range(64))
        (root / label / "log.csv").write_text(f"x,y\n{rows}\n")


def write_table(root: Path) -> None:
    root.mkdir(parents=True)
    for name in ("north", "south"):
        rows = "\n".join(f"{n},{n / 8},{'odd' if n % 2 else 'even'},{'ab'[n % 2]}" for n in range(8))
        (root / f"{name}.csv").write_text(f"n,x,what,label\n{rows}\n")


WRITERS: dict[str, Callable[[Path], None]] = {
    "image_folder": write_image_folder,
    "yolo": write_yolo,
    "coco": write_coco,
    "signals": write_signals,
    "table": write_table,
}
FEW = {
    "traffic_signs": {"count": 6},
    "traffic_signs_crops": {"count": 6},
    "vibration": {"machines": 2, "windows": 1},
    "signals": {"length": 16},
}


@pytest.fixture(scope="module", params=plugins.names("sources"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def path(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    if not plugins.load("sources", name).needs_place:
        return None
    root = tmp_path_factory.mktemp(name) / "data"
    WRITERS[name](root)
    return root


def asked(name: str, path: Path | None) -> Iterator[RawSample]:
    source = plugins.load("sources", name)
    found: Iterator[RawSample] = source.samples(path, source.options(**FEW.get(name, {})))
    return found


@pytest.fixture(scope="module")
def samples(name: str, path: Path | None) -> list[RawSample]:
    return list(asked(name, path))


def content_of(sample: RawSample) -> bytes:
    if sample.content is not None:
        return sample.content
    file = local_path(sample.uri or "")
    assert file is not None
    return file.read_bytes()


def described(sample: RawSample) -> tuple[object, ...]:
    return sample.label, sample.group, sample.boxes, sample.metadata, content_of(sample)


def test_it_has_samples(samples):
    assert samples


def test_samples_come_one_by_one(name, path):
    assert isinstance(asked(name, path), Iterator)


def test_ids_are_unique(samples):
    assert len({sample.id for sample in samples}) == len(samples)


def test_the_same_samples_come_at_every_reading(name, path, samples):
    assert sorted(asked(name, path), key=lambda s: s.id) == sorted(samples, key=lambda s: s.id)


@pytest.mark.slow
def test_what_lies_in_s3_gives_the_samples_of_the_same_folder(name, path, samples, s3):
    if path is None:
        pytest.skip("it draws its own samples")
    push(path, s3)
    with view_of(s3) as view:
        found = {sample.id: described(sample) for sample in asked(name, view.path)}
    assert found == {sample.id: described(sample) for sample in samples}


def test_ids_name_no_place_on_this_machine(path, samples):
    assert not any(sample.id.startswith("/") or str(path) in sample.id for sample in samples)


def test_a_sample_has_either_content_or_an_absolute_uri(samples):
    for sample in samples:
        assert (sample.content is None) != (sample.uri is None)
        assert sample.uri is None or urlsplit(sample.uri).scheme


def test_no_sample_of_clean_data_is_at_fault(samples):
    assert [sample.error for sample in samples if sample.error] == []


def test_every_sample_has_a_class_or_boxes_with_classes(name, samples):
    for sample in samples:
        if plugins.load("sources", name).kind == "detection":
            assert sample.label is None
            assert sample.boxes is not None
            assert all(box.label for box in sample.boxes)
        else:
            assert isinstance(sample.label, str) and sample.label
            assert sample.boxes is None


def test_more_than_one_class_is_there(name, samples):
    classes = {s.label for s in samples if s.label} | {box.label for s in samples for box in s.boxes or ()}
    assert len(classes) > 1


def test_the_features_of_its_kind_are_read_from_every_sample(name, samples):
    features = plugins.load("features", plugins.load("sources", name).kind)
    rows = [features.read(content_of(sample), sample) for sample in samples]
    columns = {column.name for column in features.described(rows)}
    assert all(row.keys() == columns for row in rows)


def test_metadata_are_texts(samples):
    assert all(isinstance(value, str) for sample in samples for value in sample.metadata.values())


def test_a_path_that_it_cannot_use_is_a_data_fault(name, tmp_path):
    with pytest.raises(DataFault):
        list(asked(name, tmp_path / "nowhere"))


def test_no_path_is_a_data_fault_where_one_is_needed(name):
    if not plugins.load("sources", name).needs_place:
        assert next(asked(name, None))
        return
    with pytest.raises(DataFault):
        list(asked(name, None))
