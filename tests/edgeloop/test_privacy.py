import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeloop.privacy import OPT_OUTS, opt_out


def test_every_switch_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OPT_OUTS:
        monkeypatch.delenv(name, raising=False)
    opt_out()
    assert {name: os.environ[name] for name in OPT_OUTS} == OPT_OUTS


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    opt_out()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "0"


def test_the_onnx_runtime_starts_no_uploader(tmp_path: Path, root: Path) -> None:
    """Its uploader leaves a session file where temporary files go."""
    code = "from edgeloop.runtimes.onnxruntime import plugin; assert plugin.state().available"
    environment = {name: value for name, value in os.environ.items() if name not in {*OPT_OUTS, "CI"}}
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(root), "TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
    )
    assert list(tmp_path.iterdir()) == []
