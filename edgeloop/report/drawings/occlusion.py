"""The worst samples, and beside or behind each what the answer to it hangs on: the deeper the colour, the more."""

from collections.abc import Sequence

from edgeloop.examples import Example, WindowExample
from edgeloop.report.drawings.axes import Frame, Scale, frame_drawn, spread
from edgeloop.report.drawings.svg import Element, element, group, picture, polyline, shortened, text
from edgeloop.report.numerals import count, significant

_COLUMNS, _SIDE, _GAP = 3, 150.0, 6.0
_CELL_WIDTH, _CELL_HEIGHT = 2 * _SIDE + 34, _SIDE + 50
_DEEPEST = 0.8

WIDTH, HEIGHT = 600, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 584, 36, 212
_COLOURS = 3


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
    """The channels as lines over stretches that are the deeper the more the answer hangs on them."""
    low, high = spread([value for channel in example.channels for value in channel])
    last = max(1, example.points - 1)
    frame = Frame(Scale(0, last, _LEFT, _RIGHT), Scale(low, high, _BOTTOM, _TOP))
    axes = frame_drawn(frame, x_label="reading or band", y_label="normalised", x_text=count, y_text=significant)
    lines = [_channel(frame, channel, last, min(k, _COLOURS)) for k, channel in enumerate(example.channels)]
    most = max((abs(value) for value in example.importance), default=0.0)
    stretches = [
        element(
            "rect",
            x=_LEFT + k * (_RIGHT - _LEFT) / len(example.importance),
            y=_TOP,
            width=(_RIGHT - _LEFT) / len(example.importance),
            height=_BOTTOM - _TOP,
            class_="heat",
            fill_opacity=_depth(value, most) / 2,
        )
        for k, value in enumerate(example.importance)
        if value > 0
    ]
    return picture(
        *stretches, axes, *lines, width=WIDTH, height=HEIGHT, title=shortened(example.id, 48),
        description=f"{example.told}. {_most_told(example.importance)}", kind="window",
    )  # fmt: skip


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


def _channel(frame: Frame, channel: Sequence[float], last: int, series: int) -> Element:
    step = last / max(1, len(channel) - 1)
    points = [frame.point(k * step, value) for k, value in enumerate(channel)]
    return group(polyline(points, class_="curve thin"), class_=f"series-{series}")


def _most_told(importance: Sequence[float]) -> str:
    if not importance:
        return "No importance was taken."
    place = max(range(len(importance)), key=lambda k: importance[k])
    return f"The answer hangs most on stretch {place + 1} of {len(importance)}."
