"""What is tried when a quantized file fails its limits, until one passes or the trials are used up.

In this order:

    plain              the recipe of the parameters
    mixed precision    the layers that do the most harm alone stay float: 1/16 of them, 1/8, 1/4, then half
    calibration        the other methods, everything quantized
    bias correction    in full, with the method that lost least, for a scheme that has not begun with that
    quantization-aware training    the plain recipe on weights that were trained on with everything rounded

Then the float file is kept, with the reason. A budget of trials, not of seconds, so that equal inputs end alike.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from edgeloop.errors import MissingExtra, ModelFault
from edgeloop.optimization.judgement import Judgement
from edgeloop.optimization.recipes import Method, Recipe, Tuning
from edgeloop.variants import Check, Tool

SHARES = (16, 8, 4, 2)
"""The parts of the layers that mixed precision keeps float: one over these."""

Rung = Literal["plain", "mixed precision", "calibration", "bias correction", "quantization-aware training"]


@dataclass(frozen=True)
class Harm:
    """What one layer does when it is quantized alone."""

    layer: str
    sqnr_db: float | None
    """Of the worst output; null where nothing changed."""

    @property
    def rank(self) -> float:
        """Less is worse."""
        return math.inf if self.sqnr_db is None else self.sqnr_db


@dataclass(frozen=True)
class Trial:
    """One file that was made and judged."""

    rung: Rung
    recipe: Recipe
    path: Path
    tool: Tool
    judgement: Judgement
    tuned_sha256: str | None = None
    """Of the weights that were trained on; null where those of `train` were quantized."""

    @property
    def rank(self) -> tuple[int, float]:
        """Less is better: how many checks failed, and how much was lost."""
        drop = self.judgement.details.get("drop")
        return len(self.judgement.failed), math.inf if drop is None else float(drop)

    def told(self) -> dict[str, Any]:
        """As JSON types, for records and people."""
        return {
            "rung": self.rung,
            **self.recipe.set_values(),
            **({"tuned_sha256": self.tuned_sha256} if self.tuned_sha256 else {}),
            "size_bytes": self.path.stat().st_size,
            "accepted": self.judgement.accepted,
            "failed": [check.name for check in self.judgement.failed],
            "drop": self.judgement.details.get("drop"),
        }


@dataclass(frozen=True)
class Search:
    """All that was tried."""

    trials: tuple[Trial, ...]
    harms: tuple[Harm, ...] = ()
    omitted: str = ""
    """The rungs that could not be tried, and why."""

    @property
    def best(self) -> Trial:
        """The first that passed, or the nearest to it."""
        return min(self.trials, key=lambda trial: trial.rank)

    @property
    def fallback(self) -> str | None:
        """Why the float file is kept; null where one passed."""
        if self.best.judgement.accepted:
            return None
        failed = ", ".join(map(_missed, self.best.judgement.failed))
        count = len(self.trials)
        tried = f"none of {count} trials is within the limits; the nearest, {self.best.rung}: "
        said = f"float is kept: {tried if count > 1 else 'the file is not within the limits: '}{failed}"
        return f"{said}; not tried: {self.omitted}" if self.omitted else said


def searched(
    plain: Recipe,
    *,
    methods: Sequence[Method],
    corrects_bias: bool,
    attempt: Callable[[Rung, Recipe], Trial],
    harms: Callable[[], Sequence[Harm]],
    trials: int,
    tuning: Tuning | None = None,
    omitted: str = "",
) -> Search:
    """The plain recipe, and the rungs above it as long as none passes.

    Args:
        plain: The recipe of the parameters.
        methods: Those that the scheme knows; none where nothing is calibrated, and then there is no other recipe.
        corrects_bias: The plain recipe does.
        attempt: Makes and judges one file.
        harms: What each layer does alone, worst first; called once at most, when its rung is reached.
        trials: The most files to make, or to fail at.
        tuning: How weights are trained on for the last rung; null leaves it out.
        omitted: That rung and why it cannot be tried, where it is asked for.

    Raises:
        ModelFault, MissingExtra: The plain recipe makes no file; of others it is a reason to leave the rung out.
    """
    made = [attempt("plain", plain)]
    if not methods or trials == 1 or not _mendable(made[0]):
        return Search(tuple(made))
    found: list[Harm] = []
    rungs = _rungs(
        plain, made, found, harms=harms, methods=methods, corrects_bias=corrects_bias, tuning=tuning
    )  # fmt: skip
    for rung, recipe in islice(rungs, trials - 1):
        try:
            made.append(attempt(rung, recipe))
        except (ModelFault, MissingExtra) as fault:
            omitted = "; ".join(filter(None, (omitted, f"{rung}, for it failed: {fault.line()}")))
            continue
        if made[-1].judgement.accepted:
            break
    return Search(tuple(made), tuple(found), omitted)


def _missed(check: Check) -> str:
    """Name and state, with the numbers where there are any."""
    if check.value is None or check.limit is None:
        return f"{check.name} {check.status}"
    return f"{check.name} {check.status} ({check.value:.3g}, limit {check.limit:.3g})"


def _mendable(trial: Trial) -> bool:
    """Something failed that another recipe can change: it makes no file smaller and no val larger."""
    failed = trial.judgement.failed
    return bool(failed) and all(check.status == "fail" and check.name != "size_ratio" for check in failed)


def _rungs(
    plain: Recipe,
    made: Sequence[Trial],
    found: list[Harm],
    *,
    harms: Callable[[], Sequence[Harm]],
    methods: Sequence[Method],
    corrects_bias: bool,
    tuning: Tuning | None,
) -> Iterator[tuple[Rung, Recipe]]:
    """The recipes after the plain one; `made` grows meanwhile, and `found` is filled."""
    found += harms()
    worst_first = [harm.layer for harm in found]
    for count in sorted({math.ceil(len(worst_first) / share) for share in SHARES} - {0, len(worst_first)}):
        yield "mixed precision", plain.model_copy(update={"kept_float": tuple(sorted(worst_first[:count]))})
        if any(check.name == "size_ratio" for check in made[-1].judgement.failed):
            break
    for method in methods:
        if method != plain.method:
            yield "calibration", plain.model_copy(update={"method": method})
    if not corrects_bias or plain.bias_correction == "fast":
        whole = [trial for trial in made if not trial.recipe.kept_float]
        best = min(whole, key=lambda trial: trial.rank).recipe
        yield "bias correction", best.model_copy(update={"bias_correction": "full"})
    if tuning is not None:
        yield "quantization-aware training", plain.model_copy(update={"tuning": tuning})
