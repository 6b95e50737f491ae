"""Which scenes are wanted."""

from collections.abc import Iterator

from pydantic import Field

from edgeloop.contract import Contract
from edgeloop.data.scenes.scene import Scene, draw_scene


class SceneOptions(Contract):
    """`prepare_data.options` of the sources that draw scenes."""

    count: int = Field(default=2000, ge=1, le=1_000_000, description="scenes")
    seed: int = Field(default=0, ge=0, lt=2**32, description="another seed gives other scenes")
    size_pixels: int = Field(default=320, ge=160, le=1024, multiple_of=4, description="width and height of a scene")


def scenes(options: SceneOptions) -> Iterator[Scene]:
    """The scenes, each drawn when it is asked for."""
    return (draw_scene(options.seed, number, side_px=options.size_pixels) for number in range(options.count))
