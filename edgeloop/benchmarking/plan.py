"""Which candidates there are, and in which order they take turns."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edgeloop import plugins
from edgeloop.benchmarking import Target
from edgeloop.variants import Check, PlacedVariant


@dataclass(frozen=True)
class Candidate:
    """A variant on a target."""

    placed: PlacedVariant
    target: Target

    @property
    def name(self) -> str:
        """`<variant>@<target>`."""
        return f"{self.placed.variant.name}@{self.target.name}"


def candidates_of(variants: Iterable[PlacedVariant], targets: Iterable[Target]) -> list[Candidate]:
    """Every accepted variant on every target whose runtime can load its format, target by target.

    Raises:
        PluginFault: No runtime of that name.
    """
    accepted = [placed for placed in variants if placed.variant.accepted]
    return [
        Candidate(placed=placed, target=target)
        for target in targets
        for placed in accepted
        if placed.variant.format in plugins.load("runtimes", target.runtime).formats
    ]


def idle_targets(candidates: Sequence[Candidate], targets: Iterable[Target]) -> tuple[Check, ...]:
    """A check that is not evaluated for every target that has nothing to run."""
    busy = {candidate.target.name for candidate in candidates}
    return tuple(
        Check(
            name=f"target {target.name}",
            status="not evaluated",
            reason=f"no variant is in a format that {target.runtime} loads",
        )
        for target in targets
        if target.name not in busy
    )


def turns(names: Sequence[str], *, seed: int, restart: int, turn: int) -> list[str]:
    """The order of one round: a permutation that follows from the seed and the round alone.

    A fixed order would let each candidate always meet the caches and clocks that the same neighbour leaves behind.
    """
    order = sorted(names)
    random.Random(f"{seed}/{restart}/{turn}").shuffle(order)  # noqa: S311  an order, no secret
    return order
