"""The learning curve: the metric over the number of samples that were learned from."""

from collections.abc import Sequence

from edgeloop.report.drawings.axes import Frame, Scale, frame_drawn, log_spread, spread
from edgeloop.report.drawings.svg import Element, element, group, picture, polyline
from edgeloop.report.numerals import count, percent

WIDTH, HEIGHT = 600, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 540, 40, 252


def growth_drawn(points: Sequence[tuple[int, float]], *, metric: str) -> Element:
    """The chart.

    Args:
        points: Samples of train and the metric on val, two at least, samples rising.
        metric: Its name.
    """
    samples = [number for number, _ in points]
    low, high = spread([value for _, value in points], least=0.01)
    across = Scale(*log_spread(samples), _LEFT, _RIGHT, logarithmic=True)
    frame = Frame(across, Scale(low, high, _BOTTOM, _TOP))
    axes = frame_drawn(
        frame,
        x_label="samples of train, logarithmic",
        y_label=f"{metric} on val",
        x_text=lambda number: count(round(number)),
        y_text=lambda share: percent(share, 1),
        x_ticks=samples,
    )
    places = [frame.point(number, value) for number, value in points]
    dots = [element("circle", cx=x, cy=y, r=3) for x, y in places]
    line = group(polyline(places, class_="curve"), *dots, class_="series-0")
    told = "; ".join(f"{percent(value)} with {count(number)} samples" for number, value in points)
    return picture(axes, line, width=WIDTH, height=HEIGHT, title=f"Learning curve: {metric} on val", description=told)
