"""The release pipeline as a picture, drawn from what KFP compiled: docs/release.svg."""

from html import escape

from edgeloop.params import Params
from pipelines import graph

_STEP_PX, _WIDTH_PX, _HEIGHT_PX, _TOP_PX = 132, 112, 40, 150
_STYLE = (
    "text{font:600 13px system-ui,sans-serif;fill:#16202c}.note{font-weight:400;font-size:12px;fill:#4a5868}"
    "rect{fill:#e8eff9;stroke:#1d5fad;stroke-width:1.5}path{fill:none;stroke:#1d5fad;stroke-width:1.5}"
    ".far{stroke:#9db4d3;stroke-width:1}.loop{stroke:#a3480b;stroke-dasharray:5 4}"
    ".background{fill:#fff;stroke:none}"
)


def drawn(params: Params) -> str:
    """The DAG as SVG: steps from left to right, artifacts as arrows, the way back by drift dashed."""
    spec = graph.compiled(params)
    steps = graph.order(spec)
    middle = {step: 16 + _WIDTH_PX / 2 + _STEP_PX * index for index, step in enumerate(steps)}
    pairs = sorted(
        {(edge.producer, edge.consumer) for edge in graph.edges(spec)}, key=lambda p: (steps.index(p[0]), p[1])
    )
    width, height = round(middle[steps[-1]] + _WIDTH_PX / 2 + 16), _TOP_PX + _HEIGHT_PX + 74
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="t">',
        '<title id="t">The release pipeline: ' + escape(", ".join(steps)) + "</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" style="fill:#1d5fad;stroke:none"/></marker></defs>',
        f'<rect class="background" width="{width}" height="{height}"/>',
        *(_arrow(middle, steps, *pair) for pair in pairs),
        *(_box(step, x) for step, x in middle.items()),
        *_way_back(middle),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _arrow(middle: dict[str, float], steps: list[str], producer: str, consumer: str) -> str:
    distance = steps.index(consumer) - steps.index(producer)
    if distance == 1:
        y = _TOP_PX + _HEIGHT_PX / 2
        start, end = middle[producer] + _WIDTH_PX / 2, middle[consumer] - _WIDTH_PX / 2 - 1
        return f'<path d="M{start:g} {y:g} H{end:g}" marker-end="url(#a)"/>'
    start, end = middle[producer] + 24, middle[consumer] - 24
    peak = _TOP_PX - 22 * distance
    curve = f"M{start:g} {_TOP_PX} C{start:g} {peak} {end:g} {peak} {end:g} {_TOP_PX - 2}"
    return f'<path class="far" d="{curve}" marker-end="url(#a)"/>'


def _box(step: str, x: float) -> str:
    left = x - _WIDTH_PX / 2
    return (
        f'<rect x="{left:g}" y="{_TOP_PX}" width="{_WIDTH_PX}" height="{_HEIGHT_PX}" rx="6"/>'
        f'<text x="{x:g}" y="{_TOP_PX + 25}" text-anchor="middle">{escape(step)}</text>'
    )


def _way_back(middle: dict[str, float]) -> list[str]:
    """What the monitor pipeline adds: telemetry of the registered model, and a release that begins with it."""
    low = _TOP_PX + _HEIGHT_PX
    start, end = middle["register"], middle["train"]
    return [
        f'<path class="loop" d="M{start:g} {low} V{low + 40} H{end:g} V{low + 3}" marker-end="url(#a)"/>',
        f'<text class="note" x="{(start + end) / 2:g}" y="{low + 58}" text-anchor="middle">'
        "monitor: telemetry of the devices → detect_drift → train again from the registered model</text>",
    ]
