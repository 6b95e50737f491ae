"""How a scheme makes its file: what is chosen anew when a file fails its limits."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from pydantic import Field

from edgeloop.contract import Contract

Method = Literal["minmax", "entropy", "percentile"]
BiasCorrection = Literal["none", "fast", "full"]


class Tuning(Contract):
    """How the float weights are trained on before they are quantized, see `edgeloop.optimization.tuning`."""

    epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0, description="of the first step")
    seed: int = Field(ge=0)


class Recipe(Contract):
    """One way to quantize."""

    method: Method | None = Field(default="minmax", description="of the ranges; null where nothing is calibrated")
    bias_correction: BiasCorrection = "none"
    kept_float: tuple[str, ...] = Field(default=(), description="layers that are not quantized, sorted")
    tuning: Tuning | None = Field(default=None, description="null: the weights of `train` as they are")


def with_followers(
    kept: Collection[str], *, consumers: Mapping[str, Sequence[str]], layers: Collection[str]
) -> set[str]:
    """The kept layers and every node behind them up to the next layer, such as an activation or an addition.

    What a float layer gives would else be rounded right behind it, which is where a wide range does its harm.

    Args:
        kept: Names of layers.
        consumers: Of every node, the nodes that read what it gives.
        layers: The nodes that hold weights.
    """
    found, open_nodes = set(kept), list(kept)
    while open_nodes:
        for reader in consumers.get(open_nodes.pop(), ()):
            if reader not in found and reader not in layers:
                found.add(reader)
                open_nodes.append(reader)
    return found
