"""Words that a program does not know are one line, and never on stdout."""

from collections.abc import Callable
from typing import Any

import pytest
import typer

from components.__main__ import app as components
from edgeloop.__main__ import app as edgeloop
from edgeloop.commands.lineage import leaves
from edgeloop.errors import EXIT_ENVIRONMENT, EXIT_INPUT, EnvironmentFault
from edgeloop.terminal import run_app, worded
from pipelines.__main__ import app as pipelines

Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """Runs a program: exit code, stdout, stderr."""

    def told(app: typer.Typer, *words: str) -> tuple[int, Any, Any]:
        monkeypatch.setattr("sys.argv", ["program", *words])
        with pytest.raises(SystemExit) as ended:
            run_app(app)
        return ended.value.code, *capsys.readouterr()

    return told


@pytest.mark.parametrize(
    ("app", "words", "what"),
    [
        (edgeloop, ["bench", "--thread", "1"], "No such option: --thread"),
        (edgeloop, ["bench"], "Missing argument 'model'"),
        (edgeloop, ["bench", "m.onnx", "--threads", "many"], "should be a valid integer"),
        (edgeloop, ["bench", "m.onnx", "--profile", "slow"], "'slow' is not one of"),
        (edgeloop, ["lineage", "shaw"], "No such command 'shaw'"),
        (pipelines, ["rin"], "No such command 'rin'"),
        (pipelines, ["run", "--scenery", "x"], "No such option: --scenery"),
        (components, ["train", "--debugging"], "No such option: --debugging"),
    ],
)
def test_a_word_that_is_not_known_is_one_line(app: typer.Typer, words: list[str], what: str, told: Told) -> None:
    code, said, complained = told(app, *words)
    assert (code, said) == (EXIT_INPUT, "")
    assert complained.startswith("error: ")
    assert what in complained
    assert complained.endswith("--help\n")
    assert complained.count("\n") == 1


@pytest.mark.parametrize("app", [edgeloop, pipelines, components])
def test_no_words_are_answered_with_the_help(app: typer.Typer, told: Told) -> None:
    code, said, complained = told(app)
    assert (code, complained) == (EXIT_INPUT, "")
    assert "Usage: " in said


@pytest.mark.parametrize("app", [edgeloop, pipelines, components])
def test_help_that_is_asked_for_is_the_result(app: typer.Typer, told: Told) -> None:
    code, said, complained = told(app, "--help")
    assert (code, complained) == (0, "")
    assert "Usage: " in said


def test_what_a_command_ends_with_is_what_the_program_ends_with(told: Told) -> None:
    app = typer.Typer()

    @app.command()
    def command(how: str) -> None:
        if how == "fault":
            raise EnvironmentFault("is gone", where="it", fix="look")
        if how == "no":
            raise typer.Exit(1)
        if how == "abort":
            raise typer.Abort

    assert told(app, "yes") == (0, "", "")
    assert told(app, "no") == (1, "", "")
    assert told(app, "abort") == (130, "", "interrupted\n")
    assert told(app, "fault") == (EXIT_ENVIRONMENT, "", "error: it: is gone; look\n")


def test_a_value_is_worded_by_its_parts_that_are_known():
    assert (
        worded({"status": "pass", "value": 0.123456, "limit": None, "of": [1, 2.5]})
        == "status pass, value 0.1235, of 1, 2.5"
    )
    assert worded(718.758663, digits=6) == "718.759"


def test_checks_are_rows_by_their_names():
    body = {"checks": {"onnx-int8": [{"name": "size_ratio", "status": "pass", "value": 0.3}]}, "none": []}
    assert leaves(body) == [("checks.onnx-int8.size_ratio", {"status": "pass", "value": 0.3})]
