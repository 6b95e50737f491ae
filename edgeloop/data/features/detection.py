"""Pictures with boxes: those of the picture itself, see `edgeloop.data.picture_features`, and what its boxes are like.

Where nobody has said what is in the picture, objects and classes are null, and no box is at fault.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from edgeloop.data.boxes import fault_count, has_area, is_unknown, leaves, repeated
from edgeloop.data.features import Column, Value
from edgeloop.data.picture_features import COLUMNS, PictureFeatures, picture_features
from edgeloop.data.picture_sheets import features_of_many
from edgeloop.data.sources import Box, RawSample
from edgeloop.errors import DataFault

BOX_COLUMNS = (
    Column("objects", "int", "boxes; null where the picture is unlabelled"),
    Column("classes", "int", "different classes among the boxes; null where the picture is unlabelled"),
    Column("smallest_side_px", "float", "shortest width or height of a box; null without a box"),
    Column("largest_share", "float", "area of the largest box / that of the picture; null without a box"),
    Column("outside", "int", "boxes that leave the picture by more than half a pixel", compared=False),
    Column("no_area", "int", "boxes whose width or height is not above 0", compared=False),
    Column("duplicates", "int", "boxes with an IoU above 0.95 with another of their class", compared=False),
    Column("unknown_classes", "int", "boxes of a class without a name", compared=False),
    Column("label_faults", "int", "labels that cannot be read", compared=False),
)


def box_features(boxes: Sequence[Box], *, width: int, height: int) -> Mapping[str, Value]:
    """BOX_COLUMNS but the last, of the boxes in a picture of that size in pixels."""
    areas = [box.width * box.height for box in boxes if has_area(box)]
    return {
        "objects": len(boxes),
        "classes": len({box.label for box in boxes}),
        "smallest_side_px": float(min(min(box.width, box.height) for box in boxes)) if boxes else None,
        "largest_share": max(areas, default=0.0) / (width * height) if boxes else None,
        "outside": sum(leaves(box, width, height) for box in boxes),
        "no_area": sum(not has_area(box) for box in boxes),
        "duplicates": repeated(boxes),
        "unknown_classes": sum(is_unknown(box.label) for box in boxes),
    }


class Detection:
    """See `edgeloop.data.features.Features`."""

    columns = (*COLUMNS, *BOX_COLUMNS)

    def described(self, _rows: Iterable[Mapping[str, Value]]) -> tuple[Column, ...]:
        """Every dataset has the same columns."""
        return self.columns

    def read(self, content: bytes, sample: RawSample) -> Mapping[str, Value]:
        """A value for every column.

        Raises:
            DataFault: It cannot be read as an image.
        """
        return _row(picture_features(content, where=sample.id), sample)

    def read_many(self, contents: Iterable[tuple[bytes, RawSample]]) -> list[Mapping[str, Value] | DataFault]:
        """See `edgeloop.data.features.FeaturesOfMany`."""
        samples: list[RawSample] = []

        def noted() -> Iterator[tuple[bytes, str]]:
            for content, sample in contents:
                samples.append(sample)
                yield content, sample.id

        found = features_of_many(noted())
        return [
            one if isinstance(one, DataFault) else _row(one, sample) for one, sample in zip(found, samples, strict=True)
        ]


def _row(picture: PictureFeatures, sample: RawSample) -> Mapping[str, Value]:
    found = box_features(sample.boxes or (), width=picture.width, height=picture.height)
    unsaid = {"objects": None, "classes": None} if sample.boxes is None else {}
    return {**vars(picture), **found, **unsaid, "label_faults": fault_count(sample.metadata)}


plugin = Detection()
