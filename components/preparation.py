"""prepare_data: raw data becomes the canonical dataset."""

from typing import Any

from kfp.dsl import Artifact, Dataset, Output


def prepare_data(params: dict[str, Any], dataset: Output[Dataset], profile: Output[Artifact]):
    """Reads the source, splits it, and writes index, features, shards and profile.

    Args:
        params: Section `prepare_data`.
        dataset: Folder of the canonical dataset.
        profile: JSON file with the statistics of the dataset.
    """
    from pathlib import Path

    from edgeloop.data.preparation import prepare
    from edgeloop.errors import reported
    from edgeloop.params import section

    with reported("prepare_data"):
        card = prepare(section("prepare_data", params), dataset=Path(dataset.path), profile=Path(profile.path))
        dataset.metadata.update(source=card.source, counts=dict(card.counts), digests=dict(card.digests))
