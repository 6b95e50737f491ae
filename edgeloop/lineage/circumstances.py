"""The circumstances of a run: clock, host, engine, and the commit where there is Git."""

import os
import platform
import shutil
import socket
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from edgeloop import __version__
from edgeloop.lineage.code import LOCK_FILE, PACKAGES, project_root
from edgeloop.lineage.evidence import Promotion, RunBody, Trigger

ENGINE_VARIABLE = "EDGELOOP_ENGINE"
_GIT_TIMEOUT_S = 10


def circumstances(
    run_ids: Mapping[str, str], *, trigger: Trigger | None = None, promotion: Promotion | None = None
) -> RunBody:
    """Of the process that asks, now."""
    commit, dirty = git_state(project_root())
    return RunBody(
        engine=os.environ.get(ENGINE_VARIABLE) or None,
        edgeloop_version=__version__,
        python_version=platform.python_version(),
        host=socket.gethostname(),
        registered_at=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit,
        dirty=dirty,
        run_ids=dict(sorted(run_ids.items())),
        trigger=trigger,
        promotion=promotion,
    )


def git_state(root: Path) -> tuple[str | None, bool | None]:
    """The commit of the project in `root`, and whether its sources differ from it; None without Git."""
    if shutil.which("git") is None or not (root / ".git").exists():
        return None, None
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", *PACKAGES, LOCK_FILE)
    return commit or None, bool(changes) if commit and changes is not None else None


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints, or None where it cannot say."""
    try:
        answer = subprocess.run(  # noqa: S603 -- fixed arguments, no shell
            ["git", "-C", str(root), *arguments],  # noqa: S607 -- the user's git
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
