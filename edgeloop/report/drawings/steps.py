"""The steps of the run and how far it came."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edgeloop.report.drawings.svg import Element, element, group, picture, shortened, text

State = Literal["done", "stopped", "not run"]

WIDTH = 1000
_ACROSS, _BOX_WIDTH, _BOX_HEIGHT, _GAP_X, _GAP_Y = 5, 172, 72, 34, 36
_GLYPHS: dict[State, str] = {"done": "✓", "stopped": "✕", "not run": "○"}


@dataclass(frozen=True)
class StepBox:
    """One step.

    Args:
        name: Of the step.
        state: Drawn as colour, glyph and word.
        fact: The one thing to know of it, a few words.
    """

    name: str
    state: State
    fact: str


def steps_drawn(steps: Sequence[StepBox]) -> Element:
    """Boxes in reading order, an arrow from each to the next."""
    rows = -(-len(steps) // _ACROSS)
    height = rows * _BOX_HEIGHT + (rows - 1) * _GAP_Y + 4
    places = [_place(k) for k in range(len(steps))]
    arrows = [_arrow(places[k], places[k + 1], steps[k + 1].state) for k in range(len(steps) - 1)]
    boxes = [_box(step, *place) for step, place in zip(steps, places, strict=True)]
    told = "; ".join(f"{step.name}: {step.state}{f', {step.fact}' if step.fact else ''}" for step in steps)
    return picture(
        *arrows, *boxes, width=WIDTH, height=height, title="The steps of the run", description=told, kind="steps"
    )


def _place(k: int) -> tuple[float, float]:
    row, column = divmod(k, _ACROSS)
    return column * (_BOX_WIDTH + _GAP_X) + 2, row * (_BOX_HEIGHT + _GAP_Y) + 2


def _box(step: StepBox, x: float, y: float) -> Element:
    return group(
        element("rect", x=x, y=y, width=_BOX_WIDTH - 4, height=_BOX_HEIGHT, rx=8, class_="box"),
        text(step.name, x + 11, y + 24, class_="step-name"),
        text(f"{_GLYPHS[step.state]} {step.state}", x + 11, y + 43, class_="step-state"),
        text(shortened(step.fact, 24), x + 11, y + 61, class_="step-fact"),
        element("title", f"{step.name}: {step.state}. {step.fact}"),
        class_=f"step {step.state.replace(' ', '-')}",
    )


def _arrow(begin: tuple[float, float], end: tuple[float, float], state: State) -> Element:
    """To the right, or from the end of a row to the start of the next."""
    (x1, y1), (x2, y2) = begin, end
    middle = y1 + _BOX_HEIGHT / 2
    if y1 == y2:
        path = f"M{x1 + _BOX_WIDTH - 2} {middle}H{x2 - 9}"
        tip = f"{x2 - 2},{middle} {x2 - 11},{middle - 5} {x2 - 11},{middle + 5}"
    else:
        between, foot = y1 + _BOX_HEIGHT + _GAP_Y / 2, x2 + _BOX_WIDTH / 2
        path = f"M{x1 + _BOX_WIDTH / 2} {y1 + _BOX_HEIGHT + 1}V{between}H{foot}V{y2 - 9}"
        tip = f"{foot},{y2 - 2} {foot - 5},{y2 - 11} {foot + 5},{y2 - 11}"
    style = "arrow faint" if state == "not run" else "arrow"
    return group(element("path", d=path, class_="shaft"), element("polygon", points=tip, class_="tip"), class_=style)
