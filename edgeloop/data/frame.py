"""The one table that a suite looks at: index, features, and what only the whole dataset can tell.

Derived columns, one value a sample:

    readable          it has no error
    copies            samples with the very same bytes, itself included
    labels_of_bytes   different labels among those
    splits_of_bytes   different splits among those
    splits_of_group   different splits in its group; 1 without a group
    aspect_ratio      longer side / shorter side
    class_balance     readable samples of its class / those of the largest class
"""

from pathlib import Path
from typing import TYPE_CHECKING

from edgeloop import plugins
from edgeloop.data.dataset import INDEX_COLUMNS, DatasetCard, columns_of
from edgeloop.errors import DataFault
from edgeloop.plugins import missing_extra

if TYPE_CHECKING:
    import pandas as pd


def frame_of(dataset: Path) -> "pd.DataFrame":
    """One row a sample, in the order of the index: INDEX_COLUMNS, the features of its kind and the derived ones.

    Raises:
        DataFault: index and features are damaged or not of the same samples.
        MissingExtra: pandas is not installed.
    """
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise missing_extra(error, "validation") from error
    index = pd.DataFrame(columns_of(dataset / "index.parquet", list(INDEX_COLUMNS)))
    described = plugins.load("features", DatasetCard.read(dataset / "dataset.json").kind).columns
    names = ["id", *(column.name for column in described)]
    features = pd.DataFrame(columns_of(dataset / "features.parquet", names))
    if not index["id"].equals(features["id"]):
        raise DataFault("index and features are of different samples", where=str(dataset), fix="run prepare_data again")
    return with_derived(index.join(features.drop(columns="id")))


def with_derived(frame: "pd.DataFrame") -> "pd.DataFrame":
    """`frame` with the derived columns; the argument is left as it is."""
    same_bytes = frame.groupby("sha256")
    sides = frame[["width", "height"]]
    readable = frame["error"].isna()
    of_class = readable.groupby(frame["label"]).transform("sum")
    return frame.assign(
        readable=readable,
        copies=same_bytes["id"].transform("size").fillna(1).astype(int),
        labels_of_bytes=same_bytes["label"].transform("nunique").fillna(1).astype(int),
        splits_of_bytes=same_bytes["split"].transform("nunique").fillna(1).astype(int),
        splits_of_group=frame.groupby("group")["split"].transform("nunique").fillna(1).astype(int),
        aspect_ratio=sides.max(axis=1) / sides.min(axis=1),
        class_balance=of_class / of_class.max(),
    )
