"""`--threads` out of range: nothing is started."""

import pytest
from typer.testing import CliRunner

from edgeloop.__main__ import app


@pytest.mark.parametrize("threads", ["0", "257", "100000"])
@pytest.mark.parametrize("command", [["bench", "model.onnx"], ["predict", "bundle", "picture.png"]])
def test_threads_that_no_target_may_have_are_the_users_input(command, threads):
    ended = CliRunner().invoke(app, [*command, "--threads", threads])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "--threads" in ended.stderr
