"""One device: its candidates take turns in rounds, each in a resident process of its own.

One process runs while the others wait for their next question, so that what drifts over minutes (clock, temperature)
meets all candidates alike. A round in which something else had the CPU is taken again, a bounded number of times.
"""

import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from edgeloop import plugins
from edgeloop.benchmarking.environment import Environment
from edgeloop.benchmarking.messages import Loaded, Outputs, Peak, Timed, Told, Warm, asked
from edgeloop.benchmarking.plan import turns
from edgeloop.benchmarking.profiles import Profile
from edgeloop.benchmarking.records import Record, Stop, Turn, stop_of, stopping
from edgeloop.benchmarking.staging import Material, staged_model
from edgeloop.benchmarking.worker import arguments
from edgeloop.devices import Device
from edgeloop.errors import DeviceFault, EdgeloopError, MissingExtra
from edgeloop.progress import Advance
from edgeloop.runtimes import Arrays
from edgeloop.transports import Connection, Conversation

LOAD_TIMEOUT_S = 300.0
"""For the first import of a large library and the first inference on a slow device."""

PREPROCESS_QUERIES = 100

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5


@dataclass(frozen=True)
class Order:
    """What holds for the whole run.

    Args:
        sleep: Waits the given seconds, for a busy machine to become calm.
    """

    profile: Profile
    seed: int
    material: Material
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Surroundings:
    """What the device says of itself; null where it was lost."""

    before: Environment | None = None
    after: Environment | None = None
    preprocess_ms: float | None = None


@dataclass(frozen=True)
class _Seat:
    """A candidate and the process that it runs in."""

    record: Record
    conversation: Conversation

    @property
    def query_s(self) -> float:
        """How long one query is expected to take."""
        return self.record.warm[-1].query_ns / 1e9


def measure_on(device: Device, records: Sequence[Record], *, order: Order, advance: Advance) -> Surroundings:
    """Fills the records of one device; a fault becomes a stop of the candidates that it strikes."""
    allowed = device.runtimes
    for record in records:
        runtime = record.candidate.target.runtime
        if allowed is not None and runtime not in allowed:
            record.stop = Stop("not evaluated", f"{runtime} is not among the runtimes of {device.name}")
    try:
        with (
            plugins.load("transports", device.transport).connected(device.address) as connection,
            connection.converse(arguments(1)) as survey,
        ):
            return _measured(connection, survey, records=records, order=order, advance=advance)
    except EdgeloopError as error:
        for record in records:
            record.stop = record.stop or stop_of(error)
        return Surroundings()


def _measured(
    connection: Connection, survey: Conversation, *, records: Sequence[Record], order: Order, advance: Advance
) -> Surroundings:
    before = asked(survey, "environment", Environment, timeout_s=LOAD_TIMEOUT_S)
    models = {record.candidate.name: _put_model(connection, record, order) for record in records if not record.stop}
    timing, single = connection.put(order.material.timing), connection.put(order.material.single)
    for restart in range(order.profile.restarts):
        with ExitStack() as stack:
            seats = [
                seat
                for record in records
                if record.stop is None
                and (seat := _seated(stack, connection, record, models[record.candidate.name], timing, order))
            ]
            advance(len(seats), "loaded and warm")
            _rounds(seats, restart=restart, order=order, advance=advance)
            if restart == order.profile.restarts - 1:
                _collect_outputs(connection, seats, cores=before.cores, order=order, advance=advance)
                _collect_placements(seats)
    alive = [record for record in records if record.stop is None]
    with _pool(alive, cores=before.cores) as pool:
        measured = partial(_measure_memory, connection, models=models, single=single, order=order)
        for record, _ in zip(alive, pool.map(measured, alive), strict=True):
            advance(1, f"{record.candidate.name}: memory")
    preprocess_ms = _preprocess_ms(connection, survey, order)
    after = asked(survey, "environment", Environment, timeout_s=LOAD_TIMEOUT_S)
    return Surroundings(before=before, after=after, preprocess_ms=preprocess_ms)


def _put_model(connection: Connection, record: Record, order: Order) -> str:
    """The model file's path on the device."""
    placed = record.candidate.placed
    folder = order.material.folder / record.candidate.name
    folder.mkdir()
    return f"{connection.put(staged_model(placed, folder))}/{placed.variant.file}"


def _seated(
    stack: ExitStack, connection: Connection, record: Record, model: str, timing: str, order: Order
) -> _Seat | None:
    """The candidate in a new process, loaded and warm; null where it stopped."""
    with stopping(record):
        conversation = stack.enter_context(connection.converse(arguments(record.candidate.target.threads)))
        if _loaded(conversation, record, model, timing):
            profile = order.profile
            warm = asked(
                conversation,
                "warm_up",
                Warm,
                timeout_s=LOAD_TIMEOUT_S + profile.warm_up_limit_ms / 1e3,
                queries=profile.warm_up_queries,
                duration_ns=profile.warm_up_ms * 1_000_000,
                limit_ns=profile.warm_up_limit_ms * 1_000_000,
                settled=profile.settled,
            )
            record.warm.append(warm)
            return _Seat(record, conversation)
    return None


def _loaded(conversation: Conversation, record: Record, model: str, inputs: str) -> bool:
    """Whether the candidate's runtime is there and has loaded the file; its record tells the rest."""
    candidate = record.candidate
    loaded = asked(
        conversation,
        "load",
        Loaded,
        timeout_s=LOAD_TIMEOUT_S,
        runtime=candidate.target.runtime,
        file=model,
        sha256=candidate.placed.variant.sha256,
        threads=candidate.target.threads,
        inputs=inputs,
    )
    if not loaded.state.available:
        record.stop = Stop("not evaluated", f"{candidate.target.runtime} is not available: {loaded.state.reason}")
        return False
    record.loaded.append(loaded)
    return True


