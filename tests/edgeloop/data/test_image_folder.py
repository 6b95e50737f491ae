import os
from pathlib import Path

import pytest

from edgeloop.data.dataset import local_path
from edgeloop.data.sources import NoOptions
from edgeloop.data.sources.image_folder import plugin
from edgeloop.errors import DataFault


def listed(root: Path) -> dict[str, str | None]:
    return {sample.id: sample.error for sample in plugin.samples(root, NoOptions())}


def test_ids_are_paths_relative_to_the_root(pictures):
    assert {"cat/deep/00.png", "cat/01.png"} <= set(listed(pictures))


def test_the_class_is_the_first_folder(pictures):
    assert {s.label for s in plugin.samples(pictures, NoOptions()) if s.id.startswith("cat/")} == {"cat"}


def test_hidden_files_and_folders_are_no_samples(pictures):
    before = listed(pictures)
    (pictures / "cat/.DS_Store").write_text("x")
    (pictures / ".git").mkdir()
    (pictures / ".git/a.png").write_text("x")
    assert listed(pictures) == before


def test_nothing_is_decoded(pictures):
    (pictures / "cat/rubbish.png").write_bytes(b"rubbish")
    assert listed(pictures)["cat/rubbish.png"] is None


def test_a_picture_beside_the_class_folders_is_an_error_row(pictures):
    (pictures / "stray.PNG").write_bytes(b"")
    assert listed(pictures)["stray.PNG"] == "lies in no class folder"


def test_a_readme_beside_the_class_folders_is_no_sample(pictures):
    (pictures / "README.md").write_text("about")
    assert "README.md" not in listed(pictures)


def test_a_link_out_of_the_dataset_is_refused(pictures, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    (pictures / "cat/out.png").symlink_to(tmp_path / "secret.png")
    assert listed(pictures)["cat/out.png"] == "is a link that leads outside the dataset"


def test_a_link_within_the_dataset_is_followed(pictures):
    (pictures / "cat/in.png").symlink_to("01.png")
    assert listed(pictures)["cat/in.png"] is None


def test_a_link_in_a_circle_is_an_error_row(pictures):
    (pictures / "cat/circle.png").symlink_to("circle.png")
    assert listed(pictures)["cat/circle.png"] == "is a link to nothing"


def test_a_linked_folder_is_an_error_row(pictures):
    (pictures / "cat/self").symlink_to(pictures)
    assert listed(pictures)["cat/self"] == "is a link to a folder"


def test_a_linked_class_folder_is_refused(pictures, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (pictures / "elk").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataFault, match=r"elk: the class folder is a link"):
        listed(pictures)


def test_a_pipe_is_an_error_row_and_is_not_opened(pictures):
    os.mkfifo(pictures / "cat/pipe.png")
    assert listed(pictures)["cat/pipe.png"] == "is not a regular file"


@pytest.mark.parametrize("name", [b"\xff\xfe.png", b"a#b?c;d%20.png", "ü 漢.png".encode(), b"line\nbreak.png"])
def test_any_file_name_leads_back_to_its_file(pictures, name):
    path = Path(os.fsdecode(os.fsencode(pictures / "cat") + b"/" + name))
    path.write_bytes(b"x")
    found = [s for s in plugin.samples(pictures, NoOptions()) if local_path(s.uri or "") == path]
    assert [s.id.encode() for s in found]  # an id is valid UTF-8


def test_a_missing_folder_is_a_data_fault(tmp_path):
    with pytest.raises(DataFault, match="does not exist"):
        listed(tmp_path / "nowhere")


def test_an_empty_folder_is_a_data_fault(tmp_path):
    with pytest.raises(DataFault, match="is empty"):
        listed(tmp_path)


def test_a_folder_without_class_folders_is_a_data_fault(tmp_path, picture):
    picture(tmp_path / "a.png", 0)
    with pytest.raises(DataFault, match="no class sub-folder"):
        listed(tmp_path)


def test_an_empty_class_folder_is_a_data_fault(pictures):
    (pictures / "newt").mkdir()
    with pytest.raises(DataFault, match=r"newt: the class folder holds no file"):
        listed(pictures)


def test_a_file_is_not_a_folder(tmp_path, picture):
    picture(tmp_path / "a.png", 0)
    with pytest.raises(DataFault, match="is not a folder"):
        listed(tmp_path / "a.png")
