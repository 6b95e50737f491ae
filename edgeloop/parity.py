"""How near the outputs of one model file are to those of another, on the same inputs.

Legend: `N` samples, `K` classes. The reference is always named first.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.errors import ModelFault

Floats = NDArray[np.float32]


class Parity(Contract):
    """One output of a candidate against the same output of the reference."""

    output: str
    samples: int = Field(description="N")
    max_relative_error: float | None = Field(description="null where a value is not finite")
    sqnr_db: float | None = Field(description="null where nothing differs or a value is not finite")
    agreement: float = Field(description="share of samples with the same answer, the largest value of the last axis")


def compared(reference: Mapping[str, Floats], candidate: Mapping[str, Floats]) -> tuple[Parity, ...]:
    """Every output of the reference against the candidate's output of that name, in the reference's order.

    Raises:
        ModelFault: An output is missing or has another shape.
    """
    for name, expected in reference.items():
        if name not in candidate:
            raise ModelFault(f"gives no output {name!r}", where="parity", fix="convert the model again")
        if candidate[name].shape != expected.shape:
            raise ModelFault(
                f"output {name!r} has shape {candidate[name].shape}, not {expected.shape}",
                where="parity",
                fix="convert the model again",
            )
    return tuple(
        Parity(
            output=name,
            samples=len(expected),
            max_relative_error=max_relative_error(expected, candidate[name]),
            sqnr_db=sqnr_db(expected, candidate[name]),
            agreement=agreement(expected, candidate[name]),
        )
        for name, expected in reference.items()
    )


def joined(parts: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """The outputs of several runs as those of one, along N; at least one part."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def max_relative_error(reference: Floats, candidate: Floats) -> float | None:
    """Largest |reference − candidate| / max |reference|; None where a value is not finite.

    One scale for the whole output: the elementwise ratio says nothing where the reference passes through zero.
    """
    if not (np.isfinite(reference).all() and np.isfinite(candidate).all()):
        return None
    error = float(np.abs(_wide(reference) - _wide(candidate)).max(initial=0))
    scale = float(np.abs(_wide(reference)).max(initial=0))
    if error == 0:
        return 0.0
    return error / scale if scale > 0 else None


def sqnr_db(reference: Floats, candidate: Floats) -> float | None:
    """Signal to quantization noise, 10 log10(Σ reference² / Σ (reference − candidate)²), in decibels."""
    signal = float(np.square(_wide(reference)).sum())
    noise = float(np.square(_wide(reference) - _wide(candidate)).sum())
    if not (np.isfinite(signal) and np.isfinite(noise)) or signal == 0 or noise == 0:
        return None
    return float(10 * np.log10(signal / noise))


def agreement(reference: Floats, candidate: Floats) -> float:
    """Share of the answers that are the same; 1 where there are none. A value that is no number agrees with nothing."""
    if reference.size == 0:
        return 1.0
    numbers = ~(np.isnan(reference).any(axis=-1) | np.isnan(candidate).any(axis=-1))
    same: NDArray[np.bool_] = (reference.argmax(axis=-1) == candidate.argmax(axis=-1)) & numbers
    return float(same.mean())


def _wide(values: Floats) -> NDArray[np.float64]:
    return values.astype(np.float64)
