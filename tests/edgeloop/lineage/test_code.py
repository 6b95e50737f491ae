import shutil
from pathlib import Path

import pytest

from edgeloop.lineage.code import LOCK_FILE, code_digest, project_root, source_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name in ("edgeloop/a.py", "edgeloop/report/page.html", "components/b.py", "pipelines/c.py", LOCK_FILE):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


@pytest.mark.parametrize("name", ["edgeloop/a.py", "edgeloop/report/page.html", "components/b.py", LOCK_FILE])
def test_a_changed_source_changes_the_digest(project: Path, name: str) -> None:
    before = code_digest(project)
    (project / name).write_text("other")
    assert code_digest(project) != before


def test_a_renamed_source_changes_the_digest(project: Path) -> None:
    before = code_digest(project)
    (project / "edgeloop/a.py").rename(project / "edgeloop/z.py")
    assert code_digest(project) != before


@pytest.mark.parametrize(
    "name",
    ["edgeloop/__pycache__/a.cpython-311.pyc", "edgeloop/__pycache__/x.py", "edgeloop/.a.py.swp", "README.md",
     "tests/test_a.py", "edgeloop/.ipynb_checkpoints/a.py", "params.yaml"],
)  # fmt: skip
def test_what_makes_no_model_does_not_count(project: Path, name: str) -> None:
    before = code_digest(project)
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("anything")
    assert code_digest(project) == before


def test_the_folder_does_not_count(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / ".hidden" / "copy")
    assert code_digest(tmp_path / ".hidden" / "copy") == code_digest(project)


def test_beside_an_installed_library_other_packages_do_not_count(project: Path) -> None:
    (project / LOCK_FILE).unlink()
    assert {path.relative_to(project).parts[0] for path in source_files(project)} == {"edgeloop"}


def test_this_project_is_found(root: Path) -> None:
    assert project_root() == root
    assert root / "edgeloop/lineage/code.py" in source_files(root)
