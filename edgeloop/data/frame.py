"""The one table that a suite looks at: index, features, and what only the whole dataset can tell.

Derived columns, one value a sample; *readable* means without an error. Of every kind of sample:

    readable             it has no error
    copies               samples with the very same bytes, itself included
    labels_of_bytes      different labels among those; of pictures with boxes, different sets of boxes
    splits_of_bytes      different splits among those
    splits_of_group      different splits in its group; 1 without a group
    class_balance        readable samples of its class / those of the largest class; null without a class
    split_share          readable samples of its class in its split / those of its class; null without a class

A picture with boxes has the class_balance of the rarest class that it shows, and the largest split_share of them.

Of pictures, null where one cannot be read:

    aspect_ratio         longer side / shorter side
    usual_channels       it has as many channels as most pictures (of equally many, the fewer channels)
    blur                 how far its sharpness lies below the median of its class, see `blur_of`
    near_copies          pictures of other bytes that look nearly the same, itself included, see `near_copies_of`
    splits_of_near_copies  different splits among those

Of windows:

    scale_shift          how far its root mean square lies from the usual one of its class, see `scale_shift_of`

Of rows of a table: what `edgeloop.data.table_frame` derives.
"""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeloop import plugins
from edgeloop.data.boxes import is_unknown
from edgeloop.data.dataset import INDEX_COLUMNS, DatasetCard, columns_of
from edgeloop.data.feature_table import FEATURES_FILE, columns_in
from edgeloop.data.table_frame import derived_of_rows
from edgeloop.errors import DataFault
from edgeloop.plugins import missing_extra

if TYPE_CHECKING:
    import pandas as pd

NEAR_BITS, NEAR_GREY = 1, 1.0
"""Two pictures look nearly the same where at most so many bits of their difference hashes differ, and mean and standard
deviation of their grey values by at most so much. Chosen on data: of 2,000 drawn scenes 19 pairs lie within two bits
and none is a copy; with these limits none is taken for one, and 7 of 10 pictures that are saved again as JPEG are."""

NEAR_SIDE_PIXELS = 32
"""A picture with a shorter side is not compared: eight rows of nine cells are all there is of it. Of 1,797 digits of
8 x 8 pixels 155 pairs have the same hash."""

BLUR_SCALE = 0.5
"""The least spread of sharpness that a class is taken to have, in octaves."""

LEVEL_SCALE = 0.5
"""The least spread of the root mean square that a class is taken to have, in octaves."""

_BLOCK_ROWS, _BLOCK_PAIRS = 1 << 10, 1 << 20
"""As much is compared at once: some tens of megabytes."""


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
    index = pd.DataFrame({name: _column(dataset / "index.parquet", name) for name in INDEX_COLUMNS})
    described = [column.name for column in columns_in(dataset / FEATURES_FILE)]
    names = ["id", *described]
    features = pd.DataFrame({name: _column(dataset / FEATURES_FILE, name) for name in names})
    if not index["id"].equals(features["id"]):
        raise DataFault("index and features are of different samples", where=str(dataset), fix="run prepare_data again")
    frame = index.join(features.drop(columns="id"))
    card = DatasetCard.read(dataset / "dataset.json")
    if card.kind != "table":
        return with_derived(frame)
    own = {column.name for column in plugins.load("features", card.kind).columns}
    return of_table(frame, [name for name in described if name not in own])


def _column(path: Path, name: str) -> "pd.Series[Any]":
    """One column of a file: as objects all of them at once would take the most memory."""
    import pandas as pd

    return pd.Series(columns_of(path, [name])[name])


def of_table(frame: "pd.DataFrame", columns: Sequence[str]) -> "pd.DataFrame":
    """As `with_derived`, of a table with those columns: whatever they are called, they are none of a picture."""
    every_kind = {**_of_bytes(frame), **_of_splits(frame), **_of_classes(frame)}
    return frame.assign(**every_kind, **derived_of_rows(frame, columns))


def with_derived(frame: "pd.DataFrame") -> "pd.DataFrame":
    """`frame` with the derived columns; the argument is left as it is."""
    derived = {**_of_bytes(frame), **_of_splits(frame), **_of_classes(frame)}
    if {"width", "height"} <= set(frame.columns):
        sides = frame[["width", "height"]]
        derived["aspect_ratio"] = sides.max(axis=1) / sides.min(axis=1)
    if "channels" in frame.columns:
        derived["usual_channels"] = _usual(frame["channels"])
    if "sharpness" in frame.columns:
        derived["blur"] = blur_of(frame["sharpness"], frame["label"])
    if {"dhash", "mean", "std", "width", "height"} <= set(frame.columns):
        derived["near_copies"], derived["splits_of_near_copies"] = near_copies_of(frame)
    if "rms" in frame.columns:
        derived["scale_shift"] = scale_shift_of(frame["rms"], frame["label"])
    return frame.assign(**derived)


def _of_bytes(frame: "pd.DataFrame") -> dict[str, Any]:
    annotation = frame["label"].where(frame["boxes"].isna(), frame["boxes"])
    same_bytes = frame.assign(annotation=annotation).groupby("sha256")
    return {
        "copies": same_bytes["id"].transform("size").fillna(1).astype(int),
        "labels_of_bytes": same_bytes["annotation"].transform("nunique").fillna(1).astype(int),
        "splits_of_bytes": same_bytes["split"].transform("nunique").fillna(1).astype(int),
    }


def _of_splits(frame: "pd.DataFrame") -> dict[str, Any]:
    return {
        "readable": frame["error"].isna(),
        "splits_of_group": frame.groupby("group")["split"].transform("nunique").fillna(1).astype(int),
    }


