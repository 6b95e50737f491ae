"""What the process on the device does: answers one question at a time, and holds at most one model.

All timing happens here, beside the model, on the clock that is passed in. Needs Python, numpy, edgeloop's small
modules and the runtime; Pillow only to time the preprocessing.
"""

import gc
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter_ns, process_time_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeloop import plugins
from edgeloop.benchmarking.environment import read_environment
from edgeloop.benchmarking.profiles import CLOCK_MARGIN
from edgeloop.canonical import sha256_of_file
from edgeloop.data.inputs import preprocessing_of
from edgeloop.errors import EdgeloopError, InputFault, translated
from edgeloop.runtimes import Placed, Session

Answer = dict[str, Any]

MAX_SAMPLES = 1_000_000
"""Samples of one turn, so that an answer stays within what a transport carries."""


@dataclass(frozen=True)
class Clock:
    """Where time comes from, in ns."""

    wall_ns: Callable[[], int] = perf_counter_ns
    process_ns: Callable[[], int] = process_time_ns


def opened(runtime: str, path: Path, threads: int) -> Session:
    """The model file, loaded by a runtime of this machine."""
    session: Session = plugins.load("runtimes", runtime).open(path, threads=threads)
    return session


class Resident:
    """The process's state: the model, its inputs, and how many queries are timed together.

    Args:
        work: A folder of its own, for the outputs.
        clock: Where time comes from.
        opener: Loads a model file; `opened` but on a scripted device.
    """

    def __init__(
        self, work: Path, *, clock: Clock | None = None, opener: Callable[[str, Path, int], Session] = opened
    ) -> None:
        self._work, self._clock, self._opener = work, clock or Clock(), opener
        self._session: Session | None = None
        self._inputs: list[NDArray[np.float32]] = []
        self._turn, self._block, self._written = 0, 1, 0
        self._place = ""
        self._verbs: dict[str, Callable[..., Answer]] = {
            "environment": self._environment,
            "probe": self._probe,
            "preprocess": self._preprocess,
            "load": self._load,
            "warm_up": self._warm_up,
            "time": self._time,
            "outputs": self._outputs,
            "placement": self._placement,
            "peak": self._peak,
        }

    def reply(self, line: str) -> str:
        """The answer to one question, both as JSON on one line; see `messages`."""
        try:
            question = json.loads(line)
            verb = self._verbs.get(question.pop("do"))
            if verb is None:
                raise InputFault("unknown verb", where="worker", fix="install the same edgeloop on both sides")
            with translated("worker"):
                answer = {"answer": verb(**question)}
        except EdgeloopError as error:
            answer = self._fault(type(error).__name__, error.line())
        except Exception as error:  # a runtime may raise anything; the answer has to say so
            answer = self._fault("DeviceFault", " ".join(f"{type(error).__name__}: {error}".split()))
        return json.dumps(answer, allow_nan=False)

    def close(self) -> None:
        """Frees the model."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _environment(self) -> Answer:
        return read_environment().values()

    def _probe(self) -> Answer:
        from edgeloop.devices import probe_local

        return probe_local().values()

    def _preprocess(self, samples: str, preprocessing: dict[str, Any], queries: int) -> Answer:
        """Times decode, resize and normalise on real files: `content` and `offsets` of the npz `samples`."""
        steps = preprocessing_of(preprocessing)
        with np.load(samples) as arrays:
            content, offsets = arrays["content"].tobytes(), arrays["offsets"]
        files = [content[start:end] for start, end in pairwise(offsets)]
        steps.apply(files[0])
        began = self._clock.wall_ns(), self._clock.process_ns()
        latencies_ns = [self._timed(steps.apply, files[i % len(files)]) for i in range(queries)]
        return self._turn_of(latencies_ns, began, block=1)

    def _load(self, runtime: str, file: str, sha256: str, threads: int, inputs: str) -> Answer:
        """Loads the model and answers once; `inputs` is an npz with `inputs` of shape N, C, H, W."""
        self.close()
        path = Path(file)
        self._place = f"{path.parent}/"
        with translated(path):
            found = sha256_of_file(path)
        if found != sha256:
            raise InputFault("is not the file that was sent", where=path.name, fix="run again")
        with np.load(inputs) as arrays:
            self._inputs = [np.ascontiguousarray(sample[None]) for sample in arrays["inputs"]]
        state = plugins.load("runtimes", runtime).state()
        if not state.available:
            return {"state": state.values(), "sha256": found, "load_ns": 0, "first_ns": 0}
        began_ns = self._clock.wall_ns()
        self._session = self._opener(runtime, path, threads)
        load_ns = self._clock.wall_ns() - began_ns
        first_ns = self._timed(self._session.run, self._inputs[0])
        self._turn, self._block = 1, 1
        return {"state": state.values(), "sha256": found, "load_ns": load_ns, "first_ns": first_ns}

    def _warm_up(self, queries: int, duration_ns: int, limit_ns: int, settled: float) -> Answer:
        """Runs windows of queries until two medians in a row agree and both minima are met, or the limit is reached."""
        clock_cost_ns = _cost_ns(self._clock)
        window_ns, window_queries = max(1, duration_ns // 5), max(3, queries // 5)
        total, spent_ns, before_ns = 0, 0, math.inf
        while True:
            latencies_ns = self._queries(window_queries, window_ns, block=1)
            total, spent_ns = total + len(latencies_ns), spent_ns + int(sum(latencies_ns))
            now_ns = max(1.0, median(latencies_ns))
            enough = total >= queries and spent_ns >= duration_ns
            if spent_ns >= limit_ns or (enough and abs(now_ns - before_ns) <= settled * now_ns):
                break
            before_ns = now_ns
        self._block = max(1, math.ceil(CLOCK_MARGIN * clock_cost_ns / max(1.0, now_ns - clock_cost_ns)))
        return {"queries": total, "query_ns": int(now_ns), "clock_cost_ns": clock_cost_ns, "block": self._block}

    def _time(self, queries: int, duration_ns: int) -> Answer:
        """One turn: at least `queries` samples and `duration_ns`, one query after another, garbage collection off."""
        gc.disable()
        try:
            began = self._clock.wall_ns(), self._clock.process_ns()
            latencies_ns = self._queries(queries, duration_ns, block=self._block)
            return self._turn_of(latencies_ns, began, block=self._block)
        finally:
            gc.enable()

    def _outputs(self, inputs: str) -> Answer:
        """Runs every sample of the npz `inputs` alone, as it is timed, and writes the outputs."""
        session = self._loaded()
        with np.load(inputs) as arrays:
            answers = [session.run(np.ascontiguousarray(sample[None])) for sample in arrays["inputs"]]
        self._written += 1
        path = self._work / f"outputs-{self._written}.npz"
        outputs = {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}
        np.savez(path, **outputs)  # type: ignore[arg-type]  # numpy's stub reads any keyword as allow_pickle
        return {"path": str(path)}

    def _placement(self) -> Answer:
        session = self._loaded()
        told = session.placement(self._inputs[0]) if isinstance(session, Placed) else None
        return {"placement": told.values() if told else None}

    def _peak(self) -> Answer:
        return {"peak_memory_bytes": peak_memory_bytes()}

    def _fault(self, kind: str, line: str) -> Answer:
        """Names a file as the host knows it: the folder that it lies in here is of the moment."""
        return {"fault": {"kind": kind, "line": line.replace(self._place, "") if self._place else line}}

    def _loaded(self) -> Session:
        if self._session is None:
            raise InputFault("no model is loaded", where="worker", fix="load one first")
        return self._session

    def _timed(self, call: Callable[[Any], object], argument: object) -> int:
        began_ns = self._clock.wall_ns()
        call(argument)
        return self._clock.wall_ns() - began_ns

    def _queries(self, queries: int, duration_ns: int, *, block: int) -> list[float]:
        """Latencies of queries that take turns through the inputs; of blocks, each the mean of its queries."""
        run, clock_ns, inputs, turn = self._loaded().run, self._clock.wall_ns, self._inputs, self._turn
        latencies_ns: list[float] = []
        started_ns = clock_ns()
        while len(latencies_ns) < MAX_SAMPLES:
            batch = [inputs[(turn + i) % len(inputs)] for i in range(block)]
            began_ns = clock_ns()
            for sample in batch:
                run(sample)
            ended_ns = clock_ns()
            latencies_ns.append((ended_ns - began_ns) / block)
            turn += block
            if len(latencies_ns) >= queries and ended_ns - started_ns >= duration_ns:
                break
        self._turn = turn
        return latencies_ns

    def _turn_of(self, latencies_ns: list[Any], began: tuple[int, int], *, block: int) -> Answer:
        wall_ns, process_ns = self._clock.wall_ns() - began[0], self._clock.process_ns() - began[1]
        return {"latencies_ns": latencies_ns, "block": block, "wall_ns": max(1, wall_ns), "process_ns": process_ns}


def peak_memory_bytes() -> int | None:
    """VmHWM of this process: the most that was ever resident, interpreter and libraries included."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    sizes_kib = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(sizes_kib[0]) * 1024 if sizes_kib else None


def _cost_ns(clock: Clock) -> int:
    """What a begin and an end cost together: the median of reading the clock twice in a row."""
    pairs = [(clock.wall_ns(), clock.wall_ns()) for _ in range(1001)]
    return int(median(end - begin for begin, end in pairs))
