from pathlib import Path

import pytest

from edgeloop.contract import Contract
from edgeloop.errors import ModelFault
from edgeloop.lineage import document


class Note(Contract):
    content: dict[str, object]


TRAPS = [
    1e-05, 1e300, 0.1, 1.0, -0.0, 10**30, True, None, "", "yes", "1e3", "0x1f", "2026-11-21", "12:30:00", "~", "null",
    " edge ", "a: b", "# no", "- x", "é ☃ 🚗", "two\nlines\n", "tab\tbed", "=", "<<", "\x07", "\u2028", "é", [],
    {}, [[1, [2.5]], {"a": [None]}], "'\"", "x" * 500, "123e45",
]  # fmt: skip


@pytest.mark.parametrize("value", TRAPS, ids=repr)
def test_a_value_is_read_back_as_it_was_written(value: object, tmp_path: Path) -> None:
    note = Note(content={"plain": value, "twice": [value, value], str(value)[:20] or "empty": 1})
    path = tmp_path / "note.yaml"
    path.write_text(document.text_of({"content": note.content}), encoding="utf-8")
    assert repr(document.read(path, Note)) == repr(note)


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x",
        "a: 1\na: 2",
        "content: {c: 1, c: 2}",
        "content: {<<: {a: 1}, b: 2}",
        "1: 2",
        "[" * 200_000,
        "- " * 1_000,
        "a: !!python/object/apply:os.system [ls]",
        "a: 1\n---\na: 2",
        "a: [",
        "\x00",
    ],
    ids=lambda text: text[:20],
)
def test_what_two_readers_could_read_differently_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "note.yaml"
    path.write_text(text)
    with pytest.raises(ModelFault, match="is not readable YAML") as caught:
        document.read(path, Note)
    assert str(path) in caught.value.line()


def test_what_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ModelFault, match="is not readable YAML"):
        document.read(tmp_path / "note.yaml", Note)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "note.yaml"
    with path.open("wb") as file:
        file.truncate(document.MAX_BYTES + 1)
    with pytest.raises(ModelFault, match="is larger than"):
        document.read(path, Note)
