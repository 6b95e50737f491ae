import contextlib
import json

from edgeloop.errors import ModelFault
from edgeloop.progress import MARK, VARIABLE, counted, progress, share


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


def test_a_part_that_fails_is_counted_as_a_whole_and_one_that_is_tried_again_once(monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, "lines")
    with progress("convert", 20) as advance:
        with contextlib.suppress(ModelFault), share(advance, 10) as counted:
            counted(3, "written")
            raise ModelFault("no such operator")
        with share(advance, 10) as counted:
            counted(8, "compared")
            counted(8, "compared again")
    marks = [json.loads(line.removeprefix(MARK)) for line in capsys.readouterr().err.splitlines()]
    assert [(mark["done"], mark["text"]) for mark in marks] == [
        (3, "written"),
        (10, "written"),
        (18, "compared"),
        (20, "compared again"),
    ]


def test_items_whose_number_nobody_knows_are_counted(monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, "lines")
    assert list(counted(range(35), "prepare_data")) == list(range(35))
    marks = [json.loads(line.removeprefix(MARK)) for line in capsys.readouterr().err.splitlines()]
    assert [(mark["done"], mark["total"], mark["text"]) for mark in marks] == [
        (10, 10, "10 found"),
        (20, 20, "20 found"),
        (30, 30, "30 found"),
    ]


def test_many_items_are_few_lines(monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, "lines")
    assert sum(1 for _ in counted(range(100_000), "prepare_data")) == 100_000
    assert len(capsys.readouterr().err.splitlines()) < 200
