"""The loop that anybody would write, which edgeloop's is measured against."""

from collections.abc import Callable, Iterator
from typing import Any

import torch


def plain_epochs(
    network: Any, loss_of: Callable[..., Any], *, train: Any, val: Any, mean: float, std: float, batch: int, rate: float
) -> Iterator[float]:
    """Trains an epoch whenever the next value is asked for, the mean loss on val.

    Args:
        network: Learns in place.
        loss_of: Of the outputs, the inputs and the truths of a batch.
        train: `values` and `truths`.
        val: As train.
        mean: Taken from the values, in 0..1 where they are bytes.
        std: The values are divided by it.
        batch: Samples a step.
        rate: Of learning, the same in every step.
    """
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate)

    def inputs_of(values: Any) -> Any:
        return ((values.float() / 255 if values.dtype == torch.uint8 else values) - mean) / std

    while True:
        network.train()
        for rows in torch.randperm(len(train.truths)).split(batch):
            inputs = inputs_of(train.values[rows])
            loss = loss_of(network(inputs), inputs, [train.truths[row] for row in rows.tolist()])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network.eval()
        total = 0.0
        with torch.inference_mode():
            for start in range(0, len(val.truths), batch):
                inputs = inputs_of(val.values[start : start + batch])
                truths = val.truths[start : start + batch]
                total += loss_of(network(inputs), inputs, truths).item() * len(truths)
        yield total / len(val.truths)
