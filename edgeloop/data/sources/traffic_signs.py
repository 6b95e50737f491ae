"""Drawn road scenes with the five classes of Moroccan traffic signs, boxes included; see docs/traffic_signs.md.

Scene n of a seed is the same bytes on every machine, whatever else is asked for.
"""

from collections.abc import Iterator
from pathlib import Path

from edgeloop.data.scenes import Scene
from edgeloop.data.scenes.options import SceneOptions, drawn
from edgeloop.data.scenes.png import png
from edgeloop.data.sources import Box, RawSample
from edgeloop.errors import DataFault


class TrafficSigns:
    """Ids `traffic_signs/0/320/000000` onwards: seed, size and number of the scene."""

    kind = "detection"
    needs_place = False
    options = SceneOptions

    def samples(self, path: Path | None, options: SceneOptions) -> Iterator[RawSample]:
        """Scenes as PNG.

        Raises:
            DataFault: A path was given, which this source would ignore.
        """
        if path is not None:
            raise DataFault("the source traffic_signs takes no path", where=str(path), fix="remove prepare_data.path")
        return drawn(options, _samples)


def _samples(scene: Scene, options: SceneOptions) -> tuple[RawSample]:
    sample = RawSample(
        id=f"traffic_signs/{options.seed}/{options.size_pixels}/{scene.number:06d}",
        label=None,
        content=png(scene.pixels),
        boxes=tuple(Box(s.label, s.left, s.top, s.width, s.height) for s in scene.signs),
        metadata={"condition": scene.condition, "place": scene.place},
    )
    return (sample,)


plugin = TrafficSigns()
