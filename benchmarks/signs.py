"""Traffic signs without learning: colours, connected regions and rules of shape, and how far they get.

The detector is tuned on scenes of the train split and judged on the test split, by the mean average precision at an
overlap of one half.

Source of the measure: M. Everingham et al., The PASCAL Visual Object Classes Challenge, IJCV 111, 2015, with all points
of the precision-recall curve.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from edgeloop.data.preparation import SplitShares
from edgeloop.data.scenes import CLASSES, Scene, draw_scene
from edgeloop.data.splitting import Member, assigned_splits

SCENES = 2000
SIDE_PX = 320
OVERLAP = 0.5
BAR = 0.5

Mask = NDArray[np.bool_]
Corners = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True)
class Found:
    """A box of a class, and how well it fits the rules, 0 to 1."""

    label: str
    box: Corners
    score: float


def figures() -> Iterator[tuple[str, str, str]]:
    """Figure, measured, bar."""
    numbers = split_numbers("test")
    began = time.process_time()
    scenes = [draw_scene(0, number, side_px=SIDE_PX) for number in numbers]
    drawing = (time.process_time() - began) / len(scenes)
    found = [detected(scene.pixels) for scene in scenes]
    precisions = {label: average_precision(scenes, found, label) for label in CLASSES}
    yield f"traffic_signs: {SCENES} scenes drawn, CPU time", f"{drawing * SCENES:.1f} s", "none, for comparison"
    for label, precision in precisions.items():
        yield f"colours and shapes: AP@0.5 of {label}", f"{precision:.3f}", "none, for comparison"
    mean = sum(precisions.values()) / len(precisions)
    yield (
        f"colours and shapes: mAP@0.5 on {len(scenes)} test scenes",
        f"{mean:.3f}",
        f"≤ {BAR}, or a network is not needed",
    )


def split_numbers(split: str) -> list[int]:
    """The scenes that `prepare_data` would put into a split by their ids."""
    ids = [f"traffic_signs/0/{SIDE_PX}/{number:06d}" for number in range(SCENES)]
    members = [Member(content=name, label=None, group=None, readable=True) for name in ids]
    return [n for n, name in enumerate(assigned_splits(members, SplitShares().values(), seed=0)) if name == split]


@dataclass(frozen=True)
class Thresholds:
    """What was tuned on the train split.

    Args:
        saturations: Levels from which a pixel is coloured; each gives its own regions.
        darkest: Value below which no colour counts.
        brightened: Value that the brightest twentieth of a dark picture is raised to.
        closing_px: Gaps in a region that are closed, 1 for none.
        red: Half width of the range of red hues.
        blue: First and last blue hue.
        triangle: Least overlap with a triangle or ring.
        disc: Least overlap with a disc.
        panel: Least share of its box that a panel fills.
        lamp: Least value of a lit lamp.
        case: Least share of a light's box that is dark.
    """

    saturations: tuple[float, ...] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    darkest: float = 0.2
    brightened: float = 0.6
    closing_px: int = 1
    red: float = 0.07
    blue: tuple[float, float] = (0.55, 0.69)
    triangle: float = 0.64
    disc: float = 0.8
    panel: float = 0.68
    lamp: float = 0.7
    case: float = 0.3


TUNED = Thresholds()


def detected(pixels: NDArray[np.uint8], limits: Thresholds = TUNED) -> list[Found]:
    """Boxes of all five classes in a picture `[H, W, 3]`."""
    hue, saturation, value = hue_saturation_value(pixels)
    bright = value * max(limits.brightened / max(float(np.quantile(value, 0.95)), 0.05), 1)
    is_red = (hue < limits.red) | (hue > 1 - limits.red)
    is_blue = (hue > limits.blue[0]) & (hue < limits.blue[1])
    found: list[Found | None] = []
    for level in limits.saturations:
        strong = (saturation > level) & (bright > limits.darkest)
        found += [_red_sign(region, limits) for region in _regions(strong & is_red, limits.closing_px)]
        found += [_blue_sign(region, limits) for region in _regions(strong & is_blue, limits.closing_px)]
    lamps = (value > limits.lamp) & (saturation > 0.35)
    colours = {"red": is_red, "amber": (hue > 0.09) & (hue < 0.16), "green": (hue > 0.38) & (hue < 0.5)}
    for colour, of_hue in colours.items():
        found += [_light(r, colour, value, limits) for r in _regions(lamps & of_hue, limits.closing_px, smallest_px=4)]
    return _without_doubles([one for one in found if one is not None])


def hue_saturation_value(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], ...]:
    """Each 0 to 1, `[H, W]`."""
    red, green, blue = (pixels[:, :, channel] / 255 for channel in range(3))
    value, low = pixels.max(axis=2) / 255, pixels.min(axis=2) / 255
    spread = value - low
    divisor = np.where(spread == 0, 1, spread)
    sector = np.where(
        value == red,
        (green - blue) / divisor % 6,
        np.where(value == green, (blue - red) / divisor + 2, (red - green) / divisor + 4),
    )
    return sector / 6, spread / np.where(value == 0, 1, value), value


@dataclass(frozen=True)
class Region:
    """A connected region: its box in pixels and its mask, cut to the box, with holes and without."""

    box: tuple[int, int, int, int]
    mask: Mask
    whole: Mask

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.mask.shape[0], self.mask.shape[1]


def _regions(mask: Mask, closing_px: int, *, smallest_px: int = 12) -> list[Region]:
    closed = ndimage.binary_closing(mask, np.ones((closing_px, closing_px)))
    labels, _ = ndimage.label(closed, np.ones((3, 3)))
    regions = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if smallest_px <= max(height, width) <= SIDE_PX // 3 and min(height, width) >= smallest_px // 2:
            part = labels[rows, columns] == number
            box = columns.start, rows.start, columns.stop, rows.stop
            regions.append(Region(box, part, ndimage.binary_fill_holes(part)))
    return regions


def _red_sign(region: Region, limits: Thresholds) -> Found | None:
    """A triangle fills half of its box and widens downwards; a ring fills what a circle does."""
    height, width = region.shape
    aspect = width / height
    hole = 1 - region.mask.sum() / max(region.whole.sum(), 1)
    if hole < 0.08 or not 0.5 < aspect < 1.7:
        return None
    fits = {label: _overlap_of_masks(region.whole, shape) for label, shape in _red_shapes(height, width).items()}
    label = max(fits, key=lambda name: fits[name])
    score = fits[label] * (1 - abs(1 - min(aspect, 1 / aspect)) / 2)
    return Found(label, _grown(region.box, 0.02), score) if fits[label] > limits.triangle else None


def _red_shapes(height: int, width: int) -> dict[str, Mask]:
    rows, columns = _unit_grid(height, width)
    return {"warning": np.abs(columns) <= (rows + 1) / 2 + 0.08, "prohibition": rows**2 + columns**2 <= 1}


def _blue_sign(region: Region, limits: Thresholds) -> Found | None:
    """A disc fills what a circle does, a panel its whole box; both hold something white."""
    height, width = region.shape
    aspect = width / height
    content = 1 - region.mask.sum() / max(region.whole.sum(), 1)
    if content < 0.03 or not 0.45 < aspect < 2.8:
        return None
    rows, columns = _unit_grid(height, width)
    disc = _overlap_of_masks(region.whole, rows**2 + columns**2 <= 1)
    panel = region.whole.mean()
    if disc > limits.disc and disc >= panel and 0.6 < aspect < 1.5:
        return Found("obligation", _grown(region.box, 0.05), disc)
    return Found("recommendation", _grown(region.box, 0.04), panel) if panel > limits.panel else None


def _light(region: Region, colour: str, value: NDArray[np.float64], limits: Thresholds) -> Found | None:
    """A round lamp above, between or below dark ones: the case is as wide as 1.3 lamps and as high as 3.6."""
    height, width = region.shape
    if not 0.6 < width / height < 1.6 or max(height, width) > 24 or region.whole.mean() < 0.6:
        return None
    left, top, right, bottom = region.box
    size = max(height, width)
    middle = (left + right) / 2
    centre = (top + bottom) / 2 + {"red": 1.15, "amber": 0.0, "green": -1.15}[colour] * size
    box = middle - 0.68 * size, centre - 1.85 * size, middle + 0.68 * size, centre + 1.85 * size
    inside = tuple(int(min(max(edge, 0), SIDE_PX)) for edge in box)
    case = value[inside[1] : inside[3], inside[0] : inside[2]]
    dark = float((case < 0.35).mean()) if case.size else 0.0
    return Found("light", box, dark) if dark > limits.case else None


def _unit_grid(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows and columns of a box from -1 to 1."""
    return (2 * np.arange(height) + 1)[:, None] / height - 1, (2 * np.arange(width) + 1)[None, :] / width - 1


