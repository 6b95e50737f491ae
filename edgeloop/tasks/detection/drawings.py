"""Pictures of a detector's metrics."""

from typing import TYPE_CHECKING, Any

from edgeloop.confusion import shortened
from edgeloop.tasks.detection.precision import RECALLS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_curves(axes: "Axes", metrics: dict[str, Any]) -> None:
    """Precision against recall of every class, at an overlap of 0.5."""
    for row, curve in zip(metrics["per_class"], metrics["curves"], strict=True):
        if row["ap50"] is not None:
            axes.plot(RECALLS, curve, linewidth=1.4, label=f"{shortened(row['class'])} {row['ap50']:.3f}")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axes.set_title(f"mAP@0.5 {metrics['map50']:.3f} on {metrics['samples']} pictures")
    if axes.lines:
        axes.legend(loc="lower left", fontsize=8, title="AP@0.5")
