"""Looks at every raw sample once: its digest, its features, or why it cannot be used.

A bad sample is a value here, never an exception. The first samples are looked at by this process; where they show that
the rest takes long enough to pay for it, processes of its own on every core look at the rest. (Threads do not: the
interpreter is what they would wait for.) What is found out, and its order, is the same either way. Each process holds
one content at a time, and of small pictures what some hundred of them show.
"""

import os
import pickle
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgeloop.canonical import sha256_of_bytes
from edgeloop.data.dataset import local_path
from edgeloop.data.features import Features, FeaturesOfMany, Value
from edgeloop.data.processes import ProcessDied, in_processes, paying
from edgeloop.data.sources import RawSample
from edgeloop.data.storage import content_at
from edgeloop.errors import DataFault, EnvironmentFault, MissingExtra
from edgeloop.progress import progress

MAX_FILE_BYTES = 256 << 20
"""Of a larger file nothing is read."""

_FIRST = 64
"""So many samples tell how long the others take, or as many as take _CHUNK_S."""

_CHUNK_S = 0.2
_CHUNK_SAMPLES = 512
"""What one process looks at before it is asked again: about so long, at most so many."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was found out about one sample; either `features` or `error` is there."""

    sha256: str | None = None
    features: Mapping[str, Value] | None = None
    error: str | None = None


class Observations:
    """One observation a sample, in their order; their features are packed, some hundred samples at a time.

    As objects they would be most of what a large dataset takes.
    """

    def __init__(self) -> None:
        self.digests: list[str | None] = []
        self.errors: list[str | None] = []
        self._packed: list[bytes] = []

    def add(self, part: Sequence[Observation]) -> None:
        """Those of the next samples."""
        self.digests += (row.sha256 for row in part)
        self.errors += (row.error for row in part)
        self._packed.append(pickle.dumps([row.features for row in part], pickle.HIGHEST_PROTOCOL))

    def __len__(self) -> int:
        return len(self.errors)

    def __iter__(self) -> Iterator[Observation]:
        return map(Observation, self.digests, self.features(), self.errors)

    def features(self) -> Iterator[Mapping[str, Value] | None]:
        """Of each sample; None where it cannot be read."""
        return (row for packed in self._packed for row in pickle.loads(packed))  # noqa: S301 what `add` has packed


def observed(samples: Sequence[RawSample], features: Features, *, processes: int | None = None) -> Observations:
    """One observation a sample, in their order.

    Args:
        samples: What to look at.
        features: What to look for.
        processes: That look at what comes after the first samples; by default as many as pay for themselves.

    Raises:
        EnvironmentFault: A process died, such as for want of memory.
        MissingExtra: A package that reads them is not installed.
    """
    found = Observations()
    unreadable = 0
    with progress("prepare_data", len(samples)) as advance:
        for part in _parts(samples, features, processes):
            found.add(part)
            unreadable += sum(row.error is not None for row in part)
            advance(len(part), f"{unreadable} unreadable" if unreadable else "")
    return found


