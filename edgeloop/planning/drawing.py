"""The two pictures of a plan: memory over the batch, time over the threads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeloop.planning import Plan
from edgeloop.planning.table import threads_told
from edgeloop.report.drawings.axes import Frame, Scale, frame_drawn
from edgeloop.report.drawings.svg import Element, element, group, line, picture, polyline, text
from edgeloop.report.numerals import count, plain, significant, size

WIDTH, HEIGHT = 600, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 500, 40, 252
_LABEL_PX = 15
_HEADROOM = 1.08


@dataclass(frozen=True)
class Run:
    """One line of a picture; `points` are pairs of x and y."""

    name: str
    points: tuple[tuple[float, float], ...]


def memory_drawn(plan: Plan) -> Element:
    """Peak memory of training and of inference over the batch, with the memory there is and its usable share."""
    runs = (
        Run("training", tuple((peak.batch, peak.training_bytes / 1e9) for peak in plan.peaks)),
        Run("inference", tuple((peak.batch, peak.inference_bytes / 1e9) for peak in plan.peaks)),
    )
    whole = plan.memory.size_bytes / 1e9
    limits = (
        (f"{100 * plan.share:.0f} %: {plain(whole * plan.share)} GB", whole * plan.share),
        (f"all: {plain(whole)} GB", whole),
    )
    told = f"the largest batch is {count(plan.largest_batch)} in {size(plan.memory.size_bytes)}"
    return _drawn(runs, limits, title="Memory over the batch", labels=("batch", "peak memory, GB"), told=told)


def times_drawn(plan: Plan) -> Element | None:
    """Wall and CPU seconds of an epoch over the threads; None where nothing was timed."""
    if not plan.times:
        return None
    runs = (
        Run("on the clock", tuple((time.threads, time.wall_s) for time in plan.times)),
        Run("of CPU", tuple((time.threads, time.cpu_s) for time in plan.times)),
    )
    best = min(plan.times, key=lambda time: time.wall_s)
    told = f"the shortest epoch takes {significant(best.wall_s)} s with {threads_told(best.threads)}"
    return _drawn(runs, (), title="Time over the threads", labels=("threads", "seconds of an epoch"), told=told)


def _drawn(
    runs: Sequence[Run],
    limits: Sequence[tuple[str, float]],
    *,
    title: str,
    labels: tuple[str, str],
    told: str,
) -> Element:
    xs = [x for run in runs for x, _ in run.points]
    highest = max(y for run in runs for _, y in run.points)
    shown = [limit for limit in limits if limit[1] <= 4 * highest]
    top = _HEADROOM * max([highest, *(value for _, value in shown)])
    frame = Frame(Scale(min(xs), max(max(xs), min(xs) + 1), _LEFT, _RIGHT), Scale(0, top, _BOTTOM, _TOP))
    ticks = sorted({round(tick) for tick in frame.x.ticks(8)})
    whole: Callable[[float], str] = count
    drawn = frame_drawn(frame, x_label=labels[0], y_label=labels[1], x_text=whole, y_text=plain, x_ticks=ticks)
    lines = [_line(frame, run, series) for series, run in enumerate(runs)]
    beyond = "" if len(shown) == len(limits) else "; the limit lies far above"
    return picture(
        drawn,
        *lines,
        _names(frame, runs),
        *(_limit(frame, name, value) for name, value in shown),
        width=WIDTH,
        height=HEIGHT,
        title=title,
        description=told + beyond,
    )


def _line(frame: Frame, run: Run, series: int) -> Element:
    points = [frame.point(x, y) for x, y in run.points]
    dots = [element("circle", cx=x, cy=y, r=3) for x, y in points] if len(points) <= 4 else []
    return group(polyline(points, class_="curve"), *dots, class_=f"series-{series}")


def _names(frame: Frame, runs: Sequence[Run]) -> Element:
    """The names right of the last points, pushed apart where they would touch."""
    placed: list[float] = []
    parts = []
    for series, run in sorted(enumerate(runs), key=lambda entry: -entry[1].points[-1][1]):
        y = max([frame.y.at(run.points[-1][1]) + 4, *(place + _LABEL_PX for place in placed[-1:])])
        placed.append(y)
        parts.append(text(run.name, frame.right + 7, y, class_=f"name series-{series}"))
    return group(*parts)


def _limit(frame: Frame, name: str, value: float) -> Element:
    y = frame.y.at(value)
    return group(
        line(frame.left, y, frame.right, y, class_="limit"),
        text(name, frame.left + 6, y - 5, class_="limit-name"),
    )
