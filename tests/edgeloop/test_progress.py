import json

from edgeloop.progress import MARK, VARIABLE, progress


def test_a_parent_that_watches_gets_one_json_line_a_change(monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, "lines")
    with progress("train", 3) as advance:
        advance(1, "first")
        advance(2, "rest")
    marks = [json.loads(line.removeprefix(MARK)) for line in capsys.readouterr().err.splitlines()]
    assert [(mark["done"], mark["total"], mark["text"]) for mark in marks] == [(1, 3, "first"), (3, 3, "rest")]


def test_without_a_terminal_nothing_is_printed(monkeypatch, capsys):
    monkeypatch.delenv(VARIABLE, raising=False)
    with progress("train", 3) as advance:
        advance(3, "done")
    assert capsys.readouterr() == ("", "")