def _parts(samples: Sequence[RawSample], features: Features, processes: int | None) -> Iterator[list[Observation]]:
    """The observations in their order, some at a time."""
    yield _chunk(samples[:1], features)  # imports what it needs, so it tells nothing of the others
    began = time.perf_counter()
    first: list[Observation] = []
    for sample in samples[1:_FIRST]:
        first.append(observation(sample, features))
        if time.perf_counter() > began + _CHUNK_S:
            break
    seconds_each = max(1e-9, time.perf_counter() - began) / max(1, len(first))
    yield first
    rest = samples[1 + len(first) :]
    if processes is None:
        processes = paying(len(rest) * seconds_each) if _travels(features) else 1
    size = max(1, min(_CHUNK_SAMPLES, int(_CHUNK_S / seconds_each), -(-len(rest) // processes)))
    chunks = (rest[start : start + size] for start in range(0, len(rest), size))
    if processes == 1:
        yield from (_chunk(chunk, features) for chunk in chunks)
    else:
        yield from _spread(chunks, features, processes)


def _chunk(samples: Sequence[RawSample], features: Features) -> list[Observation]:
    if isinstance(features, FeaturesOfMany):
        try:
            return _together(samples, features)
        except MemoryError:  # one of them needs too much
            pass
    return [observation(sample, features) for sample in samples]


def _together(samples: Sequence[RawSample], features: FeaturesOfMany) -> list[Observation]:
    """What `observation` gives for each."""
    found: list[Observation] = []
    digests: dict[int, str] = {}

    def contents() -> Iterator[tuple[bytes, RawSample]]:
        for place, sample in enumerate(samples):
            content = _read(sample)
            if isinstance(content, Observation):
                found.append(content)
                continue
            found.append(_AWAITED)
            digests[place] = sha256_of_bytes(content)
            yield content, sample

    rows = features.read_many(contents())
    for (place, sha256), row in zip(digests.items(), rows, strict=True):
        found[place] = _observed(sha256, row)
    return found


_AWAITED = Observation()


def _observed(sha256: str, row: Mapping[str, Value] | DataFault) -> Observation:
    return Observation(sha256, error=row.what) if isinstance(row, DataFault) else Observation(sha256, features=row)


def _travels(features: Features) -> bool:
    """Whether another process can have the plug-in: not one that was made in a function or a script."""
    try:
        return b"__main__" not in pickle.dumps(features)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False


def _spread(chunks: Iterator[Sequence[RawSample]], features: Features, processes: int) -> Iterator[list[Observation]]:
    """The observations of every chunk, in their order."""
    try:
        yield from in_processes(partial(_chunk, features=features), chunks, processes=processes)
    except ProcessDied as died:
        unanswered = [sample.id for chunk in died.unanswered for sample in (chunk[0], chunk[-1])]
        raise EnvironmentFault(
            "a process that looked at samples died",
            where=f"samples {unanswered[0]} to {unanswered[-1]}" if unanswered else "prepare_data",
            fix="give it more memory, or remove the sample that kills it",
        ) from died


def observation(sample: RawSample, features: Features) -> Observation:
    """What there is to know about one sample."""
    content = _read(sample)
    if isinstance(content, Observation):
        return content
    sha256 = sha256_of_bytes(content)
    try:
        return Observation(sha256, features=features.read(content, sample))
    except DataFault as fault:
        return _observed(sha256, fault)
    except MemoryError:
        return Observation(sha256, error="needs more memory than there is")


def _read(sample: RawSample) -> bytes | Observation:
    """The bytes of a sample, or why it has none."""
    if sample.error is not None:
        return Observation(error=sample.error)
    try:
        return _content(sample)
    except MissingExtra:
        raise
    except _Unusable as reason:
        return Observation(error=str(reason))
    except DataFault as fault:
        return Observation(error=fault.what)
    except Exception as error:  # a file system or server of any kind may stand behind a uri
        return Observation(error=f"cannot be read ({_reason(error)})")


class _Unusable(Exception):
    """Why there is no content to look at."""


def _content(sample: RawSample) -> bytes:
    """The sample's bytes.

    Raises:
        _Unusable: There are none, or too many.
    """
    if sample.packed is not None:
        return sample.packed.read()
    if sample.content is not None:
        return sample.content
    if sample.uri is None:
        raise _Unusable("has neither content nor uri")
    path = local_path(sample.uri)
    return content_at(sample.uri) if path is None else _file(path)


def _file(path: Path) -> bytes:
    """The bytes of a regular file that nobody writes meanwhile; a pipe or a device is not even opened.

    Raises:
        _Unusable: It is no such file, or too large.
    """
    name = os.fspath(path)
    _refuse_irregular(os.stat(name))  # noqa: PTH116 - half the time of Path.stat, which is felt for small pictures
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        _refuse_irregular(before)  # it may have been replaced since
        content = bytes(file.read(before.st_size + 1) or b"")
        after = os.fstat(file.fileno())
    if len(content) != before.st_size or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _Unusable("changed while it was read")
    return content


def _refuse_irregular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _Unusable("is not a regular file")
    if status.st_size > MAX_FILE_BYTES:
        raise _Unusable(f"is a file of {status.st_size:,} bytes, more than {MAX_FILE_BYTES:,}")


def _reason(error: Exception) -> str:
    """The reason without any path."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
