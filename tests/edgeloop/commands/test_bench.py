"""`edgeloop bench`: what is asked for out of range."""

import pytest
from typer.testing import CliRunner

from edgeloop.__main__ import app


@pytest.mark.parametrize("threads", ["0", "257", "999"])
def test_threads_that_no_target_may_have_are_the_users_input(tmp_path, threads):
    ended = CliRunner().invoke(app, ["bench", str(tmp_path), "--threads", threads])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "--threads" in ended.stderr
