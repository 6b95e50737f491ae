import errno
import json

import pytest

from edgeloop import errors


def test_an_error_is_one_line_of_where_what_and_fix():
    error = errors.DataFault("is\nempty", where="data/cats", fix="add pictures")
    assert error.line() == "data/cats: is empty; add pictures"


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.ENOSPC, errors.DiskFull, 3),
        (errno.EROFS, errors.NotWritable, 3),
        (errno.EACCES, errors.NotWritable, 3),
        (errno.ENOENT, errors.InputFault, 2),
        (errno.EISDIR, errors.InputFault, 2),
        (errno.ENOTDIR, errors.EnvironmentFault, 3),
        (errno.EIO, errors.EnvironmentFault, 3),
    ],
)
def test_an_os_error_becomes_the_fault_that_names_its_remedy(number, kind, code):
    with pytest.raises(kind) as caught, errors.translated("place"):
        raise OSError(number, "reason", "file")
    assert caught.value.exit_code == code
    assert "file" in caught.value.line()
    assert isinstance(caught.value.__cause__, OSError)


def test_a_reported_step_leaves_its_fault_for_the_parent(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(errors.FAULT_FILE_VARIABLE, str(tmp_path / "fault.json"))
    with pytest.raises(errors.GateRefused), errors.reported("train"):
        raise errors.GateRefused("too weak", where="val", fix="train longer")
    fault = json.loads((tmp_path / "fault.json").read_text())
    assert fault == {"step": "train", "kind": "GateRefused", "line": "val: too weak; train longer", "exit_code": 1}
    assert capsys.readouterr().err == "train: val: too weak; train longer\n"


def test_the_tree_in_the_docstring_is_the_tree_of_the_code():
    drawn = {word for line in errors.__doc__.splitlines() for word in line.split()[:3] if word[:1].isupper()}
    coded = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert coded <= drawn
