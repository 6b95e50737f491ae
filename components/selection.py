"""select: one winner under the limits, and the reason for every other candidate."""

from typing import Any

from kfp.dsl import Artifact, Input, Output


def select(
    params: dict[str, Any],
    measurements: Input[Artifact],
    quantized: Input[Artifact],
    selection: Output[Artifact],
):
    """Chooses; stops the run when the limits leave no candidate.

    Args:
        params: Section `select`.
        measurements: Of benchmark.
        quantized: Of quantize.
        selection: JSON file with winner, reasons and limits.
    """
    from pathlib import Path

    from edgeloop.errors import GateRefused, reported
    from edgeloop.params import section
    from edgeloop.selection import select as select_candidate

    with reported("select"):
        choice = select_candidate(
            section("select", params),
            benchmark=Path(measurements.path),
            quantized=Path(quantized.path),
            selection=Path(selection.path),
        )
        selection.metadata.update(winner=choice.winner or "", reason=choice.reason)
        if choice.winner is None:
            raise GateRefused(choice.reason, where="select", fix="loosen select.limits or make a better model")
