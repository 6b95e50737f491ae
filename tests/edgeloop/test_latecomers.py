import sys

import pytest

from edgeloop.latecomers import coming_late


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `eager` that imports `eager.heavy`, which tells when it truly runs."""
    (tmp_path / "eager").mkdir()
    (tmp_path / "eager/__init__.py").write_text("from eager import heavy\n")
    (tmp_path / "eager/heavy.py").write_text("import sys\nsys.heavy_runs = True\nANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "heavy_runs", False, raising=False)
    yield
    for name in ("eager", "eager.heavy"):
        sys.modules.pop(name, None)


def test_a_part_runs_at_its_first_use(package):
    with coming_late("eager.heavy"):
        import eager
    assert not sys.heavy_runs
    assert eager.heavy.ANSWER == 42
    assert sys.heavy_runs


def test_without_it_the_part_runs_at_once(package):
    import eager

    assert (sys.heavy_runs, eager.heavy.ANSWER) == (True, 42)


def test_what_is_not_installed_is_missing_as_ever():
    with pytest.raises(ModuleNotFoundError, match="no_such_package"), coming_late("no_such_package"):
        import no_such_package  # noqa: F401


def test_nothing_is_left_in_the_way_of_other_imports():
    before = list(sys.meta_path)
    with pytest.raises(ValueError, match="any"), coming_late("eager.heavy"):
        raise ValueError("any")
    assert sys.meta_path == before