def _rounds(seats: Sequence[_Seat], *, restart: int, order: Order, advance: Advance) -> None:
    """Rounds until every candidate has enough uncontended ones, or the extra ones are used up."""
    profile = order.profile
    by_name = {seat.record.candidate.name: seat for seat in seats}
    pause_s = _FIRST_PAUSE_S
    for number in range(profile.rounds + profile.extra_rounds):
        alive = [name for name, seat in by_name.items() if seat.record.stop is None]
        if all(len(by_name[name].record.kept_turns(restart)) >= profile.rounds for name in alive):
            return
        if number >= profile.rounds:
            order.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        for name in turns(alive, seed=order.seed, restart=restart, turn=number):
            _take_turn(by_name[name], restart=restart, number=number, profile=profile)
            advance(int(number < profile.rounds), f"{name}: round {number + 1}")


def _take_turn(seat: _Seat, *, restart: int, number: int, profile: Profile) -> None:
    block = seat.record.warm[-1].block
    expected_s = max(profile.round_ms / 1e3, profile.round_queries * block * seat.query_s)
    with stopping(seat.record):
        timed = asked(
            seat.conversation,
            "time",
            Timed,
            timeout_s=_timeout_s(expected_s),
            queries=profile.round_queries,
            duration_ns=profile.round_ms * 1_000_000,
        )
        seat.record.turns.append(Turn(restart=restart, number=number, timed=timed))


def _collect_outputs(
    connection: Connection, seats: Sequence[_Seat], *, cores: int, order: Order, advance: Advance
) -> None:
    """Outputs for all samples, from the very process and file that was timed."""
    with _pool([seat.record for seat in seats], cores=cores) as pool:
        for chunk in order.material.chunks():
            remote = connection.put(chunk)
            with np.load(chunk) as arrays:
                samples = len(arrays["inputs"])
            alive = [seat for seat in seats if seat.record.stop is None]
            paths = pool.map(partial(_answered, inputs=remote, samples=samples), alive)
            for seat, path in zip(alive, paths, strict=True):
                if path is not None:
                    with stopping(seat.record):
                        seat.record.outputs.append(_fetched(connection, path, order.material.folder))
    advance(len(seats), "outputs")


def _pool(records: Sequence[Record], *, cores: int) -> ThreadPoolExecutor:
    """For as many candidates at once as the device has cores for, when nothing is timed any more."""
    busiest = max((record.candidate.target.threads for record in records), default=1)
    return ThreadPoolExecutor(max(1, cores // busiest))


def _answered(seat: _Seat, *, inputs: str, samples: int) -> str | None:
    """Where on the device the outputs for a chunk lie; null where the candidate stopped."""
    with stopping(seat.record):
        timeout_s = _timeout_s(samples * seat.query_s)
        return asked(seat.conversation, "outputs", Outputs, timeout_s=timeout_s, inputs=inputs).path
    return None


def _collect_placements(seats: Sequence[_Seat]) -> None:
    """Where each model's operators were computed, after everything was timed; what does not tell stops nothing."""
    for seat in seats:
        if seat.record.stop is None:
            with suppress(EdgeloopError):
                told = asked(seat.conversation, "placement", Told, timeout_s=LOAD_TIMEOUT_S)
                seat.record.placement = told.placement


def _fetched(connection: Connection, remote: str, folder: Path) -> Arrays:
    """Outputs by name from an npz on the device.

    Raises:
        DeviceFault: It is not there, or no npz of plain arrays.
    """
    path = folder / "fetched.npz"
    connection.get(remote, path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: np.asarray(arrays[name], dtype=np.float32) for name in arrays.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DeviceFault(f"wrote outputs that cannot be read ({error})", where="worker", fix="run again") from error
    finally:
        path.unlink(missing_ok=True)


def _measure_memory(
    connection: Connection, record: Record, *, models: Mapping[str, str], single: str, order: Order
) -> None:
    """A process that only loads and runs the model, with one input, and then tells its peak."""
    with stopping(record), connection.converse(arguments(record.candidate.target.threads)) as conversation:
        alone = Record(candidate=record.candidate)
        if _loaded(conversation, alone, models[record.candidate.name], single):
            queries = order.profile.round_queries
            timeout_s = _timeout_s(queries * record.warm[-1].query_ns / 1e9)
            asked(conversation, "time", Timed, timeout_s=timeout_s, queries=queries, duration_ns=0)
            peak = asked(conversation, "peak", Peak, timeout_s=LOAD_TIMEOUT_S)
            record.peak_memory_bytes = peak.peak_memory_bytes


def _preprocess_ms(connection: Connection, survey: Conversation, order: Order) -> float | None:
    """The median of decode, resize and normalise of a real file; null where there is no file or no Pillow."""
    material = order.material
    if material.content is None or material.samples is None:
        return None
    try:
        timed = asked(
            survey,
            "preprocess",
            Timed,
            timeout_s=LOAD_TIMEOUT_S,
            samples=connection.put(material.content),
            preprocessing=material.samples.preprocessing.values(),
            queries=PREPROCESS_QUERIES,
        )
    except MissingExtra:
        return None
    return median(timed.latencies_ns) / 1e6


def _timeout_s(expected_s: float) -> float:
    """Long enough for a device that another program slows down, short enough to notice that it is gone."""
    return 60 + 20 * expected_s