def _overlap_of_masks(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def _grown(box: tuple[int, int, int, int], share: float) -> Corners:
    """The white edge around the colour belongs to the sign."""
    left, top, right, bottom = box
    more_x, more_y = (right - left) * share, (bottom - top) * share
    return left - more_x, top - more_y, right + more_x, bottom + more_y


def _without_doubles(found: Sequence[Found]) -> list[Found]:
    """The best of those that overlap by more than half."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: -one.score):
        if all(overlap(one.box, other.box) <= OVERLAP for other in kept):
            kept.append(one)
    return kept


def overlap(one: Corners, other: Corners) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / (areas - width * height)


def average_precision(scenes: Sequence[Scene], found: Sequence[Sequence[Found]], label: str) -> float:
    """Area under the precision-recall curve of a class, precision made monotone, over all its points."""
    truth = [
        [(s.left, s.top, s.left + s.width, s.top + s.height) for s in scene.signs if s.label == label]
        for scene in scenes
    ]
    guesses = [(one, number) for number, all_ in enumerate(found) for one in all_ if one.label == label]
    taken: set[tuple[int, int]] = set()
    hits = []
    for one, number in sorted(guesses, key=lambda guess: -guess[0].score):
        overlaps = [overlap(one.box, box) for box in truth[number]]
        best = int(np.argmax(overlaps)) if overlaps else -1
        hit = best >= 0 and overlaps[best] >= OVERLAP and (number, best) not in taken
        taken |= {(number, best)} if hit else set()
        hits.append(hit)
    true = np.cumsum(hits)
    precision = true / np.arange(1, len(hits) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best_from_here[np.array(hits, dtype=bool)].sum() / max(sum(map(len, truth)), 1))
