"""Pictures that belong to a class: what is looked at in each is told in `edgeloop.data.picture_features`."""

from collections.abc import Iterable, Mapping

from edgeloop.data.features import Column, Value
from edgeloop.data.picture_features import COLUMNS, picture_features
from edgeloop.data.picture_features import PictureFeatures as ImageFeatures
from edgeloop.data.picture_sheets import features_of_many
from edgeloop.data.sources import RawSample
from edgeloop.errors import DataFault

__all__ = ["COLUMNS", "Image", "ImageFeatures", "image_features", "plugin"]

image_features = picture_features


class Image:
    """See `edgeloop.data.features.Features`."""

    columns = COLUMNS

    def described(self, _rows: Iterable[Mapping[str, Value]]) -> tuple[Column, ...]:
        """Every dataset has the same columns."""
        return self.columns

    def read(self, content: bytes, sample: RawSample) -> Mapping[str, Value]:
        """A value for every column.

        Raises:
            DataFault: It cannot be read as an image.
        """
        return dict(vars(picture_features(content, where=sample.id)))

    def read_many(self, contents: Iterable[tuple[bytes, RawSample]]) -> list[Mapping[str, Value] | DataFault]:
        """See `edgeloop.data.features.FeaturesOfMany`."""
        found = features_of_many((content, sample.id) for content, sample in contents)
        return [one if isinstance(one, DataFault) else dict(vars(one)) for one in found]


plugin = Image()