def _of_classes(frame: "pd.DataFrame") -> dict[str, Any]:
    """Shares of the classes, a row for each class that a sample shows, then the worst of each sample."""
    classes = frame["label"].where(frame["boxes"].isna(), frame["boxes"].map(_shown, na_action="ignore"))
    shown = frame[["split"]].assign(label=classes, readable=frame["error"].isna())
    if frame["boxes"].notna().any():
        shown = shown.explode("label")
    of_class = shown.groupby("label")["readable"].transform("sum").astype(float)
    in_split = shown.groupby(["label", "split"])["readable"].transform("sum").astype(float)
    return {
        "class_balance": (of_class / of_class.max()).groupby(level=0).min(),
        "split_share": (in_split / of_class.where(of_class > 0)).groupby(level=0).max(),
    }


def _shown(boxes: str) -> list[str]:
    """The classes with a name of the boxes in the index."""
    return sorted({label for label, *_ in json.loads(boxes) if not is_unknown(label)})


def _usual(channels: "pd.Series[Any]") -> "pd.Series[Any]":
    most = channels.mode()
    usual = channels.eq(most.iloc[0] if len(most) else 0).astype(object)
    return usual.where(channels.notna(), None)


def blur_of(sharpness: "pd.Series[Any]", label: "pd.Series[Any]") -> "pd.Series[Any]":
    """How far the sharpness of each picture lies below the median of its class, in robust standard deviations.

    Sharpness counts in octaves, `log2(1 + sharpness)`. The deviation is 1.4826 times the median distance from the
    median (Hampel, 1974), and at least BLUR_SCALE: what is usual in the class is the measure, for digits of 8 x 8
    pixels as for photographs of meadow and sky. Above 0 is less sharp than usual. Seen on data: no digit reaches 5; no
    drawn scene or crop reaches 9, though some are drawn out of focus; scenes blurred by a 64th of their width reach 10.
    """
    octaves = sharpness.astype(float).map(lambda value: math.log2(1 + value))
    classes = label.fillna("")
    below = octaves.groupby(classes).transform("median") - octaves
    deviation = 1.4826 * below.abs().groupby(classes).transform("median")
    return below / deviation.clip(lower=BLUR_SCALE)


def scale_shift_of(rms: "pd.Series[Any]", label: "pd.Series[Any]") -> "pd.Series[Any]":
    """How far the root mean square of each window lies from the median of its class, in robust standard deviations.

    It counts in octaves, offset included, so that another unit stands out: from g to m/s² are 3.3 octaves, from bar to
    Pa 16.6, from 20 °C to 293 K 3.9. The deviation is that of `blur_of`, and at least LEVEL_SCALE. Null where nothing
    moves. Seen on data: no window of the source vibration reaches 5, whose severity alone spreads over 3 octaves.
    """
    octaves = rms.astype(float).map(lambda value: math.log2(value) if value > 0 else math.nan)
    classes = label.fillna("")
    away = (octaves - octaves.groupby(classes).transform("median")).abs()
    deviation = 1.4826 * away.groupby(classes).transform("median")
    return away / deviation.clip(lower=LEVEL_SCALE)


def near_copies_of(frame: "pd.DataFrame") -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
    """Of each picture: pictures of other bytes that look nearly the same, and their splits, itself included.

    Two that both look like a third need not look like each other. Sorted by mean, each picture is compared with those
    of about the same mean only: 100,000 pictures whose means spread over half of the grey values are 1e8 comparisons of
    some nanoseconds each, and 5e9 where all means are the same.
    """
    import pandas as pd

    large = frame[["width", "height"]].min(axis=1) >= NEAR_SIDE_PIXELS
    rows = frame[large & frame["dhash"].notna()].sort_values("mean", kind="stable")
    splits, names = pd.factorize(rows["split"])
    contents = pd.factorize(rows["sha256"])[0]
    count, seen = np.zeros(len(rows), dtype=np.int64), np.zeros((len(rows), len(names)), dtype=np.bool)
    seen[np.arange(len(rows)), splits] = True
    for one, other in _near_pairs(rows):
        differ = contents[one] != contents[other]
        for here, there in ((one[differ], other[differ]), (other[differ], one[differ])):
            count += np.bincount(here, minlength=len(rows))
            seen[here, splits[there]] = True
    found = pd.DataFrame({"copies": 1.0 + count, "splits": seen.sum(axis=1, dtype=float)}, index=rows.index)
    found = found.reindex(frame.index, fill_value=1.0).mask(frame["dhash"].isna())
    return found["copies"], found["splits"]


def _near_pairs(rows: "pd.DataFrame") -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Positions of pictures that look nearly the same, each pair once, some blocks of rows at a time.

    Args:
        rows: Pictures by ascending mean.
    """
    hashes = np.array([int(text, 16) for text in rows["dhash"]], dtype=np.uint64)
    means, stds = rows["mean"].to_numpy(float), rows["std"].to_numpy(float)
    after = np.searchsorted(means, means + NEAR_GREY, side="right")
    top = 0
    while top < len(rows):
        last = min(top + _BLOCK_ROWS, len(rows)) - 1
        bottom = min(last + 1, top + max(1, _BLOCK_PAIRS // int(after[last] - top)))
        window = slice(top, int(after[bottom - 1]))
        near = np.bitwise_count(hashes[top:bottom, None] ^ hashes[None, window]) <= NEAR_BITS
        one, other = (found + top for found in np.nonzero(near))
        close = (np.abs(means[one] - means[other]) <= NEAR_GREY) & (np.abs(stds[one] - stds[other]) <= NEAR_GREY)
        once = close & (one < other)
        yield one[once], other[once]
        top = bottom
