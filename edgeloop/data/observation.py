"""Looks at every raw sample once: its digest, its features, or why it cannot be used.

A bad sample is a value here, never an exception. One thread does it: at 48 px two threads are slower than one, and at
720 px no faster, because the interpreter is what they wait for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeloop.canonical import sha256_of_bytes, sha256_of_file
from edgeloop.data.dataset import fetched, local_path
from edgeloop.data.features import Features, Value
from edgeloop.data.sources import RawSample
from edgeloop.errors import DataFault, MissingExtra
from edgeloop.progress import progress

MAX_FILE_BYTES = 256 << 20
"""A larger file is not read as a picture."""

_CHUNK = 64


@dataclass(frozen=True)
class Observation:
    """What was found out about one sample; either `features` or `error` is there."""

    sha256: str | None = None
    features: Mapping[str, Value] | None = None
    error: str | None = None


def observed(samples: Sequence[RawSample], features: Features) -> list[Observation]:
    """One observation a sample, in their order.

    Raises:
        MissingExtra: A package that reads them is not installed.
    """
    found: list[Observation] = []
    unreadable = 0
    chunks = [samples[start : start + _CHUNK] for start in range(0, len(samples), _CHUNK)]
    with progress("prepare_data", len(samples)) as advance:
        for chunk in chunks:
            found += [observation(sample, features) for sample in chunk]
            unreadable += sum(row.error is not None for row in found[-len(chunk) :])
            advance(len(chunk), f"{unreadable} unreadable" if unreadable else "")
    return found


def observation(sample: RawSample, features: Features) -> Observation:
    """What there is to know about one sample."""
    if sample.error is not None:
        return Observation(error=sample.error)
    try:
        content = _content(sample)
        if isinstance(content, Observation):
            return content
    except MissingExtra:
        raise
    except Exception as error:  # a file system or server of any kind may stand behind a uri
        return Observation(error=f"cannot be read ({_reason(error)})")
    sha256 = sha256_of_bytes(content)
    try:
        return Observation(sha256, features=features.read(content, sample))
    except DataFault as fault:
        return Observation(sha256, error=fault.what)
    except MemoryError:
        return Observation(sha256, error="needs more memory than there is")


def _content(sample: RawSample) -> bytes | Observation:
    """The sample's bytes, or the observation that there are none or far too many."""
    if sample.content is not None:
        return sample.content
    if sample.uri is None:
        return Observation(error="has neither content nor uri")
    path = local_path(sample.uri)
    if path is None:
        return fetched(sample.uri)
    if (size_bytes := path.stat().st_size) > MAX_FILE_BYTES:
        return Observation(
            sha256_of_file(path), error=f"is a file of {size_bytes:,} bytes, more than {MAX_FILE_BYTES:,}"
        )
    return path.read_bytes()


def _reason(error: Exception) -> str:
    """The reason without any path."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
