"""What a chatty library says is in our log and nowhere else."""

import logging
import sys
import warnings

import pytest

from edgeloop.progress import progress
from edgeloop.quieting import quiet

LOG = logging.getLogger("edgeloop.tests.quieting")


def test_what_is_said_goes_to_the_log(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, LOG.name), quiet(LOG):
        print("a remark")
        print("a complaint", file=sys.stderr)
        warnings.warn("a warning", stacklevel=1)
        logging.getLogger("a.library").warning("a record")
    assert caplog.messages == ["a remark", "a complaint", "a warning"]
    assert capsys.readouterr() == ("", "")


def test_what_raises_is_heard_too_and_logging_goes_on_after(caplog: pytest.LogCaptureFixture) -> None:
    @quiet(LOG)
    def breaking() -> None:
        print("its last words")
        raise ValueError("it broke")

    with caplog.at_level(logging.DEBUG, LOG.name), pytest.raises(ValueError, match="it broke"):
        breaking()
    LOG.warning("after")
    assert caplog.messages == ["its last words", "after"]


def test_progress_is_shown_through_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("EDGELOOP_PROGRESS", "lines")
    with progress("quantize", 2) as advance, quiet(LOG):
        advance(1, "one file")
    assert '"done": 1' in capsys.readouterr().err
