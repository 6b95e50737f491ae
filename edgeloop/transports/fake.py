"""A device of any speed and any fault, for tests and rehearsals: the worker's own code on a scripted clock.

The address is the script, written like the query of a URL; every key may be left out:

    latency_us=200,210&latency_us.model-int8.onnx=90,95&load_us=5000&cpu_share=1&jitter_us=0
    &fault=lost&at=time&after=3

`latency_us` are the latencies of successive queries, in a circle; with the name of a model file, of that file alone.
`cpu_share` below 1 is a contended device. `fault` happens at each `at` from the `after`-th on (counted from 0):
`lost` ends the program, `silent` lets it answer never, `rubbish` is no JSON, `strange` is JSON of another shape,
`refused` makes a runtime fail. Files lie in a folder of the device's own: a path of the
host means nothing there. Models are truly loaded and answer truly; time alone is scripted, and nothing waits.
"""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from edgeloop.benchmarking.resident import Clock, Resident, opened
from edgeloop.contract import Contract, first_fault
from edgeloop.errors import DeviceFault, InputFault, translated
from edgeloop.files import whole_file
from edgeloop.runtimes import Arrays, Session

WORKER = "edgeloop.benchmarking.worker"

_CLOCK_COST_NS = 50


class Script(Contract):
    """What the address says."""

    latency_us: tuple[float, ...] = Field(default=(100.0,), min_length=1)
    of_files: dict[str, tuple[float, ...]] = Field(default_factory=dict, description="latencies by model file name")
    load_us: float = Field(default=1000.0, ge=0)
    jitter_us: float = Field(default=0.0, ge=0, description="uniform, added to every query, from a fixed seed")
    cpu_share: float = Field(default=1.0, gt=0, description="process time over wall time")
    fault: Literal["none", "lost", "silent", "rubbish", "strange", "refused"] = "none"
    at: str = Field(default="time", description="the worker's verb that the fault strikes")
    after: int = Field(default=0, ge=0, description="times that the verb is answered well before")


class FakeTransport:
    """See the module."""

    @contextmanager
    def connected(self, address: str | None) -> Iterator["_FakeDevice"]:
        """See `edgeloop.transports.Transport`."""
        script = read_script(address or "")
        with tempfile.TemporaryDirectory() as folder:
            yield _FakeDevice(script, Path(folder))


def read_script(address: str) -> Script:
    """The script in an address.

    Raises:
        InputFault: A key or value is wrong.
    """
    values: dict[str, object] = {}
    of_files: dict[str, list[str]] = {}
    for key, value in parse_qsl(address, keep_blank_values=True):
        if key.startswith("latency_us."):
            of_files[key.removeprefix("latency_us.")] = value.split(",")
        else:
            values[key] = value.split(",") if key == "latency_us" else value
    try:
        return Script.model_validate({**values, "of_files": of_files})
    except ValidationError as error:
        raise InputFault(first_fault(error, Script), where="address of a fake device", fix="correct it") from error


class _FakeDevice:
    def __init__(self, script: Script, folder: Path) -> None:
        self._script, self._folder, self._places = script, folder, count(1)

    def put(self, path: Path) -> str:
        if not path.exists():
            raise InputFault("does not exist", where=str(path), fix="check the path")
        target = self._place() / path.name
        with translated(path):
            if path.is_dir():
                shutil.copytree(path, target)
            else:
                shutil.copyfile(path, target)
        return str(target)

    def get(self, remote: str, target: Path) -> None:
        if not Path(remote).is_file() or self._folder not in Path(remote).parents:
            raise DeviceFault("was not written on the device", where=remote, fix="see what the program said")
        with whole_file(target) as partial:
            shutil.copyfile(remote, partial)

    @contextmanager
    def converse(self, arguments: Sequence[str]) -> Iterator["_FakeProgram"]:
        program = _FakeProgram(self._script, self._place(), known=arguments[0] == WORKER)
        try:
            yield program
        finally:
            program.close()

    def _place(self) -> Path:
        """A new folder on the device."""
        place = self._folder / str(next(self._places))
        place.mkdir()
        return place


class _FakeProgram:
    """A worker in this process; any other program ends at once, as Python does with a module that it does not find."""

    def __init__(self, script: Script, work: Path, *, known: bool) -> None:
        self._script, self._asked = script, 0
        self._words = "" if known else " (last words: No module of that name)"
        self._alive = known
        clock = ScriptedClock(cpu_share=script.cpu_share)
        self._resident = Resident(
            work, clock=Clock(wall_ns=clock.wall_ns, process_ns=clock.process_ns), opener=_opener(script, clock)
        )

    def ask(self, line: str, *, timeout_s: float) -> str:
        if not self._alive:
            raise DeviceFault(f"ended with exit code 1{self._words}", where="fake device", fix="see its last words")
        fault = self._script.fault if f'"do": "{self._script.at}"' in line else "none"
        if fault != "none":
            self._asked += 1
            if self._asked > self._script.after:
                return self._struck(fault, timeout_s=timeout_s)
        return self._resident.reply(line)

    def close(self) -> None:
        self._alive = False
        self._resident.close()

    def _struck(self, fault: str, *, timeout_s: float) -> str:
        if fault == "rubbish":
            return "\x1b[0m segmentation fault \x00"
        if fault == "strange":
            return '{"answer": {"latencies_ns": "many", "path": 5}}'
        if fault == "refused":
            return '{"fault": {"kind": "ModelFault", "line": "model: an operator is unknown; convert it again"}}'
        if fault == "silent":
            raise DeviceFault(f"did not answer within {timeout_s:g} s", where="fake device", fix="is it overloaded?")
        self.close()
        raise DeviceFault("was killed by signal 9", where="fake device", fix="see its last words")


class ScriptedClock:
    """A clock that moves when it is told to, and by 50 ns whenever it is read."""

    def __init__(self, *, cpu_share: float = 1.0) -> None:
        self._now_ns, self._cpu_share = 0, cpu_share

    def wall_ns(self) -> int:
        """Now."""
        self._now_ns += _CLOCK_COST_NS
        return self._now_ns

    def process_ns(self) -> int:
        """The CPU time until now."""
        return int(self._now_ns * self._cpu_share)

    def advance(self, duration_us: float) -> None:
        """Lets time pass."""
        self._now_ns += int(duration_us * 1000)


def _opener(script: Script, clock: ScriptedClock) -> Callable[[str, Path, int], Session]:
    def opener(runtime: str, path: Path, threads: int) -> Session:
        clock.advance(script.load_us)
        latencies_us = script.of_files.get(path.name, script.latency_us)
        session = opened(runtime, path, threads)
        return _ScriptedSession(session, clock=clock, latencies_us=latencies_us, jitter_us=script.jitter_us)

    return opener


class _ScriptedSession:
    """A session that answers truly and takes as long as the script says."""

    def __init__(self, session: Session, *, clock: ScriptedClock, latencies_us: tuple[float, ...], jitter_us: float):
        self._session, self._clock, self._latencies_us = session, clock, latencies_us
        self._jitter_us, self._random, self._runs = jitter_us, random.Random(0), 0  # noqa: S311  no secret

    def run(self, inputs: NDArray[np.float32]) -> Arrays:
        self._clock.advance(
            self._latencies_us[self._runs % len(self._latencies_us)] + self._random.uniform(0, self._jitter_us)
        )
        self._runs += 1
        return self._session.run(inputs)

    def close(self) -> None:
        self._session.close()


plugin = FakeTransport()
