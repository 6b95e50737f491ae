"""The worst samples, and beside or behind each what the answer to it hangs on: the deeper the colour, the more."""

from collections.abc import Sequence

from edgeloop.examples import Example, WindowExample
from edgeloop.report.drawings.axes import Scale, spread
from edgeloop.report.drawings.svg import Element, element, group, line, picture, polyline, shortened, text
from edgeloop.report.numerals import count

_COLUMNS, _SIDE, _GAP = 3, 150.0, 6.0
_CELL_WIDTH, _CELL_HEIGHT = 2 * _SIDE + 34, _SIDE + 50
_DEEPEST = 0.8

WIDTH = 600
_LEFT, _RIGHT, _TOP, _LANE = 76, 584, 8, 62
_MOST_CHANNELS = 4


def pictures_drawn(examples: Sequence[Example]) -> Element | None:
    """A sheet of pairs: the picture, and the picture under its importance; None without one."""
    if not examples:
        return None
    cells = [_pair(example, number) for number, example in enumerate(examples)]
    rows = -(-len(cells) // _COLUMNS)
    told = "; ".join(f"{example.id}: {example.told}" for example in examples)
    return picture(
        *cells,
        width=min(len(cells), _COLUMNS) * _CELL_WIDTH,
        height=rows * _CELL_HEIGHT,
        title="The worst pictures of test",
        description=told,
        kind="worst",
    )


def window_drawn(example: WindowExample) -> Element:
    """A lane a channel, all on one scale, over stretches that are the deeper the more the answer hangs on them."""
    shown = example.channels[:_MOST_CHANNELS]
    low, high = spread([value for channel in shown for value in channel])
    last, bottom = max(1, example.points - 1), _TOP + _LANE * len(shown)
    across = Scale(0, last, _LEFT, _RIGHT)
    ticks = [text(count(at), across.at(at), bottom + 17, class_="tick", text_anchor="middle") for at in across.ticks()]
    left_out = len(example.channels) - len(shown)
    more = f" ({left_out} more channels are not shown)" if left_out else ""
    return picture(
        *_stretches(example.importance, bottom),
        line(_LEFT, bottom, _RIGHT, bottom, class_="axis"),
        *ticks,
        *(_lane(channel, number, Scale(low, high, _LANE - 3, 3), across) for number, channel in enumerate(shown)),
        text(f"{example.axis}{more}", (_LEFT + _RIGHT) / 2, bottom + 35, class_="label", text_anchor="middle"),
        width=WIDTH,
        height=bottom + 44,
        title=shortened(example.id, 48),
        description=f"{example.told}. {_most_told(example.importance)}",
        kind="window",
    )


def _lane(channel: Sequence[float], number: int, up: Scale, across: Scale) -> Element:
    top = _TOP + number * _LANE
    step = across.high / max(1, len(channel) - 1)
    points = [(across.at(k * step), top + up.at(value)) for k, value in enumerate(channel)]
    named = text(f"channel {number + 1}", _LEFT - 8, top + _LANE / 2 + 4, class_="tick", text_anchor="end")
    below = line(_LEFT, top + _LANE, _RIGHT, top + _LANE, class_="grid")
    return group(below, named, group(polyline(points, class_="curve thin"), class_="series-0"))


def _stretches(importance: Sequence[float], bottom: float) -> list[Element]:
    most, wide = max(map(abs, importance), default=0.0), (_RIGHT - _LEFT) / max(1, len(importance))
    return [
        element(
            "rect", x=_LEFT + k * wide, y=_TOP, width=wide, height=bottom - _TOP, class_="heat",
            fill_opacity=_depth(value, most),
        )
        for k, value in enumerate(importance)
        if value > 0
    ]  # fmt: skip


def _pair(example: Example, number: int) -> Element:
    x, y = (number % _COLUMNS) * _CELL_WIDTH, (number // _COLUMNS) * _CELL_HEIGHT
    scale = _SIDE / max(example.width, example.height)
    width, height = example.width * scale, example.height * scale
    right = x + _SIDE + _GAP
    return group(
        text(shortened(example.told, 44), x, y + 14, class_="name strong"),
        _image(example, x, y + 22, width, height),
        _image(example, right, y + 22, width, height),
        *_heat(example, right, y + 22, width, height),
        text(shortened(example.id, 48), x, y + _SIDE + 36, class_="tick small"),
    )


def _image(example: Example, x: float, y: float, width: float, height: float) -> Element:
    return element(
        "image",
        href=f"data:image/{example.media};base64,{example.picture}",
        x=x,
        y=y,
        width=width,
        height=height,
        class_="pixels" if example.media == "png" else "photo",
    )


def _heat(example: Example, x: float, y: float, width: float, height: float) -> list[Element]:
    rows = example.importance
    most = max((abs(value) for row in rows for value in row), default=0.0)
    return [
        element(
            "rect",
            x=x + k * width / len(row),
            y=y + number * height / len(rows),
            width=width / len(row),
            height=height / len(rows),
            class_="heat",
            fill_opacity=_depth(value, most),
        )
        for number, row in enumerate(rows)
        for k, value in enumerate(row)
        if value > 0
    ]


def _depth(value: float, most: float) -> float:
    return _DEEPEST * value / most if most else 0.0


def _most_told(importance: Sequence[float]) -> str:
    if not importance:
        return "No importance was taken."
    place = max(range(len(importance)), key=lambda k: importance[k])
    return f"The answer hangs most on stretch {place + 1} of {len(importance)}."
