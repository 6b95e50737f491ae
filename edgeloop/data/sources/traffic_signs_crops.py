"""The signs of drawn road scenes, each cut out with a margin: a picture a sign, its class the label.

The scenes are those of the source traffic_signs with the same options; see docs/traffic_signs.md.
"""

from collections.abc import Iterator
from pathlib import Path

from edgeloop.data.scenes import Scene
from edgeloop.data.scenes.crops import cut_out
from edgeloop.data.scenes.options import SceneOptions, drawn
from edgeloop.data.scenes.png import png
from edgeloop.data.sources import RawSample
from edgeloop.errors import DataFault


class TrafficSignsCrops:
    """Ids `traffic_signs_crops/0/320/000000/0` onwards: seed, size, number of the scene, and of the sign in it."""

    kind = "image"
    needs_place = False
    options = SceneOptions

    def samples(self, path: Path | None, options: SceneOptions) -> Iterator[RawSample]:
        """Crops as PNG of their own size, drawn scene by scene; those of one scene are a group.

        Raises:
            DataFault: A path was given, which this source would ignore.
        """
        if path is not None:
            raise DataFault(
                "the source traffic_signs_crops takes no path", where=str(path), fix="remove prepare_data.path"
            )
        return drawn(options, _samples)


def _samples(scene: Scene, options: SceneOptions) -> list[RawSample]:
    group = f"traffic_signs_crops/{options.seed}/{options.size_pixels}/{scene.number:06d}"
    return [
        RawSample(
            id=f"{group}/{number}",
            label=sign.label,
            content=png(pixels),
            group=group,
            metadata={"condition": scene.condition, "place": scene.place},
        )
        for number, (sign, pixels) in enumerate(cut_out(scene, options.seed))
    ]


plugin = TrafficSignsCrops()
