"""The later steps of a whole run as forks of a process that has imported their libraries already.

Most of what a small step takes is the import of torch, MLflow and the like, and KFP starts a new Python for every step.
While the first steps run, a fork server (multiprocessing's own) imports those libraries once, see
`pipelines.preloaded`; each later step is then a fork of it, with a memory, an environment and an exit code of its own,
as any process that KFP starts. What a step computes does not depend on how its process came to be.

kfp.local has no door for this, so one function of its subprocess runner is replaced while a run lasts.
"""

import atexit
import multiprocessing
import os
import runpy
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

EXECUTOR = "kfp.dsl.executor_main"
PRELOADED = "pipelines.preloaded"
MEANWHILE = ("check_params", "prepare_data", "validate_data")
"""Steps during which the libraries are imported; they are processes as KFP starts them."""

Run = Callable[..., int]


@contextmanager
def forking(steps: Sequence[str]) -> Iterator[None]:
    """Lets kfp.local fork the later steps; for a run that leaves no time to import meanwhile, nothing is done."""
    from kfp.local import subprocess_task_handler as handler

    later = set(steps) - set(MEANWHILE)
    if not later or not set(MEANWHILE) <= set(steps) or "forkserver" not in multiprocessing.get_all_start_methods():
        yield
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOADED])
    forkserver.ensure_running()
    started_by_kfp: Run = handler.run_local_subprocess

    def run(full_command: list[str], env_vars: Mapping[str, str] | None = None) -> int:
        if full_command[-1] not in later:
            return started_by_kfp(full_command, env_vars)
        return _forked(context, full_command, env_vars or {})

    handler.run_local_subprocess = run
    try:
        yield
    finally:
        handler.run_local_subprocess = started_by_kfp
        _stop()


def _stop() -> None:
    """Ends the fork server. Left to itself it takes seconds to put all it has imported away."""
    server = forkserver._forkserver
    if server._forkserver_pid is not None:
        os.kill(server._forkserver_pid, signal.SIGKILL)
    server._stop()


def _forked(
    context: multiprocessing.context.ForkServerContext, full_command: Sequence[str], variables: Mapping[str, str]
) -> int:
    """Runs a task's command in a fork, what it says on this process's stdout; its exit code.

    Args:
        context: Of the fork server.
        full_command: `sh -ec SCRIPT SOURCE ARGUMENT…`, where the script runs SOURCE by KFP's executor.
        variables: For its environment.
    """
    _, _, script, source, *arguments = full_command
    assert EXECUTOR in script, script
    heard, says = context.Pipe(duplex=False)
    # multiprocessing would import this program's own module anew in every fork
    main, sys.modules["__main__"] = sys.modules["__main__"], sys.modules[__name__]
    try:
        process = context.Process(target=_step, args=(says, source, arguments, dict(variables)))
        process.start()
    finally:
        sys.modules["__main__"] = main
    says.close()
    with os.fdopen(os.dup(heard.fileno()), encoding="utf-8", errors="replace") as lines:
        for line in lines:
            print(line, end="")
    print("\n")
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _step(says: Connection, source: str, arguments: Sequence[str], variables: Mapping[str, str]) -> None:
    """What the script of a task's command does, in this process."""
    for stream in (1, 2):
        os.dup2(says.fileno(), stream)
    os.environ.update(variables, _KFP_RUNTIME="true")
    with tempfile.TemporaryDirectory() as place:
        program = Path(place) / "ephemeral_component.py"
        program.write_text(source, encoding="utf-8")
        sys.argv = [EXECUTOR, "--component_module_path", str(program), *arguments]
        runpy.run_module(EXECUTOR, run_name="__main__")
    atexit._run_exitfuncs()  # multiprocessing leaves them out
